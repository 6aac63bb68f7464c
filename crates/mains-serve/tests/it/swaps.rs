//! Switches: a share by coin, steps, the way back by itself, and the day on which a model ends.

use crate::harness::{Act, Http, Running, Upstream, chat, client, get, ordinary, post};
use mains_serve::control::{Answer, Command, SwapLine, say};
use serde_json::{Value, json};
use std::net::SocketAddr;

const REPORT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A route with a switch from `a/gpt-4o-mini` to `b/gpt-4.1-mini`.
fn switch(a: SocketAddr, b: SocketAddr, more: &str) -> String {
    format!(
        "[[upstream]]\nname = \"a\"\nprovider = \"openai\"\nbase_url = \"http://{a}/v1\"\n\
         [[upstream]]\nname = \"b\"\nprovider = \"openai\"\nbase_url = \"http://{b}/v1\"\n\
         [[route]]\nmodel = \"m\"\ntargets = [\"a/gpt-4o-mini\"]\n\
         [route.swap]\nfrom = \"a/gpt-4o-mini\"\nto = \"b/gpt-4.1-mini\"\nreport = \"{REPORT}\"\n{more}\n"
    )
}

async fn command(running: &Running, command: &Command) -> Answer {
    say(&running.folder.path().join("data"), command).await.unwrap()
}

async fn line(running: &Running) -> SwapLine {
    match command(running, &Command::Swaps).await {
        Answer::Swaps(mut lines) if lines.len() == 1 => lines.remove(0),
        other => panic!("one switch was expected: {other:?}"),
    }
}

/// Asks so often; everybody must be answered. Who answered, request by request.
async fn ask(client: &Http, running: &Running, times: usize, body: &str) -> Vec<(String, String)> {
    let mut answered = Vec::new();
    for _ in 0..times {
        let got = post(client, running.address, "/v1/chat/completions", body.to_owned()).await;
        assert_eq!(got.status, 200, "{}", got.text());
        answered.push((got.header("x-request-id").to_owned(), got.header("x-mains-target").to_owned()));
    }
    answered
}

fn count(answered: &[(String, String)], target: &str) -> usize {
    answered.iter().filter(|(_, by)| by == target).count()
}

fn swaps(leaves: &[Value]) -> Vec<(String, Value, Value)> {
    let swaps = leaves.iter().filter(|leaf| leaf["type"] == "swap");
    swaps
        .map(|leaf| {
            (
                leaf["action"].as_str().unwrap().to_owned(),
                leaf["share_percent"].clone(),
                leaf["reason"].clone(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_good_replacement_goes_up_step_by_step_and_every_step_is_a_leaf() {
    let (a, b) = (Upstream::start(ordinary).await, Upstream::start(ordinary).await);
    let more = "steps = [50, 80, 100]\nhold = \"0s\"\nrequests_min = 10";
    let running = Running::start("", &switch(a.address, b.address, more)).await;
    let client = client();
    assert_eq!(line(&running).await.share_percent, 50);
    let answered = ask(&client, &running, 200, &chat("m", false)).await;
    let (old, new) = (count(&answered, "a/gpt-4o-mini"), count(&answered, "b/gpt-4.1-mini"));
    assert!(old >= 1 && new >= 20 && old + new == 200, "{old} {new}");
    let state = line(&running).await;
    assert_eq!((state.stage.as_str(), state.share_percent), ("whole", 100), "{state:?}");
    let last = ask(&client, &running, 10, &chat("m", false)).await;
    assert_eq!(count(&last, "b/gpt-4.1-mini"), 10);
    let page = get(&client, running.address, "/").await.text();
    assert!(page.contains("switched from a/gpt-4o-mini to b/gpt-4.1-mini"), "{page}");
    let rows = running.records().await;
    let drawn = rows.iter().filter_map(|row| row.canary.as_ref());
    assert!(drawn.clone().all(|canary| canary.report == REPORT));
    assert!(drawn.clone().any(|canary| canary.share_ppm == 500_000), "the first step's share is in the rows");
    assert!(drawn.clone().any(|canary| canary.share_ppm == 800_000));
    let leaves = running.finish().await;
    assert_eq!(
        swaps(&leaves),
        [
            ("switched".into(), json!(50), Value::Null),
            ("stepped".into(), json!(80), Value::Null),
            ("whole".into(), json!(100), json!("steps")),
        ]
    );
    let leaf = leaves.iter().find(|leaf| leaf["type"] == "swap").unwrap();
    assert_eq!((&leaf["report"], &leaf["route"]), (&json!(REPORT), &json!("m")));
}

fn broken(question: &Value) -> Act {
    if question["model"] == "gpt-4.1-mini" {
        return Act::Reply(500, &[], json!({"error": {"message": "out of order"}}).to_string());
    }
    ordinary(question)
}

#[tokio::test]
async fn a_replacement_that_fails_is_rolled_back_by_itself_and_stays_so() {
    let (a, b) = (Upstream::start(ordinary).await, Upstream::start(broken).await);
    let config = switch(a.address, b.address, "steps = [50, 100]\nhold = \"1d\"");
    let running = Running::start("", &config).await;
    let client = client();
    // Nobody sees it: the old target answers in its place.
    let answered = ask(&client, &running, 120, &chat("m", false)).await;
    assert_eq!(count(&answered, "a/gpt-4o-mini"), 120);
    let state = line(&running).await;
    assert_eq!((state.stage.as_str(), state.share_percent), ("rolled back", 0), "{state:?}");
    assert_eq!(state.why.as_deref(), Some("more requests failed"));
    let asked = b.asked();
    ask(&client, &running, 30, &chat("m", false)).await;
    assert_eq!(b.asked(), asked, "it is asked no more");
    // Neither a reload nor a restart forgets it.
    assert!(matches!(running.reload(|text| format!("{text}\n# read again\n")).await, Answer::Done));
    assert_eq!(line(&running).await.stage, "rolled back");
    let folder = running.stop().await;
    let running = Running::start_in(folder, "", &config).await;
    assert_eq!(line(&running).await.stage, "rolled back");
    assert!(matches!(
        command(&running, &Command::RollBackSwap { route: "m".into() }).await,
        Answer::Refused(why) if why.contains("already")
    ));
    let leaves = running.finish().await;
    assert_eq!(
        swaps(&leaves),
        [("switched".into(), json!(50), Value::Null), ("rolled_back".into(), json!(0), json!("errors"))]
    );
}

/// The new model answers what was asked for, but in prose.
fn prose(question: &Value) -> Act {
    let text = if question["model"] == "gpt-4.1-mini" { "The amount is 3." } else { "{\"amount\": 3}" };
    if question["stream"] == true {
        let chunk = |delta: Value, finish: Value| {
            format!(
                "data: {}\n\n",
                json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": question["model"], "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
            )
        };
        let pieces = vec![
            chunk(json!({"role": "assistant", "content": text}), Value::Null),
            chunk(json!({}), json!("stop")),
            "data: [DONE]\n\n".into(),
        ];
        return Act::Pieces(pieces, true);
    }
    Act::Reply(200, &[], json!({"id": "c", "object": "chat.completion", "created": 1, "model": question["model"], "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}}).to_string())
}

#[tokio::test]
async fn answers_that_break_their_schema_roll_back_whole_or_streamed() {
    for stream in [false, true] {
        let (a, b) = (Upstream::start(prose).await, Upstream::start(prose).await);
        let running = Running::start("", &switch(a.address, b.address, "steps = [50, 100]")).await;
        let schema = json!({"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"], "additionalProperties": false});
        let body = json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "how much?"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "amount", "schema": schema}}});
        ask(&client(), &running, 120, &body.to_string()).await;
        let state = line(&running).await;
        assert_eq!(
            state.why.as_deref(),
            Some("more answers broke their schema"),
            "stream {stream}: {state:?}"
        );
        running.finish().await;
    }
}

#[tokio::test]
async fn bad_verdicts_of_callers_roll_back_and_each_request_counts_once() {
    let (a, b) = (Upstream::start(ordinary).await, Upstream::start(ordinary).await);
    let running = Running::start("", &switch(a.address, b.address, "steps = [50, 100]")).await;
    let client = client();
    let mut counted = 0;
    for _ in 0..150 {
        let (id, by) = ask(&client, &running, 1, &chat("m", false)).await.remove(0);
        let path = format!("/mains/v1/requests/{id}/feedback");
        let verdict = if by.starts_with("b/") { "bad" } else { "good" };
        let body = json!({"verdict": verdict}).to_string();
        let got = post(&client, running.address, &path, body.clone()).await;
        assert_eq!((got.status, &got.json()["kept"]), (200, &json!("new")), "{}", got.text());
        counted += usize::from(got.json()["counted"] == true);
        let again = post(&client, running.address, &path, body).await.json();
        assert_eq!((&again["kept"], &again["counted"]), (&json!("same"), &json!(false)));
    }
    let state = line(&running).await;
    assert_eq!(state.why.as_deref(), Some("more verdicts were bad"), "{state:?}");
    assert!((5..150).contains(&counted), "{counted}");
    let reading = state.readings.iter().find(|reading| reading.metric == "feedback").unwrap();
    assert!(reading.old.starts_with("0 of "), "{reading:?}");
    running.finish().await;
}

#[tokio::test]
async fn what_is_no_verdict_is_refused_with_words() {
    let a = Upstream::start(ordinary).await;
    let running = Running::start("", &crate::harness::one(a.address)).await;
    let client = client();
    let (id, _) = ask(&client, &running, 1, &chat("m", false)).await.remove(0);
    let unknown = "req_00000000000000000000000000";
    let cases = [
        (format!("/mains/v1/requests/{id}/feedback"), "{\"verdict\": \"meh\"}", 400),
        (format!("/mains/v1/requests/{id}/feedback"), "{\"verdict\": \"bad\", \"why\": \"x\"}", 400),
        (format!("/mains/v1/requests/{id}/feedback"), "no json", 400),
        (format!("/mains/v1/requests/{unknown}/feedback"), "{\"verdict\": \"bad\"}", 404),
        ("/mains/v1/requests/nobody/feedback".to_owned(), "{\"verdict\": \"bad\"}", 404),
    ];
    for (path, body, status) in cases {
        let got = post(&client, running.address, &path, body).await;
        assert_eq!(got.status, status, "{path} {body}: {}", got.text());
        assert!(!got.json()["error"]["message"].as_str().unwrap().is_empty());
    }
    // Outside of a switch a verdict is kept, and counts nowhere.
    let got = post(
        &client,
        running.address,
        &format!("/mains/v1/requests/{id}/feedback"),
        "{\"verdict\": \"bad\"}",
    )
    .await;
    assert_eq!((&got.json()["kept"], &got.json()["counted"]), (&json!("new"), &json!(false)));
    running.finish().await;
}

#[tokio::test]
async fn the_operator_goes_back_and_a_switch_that_leaves_the_settings_is_cancelled() {
    let (a, b) = (Upstream::start(ordinary).await, Upstream::start(ordinary).await);
    let running = Running::start("", &switch(a.address, b.address, "steps = [50, 100]")).await;
    let client = client();
    ask(&client, &running, 5, &chat("m", false)).await;
    let unknown = command(&running, &Command::RollBackSwap { route: "n".into() }).await;
    assert!(matches!(unknown, Answer::Refused(why) if why.contains("there are: m")));
    assert!(matches!(command(&running, &Command::RollBackSwap { route: "m".into() }).await, Answer::Done));
    assert_eq!(count(&ask(&client, &running, 20, &chat("m", false)).await, "a/gpt-4o-mini"), 20);
    // Another report is another switch, and begins anew.
    let other = "f".repeat(64);
    let answer = running.reload(|text| text.replace(REPORT, &other)).await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
    assert_eq!(line(&running).await.stage, "canary");
    // And one that is under way when the next takes its place is cancelled.
    let third = "e".repeat(64);
    assert!(matches!(running.reload(|text| text.replace(&other, &third)).await, Answer::Done));
    let without = running.reload(|text| text.split("[route.swap]").next().unwrap().to_owned()).await;
    assert!(matches!(without, Answer::Done), "{without:?}");
    assert!(matches!(command(&running, &Command::Swaps).await, Answer::Swaps(lines) if lines.is_empty()));
    let actions: Vec<String> =
        swaps(&running.finish().await).into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["switched", "rolled_back", "switched", "cancelled", "switched", "cancelled"]);
}

#[tokio::test]
async fn on_its_day_a_retired_model_gives_way_to_its_tested_replacement() {
    let (a, b) = (Upstream::start(ordinary).await, Upstream::start(ordinary).await);
    let config = switch(a.address, b.address, "").split("[route.swap]").next().unwrap().to_owned();
    // Its provider ended it long ago, by the catalogue.
    let config = config.replace("[\"a/gpt-4o-mini\"]", "[\"a/gpt-4-32k\", \"a/gpt-4o-mini\"]");
    let running = Running::start("", &config).await;
    let client = client();
    assert_eq!(count(&ask(&client, &running, 3, &chat("m", false)).await, "a/gpt-4o-mini"), 3);
    let test = |verdict: &str, report: &str| Command::SwapTested {
        report: report.into(),
        from: "a/gpt-4-32k".into(),
        to: "b/gpt-4.1-mini".into(),
        route: "m".into(),
        verdict: verdict.into(),
        figures: json!({}),
    };
    let failed = command(&running, &test("inferior", REPORT)).await;
    assert!(matches!(failed, Answer::Leaf(Some(_))), "{failed:?}");
    assert_eq!(count(&ask(&client, &running, 3, &chat("m", false)).await, "a/gpt-4o-mini"), 3);
    let passed = command(&running, &test("non_inferior", &"f".repeat(64))).await;
    assert!(matches!(passed, Answer::Leaf(Some(_))), "{passed:?}");
    assert_eq!(count(&ask(&client, &running, 3, &chat("m", false)).await, "b/gpt-4.1-mini"), 3);
    assert!(matches!(command(&running, &test("perhaps", &"e".repeat(64))).await, Answer::Refused(_)));
    assert!(matches!(command(&running, &test("non_inferior", "short")).await, Answer::Refused(_)));
    let folder = running.stop().await;
    let running = Running::start_in(folder, "", &config).await;
    assert_eq!(count(&ask(&client, &running, 3, &chat("m", false)).await, "b/gpt-4.1-mini"), 3);
    let leaves = running.finish().await;
    let seen: Vec<(String, Value)> =
        swaps(&leaves).into_iter().map(|(action, _, reason)| (action, reason)).collect();
    assert_eq!(
        seen,
        [
            ("retired".into(), json!("next_target")),
            ("tested".into(), Value::Null),
            ("tested".into(), Value::Null),
            ("retired".into(), json!("tested_replacement")),
        ]
    );
}
