//! An upstream dies under load: who was not yet answered is answered by another, who was in the middle is told, and
//! every one of them has exactly one record.

use crate::harness::{Act, Running, Upstream, chat, client, one, ordinary, post, two};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

const REQUESTS: usize = 2_000;
const TOGETHER: usize = 32;
const KILL_AFTER: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_requests_survive_the_death_of_the_first_upstream() {
    let (first, second) = (Upstream::start(ordinary).await, Upstream::start(ordinary).await);
    let running = Running::start("", &two(first.address, second.address)).await;
    let (client, address) = (client(), running.address);
    let places = Arc::new(Semaphore::new(TOGETHER));
    let mut tasks = tokio::task::JoinSet::new();
    let mut first = Some(first);
    for number in 0..REQUESTS {
        if number == KILL_AFTER {
            first.take().unwrap().kill().await;
        }
        let (client, place) = (client.clone(), Arc::clone(&places).acquire_owned().await.unwrap());
        tasks.spawn(async move {
            let stream = number % 2 == 1;
            let got = post(&client, address, "/v1/chat/completions", chat("m", stream)).await;
            drop(place);
            (stream, got.status, got.text())
        });
    }
    let (mut answered, mut told) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        let (stream, status, text) = done.unwrap();
        assert_eq!(status, 200, "{text}");
        match stream {
            false => {
                let answer: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(answer["choices"][0]["message"]["content"], "All circuits on");
                answered += 1;
            }
            true if text.ends_with("data: [DONE]\n\n") => answered += 1,
            true => {
                assert!(text.contains("\"error\""), "a broken stream must say so: {text}");
                told += 1;
            }
        }
    }
    assert_eq!(answered + told, REQUESTS);
    assert!(told <= TOGETHER, "only streams in flight at the moment of death may break: {told}");
    let records = running.records().await;
    assert_eq!(records.len(), REQUESTS, "one record each");
    assert!(records.iter().any(|row| row.target.as_deref() == Some("b/gpt-4o-mini")));
    let leaves = running.finish().await;
    let outcomes = leaves.iter().filter(|leaf| leaf["type"] == "outcome").count();
    assert_eq!(outcomes, REQUESTS, "one closing leaf each");
}

/// Half an answer, and then nothing more.
fn breaks(question: &Value) -> Act {
    match ordinary(question) {
        Act::Pieces(pieces, _) => Act::Pieces(pieces.into_iter().take(2).collect(), false),
        other => other,
    }
}

#[tokio::test]
async fn a_stream_that_breaks_after_content_ends_with_an_error_and_never_cleanly() {
    let (first, second) = (Upstream::start(breaks).await, Upstream::start(ordinary).await);
    let config = two(first.address, second.address);
    let running = Running::start("[serve.deadlines]\nidle_s = 1", &config).await;
    let got = post(&client(), running.address, "/v1/chat/completions", chat("m", true)).await;
    let text = got.text();
    assert!(text.contains("All ") && text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
    assert_eq!(second.asked(), 0, "after content nobody else may answer");
    let records = running.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].result, "broken");
    running.finish().await;
}

/// What OpenAI says of a model that is gone.
fn dead(_: &Value) -> Act {
    let body = json!({"error": {"message": "The model `gpt-3.5-turbo` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations", "type": "invalid_request_error", "param": null, "code": "model_not_found"}});
    Act::Reply(404, &[], body.to_string())
}

#[tokio::test]
async fn a_dead_model_is_passed_over_and_its_own_error_is_told_when_nothing_else_is_left() {
    let (first, second) = (Upstream::start(dead).await, Upstream::start(ordinary).await);
    let running = Running::start("", &two(first.address, second.address)).await;
    let client = client();
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(
        (got.status, got.header("x-mains-target"), got.header("x-mains-attempts")),
        (200, "b/gpt-4o-mini", "2")
    );
    // The provider has said that the model is gone: it is not asked again.
    post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(first.asked(), 1);
    running.finish().await;

    let running = Running::start("", &one(first.address)).await;
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(got.status, 404, "{}", got.text());
    assert!(got.text().contains("has been deprecated"), "{}", got.text());
    running.finish().await;
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_once_as_cancelled() {
    let upstream = Upstream::start(|_| Act::Silent).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let request = tokio::spawn(async move {
        post(&client, running.address, "/v1/chat/completions", chat("m", false)).await
    });
    while upstream.asked() == 0 {
        tokio::task::yield_now().await;
    }
    request.abort();
    let records = loop {
        let records = running.records().await;
        if !records.is_empty() {
            break records;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((records.len(), records[0].result.as_str()), (1, "cancelled"));
    let leaves = running.finish().await;
    assert_eq!(leaves.last().unwrap()["result"], "cancelled");
}
