//! Content: kept where the settings say so and nowhere else, byte for byte, and gone when it is erased or its time is
//! over.

use crate::harness::{Act, Got, Http, Running, Upstream, chat, client, get, one, ordinary, post, send, two};
use http::Request;
use http_body_util::Full;
use mains_ledger::commitment::Commitment;
use mains_serve::control::{Answer, Command, say};
use mains_store::vault::{Body, Exchange, Found, Kek, VaultFilter, VaultReader};
use mains_units::{RequestId, Span, Timestamp};
use serde_json::{Value, json};
use std::path::Path;

const KEEP: &str = "[record]\ncontent = \"keep\"\n";

/// The vault below a test's folder, read beside its writer; the key must be there.
fn reader(folder: &Path) -> VaultReader {
    let key = folder.join("state/vault.key");
    assert!(key.is_file(), "the key lies outside the data folder");
    let kek = Kek::load_or_create(&key, &folder.join("data"), [0; 32]).unwrap();
    VaultReader::at(&folder.join("data/vault"), kek, Span::from_s(5)).unwrap()
}

fn all(folder: &Path) -> Vec<Exchange> {
    reader(folder).exchanges(VaultFilter::default()).map(Result::unwrap).collect()
}

fn flush(running: &Running) {
    running.outlet.keeping.keeper().unwrap().flush().unwrap();
}

fn id(got: &Got) -> RequestId {
    RequestId::parse(got.header("x-request-id")).unwrap()
}

#[tokio::test]
async fn whole_and_streamed_answers_come_back_byte_for_byte_and_the_ledger_commits_to_them() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &(one(upstream.address) + "stream_footer = true\n" + KEEP)).await;
    let client = client();
    // White space and the order of members are the client's.
    let asked = chat("m", false).replacen('{', "{ ", 1);
    let whole = post(&client, running.address, "/v1/chat/completions", asked.clone()).await;
    let streamed = post(&client, running.address, "/v1/chat/completions", chat("m", true)).await;
    let said = json!({"model": "m", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]});
    let other = post(&client, running.address, "/v1/messages", said.to_string()).await;
    for got in [&whole, &streamed, &other] {
        assert_eq!(got.status, 200, "{}", got.text());
    }
    let page = get(&client, running.address, "/").await.text();
    flush(&running);
    assert!(page.contains("Content is kept, sealed: "), "{page}");
    running.outlet.settled().await.unwrap();
    let commit_key = running.outlet.db.commitment_key(id(&whole)).await.unwrap().unwrap();
    let stream_key = running.outlet.db.commitment_key(id(&streamed)).await.unwrap().unwrap();
    let (leaves, kept) = running.stop_in(all).await;
    assert_eq!(kept.len(), 3);
    let json = |bytes: &[u8]| Body { content_type: "application/json".into(), bytes: bytes.to_vec() };
    assert_eq!((&kept[0].asked, &kept[0].answer), (&json(asked.as_bytes()), &json(&whole.body)));
    assert_eq!((kept[0].request, kept[0].status), (id(&whole), 200));
    assert_eq!(kept[0].route.as_deref(), Some("m"));
    assert_eq!(kept[0].target.as_deref(), Some("a/gpt-4o-mini"));
    assert_eq!(kept[0].model.as_deref(), Some("gpt-4o-mini"));
    assert_eq!(
        (kept[0].project.as_deref(), kept[0].dialect.as_str(), kept[1].request),
        (None, "openai_chat", id(&streamed))
    );
    // The footer, a comment of ours behind the answer, is no part of it.
    let text = streamed.text();
    let footer = text.rfind(": x-mains-").unwrap();
    assert_eq!(kept[1].answer.bytes, &streamed.body[..footer]);
    assert_eq!(kept[1].answer.content_type, streamed.header("content-type"));
    assert_eq!(kept[1].asked, json(chat("m", true).as_bytes()));
    assert_eq!((&kept[2].answer, kept[2].dialect.as_str()), (&json(&other.body), "anthropic_messages"));
    for (exchange, key) in [(&kept[0], commit_key), (&kept[1], stream_key)] {
        let leaf = leaves.iter().rfind(|leaf| leaf["request"] == exchange.request.to_string()).unwrap();
        let of =
            |bytes: &[u8]| json!(Commitment::of(&key, bytes).0.map(|byte| format!("{byte:02x}")).concat());
        assert_eq!(leaf["request_commit"], of(&exchange.asked.bytes), "{leaf}");
        assert_eq!(leaf["response_commit"], of(&exchange.answer.bytes), "{leaf}");
    }
}

async fn key(folder: &Path, project: &str) -> String {
    let made = Command::MakeKey { name: project.into(), project: project.into() };
    match say(folder, &made).await.unwrap() {
        Answer::Key { secret, .. } => secret,
        other => panic!("{other:?}"),
    }
}

async fn ask_with(client: &Http, running: &Running, key: &str) -> RequestId {
    let request = Request::post(format!("http://{}/v1/chat/completions", running.address))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {key}"))
        .body(Full::from(chat("m", false)))
        .unwrap();
    let got = send(client, request).await;
    assert_eq!(got.status, 200, "{}", got.text());
    id(&got)
}

#[tokio::test]
async fn a_project_has_its_own_rule_and_its_own_time() {
    let upstream = Upstream::start(ordinary).await;
    let rules = "[record]\nretention_days = 30\n[[record.project]]\nname = \"search\"\ncontent = \"keep\"\n\
                 retention_days = 2\n[[record.project]]\nname = \"nobody\"\ncontent = \"keep\"\n";
    let running = Running::start("", &(one(upstream.address) + rules)).await;
    let (client, folder) = (client(), running.folder.path().join("data"));
    let (search, shop) = (key(&folder, "search").await, key(&folder, "shop").await);
    ask_with(&client, &running, &shop).await;
    let wanted = ask_with(&client, &running, &search).await;
    flush(&running);
    let kept = all(running.folder.path());
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].request, kept[0].project.as_deref()), (wanted, Some("search")));
    let live = running.outlet.live();
    let at = |days: i64| Timestamp(kept[0].at.0 + days * 86_400_000 + 1);
    let prune = |days: i64| running.outlet.keeping.prune(at(days), &live.settings.record).unwrap();
    assert_eq!(prune(1).exchanges, 0);
    assert_eq!((prune(2).exchanges, all(running.folder.path()).len()), (1, 0));
    running.finish().await;
}

/// An answer of two thousand letters.
fn long(question: &Value) -> Act {
    let words = "All circuits on. ".repeat(120);
    match ordinary(question) {
        Act::Reply(status, headers, text) => {
            Act::Reply(status, headers, text.replace("All circuits on", &words))
        }
        Act::Pieces(pieces, clean) => {
            Act::Pieces(pieces.into_iter().map(|piece| piece.replace("All ", &words)).collect(), clean)
        }
        Act::Silent => Act::Silent,
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_kept_and_counted() {
    let (upstream, brief) = (Upstream::start(long).await, Upstream::start(ordinary).await);
    let config = two(upstream.address, brief.address)
        + "[[route]]\nmodel = \"brief\"\ntargets = [\"b/gpt-4o-mini\"]\n[record]\ncontent = \"keep\"\nmax_body_bytes = 1024\n";
    let running = Running::start("", &config).await;
    let client = client();
    for stream in [false, true] {
        let got = post(&client, running.address, "/v1/chat/completions", chat("m", stream)).await;
        assert!(got.status == 200 && got.body.len() > 1024, "{}", got.text());
    }
    for stream in [false, true] {
        let body = chat("brief", stream).replace("Are all", &"Are all ".repeat(200));
        assert_eq!(post(&client, running.address, "/v1/chat/completions", body).await.status, 200);
    }
    let small = post(&client, running.address, "/v1/chat/completions", chat("brief", false)).await;
    assert_eq!(small.status, 200);
    flush(&running);
    let metrics = get(&client, running.address, "/metrics").await.text();
    for line in [
        "mains_exchanges_kept_total 1\n",
        "mains_exchanges_not_kept_total{reason=\"too_large\"} 4\n",
        "mains_exchanges_not_kept_total{reason=\"full\"} 0\n",
        "mains_exchanges_not_kept_total{reason=\"failed\"} 0\n",
        "mains_exchanges_waiting 0\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let (_, kept) = running.stop_in(all).await;
    assert_eq!(kept.iter().map(|exchange| exchange.request).collect::<Vec<_>>(), [id(&small)]);
}

/// Answers whole, breaks streams, and refuses what is called `no`.
fn moody(question: &Value) -> Act {
    if question["messages"][0]["content"] == "no" {
        return Act::Reply(
            400,
            &[],
            json!({"error": {"message": "no", "type": "invalid_request_error"}}).to_string(),
        );
    }
    match ordinary(question) {
        Act::Pieces(pieces, _) => Act::Pieces(pieces.into_iter().take(2).collect(), false),
        other => other,
    }
}

#[tokio::test]
async fn what_was_refused_or_broken_off_is_not_kept() {
    let upstream = Upstream::start(moody).await;
    let running = Running::start("[serve.deadlines]\nidle_s = 1", &(one(upstream.address) + KEEP)).await;
    let client = client();
    let broken = post(&client, running.address, "/v1/chat/completions", chat("m", true)).await;
    assert!(broken.text().contains("\"error\""), "{}", broken.text());
    let refused = chat("m", false).replace("Are all circuits on?", "no");
    assert_eq!(post(&client, running.address, "/v1/chat/completions", refused).await.status, 400);
    assert_eq!(post(&client, running.address, "/v1/chat/completions", chat("gone", false)).await.status, 404);
    let whole = post(&client, running.address, "/v1/chat/completions", chat("m", false)).await;
    let (_, kept) = running.stop_in(all).await;
    assert_eq!(kept.iter().map(|exchange| exchange.request).collect::<Vec<_>>(), [id(&whole)]);
}

#[tokio::test]
async fn an_erased_request_cannot_be_read_or_tied_to_its_leaves_and_a_leaf_says_so() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &(one(upstream.address) + KEEP)).await;
    let (client, folder) = (client(), running.folder.path().join("data"));
    let gone = id(&post(&client, running.address, "/v1/chat/completions", chat("m", false)).await);
    let stays = id(&post(&client, running.address, "/v1/chat/completions", chat("m", false)).await);
    let erase = |request: String| {
        let folder = folder.clone();
        async move { say(&folder, &Command::Erase { request }).await.unwrap() }
    };
    let first = erase(gone.to_string()).await;
    let Answer::Erased { content: true, before: None, commitment: true, leaf: Some(leaf) } = first else {
        panic!("{first:?}")
    };
    let again = erase(gone.to_string()).await;
    let Answer::Erased { content: false, before: Some(_), commitment: false, leaf: None } = again else {
        panic!("{again:?}")
    };
    for (wrong, why) in [("req_", "not the name"), ("req_000000000000000000000000", "nothing is kept")] {
        let Answer::Refused(said) = erase(wrong.into()).await else { panic!("{wrong}") };
        assert!(said.contains(why) && said.contains("hint:"), "{said}");
    }
    assert_eq!(running.outlet.db.commitment_key(gone).await.unwrap(), None);
    assert!(running.outlet.db.commitment_key(stays).await.unwrap().is_some());
    let (leaves, (erased, kept)) = running
        .stop_in(|folder| {
            let reader = reader(folder);
            (reader.read(gone).unwrap(), reader.read(stays).unwrap())
        })
        .await;
    assert!(matches!(erased, Found::Erased(_)) && matches!(kept, Found::Kept(_)));
    let leaf = &leaves[usize::try_from(leaf).unwrap()];
    assert_eq!((&leaf["type"], &leaf["request"]), (&json!("erase"), &json!(gone.to_string())));
    assert_eq!((&leaf["content"], &leaf["commitment"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_reload_turns_keeping_on_and_off_and_cannot_change_the_key() {
    let upstream = Upstream::start(ordinary).await;
    let running = Running::start("", &one(upstream.address)).await;
    let client = client();
    let ask = || post(&client, running.address, "/v1/chat/completions", chat("m", false));
    ask().await;
    assert!(!running.folder.path().join("data/vault").exists(), "without keeping there is no vault");
    assert!(!running.folder.path().join("state").exists(), "and no key");
    let metrics = get(&client, running.address, "/metrics").await.text();
    assert!(!metrics.contains("mains_exchanges"), "{metrics}");
    let page = get(&client, running.address, "/").await.text();
    assert!(page.contains("Content of requests and answers is not kept"), "{page}");
    assert!(matches!(running.reload(|text| format!("{text}{KEEP}")).await, Answer::Done));
    let kept = id(&ask().await);
    let moved = running.reload(|text| format!("{text}key_file = \"elsewhere.key\"\n")).await;
    let Answer::Refused(why) = moved else { panic!("{moved:?}") };
    assert!(why.contains("`key_file`") && why.contains("hint: restart"), "{why}");
    let off = |text: &str| text.split("[record]").next().unwrap().to_owned();
    assert!(matches!(running.reload(off).await, Answer::Done));
    ask().await;
    flush(&running);
    let page = get(&client, running.address, "/").await.text();
    assert!(page.contains("not kept any more"), "{page}");
    let (_, exchanges) = running.stop_in(all).await;
    assert_eq!(exchanges.iter().map(|exchange| exchange.request).collect::<Vec<_>>(), [kept]);
}
