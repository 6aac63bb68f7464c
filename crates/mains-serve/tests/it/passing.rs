//! What goes well: bytes pass unchanged, figures are said, records and leaves are written.

use crate::harness::{Running, Upstream, chat, client, get, one, ordinary, post};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_plain_answer_passes_with_its_figures_and_its_record() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.json()["choices"][0]["message"]["content"], "All circuits on");
    assert_eq!(got.header("x-mains-target"), "a/gpt-4o-mini");
    assert_eq!(got.header("x-mains-attempts"), "1");
    // 11 input tokens at $0.15 and 3 output tokens at $0.60 a million.
    assert_eq!(got.header("x-mains-cost-usd"), "0.00000345");
    assert_eq!(got.header("x-mains-grade"), "D");
    assert!(got.header("x-mains-energy-j").contains(".."), "{:?}", got.headers);
    let id = got.header("x-request-id").to_owned();
    let record = get(&client, running.address, &format!("/mains/v1/requests/{id}")).await.json();
    assert_eq!(record["result"], "ok");
    assert_eq!(record["usage"]["input"], 11);
    assert_eq!(record["cost_usd"], "0.00000345");
    let leaves = running.finish().await;
    let kinds: Vec<&str> = leaves.iter().map(|leaf| leaf["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["config", "intent", "outcome"]);
    assert_eq!(leaves[2]["request"], json!(id));
    assert_eq!(leaves[2]["intents"], json!([1]));
    assert_eq!(leaves[2]["cost_nano_usd"], "3450");
    assert_eq!(leaves[2]["result"], "complete");
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte_and_the_usage_chunk_that_we_asked_for_is_withheld() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", true)).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.header("content-type"), "text/event-stream; charset=utf-8");
    let text = got.text();
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains("circuits on"), "{text}");
    assert!(!text.contains("usage"), "{text}");
    let id = got.header("x-request-id").to_owned();
    let record = get(&client, running.address, &format!("/mains/v1/requests/{id}")).await.json();
    assert_eq!(record["usage"]["output"], 3, "{record}");
    assert_eq!(running.finish().await.len(), 3);
}

#[tokio::test]
async fn an_anthropic_client_is_served_by_an_openai_upstream() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let body = |stream: bool| {
        json!({"model": "m", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}], "stream": stream}).to_string()
    };
    let plain = post(&client, running.address, "/v1/messages", body(false)).await;
    assert_eq!(plain.status, 200, "{}", plain.text());
    assert_eq!(plain.json()["content"][0]["text"], "All circuits on");
    assert_eq!(plain.json()["usage"]["output_tokens"], 3);
    assert!(!plain.header("request-id").is_empty());
    let streamed = post(&client, running.address, "/v1/messages", body(true)).await.text();
    assert_eq!(streamed.matches("event: message_start").count(), 1, "{streamed}");
    assert_eq!(streamed.matches("event: message_stop").count(), 1, "{streamed}");
    assert!(streamed.contains("circuits on"));
    running.finish().await;
}

#[tokio::test]
async fn models_are_listed_in_both_shapes_and_metrics_can_be_read() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let request = |anthropic: bool| {
        let builder = http::Request::get(format!("http://{}/v1/models", running.address));
        let builder = if anthropic { builder.header("anthropic-version", "2023-06-01") } else { builder };
        builder.body(http_body_util::Full::default()).unwrap()
    };
    let openai = crate::harness::send(&client, request(false)).await.json();
    assert_eq!(openai["data"][0]["id"], "m");
    let anthropic = crate::harness::send(&client, request(true)).await.json();
    assert_eq!(anthropic["data"][0]["id"], "claude-mains-m", "{anthropic}");
    post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    let metrics = get(&client, running.address, "/metrics").await.text();
    assert!(metrics.contains("mains_requests_total{dialect=\"openai_chat\",route=\"m\",target=\"a/gpt-4o-mini\",outcome=\"ok\"} 1"), "{metrics}");
    for path in ["/livez", "/readyz", "/", "/requests", "/ui/mains.css"] {
        assert_eq!(get(&client, running.address, path).await.status, 200, "{path}");
    }
    running.finish().await;
}

/// A proxy that takes `CONNECT` and counts.
async fn proxy(counter: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
                let mut upstream = TcpStream::connect(target).await.unwrap();
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn an_upstream_can_be_asked_through_a_proxy() {
    let upstream = Upstream::start(ordinary).await;
    let counter = Arc::new(AtomicUsize::new(0));
    let proxy = proxy(Arc::clone(&counter)).await;
    let config =
        one(upstream.address).replacen("provider = ", &format!("proxy = \"http://{proxy}\"\nprovider = "), 1);
    let running = Running::start("", &config).await;
    let got = post(&client(), running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(counter.load(Ordering::SeqCst), 1);
    running.finish().await;
}
