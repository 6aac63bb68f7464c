//! Upstreams that answer garbage: each is a clear error in the caller's dialect, or another target answers.

use crate::harness::{Act, Running, Upstream, chat, client, one, ordinary, post, two};
use serde_json::{Value, json};

/// Every way in which an upstream can be of no use, plain and streamed.
const SCRIPTS: &[(&str, crate::harness::Script)] = &[
    ("html with an error status", |_| Act::Reply(502, &[], "<html><body>Bad Gateway</body></html>".into())),
    ("html with a good status", |_| Act::Reply(200, &[], "<html><body>Welcome</body></html>".into())),
    ("an error inside a good reply", |question| {
        let error =
            json!({"error": {"message": "the engine is overloaded", "type": "server_error", "code": null}})
                .to_string();
        if question["stream"] == true {
            Act::Pieces(vec![format!("data: {error}\n\n")], true)
        } else {
            Act::Reply(200, &[], error)
        }
    }),
    ("half a chunk", |question| match ordinary(question) {
        Act::Pieces(pieces, _) => Act::Pieces(vec![pieces[0].clone(), pieces[1][..20].to_owned()], true),
        _ => Act::Reply(200, &[], "{\"id\":\"c\",\"choices\":[{\"index\":0,\"mess".into()),
    }),
    ("an empty body", |_| Act::Reply(200, &[], String::new())),
    ("too many requests", |_| {
        Act::Reply(429, &[("retry-after", "7")], json!({"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}).to_string())
    }),
    ("no credit", |_| {
        Act::Reply(429, &[], json!({"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}).to_string())
    }),
    ("a wrong key", |_| {
        Act::Reply(401, &[], json!({"error": {"message": "Incorrect API key provided", "type": "invalid_request_error", "code": "invalid_api_key"}}).to_string())
    }),
];

#[tokio::test]
async fn another_target_answers_for_every_upstream_that_is_of_no_use() {
    for (what, script) in SCRIPTS {
        let (bad, good) = (Upstream::start(*script).await, Upstream::start(ordinary).await);
        let running = Running::start("", &two(bad.address, good.address)).await;
        for stream in [false, true] {
            let got = post(&client(), running.address, "/v1/chat/completions", chat("m", stream)).await;
            assert_eq!(got.status, 200, "{what}, stream {stream}: {}", got.text());
            assert!(got.text().contains("circuits on"), "{what}, stream {stream}: {}", got.text());
            assert_eq!(got.header("x-mains-target"), "b/gpt-4o-mini", "{what}");
        }
        assert_eq!(running.records().await.len(), 2, "{what}");
        running.finish().await;
    }
}

#[tokio::test]
async fn with_nobody_else_every_one_is_a_clear_error_in_both_dialects() {
    for (what, script) in SCRIPTS {
        let bad = Upstream::start(*script).await;
        let running = Running::start("", &one(bad.address)).await;
        let client = client();
        let openai = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
        assert!(openai.status >= 400, "{what}: {}", openai.text());
        assert!(openai.json()["error"]["message"].is_string(), "{what}: {}", openai.text());
        let body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]})
            .to_string();
        let anthropic = post(&client, running.address, "/v1/messages", body).await;
        assert!(anthropic.status >= 400, "{what}");
        assert_eq!(anthropic.json()["type"], "error", "{what}: {}", anthropic.text());
        let records = running.records().await;
        assert_eq!(records.len(), 2, "{what}");
        assert!(records.iter().all(|row| !row.succeeded), "{what}");
        running.finish().await;
    }
}

#[tokio::test]
async fn an_endless_line_is_cut_off_within_bounded_memory() {
    let endless = |_: &Value| {
        Act::Pieces(
            vec!["data: ".into(); 1]
                .into_iter()
                .chain(std::iter::repeat_n("x".repeat(1 << 20), 12))
                .collect(),
            true,
        )
    };
    let upstream = Upstream::start(endless).await;
    let running = Running::start("", &one(upstream.address)).await;
    let got = post(&client(), running.address, "/v1/chat/completions", chat("m", true)).await;
    assert!(got.status >= 400, "{}", got.status);
    assert!(got.body.len() < 10_000, "nothing of it reaches the client");
    running.finish().await;
}
