//! A switch as a user types it: the file, the running outlet, the way back. No request is sent, so nothing but the
//! verbs moves it.

use super::running::{Running, address};
use super::{Ran, run, temporary};
use mains_ledger::{Hash, note};
use mains_swap::Question;
use mains_swap::report::{About, Outcome, Report, Row, Test, canonical};
use mains_swap::verdict::Ppm;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::path::Path;

/// Models that no catalogue knows, so that no day of theirs comes.
const FILE: &str = "\
# Ours.
[serve]
listen = \"127.0.0.1:0\"
data = \"data\"

[[upstream]]
name = \"openai\"   # nobody is asked here
provider = \"openai\"
base_url = \"http://127.0.0.1:9/v1\"

# Half the company.
[[route]]
model = \"chat\"
targets = [\"openai/house-old\", \"openai/house-other\"]   # in this order

[[route]]
model = \"search\"
targets = [\"openai/house-other\"]
";

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// An outlet that ran once, so that its keys are there, and a report of each verdict that it signed.
    fn new() -> Self {
        let world = Self { folder: temporary() };
        std::fs::write(world.path().join("mains.toml"), FILE).unwrap();
        drop(world.serve());
        for (name, wrong_every) in [("good", 0), ("bad", 3)] {
            world.report(name, "openai/house-old", wrong_every);
        }
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn serve(&self) -> Running {
        let mut outlet = Running::start(self.path(), &["serve"]);
        address(&outlet.err_until("mains serves"));
        outlet
    }

    fn report(&self, name: &str, old: &str, wrong_every: usize) {
        let row = |number: usize| Row {
            id: format!("line {number}"),
            outcome: Outcome::Single { same: wrong_every == 0 || !number.is_multiple_of(wrong_every) },
            parts: BTreeMap::new(),
        };
        let report = Report::build(Test {
            about: About {
                old: old.into(),
                new: "openai/house-new".into(),
                route: "requests.jsonl".into(),
                grader: "label".into(),
                day: "2026-11-28".into(),
                seed: "1".into(),
            },
            question: Question::Agreement { most: Ppm::points(2) },
            alpha: Ppm(50_000),
            available: 400,
            rows: (1..=400).map(row).collect(),
            looks: Vec::new(),
            left_out: BTreeMap::new(),
            marks: Vec::new(),
            worst: Vec::new(),
            beside: mains_swap::report::Beside::default(),
        })
        .unwrap();
        let folder = self.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let text = canonical(&report).unwrap();
        let hash = Hash::of_bytes(text.as_bytes()).to_hex();
        let signer = mains_store::log::key::load(&self.path().join("data/ledger.key")).unwrap();
        std::fs::write(folder.join("report.json"), text).unwrap();
        let signed = note::sign(&format!("mains.swap.report/1\n{hash}\n"), &signer).unwrap();
        std::fs::write(folder.join("report.sig"), signed).unwrap();
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.path().join("mains.toml")).unwrap()
    }

    fn swap(&self, words: &[&str]) -> Ran {
        let all: Vec<&str> = [&["swap"][..], words, &["--data", "data"]].concat();
        run(self.path(), &all)
    }

    fn status(&self, code: i32) -> serde_json::Value {
        self.swap(&["status", "--json"]).ends(code).json()["swaps"].clone()
    }
}

#[test]
fn a_switch_is_written_runs_goes_back_and_is_taken_out() {
    let world = World::new();
    let outlet = world.serve();
    assert_eq!(world.swap(&["status"]).ends(0).err, "no route is in a switch\n");
    let words =
        ["switch", "good", "--steps", "10,100", "--hold", "12h", "--requests-min=50", "--by", "2099-01-31"];
    let ran = world.swap(&[&words[..], &["--yes"]].concat()).ends(0);
    assert!(ran.out.contains("   17 + [route.swap]\n") && ran.out.contains("10 % since"), "{}", ran.out);
    assert!(ran.err.contains("`chat`: openai/house-new in place of openai/house-old, tested"), "{}", ran.err);
    let table =
        "\n# tested on 2026-11-28: not worse from 400 requests\n[route.swap]\nfrom = \"openai/house-old\"\n";
    assert!(world.file().contains(table), "{}", world.file());
    // The lines of before are all there, in their order.
    let file = world.file();
    let mut lines = file.lines();
    assert!(FILE.lines().all(|line| lines.any(|after| after == line)), "{file}");

    let swaps = world.status(0);
    assert_eq!(
        (swaps[0]["route"].as_str(), swaps[0]["stage"].as_str(), swaps[0]["whole_by"].as_str()),
        (Some("chat"), Some("canary"), Some("2099-01-31"))
    );
    // The same again changes nothing.
    assert!(world.swap(&words).ends(0).err.contains("says so already"));
    assert_eq!(world.status(0)[0]["since"], swaps[0]["since"]);

    // Neither finished while it is a canary nor begun from a second file.
    let early = world.swap(&["switch", "--finish", "--yes"]).ends(2);
    assert!(early.err.contains("the switch of `chat` is not whole: canary, 10 %"), "{}", early.err);
    assert!(world.swap(&["rollback", "serach"]).ends(2).err.contains("there are: chat"));
    world.swap(&["rollback", "chat"]).ends(0);
    let back = world.status(1);
    assert_eq!(
        (back[0]["stage"].as_str(), back[0]["share_percent"].as_u64()),
        (Some("rolled back"), Some(0))
    );
    assert!(world.swap(&["status"]).ends(1).out.contains("rolled back: the operator said so"));

    world.swap(&["switch", "--cancel", "--yes"]).ends(0);
    assert_eq!(world.file(), FILE);
    assert_eq!(world.status(0), serde_json::json!([]));
    assert!(world.swap(&["switch", "--cancel", "--yes"]).ends(2).err.contains("no route of the file"));
    outlet.signal(Signal::TERM);
    outlet.ended().ends(0);
    let leaves = run(world.path(), &["ledger", "show", "--data", "data", "--count", "40"]).ends(0).out;
    for action in ["tested", "switched", "rolled_back"] {
        let line = leaves.lines().find(|line| line.contains("  swap ") && line.contains(action));
        let line = line.unwrap_or_else(|| panic!("{action}: {leaves}"));
        assert!(line.contains("openai/house-old -> openai/house-new"), "{line}");
    }
    run(world.path(), &["ledger", "verify", "--data", "data"]).ends(0);
}

#[test]
fn what_a_switch_must_not_rest_on_is_refused_and_the_file_stays() {
    let world = World::new();
    let refused = |words: &[&str], why: &str| {
        let ran = world.swap(words).ends(2);
        assert!(ran.err.contains(why), "{words:?}: {}", ran.err);
        assert_eq!(world.file(), FILE, "{words:?}");
    };
    refused(&["switch", "bad", "--yes"], "the verdict of the test is \"worse\"");
    refused(&["switch", "bad", "--despite-verdict", " ", "--yes"], "the verdict of the test is \"worse\"");
    refused(&["switch", "good", "--despite-verdict", "because", "--yes"], "is \"not worse\" already");
    refused(&["switch", "good"], "nobody is here to agree");
    refused(&["switch", "good", "--route", "search", "--yes"], "has no target openai/house-old");
    refused(&["switch", "good", "--route", "chta", "--yes"], "did you mean `chat`?");
    refused(&["switch", "good", "--steps", "50,25,100", "--yes"], "25 after 50 does not rise");
    refused(&["switch", "good", "--by", "2026-01-01", "--yes"], "no day to come");
    refused(&["switch", "good", "--hold", "1 day", "--yes"], "write it as `90s`");
    refused(&["switch", "absent", "--yes"], "failed to read");
    refused(&["switch", "--yes"], "required");
    refused(&["switch", "good", "--finish", "--yes"], "cannot be used with");
    world.report("two", "openai/house-other", 0);
    refused(&["switch", "two", "--yes"], "2 routes have the target openai/house-other");
    let report = world.path().join("good/report.json");
    let text = std::fs::read_to_string(&report).unwrap();
    std::fs::write(&report, text.replacen("\"available\":400", "\"available\":401", 1)).unwrap();
    refused(&["switch", "good", "--yes"], "the signature is of another report");
    std::fs::write(&report, text).unwrap();
    std::fs::remove_file(world.path().join("good/report.sig")).unwrap();
    refused(&["switch", "good", "--yes"], "the report is not signed");
}

#[test]
fn without_an_outlet_the_change_holds_from_its_next_start_and_a_reason_stands_in_the_file() {
    let world = World::new();
    let words =
        ["switch", "bad/report.json", "--despite-verdict", "the old one\nends tomorrow", "--steps", "100"];
    let ran = world.swap(&[&words[..], &["--yes"]].concat()).ends(0);
    assert!(ran.err.contains("the change holds from its next start"), "{}", ran.err);
    let comment = "# tested on 2026-11-28: worse from 400 requests\n# switched despite that: the old one ends tomorrow\n[route.swap]\n";
    assert!(world.file().contains(comment), "{}", world.file());
    assert!(world.swap(&["status"]).ends(2).err.contains("no outlet answers"));
    let outlet = world.serve();
    let swaps = world.status(0);
    assert_eq!((swaps[0]["route"].as_str(), swaps[0]["share_percent"].as_u64()), (Some("chat"), Some(100)));
    drop(outlet);
    // The replacement stays; with nobody to ask how far it is, the operator's word counts.
    world.swap(&["switch", "--finish", "--route", "chat", "--yes"]).ends(0);
    assert_eq!(world.file(), FILE.replace("\"openai/house-old\"", "\"openai/house-new\""));
    let outlet = world.serve();
    assert_eq!(world.status(0), serde_json::json!([]));
    drop(outlet);
}
