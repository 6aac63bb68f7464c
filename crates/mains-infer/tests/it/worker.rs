//! The worker through its pipe, with the parent's timing under the test's control: a message is known to
//! have been heard when the worker asks for the next one, and the worker's first word of an answer waits
//! at a gate.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use mains_infer::backend::{Generate, Question, Reason, Sampling, Source};
use mains_infer::encoder::EncoderSource;
use mains_infer::model::Options;
use mains_infer::worker::{
    self, Frames, FromWorker, LINE_MAX, Load, LoadEncoder, TEXTS_MAX, ToWorker, Trouble, encode,
};

use mains_infer::{Backend, Embedder, Error, LocalModel};

use crate::small::{self, Plan, Q8_0};
use crate::small_encoder::{self, CONFIG};

/// What the worker reads: chunks that the test hands over one by one.
struct Mouth(Receiver<Vec<u8>>, Vec<u8>);

impl Read for Mouth {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.1.is_empty() {
            match self.0.recv() {
                Ok(chunk) => self.1 = chunk,
                Err(_) => return Ok(0),
            }
        }
        let length = self.1.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.1[..length]);
        self.1.drain(..length);
        Ok(length)
    }
}

/// What the worker writes: every frame waits until the test takes it.
struct Ear(SyncSender<Vec<u8>>);

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| std::io::Error::other("the parent is gone"))?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Parent {
    say: SyncSender<Vec<u8>>,
    hear: Receiver<Vec<u8>>,
    frames: Frames<FromWorker>,
    worker: JoinHandle<Result<(), Error>>,
}

impl Parent {
    fn new() -> Self {
        let (say, mouth) = sync_channel(0);
        let (ear, hear) = sync_channel(0);
        let worker = std::thread::spawn(move || worker::run(Mouth(mouth, Vec::new()), Ear(ear)));
        Self { say, hear, frames: Frames::default(), worker }
    }

    fn say(&self, message: &ToWorker) {
        self.say.send(encode(message).unwrap()).unwrap();
    }

    fn hear(&mut self) -> FromWorker {
        loop {
            if let Some(message) = self.frames.take().unwrap() {
                return message;
            }
            self.frames.push(&self.hear.recv().unwrap());
        }
    }

    fn load(&mut self, path: PathBuf, sha256: Option<String>) -> FromWorker {
        self.say(&ToWorker::Load(Load { path, sha256, threads: 2, context: 256 }));
        self.hear()
    }

    fn end(self) -> Result<(), Error> {
        drop(self.say);
        drop(self.hear);
        self.worker.join().unwrap()
    }
}

fn model(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("worker-{name}.gguf"));
    std::fs::write(&path, small::model(Plan { kind: Q8_0, tied: false, seed: 31 })).unwrap();
    path
}

fn generate(id: u64, max_tokens: u64) -> ToWorker {
    let question = Question::Raw("hello".to_owned());
    // Warm sampling, so that the small model does not end its answers early by its own taste.
    let sampling = Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, seed: id };
    let request = Generate { max_tokens: Some(max_tokens), sampling, ..Generate::new(question) };
    ToWorker::Generate { id, request }
}

#[test]
fn a_model_is_loaded_and_answers() {
    let mut parent = Parent::new();
    let FromWorker::Ready(ready) = parent.load(model("answers"), None) else { panic!("not ready") };
    assert_eq!((ready.name.as_str(), ready.context, ready.vocabulary), ("small", 256, 264));
    assert!(ready.weights_bytes > 0 && ready.cache_bytes > 0);
    parent.say(&ToWorker::Ping { nonce: 77 });
    assert_eq!(parent.hear(), FromWorker::Pong { nonce: 77 });
    parent.say(&ToWorker::Count { id: 5, question: Question::Raw("hello".to_owned()) });
    assert_eq!(parent.hear(), FromWorker::Counted { id: 5, tokens: 1 });
    parent.say(&generate(6, 12));
    let mut text = String::new();
    loop {
        match parent.hear() {
            FromWorker::Token { id: 6, text: more } => text.push_str(&more),
            FromWorker::Done { id: 6, finish, usage } => {
                assert_eq!(usage.prompt, 1);
                assert!(usage.completion <= 12 && !text.is_empty());
                assert_eq!(finish == Reason::Length, usage.completion == 12);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    parent.end().unwrap();
}

#[test]
fn failures_name_their_kind_and_the_worker_goes_on() {
    let mut parent = Parent::new();
    parent.say(&generate(1, 5));
    assert!(matches!(parent.hear(), FromWorker::Error { id: Some(1), trouble: Trouble::NotLoaded, .. }));
    let missing = parent.load("no/such/file".into(), None);
    assert!(matches!(missing, FromWorker::Error { id: None, trouble: Trouble::Io, .. }), "{missing:?}");
    let wrong = parent.load(model("failures"), Some("1".repeat(64)));
    assert!(matches!(wrong, FromWorker::Error { id: None, trouble: Trouble::File, .. }), "{wrong:?}");
    parent.say.send(vec![3, 0, 0, 0, b'h', b'm', b'm']).unwrap();
    assert!(matches!(parent.hear(), FromWorker::Error { id: None, trouble: Trouble::Protocol, .. }));
    assert!(matches!(parent.load(model("failures"), None), FromWorker::Ready(_)));
    let long = Question::Raw("x".repeat(300));
    parent.say(&ToWorker::Generate { id: 2, request: Generate::new(long) });
    assert!(matches!(parent.hear(), FromWorker::Error { id: Some(2), trouble: Trouble::TooLong, .. }));
    parent.end().unwrap();
}

/// A seed with which the small model talks on until the limit.
fn talkative(path: &Path) -> u64 {
    let source = Source { path: path.to_owned(), sha256: None };
    let options = Options { threads: 1, context: 256, instruction_set: None };
    let mut model = LocalModel::load(&source, options).unwrap();
    let talks_on = |seed: &u64| {
        let ToWorker::Generate { request, .. } = generate(*seed, 200) else { unreachable!() };
        model.generate(&request, &|| false, &mut |_| {}).unwrap().reason == Reason::Length
    };
    (0..200).find(talks_on).unwrap()
}

#[test]
fn a_cancel_is_heard_while_answers_are_made_and_stops_one_of_them() {
    let path = model("line");
    let first = talkative(&path);
    let mut parent = Parent::new();
    assert!(matches!(parent.load(path, None), FromWorker::Ready(_)));
    parent.say(&generate(first, 200));
    // The first words of the answer say that it has left the line; the next ones wait to be heard.
    assert!(matches!(parent.hear(), FromWorker::Token { id, .. } if id == first));
    let waiting: Vec<u64> = (1000..1000 + LINE_MAX as u64 - 1).collect();
    for &id in &waiting {
        parent.say(&generate(id, 3));
    }
    parent.say(&ToWorker::Cancel { id: first });
    // Taken up only when the cancel has been heard; an unknown number is nothing to answer.
    parent.say(&ToWorker::Cancel { id: 4444 });
    let mut done = Vec::new();
    while done.len() < waiting.len() + 1 {
        match parent.hear() {
            FromWorker::Token { .. } => {}
            FromWorker::Done { id, finish, usage } => {
                assert!(usage.completion < 100, "{usage:?}");
                assert_eq!(id == first, finish == Reason::Cancelled, "{id}");
                done.push(id);
            }
            other => panic!("{other:?}"),
        }
    }
    // They joined the first one and each ended by itself.
    done.sort_unstable();
    let mut all: Vec<u64> = waiting.into_iter().chain([first]).collect();
    all.sort_unstable();
    assert_eq!(done, all);
    parent.end().unwrap();
}

#[test]
fn a_parent_that_hangs_up_ends_the_worker() {
    let path = model("hang-up");
    let first = talkative(&path);
    let mut parent = Parent::new();
    assert!(matches!(parent.load(path, None), FromWorker::Ready(_)));
    parent.say(&generate(first, 200));
    assert!(matches!(parent.hear(), FromWorker::Token { .. }));
    // Nobody listens any more: the worker ends, with an error or without, and does not hang.
    drop(parent.end());
    let parent = Parent::new();
    parent.say.send(vec![200, 0, 0, 0, b'{']).unwrap();
    assert!(parent.end().is_err(), "half a frame");
}

#[test]
fn vectors_arrive_exactly_beside_a_model_that_generates() {
    let source = small_encoder::small(41).on_disk("worker-vectors");
    let texts: Vec<String> = ["", "hello", &"lamp ".repeat(60)].map(str::to_owned).to_vec();
    let embed = |id, texts: &[String]| ToWorker::Embed { id, texts: texts.to_vec() };
    let mut parent = Parent::new();
    parent.say(&embed(1, &texts));
    assert!(matches!(parent.hear(), FromWorker::Error { id: Some(1), trouble: Trouble::NotLoaded, .. }));
    let wrong = EncoderSource { weights_sha256: Some("1".repeat(64)), ..source.clone() };
    parent.say(&ToWorker::LoadEncoder(LoadEncoder { source: wrong, threads: 1 }));
    assert!(matches!(parent.hear(), FromWorker::Error { id: None, trouble: Trouble::File, .. }));
    assert!(matches!(parent.load(model("vectors"), None), FromWorker::Ready(_)));
    parent.say(&ToWorker::LoadEncoder(LoadEncoder { source: source.clone(), threads: 2 }));
    let FromWorker::EncoderReady(ready) = parent.hear() else { panic!("not ready") };
    assert_eq!((ready.width, ready.tokens_max), (CONFIG.width, CONFIG.tokens_max));
    assert!(ready.weights_bytes > 0);
    parent.say(&embed(2, &texts));
    let expected = Embedder::load(&source, 1).unwrap();
    let given: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected = expected.embed(&given).unwrap();
    match parent.hear() {
        FromWorker::Embedded { id: 2, vectors, tokens, cut } => {
            assert_eq!(vectors, expected);
            assert_eq!((tokens, cut), (vec![2, 4, 48], vec![false, false, true]));
        }
        other => panic!("{other:?}"),
    }
    parent.say(&embed(3, &vec![String::new(); TEXTS_MAX + 1]));
    assert!(matches!(parent.hear(), FromWorker::Error { id: Some(3), trouble: Trouble::Request, .. }));
    parent.say(&generate(4, 3));
    while !matches!(parent.hear(), FromWorker::Done { id: 4, .. }) {}
    parent.end().unwrap();
}

#[test]
fn a_request_for_vectors_that_waits_is_cancelled() {
    let path = model("vectors-line");
    let first = talkative(&path);
    let source = small_encoder::small(42).on_disk("worker-line");
    let mut parent = Parent::new();
    assert!(matches!(parent.load(path, None), FromWorker::Ready(_)));
    parent.say(&ToWorker::LoadEncoder(LoadEncoder { source, threads: 1 }));
    assert!(matches!(parent.hear(), FromWorker::EncoderReady(_)));
    parent.say(&generate(first, 200));
    assert!(matches!(parent.hear(), FromWorker::Token { id, .. } if id == first));
    // So many that they wait until the answer has ended.
    for id in [1001, 1002] {
        parent.say(&ToWorker::Embed { id, texts: vec!["lamp on".to_owned(); 5] });
    }
    // Heard while the answer goes on; its own answer finds its way between the words.
    parent.say(&ToWorker::Cancel { id: 1001 });
    let (mut cancelled, mut embedded) = (false, false);
    while !embedded {
        match parent.hear() {
            FromWorker::Token { id, .. } => assert_eq!(id, first),
            FromWorker::Done { id, finish, .. } if id == first => assert_eq!(finish, Reason::Length),
            FromWorker::Done { id: 1001, finish, .. } => {
                assert_eq!(finish, Reason::Cancelled);
                cancelled = true;
            }
            FromWorker::Embedded { id: 1002, vectors, .. } => {
                assert_eq!(vectors.len(), 5);
                embedded = true;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(cancelled, "the cancelled one was answered before the one behind it");
    parent.end().unwrap();
}
