//! From a CSV to a signed labeller, as a user goes: imported, trained, labelling, verified, graded, put into the file.
//! n-grams alone: nothing here needs weights.

use super::{Ran, mains, run, temporary};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

/// Words that tell the labels apart, and words that tell nothing.
const LABELS: [(&str, [&str; 8]); 3] = [
    ("refund", ["refund", "money", "reimburse", "credited", "paid", "amount", "owe", "charge"]),
    ("delivery", ["parcel", "courier", "arrived", "tracking", "shipping", "depot", "address", "driver"]),
    ("account", ["password", "login", "profile", "email", "locked", "username", "reset", "signin"]),
];
const FILLER: [&str; 40] = [
    "the",
    "my",
    "since",
    "monday",
    "please",
    "kettle",
    "about",
    "again",
    "lamp",
    "still",
    "week",
    "order",
    "could",
    "anyone",
    "green",
    "yesterday",
    "office",
    "waiting",
    "twice",
    "number",
    "shoes",
    "before",
    "garden",
    "answer",
    "called",
    "paper",
    "october",
    "never",
    "bicycle",
    "quickly",
    "morning",
    "nobody",
    "coat",
    "second",
    "reply",
    "window",
    "purple",
    "today",
    "large",
    "station",
];

/// Chance that comes out alike every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// A log of so many rows whose labels can be learned; one in `noise` is another one's, for 0 none.
fn log(rows: usize, noise: usize) -> String {
    let mut draw = Draw(5);
    let mut csv = "id,text,category,cost_usd,when\n".to_owned();
    for row in 0..rows {
        let (mut label, words) = LABELS[draw.below(3)];
        let mut text: Vec<&str> = (0..7).map(|_| FILLER[draw.below(FILLER.len())]).collect();
        for _ in 0..3 {
            let place = draw.below(text.len());
            text.insert(place, words[draw.below(8)]);
        }
        if noise > 0 && draw.below(noise) == 0 {
            label = LABELS[draw.below(3)].0;
        }
        writeln!(csv, "r{row},{},{label},0.0001,x{row}", text.join(" ")).unwrap();
    }
    csv
}

/// A folder with this log imported as `intents`.
fn imported(rows: usize, noise: usize) -> tempfile::TempDir {
    let folder = temporary();
    std::fs::write(folder.path().join("log.csv"), log(rows, noise)).unwrap();
    let words = ["distill", "import", "log.csv", "--name", "intents", "--teacher", "gpt-4o-mini"];
    run(folder.path(), &words).ends(0);
    folder
}

fn train(folder: &Path, more: &[&str]) -> Ran {
    let words = ["distill", "train", "intents", "--terms-allow", "--embeddings", "no"];
    run(folder, &[&words[..], more].concat())
}

fn with_input(folder: &Path, words: &[&str], input: &str) -> Ran {
    let mut command = mains(folder);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

const FILE: &str = ".mains/labellers/intents.labeller";

#[test]
fn columns_are_guessed_and_said_and_bad_rows_are_named() {
    let folder = temporary();
    let bad = "Text,Label,Cost\nwhere is it,delivery,0.1\nno label,,0.1\nlost,delivery\npay me,refund,much\n\
        give it back,refund,0.2\nwhere,delivery,0\nmoney,refund,\n";
    std::fs::write(folder.path().join("bad.csv"), bad).unwrap();
    let words = ["distill", "import", "bad.csv", "--name", "shop", "--teacher", "m"];
    let ran = run(folder.path(), &words).ends(1);
    assert!(
        ran.err.contains("columns: text is `Text` (by its name), label is `Label` (by its name)"),
        "{}",
        ran.err
    );
    for line in ["line 3: no label", "line 4: 2 fields", "line 5: `much` is no cost"] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    assert!(ran.out.contains("shop: 4 rows with 2 labels"), "{}", ran.out);
    let again = run(folder.path(), &words).ends(2);
    assert!(again.err.contains("there is an import `shop` already"), "{}", again.err);
    run(folder.path(), &[&words[..], &["--replace"]].concat()).ends(1);
    let wrong =
        run(folder.path(), &["distill", "import", "bad.csv", "--name", "x", "--label-column", "nothing"]);
    assert!(wrong.ends(2).err.contains("there are `Text`, `Label`, `Cost`"));
}

#[test]
fn json_lines_keep_what_is_not_known() {
    let folder = temporary();
    let line =
        |text: &str, label: &str| json!({"text": text, "intent": label, "customer": 7}).to_string() + "\n";
    let log: String = (0..4).map(|row| line(&format!("t{row}"), ["a", "b"][row % 2])).collect();
    std::fs::write(folder.path().join("log.jsonl"), log).unwrap();
    run(folder.path(), &["distill", "import", "log.jsonl", "--name", "x", "--teacher", "m"]).ends(0);
    let kept = std::fs::read_to_string(folder.path().join(".mains/labellers/imports/x.jsonl")).unwrap();
    let first: Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
    assert_eq!(first, json!({"row": "log.jsonl:1", "text": "t0", "label": "a", "more": {"customer": "7"}}));
}

#[test]
fn tasks_say_whether_the_rows_suffice() {
    let folder = imported(300, 0);
    let ran = run(folder.path(), &["distill", "tasks"]).ends(0);
    assert!(ran.out.contains("rows for 2 %"), "{}", ran.out);
    let tasks = run(folder.path(), &["distill", "tasks", "--json"]).ends(0).json();
    let task = &tasks["tasks"][0];
    assert_eq!((&task["name"], &task["rows"]), (&json!("intents"), &json!(300)));
    assert_eq!(task["nano_usd"], json!({"sum": 30_000_000, "rows": 300}));
    assert_eq!(task["teachers"], json!({"gpt-4o-mini": 300}));
    let empty = temporary();
    run(empty.path(), &["distill", "tasks"]).ends(1);
}

#[test]
fn the_same_training_again_gives_the_same_file_on_any_number_of_threads() {
    let folder = imported(300, 0);
    let file = |more: &[&str]| {
        train(folder.path(), more);
        std::fs::read(folder.path().join(FILE)).unwrap()
    };
    let first = file(&["--threads", "1"]);
    let other = file(&["--threads", "1", "--seed", "2"]);
    assert_ne!(first, other);
    assert!(first == file(&["--threads", "2"]), "two threads, and another training between");
    assert!(other == file(&["--threads", "2", "--seed", "2"]));
}

#[test]
fn a_task_that_can_be_learned_is_certified_signed_and_verified() {
    let folder = imported(1_200, 0);
    let refused = run(folder.path(), &["distill", "train", "intents", "--embeddings", "no"]).ends(2);
    assert!(refused.err.contains("--terms-allow"), "{}", refused.err);
    let ran = train(folder.path(), &[]).ends(0);
    assert!(
        ran.out.contains("With 95 % confidence, at most 2 % of all answers to this task differ"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("certified"), "{}", ran.out);
    // Once more is the same look: the same bytes, and nothing more is staked.
    let file = std::fs::read(folder.path().join(FILE)).unwrap();
    let report = |folder: &Path| -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(".mains/labellers/intents.json")).unwrap()).unwrap()
    };
    let first = report(folder.path());
    assert_eq!(first["about"]["looks"], json!([2, 100_000]));
    assert_eq!(first["bytes"], json!(file.len()));
    train(folder.path(), &["--threads", "1"]).ends(0);
    assert_eq!(report(folder.path())["about"]["looks"], json!([2, 100_000]));
    let verified = run(folder.path(), &["label", FILE, "--verify", "--json"]).ends(0).json();
    assert_eq!(verified["wrong"], json!([]));
    assert!(verified["calibration_rows"].as_u64().unwrap() > 200, "{verified}");
    // An export of the rows does the same elsewhere, with the public key as text.
    let rows = run(folder.path(), &["distill", "export", "intents"]).ends(0).out;
    let elsewhere = temporary();
    std::fs::write(elsewhere.path().join("rows.jsonl"), &rows).unwrap();
    std::fs::copy(folder.path().join(FILE), elsewhere.path().join("x.labeller")).unwrap();
    let key = verified["signed_by"].as_str().unwrap();
    let words = ["label", "x.labeller", "--verify", "--rows", "rows.jsonl", "--key", key, "--json"];
    let there = run(elsewhere.path(), &words).ends(0).json();
    assert_eq!(there["calibration_rows"], verified["calibration_rows"]);
    // A row that was changed is not one of those.
    let changed = rows.replacen("\"part\":\"calibrate\"", "\"part\":\"audit\"", 1);
    std::fs::write(elsewhere.path().join("rows.jsonl"), changed).unwrap();
    let there = run(elsewhere.path(), &words).ends(1).json();
    assert!(there["wrong"][0].as_str().unwrap().contains("rows"), "{there}");
    // Any bit that is changed is noticed.
    let mut bytes = file;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(elsewhere.path().join("x.labeller"), bytes).unwrap();
    let there = run(elsewhere.path(), &["label", "x.labeller", "--verify", "--key", key]).ends(1);
    assert!(there.out.contains("wrong:"), "{}", there.out);
    let page = std::fs::read_to_string(folder.path().join(".mains/labellers/intents.html")).unwrap();
    assert!(
        page.matches("<svg").count() == 2 && !page.contains("<script") && !page.contains("://"),
        "{page}"
    );
    let status = run(folder.path(), &["distill", "status", "--json"]).ends(0).json();
    assert_eq!(status["labellers"][0]["seal"], "holds");
}

#[test]
fn labels_come_in_order_on_any_number_of_threads() {
    let folder = imported(1_200, 0);
    train(folder.path(), &[]).ends(0);
    let texts: String =
        log(500, 0).lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned() + "\n").collect();
    let one = with_input(folder.path(), &["label", FILE, "--threads", "1"], &texts).ends(0);
    let many = with_input(folder.path(), &["label", FILE, "--threads", "7"], &texts).ends(0);
    assert_eq!(one.out, many.out);
    assert_eq!(one.out.lines().count(), 500);
    let labelled: Vec<Vec<&str>> = one.out.lines().map(|line| line.split('\t').collect()).collect();
    assert!(labelled.iter().all(|line| line.len() == 3 && ["local", "escalate"].contains(&line[2])));
    assert!(labelled.iter().filter(|line| line[2] == "local").count() > 250, "most of them are sure");
    let input = "{\"said\": \"the courier lost my parcel\"}\n";
    let line = with_input(folder.path(), &["label", FILE, "--field", "said", "--json"], input).ends(0).json();
    assert_eq!((&line["label"], &line["text"]), (&json!("delivery"), &json!("the courier lost my parcel")));
    // What has nothing to do with the task goes to the big model.
    let strange = with_input(folder.path(), &["label", FILE], "zxcv qwerty 12345 ~~~~\n").ends(0);
    assert!(strange.out.trim_end().ends_with("escalate"), "{}", strange.out);
    let wrong = with_input(folder.path(), &["label", FILE, "--field", "said"], "{}\n").ends(2);
    assert!(wrong.err.contains("line 1: no text in `said`"), "{}", wrong.err);
}

#[test]
fn too_few_rows_and_too_much_noise_are_refused_with_a_reason() {
    let few = imported(200, 0);
    let ran = train(few.path(), &[]).ends(1);
    assert!(ran.out.contains("refused") && ran.out.contains("of 149 calibration rows"), "{}", ran.out);
    assert!(run(few.path(), &["distill", "status"]).ends(1).out.contains("refused"));
    let noisy = imported(1_200, 2);
    let stricter = |seed: &'static str| train(noisy.path(), &["--promise", "local", "--seed", seed]);
    let ran = stricter("1").ends(1);
    assert!(ran.out.contains("refused"), "{}", ran.out);
    // Other seeds on the same rows use up the chance to be wrong.
    stricter("2").ends(1);
    let ran = stricter("3").ends(1);
    assert!(ran.out.contains("leave 0 %"), "{}", ran.out);
}

#[test]
fn people_grade_without_knowing_who_said_what() {
    let folder = imported(1_200, 8);
    let trained = train(folder.path(), &[]);
    assert!(trained.code < 2, "{}", trained.err);
    let half = with_input(folder.path(), &["distill", "grade", "intents", "--json"], "1\n1\n1\nb\nq\n")
        .ends(0)
        .json();
    assert_eq!((&half["graded"], &half["both_right"]), (&json!(4), &json!(1)));
    // It goes on where it was left.
    let all = with_input(folder.path(), &["distill", "grade", "intents", "--json"], &"2".repeat(200))
        .ends(0)
        .json();
    assert_eq!(all["graded"], all["disagreements"]);
    let sides = [&all["labeller_right"], &all["teacher_right"]].map(|count| count.as_u64().unwrap());
    assert!(sides.iter().all(|count| *count > 0), "sides are drawn: {sides:?}");
    assert_eq!(all["labeller_right_of_decided"]["of"], json!(sides[0] + sides[1]));
    let kept = std::fs::read_to_string(folder.path().join(".mains/labellers/grades/intents.jsonl")).unwrap();
    assert!(!kept.contains("text"), "verdicts hold no content");
}

const CONFIG: &str = "[[upstream]]\nname = \"openai\"\nprovider = \"openai\"\n\n[[route]]\nmodel = \"gpt-4o-mini\"\n\
    targets = [\"openai/gpt-4o-mini\"] # the teacher\n\n[[route]]\nmodel = \"other\"\ntargets = [\"openai/gpt-4.1\"]\n";

#[test]
fn a_labeller_goes_in_front_of_its_teacher_and_out_again() {
    let folder = imported(1_200, 0);
    train(folder.path(), &[]).ends(0);
    let path = folder.path().join("mains.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let words = ["distill", "use", "intents", "--yes", "--route"];
    let with = |more: &[&str]| run(folder.path(), &[&words[..], more].concat());
    let ran = with(&["other"]).ends(2);
    assert!(ran.err.contains("`gpt-4o-mini`") && ran.err.contains("`openai/gpt-4.1`"), "{}", ran.err);
    assert!(with(&["gpt-4o-min"]).ends(2).err.contains("did you mean `gpt-4o-mini`"));
    with(&["gpt-4o-mini"]).ends(0);
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(
        after.contains("targets = [\"label/intents\", \"openai/gpt-4o-mini\"] # the teacher\n"),
        "{after}"
    );
    with(&["gpt-4o-mini", "--remove"]).ends(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), CONFIG);
    let refused = imported(200, 0);
    train(refused.path(), &[]).ends(1);
    std::fs::write(refused.path().join("mains.toml"), CONFIG).unwrap();
    let ran = run(refused.path(), &[&words[..], &["gpt-4o-mini"]].concat()).ends(2);
    assert!(ran.err.contains("refused"), "{}", ran.err);
}

#[test]
fn rows_come_out_as_lines_and_as_parquet() {
    let folder = imported(60, 0);
    let lines = run(folder.path(), &["distill", "export", "intents"]).ends(0).out;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["row"], &first["nano_usd"], &first["part"]),
        (&json!("r0"), &json!(100_000), &Value::Null)
    );
    assert_eq!(lines.lines().count(), 60);
    run(folder.path(), &["distill", "export", "intents", "--format", "parquet"]).ends(2);
    run(folder.path(), &["distill", "export", "intents", "--format", "parquet", "--out", "rows.parquet"])
        .ends(0);
    let bytes = std::fs::read(folder.path().join("rows.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}
