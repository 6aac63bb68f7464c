//! Requests from every form that is known, as `swap plan --json` accounts for them. The fixtures in
//! `tests/data/swap` are written by hand from the documented shapes.

use super::running::{Outlet, http};
use super::{Ran, run, temporary};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/swap").join(name)
}

/// `swap plan` of a fixture, with more words.
fn plan(name: &str, more: &[&str]) -> Ran {
    let folder = temporary();
    let path = data(name);
    let fixed = ["swap", "plan", "gpt-4-turbo", "--as-of", "2026-08-01", "--json", "--requests"];
    let words: Vec<&str> =
        fixed.into_iter().chain([path.to_str().unwrap()]).chain(more.iter().copied()).collect();
    run(folder.path(), &words)
}

/// The account of a file that can be planned for.
#[track_caller]
fn traffic(name: &str, more: &[&str]) -> Value {
    plan(name, more).ends(0).json()["traffic"].take()
}

/// A file made by a test.
#[track_caller]
fn refused(text: impl AsRef<[u8]>) -> String {
    let folder = temporary();
    std::fs::write(folder.path().join("r.jsonl"), text).unwrap();
    let ran = run(folder.path(), &["swap", "plan", "gpt-4-turbo", "--requests", "r.jsonl"]).ends(2);
    assert!(ran.out.is_empty(), "{}", ran.out);
    ran.err
}

#[test]
fn litellm_rows_are_read_and_what_has_no_content_is_counted() {
    let read = traffic("litellm.json", &[]);
    assert_eq!(
        (&read["form"], &read["requests"], &read["answered"]),
        (&json!("litellm"), &json!(4), &json!(3))
    );
    assert_eq!(
        read["left_out"],
        json!({
            "hold no content (`store_prompts_in_spend_logs` was off)": 1,
            "were asked at another endpoint (`aembedding`)": 1,
            "hold a request that LiteLLM cut": 1,
            "stand there twice": 1,
        })
    );
    assert_eq!(read["without_answer"], json!({"failed when they were asked first": 1}));
    let exported = plan("litellm.jsonl", &[]).ends(0);
    let read = &exported.json()["traffic"];
    assert_eq!((&read["requests"], &read["answered"]), (&json!(3), &json!(3)), "JSON inside text is opened");
    assert_eq!(exported.json()["tokens"]["basis"], "recorded");
    assert!(exported.err.contains("LiteLLM spend logs in"), "{}", exported.err);
    assert!(exported.err.contains("left out 1: 1 hold no content") && exported.err.contains("line 4"));
}

#[test]
fn langfuse_observations_exports_and_traces_are_read() {
    let read = traffic("langfuse.json", &[]);
    assert_eq!(
        (&read["form"], &read["requests"], &read["answered"]),
        (&json!("langfuse"), &json!(4), &json!(3))
    );
    assert_eq!(read["needs"]["tools"], 1);
    assert_eq!(
        read["left_out"],
        json!({
            "are no generations (`SPAN`)": 1,
            "have an `input` that is neither messages nor an object with `messages`": 1,
            "hold no content": 1,
        })
    );
    let read = traffic("langfuse_export.jsonl", &[]);
    assert_eq!((&read["requests"], &read["answered"]), (&json!(2), &json!(2)));
    let read = traffic("langfuse_traces.json", &[]);
    assert_eq!((&read["form"], &read["requests"]), (&json!("langfuse_traces"), &json!(3)));
    assert_eq!(read["left_out"]["are traces that only name their observations (export them whole)"], 1);
    let early = traffic("langfuse.json", &["--since", "2026-11-01", "--until", "2026-11-02"]);
    assert_eq!(early["requests"], 4);
    let none = plan("langfuse.json", &["--since", "2026-11-02"]).ends(2);
    assert!(none.err.contains("4 were asked outside of `--since` and `--until`"), "{}", none.err);
}

#[test]
fn a_batch_is_joined_with_its_answers() {
    let alone = traffic("batch_input.jsonl", &[]);
    assert_eq!((&alone["requests"], &alone["answered"]), (&json!(3), &json!(0)));
    assert_eq!(alone["left_out"], json!({"were asked at another endpoint (`/v1/embeddings`)": 1}));
    let answers = data("batch_output.jsonl");
    let ran = plan("batch_input.jsonl", &["--answers", answers.to_str().unwrap()]).ends(0);
    let read = &ran.json()["traffic"];
    assert_eq!((&read["requests"], &read["answered"]), (&json!(3), &json!(2)));
    assert_eq!(read["without_answer"], json!({"failed when they were asked first": 1}));
    assert!(ran.err.contains("`--answers` holds 1 answer to no request"), "{}", ran.err);
    let swapped = plan("batch_output.jsonl", &[]).ends(2);
    assert!(swapped.err.contains("hint: `--requests INPUT.jsonl --answers OUTPUT.jsonl`"), "{}", swapped.err);
    let stray = plan("litellm.json", &["--answers", answers.to_str().unwrap()]).ends(2);
    assert!(stray.err.contains("`--answers` belongs to a batch input"), "{}", stray.err);
}

#[test]
fn stored_completions_need_their_messages_and_fine_tuning_files_their_answers() {
    let without = plan("stored_without.json", &[]).ends(2);
    assert!(without.err.contains("2 are without what was asked (first: record 1)"), "{}", without.err);
    assert!(without.err.contains("/v1/chat/completions/{id}/messages"), "{}", without.err);
    let read = traffic("stored.json", &[]);
    assert_eq!(
        (&read["form"], &read["answered"], &read["needs"]["images"]),
        (&json!("openai_stored"), &json!(2), &json!(1))
    );
    let ran = plan("fine_tuning.jsonl", &[]).ends(0).json();
    assert_eq!(
        (&ran["traffic"]["form"], &ran["traffic"]["answered"]),
        (&json!("openai_fine_tuning"), &json!(25))
    );
    assert!(ran["labels"]["because"].as_str().unwrap().contains("2 short texts"), "{ran}");
}

#[test]
fn hostile_files_are_refused_with_their_line() {
    let body = r#"{"model": "m", "messages": [{"role": "user", "content": "x"}]}"#;
    for (text, said) in [
        (String::new(), "is empty"),
        ("\n \n".into(), "is empty"),
        ("hello".into(), "line 1: expected value"),
        ("[]".into(), "holds no request"),
        ("{}".into(), "line 1: no form of a request that is known here"),
        ("5".into(), "line 1: no form of a request"),
        (format!("{body}\nnot json\n"), "line 2: expected ident"),
        (format!("{body}\n{{\"model\": 5, \"messages\": []}}\n"), "line 2:"),
        (format!("{body}\n{{\"model\": \"m\", \"messages\": 5}}\n"), "line 2: it has no `messages`"),
        (format!("{body}\n\n{{\"model\": \"m\"}}\n"), "line 3: it has no `messages`"),
        (format!("{{\"request\": {body}, \"answer\": 5}}\n"), "line 1:"),
        ("{\"custom_id\": 4, \"body\": {}}".into(), "line 1: its `custom_id` is no text"),
        (
            format!(
                "{{\"custom_id\": \"a\", \"body\": {body}}}\n{{\"custom_id\": \"a\", \"body\": {body}}}\n"
            ),
            "line 2: the request `a` stands here twice",
        ),
        ("{\"request_id\": 4, \"spend\": {}, \"call_type\": []}".into(), "1 have no `request_id`"),
        ("{\"id\": 4, \"type\": \"GENERATION\", \"startTime\": []}".into(), "1 have no `id`"),
        ("{\"id\": \"t\", \"observations\": [[], 5, null]}".into(), "3 have no `type`"),
        (
            "{\"object\": \"chat.completion\", \"id\": \"c\", \"messages\": [7], \"choices\": 1}".into(),
            "cannot be read",
        ),
        ("{\"messages\": [{\"role\": \"assistant\", \"content\": {}}]}".into(), "line 1:"),
    ] {
        let err = refused(&text);
        assert!(err.contains(said) && err.starts_with("error:"), "{text}: {err}");
    }
    assert!(refused([b'{', b'}', b'\n', 0xff, 0xfe]).contains("line 2: no UTF-8 text"));
    let deep = format!("{{\"model\": \"m\", \"messages\": {}", "[".repeat(50_000));
    assert!(refused(deep).contains("line 1: recursion limit"));
    let folder = temporary();
    let gone = run(folder.path(), &["swap", "plan", "--requests", "gone.jsonl"]).ends(2);
    assert!(gone.err.contains("failed to read `gone.jsonl`"), "{}", gone.err);
    let both = run(folder.path(), &["swap", "plan", "--requests", "a", "--route", "b"]).ends(2);
    assert!(both.err.contains("cannot be used with"), "{}", both.err);
}

#[test]
fn kept_records_of_a_route_are_read_beside_the_running_outlet() {
    let outlet = Outlet::start_with("[record]\ncontent = \"keep\"\n");
    outlet.ask("gpt-4o-mini");
    let ask = |path: &str, body: &Value| http(&outlet.address, "POST", path, None, &body.to_string());
    let user = json!([{"role": "user", "content": "hi"}]);
    let streamed = json!({"model": "gpt-4o-mini", "stream": true, "messages": user});
    assert_eq!(ask("/v1/chat/completions", &streamed).status, 200);
    let messages = json!({"model": "gpt-4o-mini", "stream": true, "max_tokens": 20, "messages": user});
    assert_eq!(ask("/v1/messages", &messages).status, 200);
    ask("/v1/embeddings", &json!({"model": "text-embedding-3-small", "input": "x"}));
    // Erasing stands behind what was offered before it, so afterwards all of it is written.
    let last = outlet.ask("gpt-3.5-turbo").header("x-request-id").to_owned();
    outlet.run(&["records", "erase", &last]).ends(0);
    let ran = outlet.run(&["swap", "plan", "--route", "gpt-4o-mini", "--json"]).ends(0);
    let read = ran.json();
    assert_eq!(read["traffic"]["form"], "vault", "{}", ran.err);
    assert_eq!(
        (&read["traffic"]["requests"], &read["traffic"]["answered"]),
        (&json!(3), &json!(3)),
        "{}",
        ran.err
    );
    assert_eq!(read["traffic"]["needs"]["streaming"], 2);
    assert_eq!(
        (&read["tokens"]["basis"], &read["model"]["target"]),
        (&json!("recorded"), &json!("openai/gpt-4o-mini"))
    );
    let next = read["next"].as_str().unwrap();
    assert!(next.starts_with("mains swap test --route gpt-4o-mini --until 20"), "{next}");
    // What it says is what the test then takes, though more is kept meanwhile.
    outlet.ask("gpt-4o-mini");
    let words: Vec<&str> = next.split(' ').skip(1).collect();
    let ran = run(outlet.folder.path(), &words).ends(2);
    assert!(
        ran.err.contains("3 requests, 3 with a recorded answer: kept records in the route `gpt-4o-mini`"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("nobody is here to agree to the price"), "{}", ran.err);
    let embeddings =
        outlet.run(&["swap", "plan", "gpt-4o-mini", "--route", "text-embedding-3-small"]).ends(2);
    assert!(
        embeddings.err.contains("1 were asked at another endpoint (`openai_embeddings`)"),
        "{}",
        embeddings.err
    );
    let nothing = outlet.run(&["swap", "plan", "gpt-4o", "--route", "alone"]).ends(2);
    assert!(
        nothing.err.contains("nothing is there") && nothing.err.contains("content = \"keep\""),
        "{}",
        nothing.err
    );
    let later = outlet.run(&["swap", "plan", "--route", "gpt-4o-mini", "--since", "2999-01-01"]).ends(2);
    assert!(later.err.contains("nothing is there"), "{}", later.err);
    outlet.process.signal(Signal::TERM);
    let Outlet { folder, process, .. } = outlet;
    process.ended().ends(0);
    let after =
        run(folder.path(), &["swap", "plan", "--route", "gpt-4o-mini", "--json", "--data", "data"]).ends(0);
    assert_eq!(after.json()["traffic"]["requests"], 4);
}
