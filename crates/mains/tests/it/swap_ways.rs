//! The ways in which a test compares answers, and tests that grow.

use super::swap::{Script, World, text};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

/// Writes requests `tell 0`, `tell 1` …, with answers where `answer` gives one, and more members of the body.
fn requests(world: &World, count: usize, more: &Value, answer: impl Fn(usize) -> Option<String>) {
    let mut lines = String::new();
    for number in 0..count {
        let mut body = json!({"model": "label", "max_tokens": 50,
            "messages": [{"role": "user", "content": format!("tell {number}")}]});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let line =
            answer(number).map_or_else(|| body.clone(), |answer| json!({"request": body, "answer": answer}));
        writeln!(lines, "{line}").unwrap();
    }
    std::fs::write(world.folder.path().join("requests.jsonl"), lines).unwrap();
}

fn number(asked: &Value) -> usize {
    text(asked).rsplit(' ').next().unwrap().parse().unwrap()
}

fn script(say: impl Fn(&str, usize, u32) -> String + Send + Sync + 'static) -> Script {
    Arc::new(move |asked, before| say(asked["model"].as_str().unwrap(), number(asked), before))
}

fn rows(world: &World) -> Vec<Value> {
    world.report()["rows"].as_array().unwrap().clone()
}

#[test]
fn the_old_model_beside_itself_is_the_ceiling() {
    // Asked again, the old model says something else in one of 30; the candidate as often, elsewhere.
    let label = |number: usize, other: bool| {
        if number.is_multiple_of(2) == other { "ham" } else { "spam" }.to_owned()
    };
    let world = World::with(
        &script(move |model, number, before| match model {
            "gpt-4o" => label(number, before == 1 && number % 30 == 3),
            _ => label(number, number % 30 == 7),
        }),
        true,
    );
    requests(&world, 400, &json!({}), |_| None);
    let ran = world.test(&["--margin=12"]).ends(0);
    let out = &ran.out;
    assert!(out.contains("ceiling    ") && out.contains("the old model with itself, asked twice"), "{out}");
    let report = world.report();
    assert_eq!(report["question"]["kind"], "agreement_beside_self");
    let rows = report["rows"].as_array().unwrap();
    for row in rows {
        let line: usize = row["id"].as_str().unwrap().strip_prefix("line ").unwrap().parse().unwrap();
        let (old, new) = ((line - 1) % 30 != 3, (line - 1) % 30 != 7);
        assert_eq!(row["outcome"]["pair"], json!({"old": old, "new": new}), "{row}");
    }
    world.upstream.paid_at_most(2);
    world.verify().ends(0);
}

#[test]
fn a_test_grows_with_its_number_and_its_requests_and_keeps_its_looks() {
    let world = World::with(&script(|_, number, _| LABELS[number % 2].into()), true);
    let answer = |number: usize| Some(LABELS[number % 2].to_owned());
    requests(&world, 60, &json!({}), answer);
    world.test(&["--labels=spam,ham", "--at-most=17"]).ends(1);
    let first = rows(&world);
    assert_eq!((first.len(), world.upstream.total()), (17, 17));
    // More of the same file.
    world.test(&["--labels=spam,ham", "--at-most=25"]).ends(1);
    let second = rows(&world);
    assert_eq!((second.len(), world.upstream.total()), (25, 25));
    assert_eq!(second[..17], first[..]);
    let looks: Vec<u64> = world.report()["looks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|look| look["evidence"]["n"].as_u64().unwrap())
        .collect();
    assert_eq!(looks, [10, 17, 20, 25], "the look at 17 stays in the record");
    // Requests that came since, behind the old ones.
    requests(&world, 300, &json!({}), answer);
    world.test(&["--labels=spam,ham"]).ends(0);
    assert_eq!(rows(&world)[..25], second[..]);
    world.upstream.paid_at_most(1);
    world.verify().ends(0);
    // Another request in the place of an old one is another test.
    requests(&world, 300, &json!({"temperature": 0}), answer);
    let ran = world.test(&[]).ends(2);
    assert!(ran.err.contains("is not among the requests now"), "{}", ran.err);
}

const LABELS: [&str; 2] = ["spam", "ham"];

#[test]
fn graders_are_taken_as_asked_for_and_trying_several_is_told() {
    let world = World::with(&script(|_, number, _| format!("So it is about {}.04", number % 7)), true);
    requests(&world, 120, &json!({}), |number| Some(format!("The result: {}", number % 7)));
    let ran = world.test(&["--last-number"]).ends(1);
    assert!(ran.err.contains("graded as last number, within 0 of the recorded one"), "{}", ran.err);
    assert!(ran.out.starts_with("worse: "), "{}", ran.out);
    let ran = world.test(&["--pattern", r"(\d)\.?"]).ends(1);
    assert!(ran.err.contains("finds last"), "{}", ran.err);
    let ran = world.test(&["--check", r"\d"]).ends(0);
    assert!(ran.out.starts_with("not worse: ") && ran.out.contains("points worse"), "{}", ran.out);
    let report = world.report();
    assert_eq!(report["question"]["kind"], "quality");
    let grader = report["about"]["grader"].as_str().unwrap();
    assert!(grader.ends_with("(the same answers were read in 2 other ways before)"), "{grader}");
    world.upstream.paid_at_most(1);
    for wrong in
        [vec!["--check", "("], vec!["--check", "a", "--labels", "b"], vec!["--number-tolerance", "3"]]
    {
        world.test(&wrong).ends(2);
    }
}

#[test]
fn fields_are_counted_and_may_be_left_out_of_the_comparison() {
    let object = |number: usize, at: usize, tags: [&str; 2]| {
        json!({"name": format!("n{}", number % 9), "at": at, "tags": tags}).to_string()
    };
    let world = World::with(&script(move |_, number, _| object(number, number + 1, ["b", "a"])), true);
    requests(&world, 120, &json!({}), |number| Some(object(number, number, ["a", "b"])));
    world.test(&["--out=strict"]).ends(1);
    let ran = world.test(&["--json-ignore=at", "--json-any-order=tags"]).ends(0);
    assert!(ran.err.contains("; at ignored; tags in any order"), "{}", ran.err);
    let fields = world.report()["fields"].clone();
    let n = rows(&world).len();
    let same: Vec<(&str, u64)> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["path"].as_str().unwrap(), field["same"].as_u64().unwrap()))
        .collect();
    assert_eq!(same, [("name", n as u64), ("tags", n as u64)]);
}

#[test]
fn streamed_requests_are_asked_as_streams_and_tell_the_time_to_the_first_token() {
    let world = World::with(&script(|_, number, _| LABELS[number % 2].into()), true);
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    requests(&world, 120, &more, |number| Some(LABELS[number % 2].to_owned()));
    world.test(&[]).ends(0);
    let new = world.report()["beside"]["new"].clone();
    assert!(new["first_ms_p50"].is_u64() && new["nano_usd_per_1000"].as_u64().unwrap() > 0, "{new}");
    assert_eq!(new["input_per_1000"], 20_000, "{new}");
    world.upstream.paid_at_most(1);
}

#[test]
fn an_answer_has_to_follow_the_schema_that_its_request_carried() {
    let world =
        World::with(&script(|_, number, _| json!({"name": format!("n{}", number % 9)}).to_string()), true);
    let answer = |number: usize| Some(json!({"name": format!("n{}", number % 9), "at": number}).to_string());
    requests(&world, 120, &json!({}), answer);
    world.test(&["--json-ignore=at", "--out=loose"]).ends(0);
    let schema = json!({"type": "object", "required": ["name", "at"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "row", "schema": schema}});
    requests(&world, 120, &json!({"response_format": format}), answer);
    let ran = world.test(&["--json-ignore=at"]).ends(1);
    assert!(ran.out.starts_with("worse: "), "{}", ran.out);
    assert_eq!(world.report()["worst"][0]["note"], "breaks the schema");
}
