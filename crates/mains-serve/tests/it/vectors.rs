//! `/v1/embeddings` from a local encoder: a scripted worker in place of the real one, so that no weights are needed.

use crate::harness::{Got, Running, chat, client, post};
use mains_serve::local::{Local, LocalAsks, LocalEvent, Vectors};
use serde_json::{Value, json};

const CONFIG: &str = "[[upstream]]\nname = \"here\"\nprovider = \"local\"\n\
    [[route]]\nmodel = \"v\"\ntargets = [\"here/all-minilm-l6-v2\"]\ndegraded = \"allow\"\n\
    [[route]]\nmodel = \"c\"\ntargets = [\"here/smollm2-135m-instruct\"]\ndegraded = \"allow\"\n";

/// As long as the vectors of the known encoder.
const WIDTH: usize = 384;

/// The vector of a text: its length in bytes first, then thirds.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![1.0 / 3.0; WIDTH];
    vector[0] = text.len() as f32;
    vector
}

/// A worker that counts a token a byte, reads four at most, and fails at the word `fail`.
fn worker() -> Local {
    let (local, mut questions) = Local::new(4);
    tokio::spawn(async move {
        while let Some((question, events)) = questions.recv().await {
            assert_eq!(question.model, "all-minilm-l6-v2");
            let LocalAsks::Vectors(texts) = question.asks else { panic!("no texts: {question:?}") };
            if texts.iter().any(|text| text == "fail") {
                events.send(LocalEvent::Failed("the worker failed".into())).await.unwrap();
                continue;
            }
            let long = texts.iter().enumerate().filter(|(_, text)| text.len() > 4);
            let vectors = Vectors {
                vectors: texts.iter().map(|text| vector(text)).collect(),
                tokens: texts.iter().map(|text| text.len().min(4) as u64).sum(),
                cut: long.map(|(place, _)| (place, 4)).collect(),
            };
            for event in [LocalEvent::Begun, LocalEvent::Embedded(vectors), LocalEvent::Done] {
                events.send(event).await.unwrap();
            }
        }
    });
    local
}

async fn outlet() -> Running {
    Running::start_around(tempfile::tempdir().unwrap(), "", CONFIG, Some(worker())).await
}

async fn embed(outlet: &Running, question: Value) -> Got {
    post(&client(), outlet.address, "/v1/embeddings", question.to_string()).await
}

#[tokio::test]
async fn texts_come_back_as_vectors_in_the_shape_of_the_api() {
    let outlet = outlet().await;
    let got = embed(&outlet, json!({"model": "v", "input": ["a", "abc"]})).await;
    assert_eq!((got.status, got.header("x-mains-target")), (200, "here/all-minilm-l6-v2"), "{}", got.text());
    let answer = got.json();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("list"), &json!("v")));
    assert_eq!(answer["usage"], json!({"prompt_tokens": 4, "total_tokens": 4}));
    for (index, text) in ["a", "abc"].into_iter().enumerate() {
        let item = &answer["data"][index];
        assert_eq!((&item["object"], &item["index"]), (&json!("embedding"), &json!(index)));
        let floats: Vec<f32> = serde_json::from_value(item["embedding"].clone()).unwrap();
        assert_eq!(floats, vector(text));
    }
    let whole =
        embed(&outlet, json!({"model": "v", "input": "a", "encoding_format": "base64", "dimensions": 384}))
            .await;
    let text = whole.json()["data"][0]["embedding"].as_str().unwrap().to_owned();
    // 384 floats of four bytes, three bytes in four letters; the first float is 1, which is 00 00 80 3F.
    assert!(text.len() == 384 * 4 / 3 * 4 && text.starts_with("AACAP6uqqj6r"), "{text}");
    let records = outlet.records().await;
    assert_eq!(records.len(), 2);
    for leaf in outlet.finish().await.iter().filter(|leaf| leaf["kind"] == "receipt") {
        assert_eq!(leaf["result"], "ok", "{leaf}");
    }
}

#[tokio::test]
async fn what_was_not_read_of_a_text_is_said() {
    let outlet = outlet().await;
    let got = embed(&outlet, json!({"model": "v", "input": ["abcd", "abcde"]})).await;
    assert_eq!(got.json()["usage"]["prompt_tokens"], 8);
    assert!(got.header("x-mains-losses").contains("input[1]"), "{:?}", got.headers);
    assert!(!got.header("x-mains-losses").contains("input[0]"), "{:?}", got.headers);
}

#[tokio::test]
async fn what_the_encoder_cannot_do_is_a_mistake_of_the_caller() {
    let outlet = outlet().await;
    for (question, word) in [
        (json!({"model": "v", "input": "a", "dimensions": 128}), "384 numbers"),
        (json!({"model": "v", "input": [1, 2]}), "token numbers"),
        (json!({"model": "v", "input": [[1], [2]]}), "token numbers"),
        (json!({"model": "v", "input": []}), "empty"),
        (json!({"model": "v", "input": vec!["a"; 2_049]}), "2048"),
        (json!({"model": "v", "input": "a", "encoding_format": "hex"}), "float"),
        (json!({"model": "c", "input": "a"}), "embeddings"),
    ] {
        let got = embed(&outlet, question).await;
        assert!(got.status == 400 && got.text().contains(word), "{word}: {} {}", got.status, got.text());
    }
    let got = post(&client(), outlet.address, "/v1/chat/completions", chat("v", false)).await;
    assert!(got.status == 400 && got.text().contains("it cannot do: generation"), "{}", got.text());
}

#[tokio::test]
async fn a_worker_that_fails_is_no_answer() {
    let outlet = outlet().await;
    let got = embed(&outlet, json!({"model": "v", "input": "fail"})).await;
    assert_eq!(got.status, 503, "{}", got.text());
    let got = embed(&outlet, json!({"model": "v", "input": "fine"})).await;
    assert_eq!(got.status, 200, "{}", got.text());
}
