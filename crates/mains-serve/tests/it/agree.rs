//! Two cheap models that are asked first, as a client meets them.

use crate::harness::{Act, Got, Running, Upstream, chat, client, get, ordinary, post};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// `odd` says something else, `down` nothing; all others the same.
fn script(question: &Value) -> Act {
    let other =
        |text: String| text.replace("All circuits on", "Half of them").replace("circuits on", "but one");
    match (question["model"].as_str(), ordinary(question)) {
        (Some("down"), _) => Act::Reply(500, &[], "{}".into()),
        (Some("odd"), Act::Reply(status, headers, text)) => Act::Reply(status, headers, other(text)),
        (Some("odd"), Act::Pieces(pieces, clean)) => {
            Act::Pieces(pieces.into_iter().map(other).collect(), clean)
        }
        (_, act) => act,
    }
}

fn config(upstream: SocketAddr, more: &str) -> String {
    let mut text =
        format!("[[upstream]]\nname = \"a\"\nprovider = \"openai\"\nbase_url = \"http://{upstream}/v1\"\n");
    for (model, input, output) in [("first", 1, 2), ("second", 1, 2), ("odd", 1, 2), ("big", 10, 20)] {
        let _ = write!(
            text,
            "[[upstream.price]]\nmodel = \"{model}\"\ninput_usd_per_million = {input}\noutput_usd_per_million = {output}\n"
        );
    }
    for (model, second) in [("same", "second"), ("differ", "odd"), ("fail", "down")] {
        let _ = write!(
            text,
            "[[route]]\nmodel = \"{model}\"\nagree = [\"a/first\", \"a/{second}\"]\ntargets = [\"a/big\"]\n"
        );
    }
    text + more
}

fn told(got: &Got) -> (u16, &str, &str, &str) {
    (got.status, got.header("x-mains-agree"), got.header("x-mains-target"), got.header("x-mains-cost-usd"))
}

#[tokio::test]
async fn where_both_agree_the_first_answers_and_else_the_big_one_and_all_are_paid() {
    let upstream = Upstream::start(script).await;
    let running = Running::start("", &config(upstream.address, "")).await;
    let client = client();
    // 11 tokens in and 3 out: 17 millionths of a dollar for a cheap one, 170 for the big one.
    for (model, agree, target, cost, asked) in [
        ("same", "yes", "a/first", "0.000034", 2),
        ("differ", "no", "a/big", "0.000204", 3),
        ("fail", "failed", "a/big", "0.000187", 3),
    ] {
        let before = upstream.asked();
        let got = post(&client, running.address, "/v1/chat/completions", chat(model, false)).await;
        assert_eq!(told(&got), (200, agree, target, cost), "{model}: {}", got.text());
        assert_eq!(got.json()["choices"][0]["message"]["content"], "All circuits on");
        assert_eq!(upstream.asked() - before, asked);
        let record = running.records().await.remove(0);
        assert_eq!(record.attempts.as_array().unwrap().len(), asked);
        assert_eq!(record.intents.len(), asked, "an intent for every leg");
        // What failed used nothing that anybody told.
        let paid = if model == "fail" { 2 } else { asked as u64 };
        assert_eq!(record.usage.unwrap().total(), 14 * paid);
    }
    assert_eq!(running.records().await.len(), 3, "one record a request");
    let leaves = running.finish().await;
    let kinds = |kind: &str| leaves.iter().filter(|leaf| leaf.to_string().contains(kind)).count();
    assert!(leaves.len() >= 11 && kinds("intent") >= 8, "{} leaves", leaves.len());
}

#[tokio::test]
async fn a_stream_comes_whole_once_both_agree_in_the_callers_dialect() {
    let upstream = Upstream::start(script).await;
    let running = Running::start("", &config(upstream.address, "")).await;
    let client = client();
    let got = post(&client, running.address, "/v1/chat/completions", chat("same", true)).await;
    assert_eq!(
        (got.status, got.header("x-mains-agree"), got.header("x-mains-target")),
        (200, "yes", "a/first")
    );
    assert!(got.text().contains("circuits on") && got.text().ends_with("data: [DONE]\n\n"), "{}", got.text());
    assert_eq!(got.text().matches("circuits on").count(), 1, "one answer, not two");
    let got = post(&client, running.address, "/v1/chat/completions", chat("differ", true)).await;
    assert_eq!((got.status, got.header("x-mains-agree"), got.header("x-mains-target")), (200, "no", "a/big"));
    assert!(!got.text().contains("but one"), "nothing of what was put aside: {}", got.text());
    // Another dialect: translated, then compared.
    let got = post(&client, running.address, "/v1/messages", chat("same", true)).await;
    assert_eq!((got.status, got.header("x-mains-agree")), (200, "yes"), "{}", got.text());
    assert!(got.text().contains("message_stop"), "{}", got.text());
    running.finish().await;
}

#[tokio::test]
async fn both_legs_are_held_before_either_is_asked() {
    let upstream = Upstream::start(script).await;
    // Both legs may use about 90 millionths of a dollar each at worst; the cap holds one of them.
    let cap = "[[budget]]\nscope = \"organisation\"\nper = \"month\"\nusd = 0.00012\n";
    let running = Running::start("", &config(upstream.address, cap)).await;
    let client = client();
    let got = post(&client, running.address, "/v1/chat/completions", chat("same", false)).await;
    assert_eq!((got.status, upstream.asked()), (402, 0), "{}", got.text());
    let budgets = get(&client, running.address, "/mains/v1/budgets").await.json();
    assert_eq!(budgets["budgets"][0]["held"], 0);
    running.finish().await;
}
