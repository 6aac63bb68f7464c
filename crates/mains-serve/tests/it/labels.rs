//! A labeller before its teacher: it answers as the teacher's answers look, passes on what it must, goes through its
//! stages by what was compared, and is withdrawn for good.

use crate::harness::{Act, Got, Http, Running, Upstream, client, get, post};
use mains_distill::heads::average::Heads;
use mains_distill::labeller::{Draft, Labeller, Seal};
use mains_distill::task::{LabelSet, Role, Served, Shape, Template, Turn};
use mains_distill::training::{Alone, Example, Lesson, Settings, train};
use mains_distill::watch::Bound;
use mains_distill::wire;
use mains_ledger::{Ed25519Signer, Hash, Signer};
use mains_serve::control::{Answer, Command, LabelLine, say};
use mains_units::{Chance, Timestamp};
use mains_wire::Dialect;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

pub(crate) const LABELS: [&str; 3] = ["refund", "login", "shipping"];
pub(crate) const SYLLABLES: [&str; 12] =
    ["ba", "ku", "ri", "mo", "te", "sa", "lo", "ni", "fe", "du", "gi", "po"];

fn word(first: u64, number: u64) -> String {
    let part = |n: u64| SYLLABLES[usize::try_from(n % 12).unwrap()];
    format!("{}{}{}", part(first), part(number), part(number / 12))
}

/// A text whose first word, and every second one, says its class.
pub(crate) fn text(class: u64, chance: &mut Chance) -> String {
    let words: Vec<String> = (0..8)
        .map(|place| {
            let of = if place % 2 == 0 || place == 7 { class } else { 5 + chance.below(7) };
            word(of, chance.below(40))
        })
        .collect();
    words.join(" ")
}

/// A text of a class that was not seen in training.
pub(crate) fn fresh(class: u64) -> String {
    text(class, &mut Chance::from_seed(4_242 + class))
}

fn labels(shape: Shape) -> LabelSet {
    LabelSet::of_labels(&LABELS.map(|label| (label.to_owned(), 1)), shape).unwrap()
}

pub(crate) fn task(fixed: &str, shape: Shape, teacher: &str) -> Served {
    let turn = Turn { role: Role::User, text: "Classify: {text}".to_owned() };
    let template = Template::of_prompt(fixed, &[turn]).unwrap();
    let fingerprints =
        if teacher == "print" { ["fp_1".to_owned()].into() } else { std::collections::BTreeSet::default() };
    let bound = Bound { teacher: teacher.to_owned(), fingerprints, ..Bound::default() };
    Served::new("intents", template, labels(shape), bound)
}

/// Trained once: what differs between the tests is the task around it.
fn trained() -> &'static Labeller {
    static TRAINED: OnceLock<Labeller> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let mut chance = Chance::from_seed(11);
        let task = task("", Shape::Word, "good");
        let number = |class: u64| task.labels.find(LABELS[usize::try_from(class).unwrap()]).unwrap();
        let examples = (0..1_200)
            .map(|row| {
                let class = chance.below(3);
                let text = text(class, &mut chance);
                Example {
                    name: format!("row {row}"),
                    text,
                    label: number(class),
                    at: Timestamp(row * 60_000),
                }
            })
            .collect();
        let lesson = Lesson { task: task.clone(), examples, costs: None };
        let settings = Settings { heads: Some(Heads::Ngram), ..Settings::new(7, Timestamp(0)) };
        let trained = train(&lesson, None, &settings, &Alone, &|_| ()).unwrap();
        assert!(trained.certificates.served().threshold_micro().is_some(), "the task is easy");
        trained.labeller
    })
}

/// The file of a labeller of this task, signed.
fn file(task: Served, signer: &Ed25519Signer) -> Vec<u8> {
    let draft = Draft::of(&Labeller { task: Some(task), ..trained().clone() });
    let signature = signer.sign(&draft.to_sign()).unwrap().try_into().unwrap();
    draft.finish(Some(&Seal { key: signer.verifier().public_bytes(), signature }))
}

pub(crate) fn put(folder: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(folder.join("data/labellers")).unwrap();
    std::fs::write(folder.join("data/labellers/intents.labeller"), bytes).unwrap();
}

fn config(upstream: SocketAddr, teacher: &str, more: &str) -> String {
    format!(
        "[[upstream]]\nname = \"a\"\nprovider = \"openai\"\nbase_url = \"http://{upstream}/v1\"\n\
         [[route]]\nmodel = \"m\"\ntargets = [\"label/intents\", \"a/{teacher}\"]\n[route.label]\n{more}\n"
    )
}

/// An outlet with a labeller of this task before the teacher that it names.
async fn start(upstream: &Upstream, task: Served, more: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    let key = folder.path().join("data/ledger.key");
    let signer = mains_store::log::key::create(&key, "mains.test/one", &[7; 32]).unwrap();
    let teacher = task.bound.teacher.clone();
    put(folder.path(), &file(task, &signer));
    Running::start_in(folder, "", &config(upstream.address, &teacher, more)).await
}

pub(crate) fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed("mains.test/one", &[7; 32]).unwrap()
}

/// The teacher: right, or wrong in the way that its name says.
pub(crate) fn teacher(question: &Value) -> Act {
    let model = question["model"].as_str().unwrap_or_default();
    let asked = question["messages"][0]["content"].as_str().unwrap_or_default();
    let text = asked.strip_prefix("Classify: ").unwrap_or(asked);
    let class = SYLLABLES.iter().take(3).position(|syllable| text.starts_with(syllable)).unwrap_or(0);
    let label = match model {
        "wrong" => LABELS[(class + 1) % 3],
        "fresh" => "unheard_of",
        "chatty" => "I would say that this is hard to tell, but perhaps it is about money.",
        _ => LABELS[class],
    };
    let named = if model == "moved" { "another-model" } else { model };
    let print = (model == "print").then_some("fp_2");
    Act::Reply(
        200,
        &[],
        json!({"id": "c", "object": "chat.completion", "created": 1, "model": named, "system_fingerprint": print,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": label}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}})
        .to_string(),
    )
}

pub(crate) fn plain(class: u64) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": format!("Classify: {}", fresh(class))}]})
}

async fn ask(client: &Http, running: &Running, body: &Value) -> Got {
    let got = post(client, running.address, "/v1/chat/completions", body.to_string()).await;
    assert_eq!(got.status, 200, "{}", got.text());
    got
}

/// Asks until the coin falls to the labeller: it does in 99 of 100 cases.
pub(crate) async fn local(client: &Http, running: &Running, path: &str, body: &Value) -> Got {
    for _ in 0..32 {
        let got = post(client, running.address, path, body.to_string()).await;
        if got.status == 503 && body["stream"] == true {
            // The coin fell to the teacher, and the scripted one does not stream.
            continue;
        }
        assert_eq!(got.status, 200, "{}", got.text());
        if got.header("x-mains-target") == "label/intents" {
            return got;
        }
        assert!(got.header("x-mains-label").contains("reason=audit"), "{:?} {body}", got.headers);
    }
    panic!("the labeller never answered {body}");
}

pub(crate) async fn line(running: &Running) -> LabelLine {
    match say(&running.folder.path().join("data"), &Command::Labels).await.unwrap() {
        Answer::Labels(mut lines) if lines.len() == 1 => lines.remove(0),
        other => panic!("one labeller was expected: {other:?}"),
    }
}

/// Action, share and reason of every leaf of a model.
fn steps(leaves: &[Value]) -> Vec<(String, Option<u64>, String)> {
    let models = leaves.iter().filter(|leaf| leaf["type"] == "model");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    models
        .map(|leaf| (text(&leaf["action"]), leaf["share_percent"].as_u64(), text(&leaf["reason"])))
        .collect()
}

fn tool_schema() -> Value {
    json!({"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]})
}

/// The same question in a dialect, for a shape of answers.
fn question(dialect: Dialect, shape: &str, stream: bool) -> Value {
    let said = format!("Classify: {}", fresh(1));
    let messages = json!([{"role": "user", "content": said}]);
    let mut body = match dialect {
        Dialect::OpenaiChat => json!({"model": "m", "messages": messages, "stream": stream}),
        Dialect::AnthropicMessages => {
            json!({"model": "m", "messages": messages, "max_tokens": 64, "stream": stream})
        }
        _ => json!({"model": "m", "input": said, "stream": stream}),
    };
    let (name, schema) = ("set_label", tool_schema());
    match (shape, dialect) {
        ("field", Dialect::OpenaiChat) => {
            body["response_format"] =
                json!({"type": "json_schema", "json_schema": {"name": name, "schema": schema}});
        }
        ("field", Dialect::OpenaiResponses) => {
            body["text"] = json!({"format": {"type": "json_schema", "name": name, "schema": schema}});
        }
        ("tool", Dialect::OpenaiChat) => {
            body["tools"] = json!([{"type": "function", "function": {"name": name, "parameters": schema}}]);
            body["tool_choice"] = "required".into();
        }
        ("tool", Dialect::AnthropicMessages) => {
            body["tools"] = json!([{"name": name, "input_schema": schema}]);
            body["tool_choice"] = json!({"type": "any"});
        }
        ("tool", _) => {
            body["tools"] = json!([{"type": "function", "name": name, "parameters": schema}]);
            body["tool_choice"] = "required".into();
        }
        _ => {}
    }
    body
}

fn shape(name: &str) -> Shape {
    let (before, after) = ("{\"label\": ".to_owned(), "}".to_owned());
    match name {
        "field" => Shape::Field { key: "label".into(), before, after },
        "tool" => Shape::Tool { name: "set_label".into(), argument: "label".into(), before, after },
        _ => Shape::Word,
    }
}

#[tokio::test]
async fn it_answers_as_the_answers_of_the_task_look_in_every_dialect_whole_and_streamed() {
    let upstream = Upstream::start(teacher).await;
    for name in ["word", "field", "tool"] {
        let of = |dialect: Dialect| {
            let body = question(dialect, name, false).to_string();
            wire::asked(&wire::read_question(dialect, body.as_bytes()).unwrap()).unwrap().fixed
        };
        let task = task(&of(Dialect::OpenaiChat), shape(name), "good");
        let expected = task.labels.write(task.labels.find("login").unwrap()).unwrap();
        let running = start(&upstream, task, "stage = \"serve\"").await;
        let http = client();
        for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages, Dialect::OpenaiResponses] {
            // Anthropic's messages have no schema beside tools here, so another task is asked.
            if of(dialect) != of(Dialect::OpenaiChat) {
                assert_eq!((name, dialect), ("field", Dialect::AnthropicMessages));
                continue;
            }
            for stream in [false, true] {
                let path = format!("/v1{}", dialect.path());
                let got = local(&http, &running, &path, &question(dialect, name, stream)).await;
                let read = wire::read_answer(dialect, stream, &got.body)
                    .unwrap_or_else(|error| panic!("{error}: {}", got.text()));
                assert_eq!(read.model, "label/intents", "{}", got.text());
                assert_eq!(wire::answered(&read).unwrap(), expected, "{}", got.text());
                let confidence: f64 = got.header("x-mains-label-confidence").parse().unwrap();
                assert!(confidence > 0.0 && confidence <= 1.0);
                if !stream {
                    assert_eq!(got.header("x-mains-cost-usd"), "0");
                    assert!(
                        !got.header("x-mains-energy-j").is_empty() && !got.header("x-mains-grade").is_empty()
                    );
                }
            }
        }
        running.finish().await;
    }
}

#[tokio::test]
async fn an_answer_leaves_one_record_and_a_leaf_that_names_the_file() {
    let upstream = Upstream::start(teacher).await;
    let running = start(&upstream, task("", Shape::Word, "good"), "stage = \"serve\"").await;
    let got = local(&client(), &running, "/v1/chat/completions", &plain(0)).await;
    let id = got.header("x-request-id").to_owned();
    let rows = running.records().await;
    let row = rows.iter().filter(|row| row.id.to_string() == id).collect::<Vec<_>>();
    assert_eq!(row.len(), 1);
    assert_eq!(
        (row[0].target.as_deref(), row[0].model.as_deref()),
        (Some("label/intents"), Some("label/intents"))
    );
    assert!(row[0].footprint.as_ref().unwrap().energy_j.high > 0.0);
    let metrics = get(&client(), running.address, "/metrics").await.text();
    assert!(
        metrics.contains("mains_label_answers_total{labeller=\"intents\",route=\"m\",stage=\"serve\"} 1"),
        "{metrics}"
    );
    assert!(
        get(&client(), running.address, "/").await.text().contains("label/intents in serve: answers 99 %")
    );
    let file = Hash::of_bytes(
        &std::fs::read(running.folder.path().join("data/labellers/intents.labeller")).unwrap(),
    );
    let leaves = running.finish().await;
    let outcome = leaves.iter().find(|leaf| leaf["type"] == "outcome" && leaf["request"] == *id).unwrap();
    assert_eq!((&outcome["target"], &outcome["weights"]), (&json!("label/intents"), &json!(file.to_hex())));
    assert_eq!(outcome["cost_nano_usd"], "0");
    let expected = [("loaded", 99, ""), ("serve", 99, "settings")];
    let expected = expected.map(|(action, share, why)| (action.to_owned(), Some(share), why.to_owned()));
    assert_eq!(steps(&leaves), expected);
}

#[tokio::test]
async fn what_it_cannot_do_exactly_goes_to_the_teacher_and_the_reason_is_said() {
    let upstream = Upstream::start(teacher).await;
    let running = start(&upstream, task("", Shape::Word, "good"), "stage = \"serve\"").await;
    let http = client();
    let with = |key: &str, value: Value| {
        let mut body = plain(0);
        body[key] = value;
        body
    };
    let said = |text: &str| json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    let tool = json!([{"type": "function", "function": {"name": "other", "parameters": tool_schema()}}]);
    let image = json!([{"type": "text", "text": "Classify: x"}, {"type": "image_url", "image_url": {"url": "https://a/b.png"}}]);
    for (body, reason) in [
        (with("n", json!(2)), "several_answers"),
        (with("logprobs", json!(true)), "logprobs"),
        (with("stop", json!(["fun"])), "stop"),
        (with("max_tokens", json!(1)), "max_tokens"),
        (with("store", json!(true)), "field"),
        (with("tools", tool), "out_of_scope"),
        (said("Translate: ba"), "out_of_scope"),
        (said("Classify: zzz qqq xxx www vvv"), "unsure"),
        (json!({"model": "m", "messages": [{"role": "user", "content": image}]}), "not_text"),
    ] {
        let got = ask(&http, &running, &body).await;
        let header = got.header("x-mains-label");
        assert!(header.starts_with(&format!("escalated; reason={reason}; us=")), "{reason}: {header} {body}");
        assert_eq!(got.header("x-mains-target"), "a/good");
        assert!(got.header("x-mains-label-confidence").is_empty());
    }
    assert_eq!(running.records().await.len(), 9);
    let line = line(&running).await;
    assert_eq!((line.requests, line.answered, line.withdrawn), (9, 0, None));
    running.finish().await;
}

#[tokio::test]
async fn evidence_takes_it_from_shadow_to_canary_to_serve_and_a_restart_goes_on() {
    let upstream = Upstream::start(teacher).await;
    let mut running = start(&upstream, task("", Shape::Word, "good"), "share_percent = 50").await;
    let http = client();
    for asked in 1..149 {
        let got = ask(&http, &running, &plain(asked % 3)).await;
        assert!(got.header("x-mains-label").contains("reason=shadow"), "{:?}", got.headers);
    }
    let before = line(&running).await;
    assert_eq!((before.stage.as_str(), before.calls, before.stage_least), ("shadow", 148, 149));
    let text = config(upstream.address, "good", "share_percent = 50");
    running = Running::start_in(running.stop().await, "", &text).await;
    assert_eq!(line(&running).await.calls, 148);
    ask(&http, &running, &plain(0)).await;
    let canary = line(&running).await;
    assert_eq!((canary.stage.as_str(), canary.share_percent, canary.stage_calls), ("canary", 50, 0));
    running = Running::start_in(running.stop().await, "", &text).await;
    let mut asked = 0;
    while line(&running).await.stage == "canary" {
        asked += 1;
        assert!(asked < 1_000, "half of the requests are compared");
        ask(&http, &running, &plain(asked % 3)).await;
    }
    let served = line(&running).await;
    assert_eq!((served.stage.as_str(), served.share_percent, served.calls), ("serve", 99, 298));
    assert!(served.answered > 0 && served.differs == 0);
    let leaves = running.finish().await;
    let actions: Vec<(String, String)> =
        steps(&leaves).into_iter().map(|(action, _, why)| (action, why)).collect();
    let expected = [("loaded", ""), ("shadow", "evidence"), ("canary", "evidence"), ("serve", "evidence")];
    assert_eq!(actions, expected.map(|(action, why)| (action.to_owned(), why.to_owned())));
}

#[tokio::test]
async fn a_change_of_the_teacher_withdraws_at_once_and_for_good() {
    let upstream = Upstream::start(teacher).await;
    for (teacher, reason) in [("moved", "teacher"), ("print", "fingerprint"), ("fresh", "labels")] {
        let mut running = start(&upstream, task("", Shape::Word, teacher), "stage = \"shadow\"").await;
        let http = client();
        assert_eq!(line(&running).await.withdrawn, None);
        ask(&http, &running, &plain(0)).await;
        if reason == "labels" {
            // Once is a slip, as where a set of labels is learned.
            assert_eq!(line(&running).await.withdrawn_because, None);
            ask(&http, &running, &plain(0)).await;
        }
        let first = line(&running).await;
        assert_eq!(first.withdrawn_because.as_deref(), Some(reason));
        assert_eq!((first.stage.as_str(), first.share_percent), ("withdrawn", 0));
        // A restart with another stage brings nothing back.
        let text = config(upstream.address, teacher, "stage = \"serve\"");
        running = Running::start_in(running.stop().await, "", &text).await;
        let got = ask(&http, &running, &plain(0)).await;
        assert!(got.header("x-mains-label").contains("reason=withdrawn"), "{:?}", got.headers);
        assert_eq!(got.header("x-mains-target"), format!("a/{teacher}"));
        let leaves = running.finish().await;
        assert_eq!(steps(&leaves).last(), Some(&("withdrawn".to_owned(), Some(0), reason.to_owned())));
    }
}

#[tokio::test]
async fn bets_withdraw_where_the_answers_differ_and_a_sentence_is_no_new_label() {
    let upstream = Upstream::start(teacher).await;
    for teacher in ["wrong", "chatty"] {
        let running = start(&upstream, task("", Shape::Word, teacher), "stage = \"shadow\"").await;
        let http = client();
        let mut asked = 0;
        while line(&running).await.withdrawn.is_none() {
            asked += 1;
            assert!(asked < 40, "every answer differs");
            ask(&http, &running, &plain(asked % 3)).await;
        }
        let line = line(&running).await;
        assert_eq!((line.withdrawn_because.as_deref(), line.differs), (Some("promise_gone"), asked));
        running.finish().await;
    }
}

#[tokio::test]
async fn the_deletion_of_a_row_withdraws_and_so_does_a_hand() {
    let upstream = Upstream::start(teacher).await;
    let mut running = start(&upstream, task("", Shape::Word, "good"), "stage = \"shadow\"").await;
    let http = client();
    let (id, other) = (
        ask(&http, &running, &plain(0)).await.header("x-request-id").to_owned(),
        ask(&http, &running, &plain(1)).await.header("x-request-id").to_owned(),
    );
    let data = running.folder.path().join("data");
    let rows = json!({"schema": "rows", "rows": [{"name": id, "part": "calibrate"}]}).to_string();
    std::fs::write(data.join("labellers/intents.rows.json"), rows).unwrap();
    assert!(matches!(running.reload(str::to_owned).await, Answer::Done));
    running.outlet.settled().await.unwrap();
    for (request, expected) in [(other, None), (id, Some("row_deleted"))] {
        let erased = say(&data, &Command::Erase { request }).await.unwrap();
        assert!(matches!(erased, Answer::Erased { .. }), "{erased:?}");
        assert_eq!(line(&running).await.withdrawn_because.as_deref(), expected);
    }
    running = Running::start_in(running.stop().await, "", &config(upstream.address, "good", "")).await;
    assert_eq!(line(&running).await.withdrawn_because.as_deref(), Some("row_deleted"));
    running.finish().await;

    let running = start(&upstream, task("", Shape::Word, "good"), "stage = \"serve\"").await;
    let withdraw = Command::WithdrawLabel { route: "m".into() };
    let data = running.folder.path().join("data");
    assert!(matches!(say(&data, &withdraw).await.unwrap(), Answer::Done));
    assert!(matches!(say(&data, &withdraw).await.unwrap(), Answer::Refused(_)));
    assert_eq!(line(&running).await.withdrawn_because.as_deref(), Some("by_hand"));
    running.finish().await;
}

#[tokio::test]
async fn a_file_that_may_not_serve_is_refused_with_a_hint_and_the_old_one_goes_on() {
    let upstream = Upstream::start(teacher).await;
    let running = start(&upstream, task("", Shape::Word, "good"), "stage = \"serve\"").await;
    let good = file(task("", Shape::Word, "good"), &signer());
    let stranger = Ed25519Signer::from_seed("mains.test/two", &[8; 32]).unwrap();
    let unsigned =
        Draft::of(&Labeller { task: Some(task("", Shape::Word, "good")), ..trained().clone() }).finish(None);
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let taskless = {
        let draft = Draft::of(&Labeller { task: None, ..trained().clone() });
        let signature = signer().sign(&draft.to_sign()).unwrap().try_into().unwrap();
        draft.finish(Some(&Seal { key: signer().verifier().public_bytes(), signature }))
    };
    let renamed = Served { name: "other".into(), ..task("", Shape::Word, "good") };
    for (bytes, says) in [
        (unsigned, "is not signed"),
        (flipped, "was changed"),
        (taskless, "says no task"),
        (file(task("", Shape::Word, "good"), &stranger), "a key that is not trusted"),
        (file(task("", Shape::Word, "gpt-4.1"), &signer()), "`gpt-4.1` taught it"),
        (file(renamed, &signer()), "says that it is `other`"),
    ] {
        put(running.folder.path(), &bytes);
        let Answer::Refused(why) = running.reload(str::to_owned).await else {
            panic!("{says}: it was taken")
        };
        assert!(why.contains(says) && why.contains("hint:"), "{says}: {why}");
        local(&client(), &running, "/v1/chat/completions", &plain(0)).await;
    }
    // Another good file begins anew; the stranger's is taken once his key is named.
    put(running.folder.path(), &file(task("", Shape::Word, "good"), &stranger));
    let key = stranger.verifier().to_string();
    let answer = running.reload(|text| text.replace("stage = \"serve\"", &format!("key = \"{key}\""))).await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
    assert_eq!(line(&running).await.stage, "shadow");
    let answer = running
        .reload(|text| text.replace("\"label/intents\", ", "").replace("[route.label]\nkey", "#"))
        .await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
    let leaves = running.finish().await;
    let actions: Vec<String> = steps(&leaves).into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(actions, ["loaded", "serve", "loaded", "shadow", "removed", "removed"]);
}
