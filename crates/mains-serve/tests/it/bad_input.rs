//! Clients that send nonsense: each is a clear error in the right dialect, and memory stays bounded.

use crate::harness::{Running, Upstream, chat, client, get, one, ordinary, post};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn every_body_that_is_no_question_is_told_why() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("max_body_bytes = 100000", &one(upstream.address)).await;
    let client = client();
    let deep = format!("{{\"model\":\"m\",\"messages\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("not json", b"hello".to_vec(), 400, "JSON"),
        ("an array", b"[1]".to_vec(), 400, "object"),
        ("cut off", b"{\"model\":\"m\",".to_vec(), 400, "JSON"),
        ("not utf-8", b"{\"model\":\"m\xff\"}".to_vec(), 400, "UTF-8"),
        ("no model", b"{\"messages\":[]}".to_vec(), 400, "model"),
        ("a model that is a number", b"{\"model\":7,\"messages\":[]}".to_vec(), 400, "model"),
        ("deeply nested", deep.into_bytes(), 400, ""),
        ("too large", vec![b' '; 200_000], 413, "100000"),
        ("an unknown model", chat("n", false).into_bytes(), 404, "`m`"),
    ];
    for (what, body, status, word) in cases {
        let got = post(&client, running.address, "/v1/chat/completions", body.clone()).await;
        assert_eq!(got.status, status, "{what}: {}", got.text());
        assert!(got.json()["error"]["message"].as_str().unwrap().contains(word), "{what}: {}", got.text());
        let got = post(&client, running.address, "/v1/messages", body).await;
        assert_eq!(got.status, status, "{what}: {}", got.text());
        assert_eq!(got.json()["type"], "error", "{what}: {}", got.text());
    }
    assert_eq!(upstream.asked(), 0, "nothing of this reached a provider");
    let records = running.records().await;
    assert_eq!(records.len(), 18, "every identified request has its record");
    let leaves = running.finish().await;
    assert_eq!(leaves.iter().filter(|leaf| leaf["type"] == "deny").count(), 18);
}

#[tokio::test]
async fn a_lone_surrogate_and_ten_thousand_messages_do_no_harm() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let surrogate = r#"{"model":"m","messages":[{"role":"user","content":"\ud800"}]}"#;
    let got = post(&client, running.address, "/v1/chat/completions", surrogate).await;
    assert!(got.status == 200 || got.status == 400, "{}", got.text());
    let messages: Vec<_> = (0..10_000)
        .map(|n| json!({"role": if n % 2 == 0 { "user" } else { "assistant" }, "content": "x"}))
        .collect();
    let body = json!({"model": "m", "messages": messages}).to_string();
    assert_eq!(post(&client, running.address, "/v1/chat/completions", body).await.status, 200);
    running.finish().await;
}

#[tokio::test]
async fn a_client_that_sends_a_byte_a_second_is_given_up() {
    let upstream = Upstream::start(ordinary).await;
    let running =
        Running::start("", &format!("[limits]\nheader_s = 1\nbody_s = 1\n{}", one(upstream.address))).await;
    // The head never ends.
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    // The body never ends.
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    let mut answer = vec![0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    running.finish().await;
}

#[tokio::test]
async fn a_thousand_connections_are_bounded_and_the_next_client_is_served() {
    let upstream = Upstream::start(ordinary).await;
    let running =
        Running::start("", &format!("[limits]\nmax_connections = 200\n{}", one(upstream.address))).await;
    let mut open = Vec::new();
    for _ in 0..1_000 {
        if let Ok(stream) = TcpStream::connect(running.address).await {
            open.push(stream);
        }
    }
    drop(open);
    let client = client();
    loop {
        // Places come back as the closed connections are noticed.
        let request = http::Request::get(format!("http://{}/livez", running.address))
            .body(http_body_util::Full::default())
            .unwrap();
        if client.request(request).await.is_ok_and(|reply| reply.status() == 200) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&client, running.address, "/readyz").await.status, 200);
    running.finish().await;
}
