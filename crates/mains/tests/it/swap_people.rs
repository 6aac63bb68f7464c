//! Free text: a judge model, and people who correct it.

use super::running::{Running, http};
use super::swap::{Script, World, text};
use super::{Ran, mains, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;

/// The judge's name at the upstream.
const JUDGE: &str = "gpt-4.1";

/// The old model's answers hold `old`, the new one's `new`, with `good` in every answer that people prefer; the judge
/// is what the test makes it.
fn script(judge: impl Fn(&str, &str) -> char + Send + Sync + 'static) -> Script {
    Arc::new(move |asked, _| {
        if asked["model"] == JUDGE {
            let shown = text(asked);
            let part = |name: &str| {
                let (_, rest) = shown.split_once(&format!("BEGIN {name} ANSWER\n")).unwrap();
                rest.split_once("\n#").unwrap().0
            };
            let vote = match judge(part("FIRST"), part("SECOND")) {
                '1' => "FIRST",
                '2' => "SECOND",
                _ => "TIE",
            };
            return format!("Both tell of wolves.\nVERDICT: {vote}");
        }
        format!("a tale of wolves, {}", if asked["model"] == "gpt-4o" { "plain" } else { "rhymed" })
    })
}

fn requests(world: &World, count: usize) {
    let mut lines = String::new();
    for number in 0..count {
        let body = json!({"model": "label", "max_tokens": 50,
            "messages": [{"role": "user", "content": format!("tell {number} <b>tales</b>")}]});
        writeln!(lines, "{}", json!({"request": body, "answer": "a tale of wolves, plain"})).unwrap();
    }
    std::fs::write(world.folder.path().join("requests.jsonl"), lines).unwrap();
}

const JUDGED: [&str; 5] = ["--judge", "openai/gpt-4.1", "--margin=20", "--at-most=120", "--people=40"];

/// Prefers the new model's answers wherever they stand.
fn for_the_new(first: &str, second: &str) -> char {
    match (first.contains("rhymed"), second.contains("rhymed")) {
        (true, false) => '1',
        (false, true) => '2',
        _ => '0',
    }
}

/// Grades in a terminal that is a pipe: these keys, one after the other.
fn keys(world: &World, keys: &str) -> Ran {
    let mut command = mains(world.folder.path());
    command.args(["swap", "grade", "--data", "data"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(keys.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// On which side the new answer stands, seat after seat: what only this test may look at.
fn new_left(world: &World) -> Vec<bool> {
    let state = std::fs::read_to_string(world.folder.path().join("swap/state.jsonl")).unwrap();
    let lines = state.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let people = lines.filter(|line| line["line"] == "people");
    people
        .flat_map(|line| line["seats"].as_array().unwrap().clone())
        .map(|seat| seat["new_left"] == true)
        .collect()
}

/// The keys that prefer the new answer, or the old one.
fn prefer(world: &World, new: bool) -> String {
    new_left(world).into_iter().map(|left| if left == new { '1' } else { '2' }).collect()
}

#[test]
fn a_judge_alone_decides_nothing_and_people_who_disagree_refuse_what_it_likes() {
    let world = World::with(&script(for_the_new), true);
    requests(&world, 120);
    let ran = world.test(&JUDGED).ends(1);
    assert!(ran.out.starts_with("not decided: "), "{}", ran.out);
    assert!(ran.out.contains("no human verdicts: a judge alone decides nothing"), "{}", ran.out);
    assert!(
        ran.out.contains("judge      120 for the new answer, 0 for the old one, 0 for neither"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("40 items for people: `mains swap grade swap`"), "{}", ran.err);
    assert_eq!(world.upstream.asked(JUDGE), 240, "both orders");
    // A test that goes on asks nothing again.
    world.test(&JUDGED).ends(1);
    world.upstream.paid_at_most(1);
    let before = world.upstream.total();
    let ran = keys(&world, &prefer(&world, false)).ends(1);
    assert!(ran.out.contains("worse: openai/gpt-4o-mini in place of openai/gpt-4o\n"), "{}", ran.out);
    assert!(ran.out.contains("people     0 for the new answer, 40 for the old one"), "{}", ran.out);
    assert!(!ran.out.contains("not worse: "), "{}", ran.out);
    assert_eq!(world.upstream.total(), before, "grading asks nothing");
    world.verify().ends(0);
    assert!(ran.out.contains("ledger     leaf "), "{}", ran.out);
}

#[test]
fn people_who_agree_with_an_honest_judge_accept() {
    let world = World::with(&script(for_the_new), true);
    requests(&world, 120);
    world.test(&JUDGED).ends(1);
    // Blind: neither the words of the terminal nor the order of the sides tell whose an answer is.
    let sides = new_left(&world);
    assert!(sides.iter().any(|left| *left) && sides.iter().any(|left| !*left));
    let all = prefer(&world, true);
    // In three sittings, one of which is broken off in the middle, and with one item put off.
    let first = keys(&world, &format!("{}q", &all[..15])).ends(1);
    assert!(first.err.contains("15 of 40 graded"), "{}", first.err);
    for name in ["gpt-4o", "openai", "label"] {
        assert!(!first.out.contains(name), "{name} in {}", first.out);
    }
    assert!(!first.out.contains("worse"), "no verdict before the end: {}", first.out);
    let second = keys(&world, &format!("s{}", &all[16..20])).ends(1);
    assert!(second.err.contains("19 of 40 graded"), "{}", second.err);
    // The one that was put off is the first again.
    let ran = keys(&world, &format!("{}{}", &all[15..16], &all[20..])).ends(0);
    assert!(ran.out.contains("not worse: openai/gpt-4o-mini in place of openai/gpt-4o\n"), "{}", ran.out);
    assert!(ran.out.contains("people     40 for the new answer, 0 for the old one"), "{}", ran.out);
    world.verify().ends(0);
    let again = run(world.folder.path(), &["swap", "grade", "--data", "data"]).ends(0);
    assert!(again.out.contains("not worse: "), "{}", again.out);
    // Who asks again gets the verdict that stands, and pays nothing.
    world.test(&JUDGED).ends(0);
    world.upstream.paid_at_most(1);
}

#[test]
fn people_alone_may_decide_and_what_they_passed_over_ends_what_counts() {
    let world = World::with(&script(|_, _| '0'), true);
    requests(&world, 120);
    let ran = world.test(&["--people=30", "--margin=30"]).ends(1);
    assert!(ran.out.starts_with("not decided: "), "{}", ran.out);
    assert_eq!(
        (world.upstream.total(), world.upstream.asked(JUDGE)),
        (30, 0),
        "what nobody reads is not asked"
    );
    let all = prefer(&world, true);
    let ran = keys(&world, &format!("{}s{}", &all[..20], &all[21..25])).ends(1);
    assert!(ran.err.contains("24 of 30 graded"), "{}", ran.err);
    let ran = run(world.folder.path(), &["swap", "grade", "--finish", "--data", "data"]).ends(0);
    assert!(ran.err.contains("4 verdicts behind an item that was skipped"), "{}", ran.err);
    assert!(ran.out.contains("requests   20 graded of 120"), "{}", ran.out);
    world.verify().ends(0);
    // More people are asked about new items only.
    world.test(&["--people=50", "--margin=30"]);
    assert_eq!(world.upstream.total(), 50);
    let ran = keys(
        &world,
        &new_left(&world)[30..].iter().map(|left| if *left { '1' } else { '2' }).collect::<String>(),
    );
    assert!(ran.out.contains("requests   40 graded of 120"), "{}", ran.out);
    world.upstream.paid_at_most(1);
}

/// A request as raw text, because the client of the other tests always says JSON.
fn raw(address: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

#[test]
fn the_page_is_blind_and_guarded_and_ends_with_the_last_verdict() {
    let world = World::with(&script(for_the_new), true);
    requests(&world, 120);
    world.test(&JUDGED).ends(1);
    let mut running = Running::start(world.folder.path(), &["swap", "grade", "--page", "--data", "data"]);
    let line = running.out_until("http://127.0.0.1:");
    let (address, path) = line.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let path = format!("/{path}");
    assert_eq!(path.len(), 66, "{path}");
    let page = super::running::get(address, &path);
    assert_eq!(page.status, 200);
    for name in ["gpt-4o", "openai", "label"] {
        assert!(!page.body.contains(name), "{name} in {}", page.body);
    }
    assert!(
        page.body.contains("&#60;b&#62;tales") && !page.body.contains("<b>"),
        "content is escaped: {}",
        page.body
    );
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for file in ["grade.css", "grade.js"] {
        assert_eq!(super::running::get(address, &format!("{path}{file}")).status, 200);
    }
    let wrong = format!("/{}/", "0".repeat(64));
    assert_eq!(super::running::get(address, &wrong).status, 404);
    assert_eq!(http(address, "POST", &wrong, None, "number=0&said=1").status, 404);
    assert_eq!(super::running::get(address, "/").status, 404);
    let head = |origin: &str| format!("POST {path} HTTP/1.1\r\nhost: {address}\r\norigin: {origin}");
    assert_eq!(raw(address, &head("http://evil.example"), "number=0&said=1").0, 403);
    assert_eq!(raw(address, &format!("GET {path} HTTP/1.1\r\nhost: evil.example"), "").0, 421);
    let own = head(&format!("http://{address}"));
    assert_eq!(raw(address, &own, "number=0").0, 400);
    let verdicts = || {
        let state = std::fs::read_to_string(world.folder.path().join("swap/state.jsonl")).unwrap();
        state.lines().filter(|line| line.contains(r#""line":"verdict""#)).count()
    };
    assert_eq!(verdicts(), 0);
    let (status, text) = raw(address, &own, "number=0&said=1");
    assert!(status == 303 && text.contains(&path), "{text}");
    assert_eq!(verdicts(), 1);
    // A second press on the same item is late.
    raw(address, &own, "number=0&said=2");
    assert_eq!(verdicts(), 1);
    for number in 1..40 {
        let (status, text) = raw(address, &own, &format!("number={number}&said=0"));
        assert_eq!(status, if number == 39 { 200 } else { 303 });
        assert_eq!(text.contains("All are graded"), number == 39);
    }
    let ran = running.ended();
    assert!(ran.out.contains("people     ") && ran.out.contains("39 for neither"), "{}", ran.out);
    let counts: BTreeMap<String, u64> = serde_json::from_value(world.report()["left_out"].clone()).unwrap();
    assert!(counts.is_empty(), "{counts:?}");
    world.verify().ends(0);
}
