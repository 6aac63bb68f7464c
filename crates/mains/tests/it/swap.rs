//! A test of a replacement through a running outlet, before upstreams whose answers are planted.

use super::running::{Running, address};
use super::{Ran, mains, temporary};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

/// How often each (model, question) reached the upstream.
pub(crate) type Seen = Arc<Mutex<HashMap<(String, String), u32>>>;

/// What an upstream says, by the question's body and how often this model was asked it before.
pub(crate) type Script = Arc<dyn Fn(&Value, u32) -> String + Send + Sync>;

/// A scripted upstream, which counts what reaches it.
pub(crate) struct Upstream {
    address: String,
    pub(crate) seen: Seen,
    /// Answers that it may still give; at 0 it says so once on `stuck` and answers nothing more.
    left: Arc<AtomicUsize>,
    /// Input tokens that each answer is said to have used.
    tokens: Arc<AtomicUsize>,
    stuck: Receiver<()>,
}

impl Upstream {
    fn start(script: &Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (seen, left) = (Seen::default(), Arc::new(AtomicUsize::new(usize::MAX)));
        let (tell, stuck) = sync_channel(64);
        let tokens = Arc::new(AtomicUsize::new(20));
        let serving = Serving {
            script: Arc::clone(script),
            seen: Arc::clone(&seen),
            left: Arc::clone(&left),
            tokens: Arc::clone(&tokens),
            tell,
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, seen, left, tokens, stuck }
    }

    pub(crate) fn total(&self) -> u32 {
        self.seen.lock().unwrap().values().sum()
    }

    /// How many questions reached a model.
    pub(crate) fn asked(&self, model: &str) -> u32 {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|((of, _), _)| of == model).map(|(_, times)| times).sum()
    }

    /// No question reached one model more often than this.
    #[track_caller]
    pub(crate) fn paid_at_most(&self, most: u32) {
        for (asked, times) in self.seen.lock().unwrap().iter() {
            assert!(*times <= most, "{asked:?} {times} times");
        }
    }

    #[track_caller]
    fn paid_nothing_twice(&self) {
        self.paid_at_most(1);
    }
}

#[derive(Clone)]
struct Serving {
    script: Script,
    seen: Seen,
    left: Arc<AtomicUsize>,
    tokens: Arc<AtomicUsize>,
    tell: SyncSender<()>,
}

impl Serving {
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(body) = next_body(&mut reader) {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let model = asked["model"].as_str().unwrap().to_owned();
            let key = (model.clone(), asked["messages"].to_string());
            let before = {
                let mut seen = self.seen.lock().unwrap();
                let times = seen.entry(key).or_insert(0);
                *times += 1;
                *times - 1
            };
            let has_left =
                self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if has_left.is_err() {
                let _ = self.tell.send(());
                let _ = reader.read(&mut [0]);
                return;
            }
            let said = (self.script)(&asked, before);
            if writer
                .write_all(reply(&asked, &model, &said, self.tokens.load(Ordering::SeqCst)).as_bytes())
                .is_err()
            {
                return;
            }
        }
    }
}

/// A reply of OpenAI's, in pieces where they are asked for.
fn reply(asked: &Value, model: &str, said: &str, tokens: usize) -> String {
    let usage = json!({"prompt_tokens": tokens, "completion_tokens": 2, "total_tokens": tokens + 2});
    if asked["stream"] != true {
        let body = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
            "usage": usage})
        .to_string();
        let length = body.len();
        return format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
    }
    let piece = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
            "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let body = piece(
        json!([{"index": 0, "delta": {"role": "assistant", "content": said}, "finish_reason": null}]),
        Value::Null,
    ) + &piece(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null)
        + &piece(json!([]), usage)
        + "data: [DONE]\n\n";
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Question `i` is `spam` when even, else `ham`. `gpt-4o-mini` says the other label for every `wrong_every`th question.
fn labels(wrong_every: usize) -> Script {
    Arc::new(move |asked, _| {
        let number: usize = text(asked).rsplit(' ').next().unwrap().parse().unwrap();
        let wrong = asked["model"] == "gpt-4o-mini" && wrong_every > 0 && number.is_multiple_of(wrong_every);
        if number.is_multiple_of(2) == wrong { "ham".into() } else { "spam".into() }
    })
}

/// What the user asks.
pub(crate) fn text(asked: &Value) -> &str {
    asked["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap()
}

fn next_body(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((_, value)) =
            line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) upstream: Upstream,
    outlet: Running,
}

const LABELS: [&str; 2] = ["spam", "ham"];

impl World {
    fn start(wrong_every: usize, passthrough: bool) -> Self {
        Self::with(&labels(wrong_every), passthrough)
    }

    pub(crate) fn with(script: &Script, passthrough: bool) -> Self {
        let (folder, upstream) = (temporary(), Upstream::start(script));
        let config = format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\ndata = \"data\"\npassthrough = {passthrough}\n[[upstream]]\n\
             name = \"openai\"\nprovider = \"openai\"\nbase_url = \"http://{}/v1\"\n[[route]]\nmodel = \"label\"\n\
             targets = [\"openai/gpt-4o\"]\n",
            upstream.address
        );
        std::fs::write(folder.path().join("mains.toml"), config).unwrap();
        let mut outlet = Running::start(folder.path(), &["serve"]);
        address(&outlet.err_until("mains serves"));
        Self { folder, upstream, outlet }
    }

    /// Writes so many requests, with the old model's answers or without.
    pub(crate) fn requests(&self, count: usize, answered: bool) {
        let mut lines = String::new();
        for number in 0..count {
            let body = serde_json::json!({"model": "label", "max_tokens": 5,
                "messages": [{"role": "user", "content": format!("is this spam: {number}")}]});
            let answer = LABELS[number % 2];
            let line = if answered { serde_json::json!({"request": body, "answer": answer}) } else { body };
            writeln!(lines, "{line}").unwrap();
        }
        std::fs::write(self.folder.path().join("requests.jsonl"), lines).unwrap();
    }

    pub(crate) fn test(&self, more: &[&str]) -> Ran {
        let margin =
            if more.iter().any(|word| word.starts_with("--margin")) { &[][..] } else { &["--margin=10"][..] };
        Ran::of(mains(self.folder.path()).args(WORDS).args(margin).args(more))
    }

    pub(crate) fn verify(&self) -> Ran {
        super::run(self.folder.path(), &["swap", "verify", "swap/report.json", "--data", "data"])
    }

    pub(crate) fn report(&self) -> serde_json::Value {
        read(&self.folder.path().join("swap/report.json"))
    }
}

const WORDS: [&str; 14] = [
    "swap",
    "test",
    "--requests",
    "requests.jsonl",
    "--from",
    "openai/gpt-4o",
    "--to",
    "openai/gpt-4o-mini",
    "--per-second",
    "1000",
    "--yes",
    "--data",
    "data",
    "--seed=7",
];

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_candidate_that_answers_alike_is_accepted_early_and_the_report_is_signed() {
    let world = World::start(0, true);
    world.requests(300, true);
    let ran = world.test(&[]).ends(0);
    assert!(ran.out.starts_with("not worse: openai/gpt-4o-mini in place of openai/gpt-4o\n"), "{}", ran.out);
    assert!(ran.err.contains("expected $"), "the price is said: {}", ran.err);
    let report = world.report();
    assert_eq!(report["ruling"]["verdict"], "non_inferior");
    let rows = report["rows"].as_array().unwrap().len();
    // Four are on their way at once: three more may have left when the verdict stood.
    let extra = world.upstream.total() as usize - rows;
    assert!(rows < 100 && extra <= 3, "{rows}, {extra}");
    let new = &report["beside"]["new"];
    assert!(new["nano_usd_per_1000"].as_u64().unwrap() > 0, "{new}");
    assert_eq!((&new["input_per_1000"], &new["output_per_1000"]), (&json!(20_000), &json!(2_000)));
    assert!(new["mj_per_1000"][0].as_u64().unwrap() > 0 && new["energy_grade"].is_string(), "{new}");
    assert!(new["first_ms_p50"].is_null(), "nothing was streamed: {new}");
    assert!(ran.out.contains("ledger     leaf "), "{}", ran.out);
    let page = std::fs::read_to_string(world.folder.path().join("swap/report.html")).unwrap();
    assert!(page.contains("openai/gpt-4o-mini differs from openai/gpt-4o in at most 10.00 % of answers"));
    assert!(world.verify().ends(0).out.contains("signed by"));
    // The same again costs nothing, and is no other test.
    let again = world.test(&[]).ends(0);
    assert!(again.out.contains("this very report is there already"), "{}", again.out);
    world.upstream.paid_nothing_twice();
    // A word of the report is changed: neither the rows nor the signature agree.
    let path = world.folder.path().join("swap/report.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"same\":true", "\"same\":false", 1)).unwrap();
    let out = world.verify().ends(1).out;
    assert!(out.contains("other than its rows") && out.contains("signature is of another report"), "{out}");
}

#[test]
fn a_candidate_that_differs_in_a_third_is_refused_and_the_old_model_is_asked_where_no_answer_is_recorded() {
    let world = World::start(3, true);
    world.requests(200, false);
    let ran = world.test(&["--self=0"]).ends(1);
    assert!(ran.out.starts_with("worse: ") && ran.out.contains("became"), "{}", ran.out);
    assert_eq!(world.report()["ruling"]["verdict"], "inferior");
    world.upstream.paid_nothing_twice();
    let seen = world.upstream.seen.lock().unwrap();
    assert!(seen.keys().any(|(model, _)| model == "gpt-4o"), "the old model was asked");
    let old = &world.report()["beside"]["old"];
    assert!(old["nano_usd_per_1000"].is_u64() && old["total_ms_p50"].is_u64(), "{old}");
}

#[test]
fn a_test_that_is_killed_goes_on_and_pays_nothing_twice() {
    let world = World::start(0, true);
    world.requests(300, true);
    world.upstream.left.store(17, Ordering::SeqCst);
    let words: Vec<&str> = WORDS.into_iter().chain(["--margin=10", "--in-flight=1"]).collect();
    let running = Running::start(world.folder.path(), &words);
    world.upstream.stuck.recv().unwrap();
    running.signal(Signal::KILL);
    running.ended();
    assert_eq!(world.upstream.total(), 18);
    world.upstream.left.store(usize::MAX, Ordering::SeqCst);
    // A cap that the rest would pass: refused before anything is sent, and what is here stays.
    let capped = world.test(&["--max-usd", "0.00000001"]).ends(2);
    assert!(capped.err.contains("more than `--max-usd 0.00000001`"), "{}", capped.err);
    assert!(capped.err.contains("17 were answered before"), "{}", capped.err);
    assert_eq!(world.upstream.total(), 18);
    let ran = world.test(&["--max-usd", "1", "--in-flight=1"]).ends(0);
    assert!(ran.out.contains("1: asked when the test was killed, and not asked again"), "{}", ran.out);
    world.upstream.paid_nothing_twice();
    let rows = world.report()["rows"].as_array().unwrap().len();
    assert_eq!(world.upstream.total() as usize, rows + 1, "the lost one was asked once and is not graded");
    world.verify().ends(0);
    let other = world.test(&["--margin=5"]).ends(2);
    assert!(other.err.contains("holds another test"), "{}", other.err);
}

#[test]
fn a_kill_loses_at_most_what_is_on_its_way() {
    let world = World::start(0, true);
    world.requests(300, true);
    world.upstream.left.store(17, Ordering::SeqCst);
    let words: Vec<&str> = WORDS.into_iter().chain(["--margin=10"]).collect();
    let running = Running::start(world.folder.path(), &words);
    world.upstream.stuck.recv().unwrap();
    running.signal(Signal::KILL);
    running.ended();
    let reached = world.upstream.total();
    world.upstream.left.store(usize::MAX, Ordering::SeqCst);
    let ran = world.test(&[]).ends(0);
    world.upstream.paid_nothing_twice();
    let left_out = world.report()["left_out"].clone();
    let lost = left_out["asked when the test was killed, and not asked again"].as_u64().unwrap();
    let before = ran.err.lines().find_map(|line| line.split_once(" were answered before")).unwrap().0;
    let before: u64 = before.parse().unwrap();
    assert!(
        (1..=4).contains(&lost) && before + lost >= u64::from(reached),
        "{lost} lost, {before} of {reached} answered"
    );
    world.verify().ends(0);
}

#[test]
fn a_cap_in_mid_test_leaves_a_result_that_holds() {
    let world = World::start(0, true);
    world.requests(300, true);
    // Every answer costs 301,200 nano-USD, far more than its characters let one expect.
    world.upstream.tokens.store(2_000, Ordering::SeqCst);
    let ran = world.test(&["--max-usd", "0.006"]).ends(1);
    assert!(
        ran.out.starts_with("not decided: ") && ran.err.contains("`--max-usd` ended the test"),
        "{}",
        ran.err
    );
    assert_eq!(world.upstream.total(), 19, "a twentieth would pass the cap");
    assert_eq!(world.report()["rows"].as_array().unwrap().len(), 19);
    world.verify().ends(0);
    world.test(&["--max-usd", "1"]).ends(0);
    world.upstream.paid_nothing_twice();
    world.verify().ends(0);
}

#[test]
fn nothing_is_sent_without_consent_and_an_unknown_target_is_told_how_to_be_reached() {
    let world = World::start(0, false);
    world.requests(60, true);
    let words: Vec<&str> = WORDS.into_iter().filter(|word| *word != "--yes").chain(["--margin=10"]).collect();
    let ran = super::run(world.folder.path(), &words).ends(2);
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    let ran = world.test(&[]).ends(2);
    assert!(ran.err.contains("passthrough = true"), "{}", ran.err);
    assert_eq!(world.upstream.total(), 0);
    // A refusal was not paid: its request is asked once the outlet lets it.
    let path = world.folder.path().join("mains.toml");
    let config = std::fs::read_to_string(&path).unwrap().replace("passthrough = false", "passthrough = true");
    std::fs::write(path, config).unwrap();
    super::run(world.folder.path(), &["config", "reload", "--data", "data"]).ends(0);
    world.test(&[]);
    assert_eq!(world.report()["left_out"], serde_json::json!({}));
    drop(world.outlet);
}

#[test]
fn free_text_is_not_decided_and_the_candidate_is_not_asked() {
    let world = World::start(0, true);
    let lines: String = (0..30).fold(String::new(), |mut all, n| {
        let line = serde_json::json!({"request": {"model": "label", "messages": [{"role": "user", "content": format!("tell {n}")}]},
            "answer": format!("Once upon a time there were {n} wolves.")});
        writeln!(all, "{line}").unwrap();
        all
    });
    std::fs::write(world.folder.path().join("requests.jsonl"), lines).unwrap();
    let ran = world.test(&[]).ends(1);
    assert!(ran.out.contains("not decided: free text is not graded without people"), "{}", ran.err);
    assert_eq!(world.upstream.total(), 0);
}
