//! Locked from the first day.

use crate::harness::{Running, Upstream, chat, client, one, ordinary, post, send};
use http::Request;
use http_body_util::Full;
use mains_serve::control::{Answer, Command, say};

#[tokio::test]
async fn without_keys_only_a_client_of_this_machine_that_is_no_page_is_served() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let ask = |headers: &[(&str, &str)]| {
        let mut request = Request::post(format!("http://{}/v1/chat/completions", running.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::from(chat("m", false))).unwrap()
    };
    let json = ("content-type", "application/json");
    assert_eq!(send(&client, ask(&[json])).await.status, 200);
    assert_eq!(send(&client, ask(&[json, ("host", "evil.example")])).await.status, 421);
    assert_eq!(send(&client, ask(&[json, ("origin", "https://evil.example")])).await.status, 403);
    assert_eq!(send(&client, ask(&[("content-type", "text/plain")])).await.status, 415);
    // Whatever key a client sends is ignored.
    assert_eq!(send(&client, ask(&[json, ("authorization", "Bearer anything")])).await.status, 200);
    assert_eq!(running.records().await.len(), 2, "strangers leave no record");
    let leaves = running.finish().await;
    let counted = leaves.iter().find(|leaf| leaf["type"] == "reject_count").unwrap();
    assert_eq!(counted["other"], 3, "but they are counted");
}

#[tokio::test]
async fn once_a_key_is_made_keys_are_required_and_a_revoked_one_fails_at_once() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let (client, folder) = (client(), running.folder.path().join("data"));
    let made =
        say(&folder, &Command::MakeKey { name: "test".into(), project: "search".into() }).await.unwrap();
    let Answer::Key { id, secret } = made else { panic!("{made:?}") };
    let ask = |key: Option<&str>| {
        let request = Request::post(format!("http://{}/v1/chat/completions", running.address))
            .header("content-type", "application/json");
        let request = match key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        };
        request.body(Full::from(chat("m", false))).unwrap()
    };
    let refused = send(&client, ask(None)).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str().unwrap()), (401, "invalid_api_key"));
    assert_eq!(send(&client, ask(Some("sk-mains-wrong"))).await.status, 401);
    assert_eq!(send(&client, ask(Some(&secret))).await.status, 200);
    let page =
        send(&client, Request::get(format!("http://{}/", running.address)).body(Full::default()).unwrap())
            .await;
    assert!(!page.text().contains("<html"), "the page does not stand on a port with keys");
    assert!(matches!(say(&folder, &Command::RevokeKey { id: id.clone() }).await.unwrap(), Answer::Done));
    assert_eq!(send(&client, ask(Some(&secret))).await.status, 401);
    let records = running.records().await;
    assert_eq!(
        (records.len(), records[0].project.as_deref(), records[0].key_id.as_deref()),
        (1, Some("search"), Some(id.as_str()))
    );
    let leaves = running.finish().await;
    let text = serde_json::to_string(&leaves).unwrap();
    assert!(!text.contains(&secret), "no key in the ledger");
    assert_eq!(leaves.iter().filter(|leaf| leaf["type"] == "key").count(), 2);
}

#[tokio::test]
async fn a_second_outlet_in_the_same_folder_is_refused() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let disk = mains_store::log::FileDisk::existing(&running.folder.path().join("data/ledger"));
    let signer = std::sync::Arc::new(
        mains_store::log::key::load(&running.folder.path().join("data/ledger.key")).unwrap(),
    );
    let verifier = signer.verifier().clone();
    let error =
        mains_store::log::Log::open(std::sync::Arc::new(disk), signer, &verifier).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("process"), "{error}");
    assert_eq!(post(&client(), running.address, "/v1/chat/completions", chat("m", false)).await.status, 200);
    running.finish().await;
}

#[tokio::test]
async fn a_reload_that_cannot_be_done_changes_nothing_and_a_drill_kills_only_its_target() {
    let (first, second) = (Upstream::start(ordinary).await, Upstream::start(ordinary).await);
    let running = Running::start("", &crate::harness::two(first.address, second.address)).await;
    let (client, folder) = (client(), running.folder.path().join("data"));
    assert!(matches!(say(&folder, &Command::Reload).await.unwrap(), Answer::Done));
    let unknown = say(&folder, &Command::Kill { target: "nobody".into(), for_ms: 1000 }).await.unwrap();
    assert!(matches!(unknown, Answer::Refused(_)));
    say(&folder, &Command::Kill { target: "a/gpt-4o-mini".into(), for_ms: 60_000 }).await.unwrap();
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!((got.status, got.header("x-mains-target")), (200, "b/gpt-4o-mini"));
    // The first failures trip a breaker as a real death would; from then on nobody pays for a second attempt.
    let mut attempts = String::new();
    for _ in 0..60 {
        let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
        assert_eq!((got.status, got.header("x-mains-target")), (200, "b/gpt-4o-mini"));
        got.header("x-mains-attempts").clone_into(&mut attempts);
    }
    assert_eq!((attempts.as_str(), first.asked()), ("1", 0));
    let revive = Command::Revive {
        target: "a/gpt-4o-mini".into(),
        from: 0,
        requests: 1,
        failed: 0,
        answered_by: vec![("b/gpt-4o-mini".into(), 1)],
    };
    assert!(matches!(say(&folder, &revive).await.unwrap(), Answer::Leaf(Some(_))));
    let got = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    assert_eq!(got.header("x-mains-target"), "a/gpt-4o-mini", "the drill left no mark on the real target");
    let leaves = running.finish().await;
    assert!(leaves.iter().any(|leaf| leaf["type"] == "drill"));
}
