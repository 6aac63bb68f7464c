//! Candidates for a model, as a user asks for them. Days are fixed; the catalogue is the built-in one.

use super::{Ran, run, temporary};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

const DAY: &str = "2026-08-01";

fn plan(folder: &Path, words: &[&str]) -> Ran {
    let words: Vec<&str> =
        ["swap", "plan", "--as-of", DAY].into_iter().chain(words.iter().copied()).collect();
    run(folder, &words)
}

/// A folder with so many requests like this one.
fn asked(count: usize, request: &Value) -> tempfile::TempDir {
    let folder = temporary();
    let lines = (0..count).fold(String::new(), |mut all, _| {
        writeln!(all, "{request}").unwrap();
        all
    });
    std::fs::write(folder.path().join("r.jsonl"), lines).unwrap();
    folder
}

fn chat() -> Value {
    json!({"model": "gpt-4-turbo", "messages": [{"role": "user", "content": "Is this spam?"}]})
}

fn configure(folder: &Path) {
    let config = "[[upstream]]\nname = \"oa\"\nprovider = \"openai\"\nregion = \"us\"\ndiscount_percent = 50\n\
        [[upstream]]\nname = \"claude\"\nprovider = \"anthropic\"\n\
        [[route]]\nmodel = \"answers\"\ntargets = [\"oa/gpt-4-turbo\", \"claude/claude-haiku-4-5\"]\n";
    std::fs::write(folder.join("mains.toml"), config).unwrap();
}

fn targets(listed: &Value) -> Vec<&str> {
    listed.as_array().unwrap().iter().map(|one| one["target"].as_str().unwrap()).collect()
}

fn named<'v>(listed: &'v Value, target: &str) -> &'v Value {
    let found = listed.as_array().unwrap().iter().find(|one| one["target"] == target);
    found.unwrap_or_else(|| panic!("no {target} in {:?}", targets(listed)))
}

#[test]
fn a_dying_model_gets_its_named_successor_first() {
    let folder = temporary();
    let found = plan(folder.path(), &["gpt-4-turbo", "--json"]).ends(0).json();
    assert_eq!(found["schema"], "mains.swap.plan/1");
    assert_eq!(
        found["model"],
        json!({"host": "openai", "id": "gpt-4-turbo", "target": "openai/gpt-4-turbo", "route": null,
            "state": "dying", "ends_on": "2026-10-23", "days_left": 83,
            "per_1000_requests": found["model"]["per_1000_requests"]})
    );
    // 1,000 requests of 1,000 tokens at $10 and 200 at $30 for a million.
    assert_eq!(found["model"]["per_1000_requests"]["cost_nano_usd"], "16000000000");
    let first = &found["candidates"][0];
    assert_eq!((&first["target"], &first["why"]), (&json!("openai/gpt-5.6-sol"), &json!("successor")));
    assert_eq!(first["named_by"], json!({"source": "s017", "read": "2026-08-20"}));
    assert_eq!((&first["configured"], &first["region"]), (&json!(false), &Value::Null));
    assert!(first["add_to_configuration"].as_str().unwrap().contains("key = \"env:OPENAI_API_KEY\""));
    let footprint = &first["per_1000_requests"]["footprint"];
    assert!(footprint["energy_j"]["low"].as_f64().unwrap() < footprint["energy_j"]["high"].as_f64().unwrap());
    assert_eq!((&found["traffic"], &found["tokens"]["basis"]), (&Value::Null, &json!("standard")));
    let same = named(&found["candidates"], "azure/gpt-4-turbo");
    assert_eq!(same["why"], "same model");
    assert!(found["candidates"].as_array().unwrap().iter().any(|one| one["why"] == "smaller"));
    let page = plan(folder.path(), &["gpt-4-turbo"]).ends(0).out;
    assert!(page.contains("ends 2026-10-23, in 83 days; after that requests fail"), "{page}");
    assert!(page.contains("what is needed is not known without requests"), "{page}");
    assert!(page.contains("1,000 requests of 1,000 tokens in and 200 out"), "{page}");
    let next = page.lines().last().unwrap().trim();
    assert_eq!(
        next,
        "mains swap test --requests requests.jsonl --from openai/gpt-4-turbo --to openai/gpt-5.6-sol"
    );
    assert_eq!(found["next"], next);
}

#[test]
fn the_longest_request_excludes_a_small_context() {
    let mut long = chat();
    long["messages"][0]["content"] = "word ".repeat(120_000).into();
    let folder = asked(1, &long);
    let found = plan(folder.path(), &["--requests", "r.jsonl", "--json"]).ends(0).json();
    let needed = found["traffic"]["needs"]["context_tokens"].as_u64().unwrap();
    assert!((150_000..151_000).contains(&needed), "{needed}");
    let small = named(&found["lacking"], "openai/gpt-4o-mini");
    assert_eq!(small["lacks"], json!([format!("a context of 150,017 tokens (it has 128,000)")]));
    assert!(targets(&found["candidates"]).contains(&"openai/gpt-4.1-mini"));
    let page = plan(folder.path(), &["--requests", "r.jsonl", "--all"]).ends(0).out;
    assert!(page.contains("openai/gpt-4o-mini lacks a context of 150,017 tokens (it has 128,000)"), "{page}");
    let short = plan(folder.path(), &["--requests", "r.jsonl"]).ends(0).out;
    assert!(short.contains("left out because something is lacking; `--all` says what"), "{short}");
}

#[test]
fn tools_exclude_who_cannot_call_them_and_what_nobody_denies_is_said() {
    let mut tools = chat();
    tools["tools"] =
        json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let folder = asked(3, &tools);
    let words = ["swap", "plan", "--as-of", "2026-06-01", "--requests", "r.jsonl", "--json"];
    let found = run(folder.path(), &words).ends(0).json();
    assert_eq!(found["traffic"]["needs"]["tools"], 3);
    let denied = named(&found["lacking"], "openai/gpt-5-chat");
    assert_eq!(denied["lacks"], json!(["tools (3 requests need it)"]));
    assert!(targets(&found["candidates"]).contains(&"openai/gpt-4.1"));
    let unknown =
        found["candidates"].as_array().unwrap().iter().filter(|one| one["unknown"] == json!(["tools"]));
    assert!(unknown.count() > 0, "silence of the sources is no denial");
    let without = run(asked(1, &chat()).path(), &words).ends(0).json();
    assert!(targets(&without["candidates"]).contains(&"openai/gpt-5-chat"));
}

#[test]
fn a_route_brings_its_other_targets_its_discount_and_its_region() {
    let folder = asked(1, &chat());
    configure(folder.path());
    let found = plan(folder.path(), &["answers", "--requests", "r.jsonl", "--json"]).ends(0).json();
    assert_eq!(
        (&found["model"]["target"], &found["model"]["route"]),
        (&json!("oa/gpt-4-turbo"), &json!("answers"))
    );
    let whole = temporary();
    let list = plan(whole.path(), &["gpt-4-turbo", "--json"]).ends(0).json();
    configure(whole.path());
    let less = plan(whole.path(), &["answers", "--json"]).ends(0).json();
    let cost = |found: &Value| {
        found["model"]["per_1000_requests"]["cost_nano_usd"].as_str().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(cost(&list), 2 * cost(&less), "the account pays half");
    let first = &found["candidates"][0];
    assert_eq!((&first["target"], &first["region"]), (&json!("oa/gpt-5.6-sol"), &json!("us")));
    let second = named(&found["candidates"], "claude/claude-haiku-4-5");
    assert_eq!((&second["why"], &second["configured"]), (&json!("in the route"), &json!(true)));
    let next = found["next"].as_str().unwrap();
    assert_eq!(next, "mains swap test --requests r.jsonl --from oa/gpt-4-turbo --to oa/gpt-5.6-sol");
    let by_target = plan(folder.path(), &["oa/gpt-4-turbo", "--json"]).ends(0).json();
    assert_eq!(
        (&by_target["model"]["target"], &by_target["model"]["route"]),
        (&json!("oa/gpt-4-turbo"), &Value::Null)
    );
}

#[test]
fn parameters_that_are_refused_renamed_or_lost_are_counted_with_their_source() {
    let mut request = chat();
    request["temperature"] = json!(0.2);
    request["max_tokens"] = json!(50);
    request["seed"] = json!(7);
    let folder = asked(2, &request);
    let text = std::fs::read_to_string(folder.path().join("r.jsonl")).unwrap();
    std::fs::write(folder.path().join("r.jsonl"), format!("{text}{}\n", chat())).unwrap();
    configure(folder.path());
    let found = plan(folder.path(), &["answers", "--requests", "r.jsonl", "--json"]).ends(0).json();
    let first = named(&found["candidates"], "oa/gpt-5.6-sol");
    let met: Vec<(&str, &str, u64)> = first["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|met| {
            assert!(!met["source"].as_str().unwrap().is_empty() && met["read"].as_str().unwrap().len() == 10);
            (
                met["parameter"].as_str().unwrap(),
                met["effect"].as_str().unwrap(),
                met["requests"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(met, [("max_tokens", "renamed", 2), ("temperature", "refused", 2)]);
    let haiku = named(&found["candidates"], "claude/claude-haiku-4-5");
    assert_eq!(haiku["parameters"][0]["effect"], "required");
    assert_eq!(haiku["parameters"][0]["requests"], 1);
    let losses = haiku["losses"].as_object().unwrap();
    assert!(losses.iter().any(|(loss, count)| loss.starts_with("`seed`") && *count == 2), "{losses:?}");
    let page = plan(folder.path(), &["answers", "--requests", "r.jsonl"]).ends(0).out;
    assert!(page.contains("2 of 3 requests set `temperature`, which it refuses unless it is 1"), "{page}");
    assert!(page.contains("2 of 3 requests lose `seed`"), "{page}");
}

#[test]
fn an_unknown_model_gets_the_nearest_names_and_no_candidate_ends_with_1() {
    let folder = temporary();
    let unknown = plan(folder.path(), &["gpt-4-trubo"]).ends(2);
    assert!(
        unknown.err.contains("hint: did you mean") && unknown.err.contains("gpt-4-turbo"),
        "{}",
        unknown.err
    );
    configure(folder.path());
    let near = plan(folder.path(), &["answer"]).ends(2);
    assert!(near.err.contains("`answers`"), "routes count too: {}", near.err);
    let nothing = plan(folder.path(), &[]).ends(2);
    assert!(nothing.err.contains("which model is to be replaced"), "{}", nothing.err);
    // No model hears, reads files and calls tools in a context of two billion tokens.
    let mut much = chat();
    much["max_tokens"] = json!(2_000_000_000_u64);
    let folder = asked(1, &much);
    let none = plan(folder.path(), &["--requests", "r.jsonl", "--json"]).ends(1).json();
    assert_eq!((&none["candidates"], &none["next"]), (&json!([]), &Value::Null));
    assert!(!none["lacking"].as_array().unwrap().is_empty());
    let page = plan(folder.path(), &["--requests", "r.jsonl"]).ends(1).out;
    assert!(page.contains("no candidate that the catalogue knows"), "{page}");
}

#[test]
fn an_unknown_price_is_unknown_and_never_nothing() {
    let folder = temporary();
    let found = plan(folder.path(), &["gpt-4-turbo", "--json", "--all"]).ends(0).json();
    let all = found["candidates"].as_array().unwrap().iter().chain(found["lacking"].as_array().unwrap());
    for one in all {
        let cost = &one["per_1000_requests"]["cost_nano_usd"];
        assert!(cost.is_null() || cost.as_str().unwrap().parse::<u64>().unwrap() > 0, "{one}");
    }
    let old = plan(folder.path(), &["gpt-4-0314"]);
    assert!(old.out.contains("unknown"), "a model without a price is shown as such: {}", old.out);
}
