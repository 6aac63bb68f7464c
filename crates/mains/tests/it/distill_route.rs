//! `mains distill route` through the binary.

use super::swap::{Script, World, text};
use super::{run, temporary};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;

/// Rows whose topic tells the gain, as CSV: text, weak, strong, group, and three answers.
fn recorded() -> String {
    let mut text = String::from("text,weak,strong,group,one,two,three,true\n");
    for row in 0..240u32 {
        let hard = row % 4 == 0;
        let topic = if hard { "theorem" } else { "colours" };
        let mut number = row * 7_919 + 104_729;
        // Words that no other row has, or all rows would say nearly the same.
        let word: String = (0..12)
            .map(|place| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if place % 4 == 3 { ' ' } else { char::from(b'a' + (number >> 24) as u8 % 26) }
            })
            .collect();
        let (weak, other) = (!hard, if row % 8 == 0 { "no" } else { "Yes" });
        let _ = writeln!(text, "{topic} {word},{weak},1,g{},yes,{other},Yes,yes", row % 24);
    }
    text
}

#[test]
fn a_router_that_earns_its_keep_and_one_that_does_not() {
    let folder = temporary();
    std::fs::write(folder.path().join("rows.csv"), recorded()).unwrap();
    let ran = run(folder.path(), &["distill", "route", "rows.csv"]).ends(0);
    assert!(ran.out.contains("may be switched on: gain, n-grams"), "{}", ran.out);
    assert!(ran.out.contains("prompt length") && ran.out.contains("random"), "{}", ran.out);
    let ran = run(folder.path(), &["distill", "route", "rows.csv", "--json"]).ends(0);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["schema"], "mains.distill.route/1");
    assert_eq!(report["ruling"]["is"], "enabled");
    // The other way round the weak model is the better one: nothing to recover.
    let turned = ["distill", "route", "rows.csv", "--weak", "strong", "--strong", "weak"];
    assert!(run(folder.path(), &turned).ends(1).out.contains("refused: the strong model is not shown"));
}

#[test]
fn two_that_agree_are_counted() {
    let folder = temporary();
    std::fs::write(folder.path().join("rows.csv"), recorded()).unwrap();
    let words =
        ["distill", "route", "rows.csv", "--agree", "one,two", "--big", "three", "--truth", "true", "--json"];
    let report: serde_json::Value = serde_json::from_str(&run(folder.path(), &words).ends(0).out).unwrap();
    assert_eq!((&report["agreed"]["hits"], &report["agreed"]["of"]), (&210.into(), &240.into()));
    assert_eq!(report["as_big"]["hits"], 240);
    assert_eq!(report["right"]["rule"]["hits"], 240);
    assert!(report["saved"].is_null(), "no cost is known");
}

#[test]
fn what_is_missing_is_said() {
    let folder = temporary();
    std::fs::write(folder.path().join("rows.csv"), recorded()).unwrap();
    std::fs::write(folder.path().join("few.jsonl"), "{\"text\":\"a\",\"weak\":0,\"strong\":true}\n").unwrap();
    let ran = run(folder.path(), &["distill", "route", "rows.csv", "--weak", "week"]).ends(2);
    assert!(ran.err.contains("no column `week`") && ran.err.contains("did you mean `weak`?"), "{}", ran.err);
    let ran = run(folder.path(), &["distill", "route", "few.jsonl"]).ends(2);
    assert!(ran.err.contains("1 texts that differ: 100 at least"), "{}", ran.err);
    let ran =
        run(folder.path(), &["distill", "route", "rows.csv", "--text", "weak", "--weak", "text"]).ends(2);
    assert!(ran.err.contains("which is no number"), "{}", ran.err);
    let ran = run(folder.path(), &["distill", "route", "none.csv"]).ends(2);
    assert!(ran.err.contains("failed to read `none.csv`"), "{}", ran.err);
}

/// A text, every twelfth about a parcel and the others about something else, in words of its own.
fn about(number: usize) -> String {
    let topic = if number.is_multiple_of(12) { "parcel" } else { "invoice" };
    let word = |place: usize| format!("w{}", (number * 131 + place * 977) % 1_009);
    format!("{topic} {} {} {} {topic} {} {}", word(1), word(2), word(3), word(4), word(5))
}

#[test]
fn a_finished_test_of_a_replacement_teaches_a_router() {
    // The candidate is wrong wherever it is asked about parcels, and right about the rest: words tell.
    let script: Script = Arc::new(|asked, _| {
        let wrong = asked["model"] == "gpt-4o-mini" && text(asked).starts_with("parcel");
        if wrong { "later".into() } else { "now".into() }
    });
    let world = World::with(&script, true);
    let lines: Vec<String> = (0..300)
        .map(|number| {
            let body = json!({"model": "label", "max_tokens": 5,
                "messages": [{"role": "user", "content": about(number)}]});
            json!({"request": body, "answer": "now"}).to_string()
        })
        .collect();
    std::fs::write(world.folder.path().join("requests.jsonl"), lines.join("\n")).unwrap();
    world.test(&["--margin=8"]);
    let rows = world.report()["rows"].as_array().unwrap().len();
    assert!(rows > 100, "one in twelve is hard to tell from 8 points: {rows}");
    let route = |requests: &str| {
        let words = ["distill", "route", "swap", "--requests", requests, "--data", "data", "--json"];
        run(world.folder.path(), &words)
    };
    let ran = route("requests.jsonl").ends(0);
    let report = ran.json();
    assert_eq!((&report["rows"], &report["strong_ppm"]), (&json!(rows), &json!(1_000_000)), "{report}");
    assert_eq!(report["ruling"]["is"], "enabled", "{report}");
    assert!(ran.err.contains(&format!("{rows} requests of a test, graded by: ")), "{}", ran.err);
    // Costs of recorded answers are not in that file.
    assert!(ran.err.contains("nothing is said of money"), "{}", ran.err);
    std::fs::write(world.folder.path().join("others.jsonl"), lines[..20].join("\n")).unwrap();
    let others = route("others.jsonl").ends(2);
    assert!(others.err.contains("is not among the requests now"), "{}", others.err);
    let path = world.folder.path().join("swap/report.json");
    let report = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, report.replacen("\"same\":true", "\"same\":false", 1)).unwrap();
    let changed = route("requests.jsonl").ends(2);
    assert!(changed.err.contains("does not hold") && changed.err.contains("hint:"), "{}", changed.err);
}
