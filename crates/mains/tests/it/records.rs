use super::running::{Outlet, Running, http};
use super::{run, temporary};
use rustix::process::Signal;
use serde_json::Value;

const KEEP: &str = "[record]\ncontent = \"keep\"\n";

/// The lines of an export.
fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn kept_exchanges_are_counted_exported_and_erased() {
    let outlet = Outlet::start_with(KEEP);
    let first = outlet.ask("gpt-4o-mini");
    let second = outlet.ask("gpt-3.5-turbo");
    let body = r#"{"model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": "hi"}]}"#;
    let streamed = http(&outlet.address, "POST", "/v1/chat/completions", None, body);
    let names = [&first, &second, &streamed].map(|reply| reply.header("x-request-id").to_owned());
    // Erasing stands behind what was offered before it, so afterwards all three are written.
    let erased = outlet.run(&["records", "erase", &names[0], "--json"]).ends(0).json();
    assert_eq!(
        (&erased["schema"], &erased["request"]),
        (&"mains.records-erase/1".into(), &names[0].as_str().into())
    );
    assert_eq!((&erased["content"], &erased["commitment"]), (&true.into(), &true.into()), "{erased}");
    assert!(erased["leaf"].as_u64().is_some(), "{erased}");
    let again = outlet.run(&["records", "erase", &names[0]]).ends(0);
    assert!(again.err.contains("was erased before, at 20") && again.out.is_empty(), "{}", again.err);
    let unknown = outlet.run(&["records", "erase", "req_000000000000000000000000"]).ends(2);
    assert!(unknown.err.contains("nothing is kept of") && unknown.err.contains("hint:"), "{}", unknown.err);

    let stats = outlet.run(&["records", "stats", "--json"]).ends(0).json();
    assert_eq!((&stats["schema"], &stats["exchanges"]), (&"mains.records-stats/1".into(), &2.into()));
    assert!(stats["bytes"].as_u64().unwrap() > 500 && stats["segments"] == 1, "{stats}");
    let key = outlet.folder.path().join(".local/state/mains/vault.key");
    assert!(key.is_file(), "the key lies in the user's state folder");

    let all = outlet.run(&["records", "export"]).ends(0);
    assert!(all.err.contains("2 exchanges"), "{}", all.err);
    let kept = lines(&all.out);
    assert_eq!(kept.iter().map(|line| line["request"].as_str().unwrap()).collect::<Vec<_>>(), names[1..]);
    assert_eq!(kept[0]["answer"], second.json());
    assert_eq!(
        (&kept[0]["route"], &kept[0]["target"]),
        (&"gpt-3.5-turbo".into(), &"openai/gpt-4o-mini".into())
    );
    assert_eq!(kept[1]["asked"], serde_json::from_str::<Value>(body).unwrap());
    let said = kept[1]["answer_text"].as_str().unwrap();
    assert!(said.starts_with("data: ") && said.ends_with("data: [DONE]\n\n"), "{said}");

    let export = |words: &[&str]| lines(&outlet.run(&[&["records", "export"], words].concat()).ends(0).out);
    assert_eq!(export(&["--route", "gpt-4o-mini"]), kept[1..]);
    assert_eq!(export(&["--limit", "1"]), kept[..1]);
    assert_eq!(export(&["--project", "search"]), Vec::<Value>::new());
    let at = kept[1]["at"].as_str().unwrap();
    // Both may have come within the same millisecond.
    let (before, since): (Vec<Value>, Vec<Value>) =
        kept.iter().cloned().partition(|line| line["at"].as_str().unwrap() < at);
    assert_eq!(export(&["--since", at]), since);
    assert_eq!(export(&["--until", at]), before);
    assert_eq!(export(&["--since", "2999-01-01"]), Vec::<Value>::new());
    let wrong = outlet.run(&["records", "export", "--since", "yesterday"]).ends(2);
    assert!(wrong.err.contains("YYYY-MM-DD"), "{}", wrong.err);

    // In order to the end, and after it the files are enough.
    outlet.process.signal(Signal::TERM);
    let Outlet { folder, process, .. } = outlet;
    process.ended().ends(0);
    let after = run(folder.path(), &["records", "export", "--data", "data"]).ends(0);
    assert_eq!(after.out, all.out);
    run(folder.path(), &["ledger", "verify", "--data", "data"]).ends(0);
    std::fs::remove_file(key).unwrap();
    let locked = run(folder.path(), &["records", "stats", "--data", "data"]).ends(2);
    assert!(locked.err.contains("it is not there"), "{}", locked.err);
    let doctor = run(folder.path(), &["doctor"]).ends(1);
    assert!(doctor.out.contains("BAD   kept content"), "{}", doctor.out);
    // No new key is made in its place: it would only hide that the old one is missing.
    let serve = run(folder.path(), &["serve"]).ends(2);
    assert!(
        serve.err.contains("it is not there") && serve.err.contains("hint: put a backup"),
        "{}",
        serve.err
    );
}

#[test]
fn where_nothing_is_kept_the_verb_says_how_to_begin_and_a_stranger_of_a_project_is_warned_of() {
    let folder = temporary();
    let ran = run(folder.path(), &["records", "export"]).ends(2);
    assert!(ran.err.contains("nothing is kept in") && ran.err.contains("content = \"keep\""), "{}", ran.err);
    let outlet = Outlet::start_with(
        "[record]\nkey_file = \"keys/vault.key\"\n[[record.project]]\nname = \"search\"\ncontent = \"keep\"\n",
    );
    assert!(outlet.folder.path().join("keys/vault.key").is_file());
    assert_eq!(outlet.run(&["records", "stats", "--json"]).ends(0).json()["exchanges"], 0);
    outlet.process.signal(Signal::TERM);
    let Outlet { folder, process, .. } = outlet;
    process.ended().ends(0);
    let mut again = Running::start(folder.path(), &["serve"]);
    again.err_until("no key and no budget has a project that is called `search`");
}
