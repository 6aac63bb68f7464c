//! What answers made together, beginnings taken over and forms gain and cost, on the file of a model:
//! `cargo run --release -p mains-infer --example decode -- FILE THREADS`. Repeats are interleaved; medians are shown.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::time::Instant;

use mains_infer::backend::{Constraint, Generate, Question, Sampling, Source};
use mains_infer::gguf::Gguf;
use mains_infer::model::{Llama, Options, Run};
use mains_infer::{Backend, LocalModel};

/// Tokens of a prompt before decoding.
const PROMPT: usize = 64;
/// Tokens that are decoded.
const DECODED: usize = 64;
const REPEATS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let threads = arguments[2].parse().unwrap();
    let options = Options { threads, context: 2_048, instruction_set: None };
    let mut file = std::fs::File::open(&arguments[1]).unwrap();
    let gguf = Gguf::read(&mut file).unwrap();
    together(&mut Llama::load(&gguf, &mut file, options).unwrap(), threads);
    let source = Source { path: arguments[1].clone().into(), sha256: None };
    let load = || LocalModel::load(&source, options).unwrap();
    beginnings(&load);
    forms(&mut load());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn largest(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
    u32::try_from(best).unwrap()
}

/// Tokens per second of all sequences together, greedily, after prompts that differ.
fn together(model: &mut Llama, threads: usize) {
    let counts = [1, 4, 16];
    let mut speeds = vec![Vec::new(); counts.len()];
    for _ in 0..REPEATS {
        for (count, speeds) in counts.iter().zip(&mut speeds) {
            speeds.push(decoded_per_s(model, *count));
        }
    }
    let alone = median(speeds[0].clone());
    for (count, speeds) in counts.iter().zip(speeds) {
        let speed = median(speeds);
        println!(
            "{threads} threads, {count:2} sequences: {speed:6.1} tokens/s, {:.2} times one",
            speed / alone
        );
    }
}

fn decoded_per_s(model: &mut Llama, count: usize) -> f64 {
    let mut sequences: Vec<_> = (0..count).map(|_| model.sequence(PROMPT + DECODED).unwrap()).collect();
    let mut next = Vec::new();
    for (at, sequence) in sequences.iter_mut().enumerate() {
        let tokens: Vec<u32> =
            (0..PROMPT).map(|i| u32::try_from(1_000 + (i * 37 + at * 101) % 20_000).unwrap()).collect();
        model.pass(&mut [Run { sequence, tokens: &tokens }]).unwrap();
        next.push([largest(model.logits())]);
    }
    let rows: Vec<usize> = (0..count).collect();
    let start = Instant::now();
    for _ in 0..DECODED {
        let mut runs: Vec<Run<'_>> =
            sequences.iter_mut().zip(&next).map(|(sequence, tokens)| Run { sequence, tokens }).collect();
        model.pass(&mut runs).unwrap();
        let logits = model.logits_of(&rows);
        let width = logits.len() / count;
        next = logits.chunks_exact(width).map(|logits| [largest(logits)]).collect();
    }
    (count * DECODED) as f64 / start.elapsed().as_secs_f64()
}

fn raw(text: String, max_tokens: u64, constraint: Option<Constraint>, seed: u64) -> Generate {
    let sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
    let question = Question::Raw(text);
    Generate { max_tokens: Some(max_tokens), sampling, constraint, ..Generate::new(question) }
}

/// Seconds to the first token of a prompt whose constant part was read before, and of one that is new.
fn beginnings(load: &dyn Fn() -> LocalModel) {
    let constant = "Read the message of a customer and say which team takes care of it. ".repeat(40);
    let (mut fresh, mut again, mut shared) = (Vec::new(), Vec::new(), (0, 0));
    for repeat in 0..REPEATS {
        let mut model = load();
        for (round, times) in [&mut fresh, &mut again].into_iter().enumerate() {
            let request = raw(format!("{constant} Message {repeat} of round {round}."), 1, None, 1);
            let start = Instant::now();
            let finish = model.generate(&request, &|| false, &mut |_| {}).unwrap();
            times.push(start.elapsed().as_secs_f64());
            shared = (finish.usage.cached_read, finish.usage.input_total());
        }
    }
    let (fresh, again) = (median(fresh), median(again));
    println!(
        "first token: {:.1} ms new, {:.1} ms with {} of {} tokens taken over: {:.1} times as fast",
        fresh * 1e3,
        again * 1e3,
        shared.0,
        shared.1,
        fresh / again
    );
}

/// Milliseconds a token with and without a form, and the time that the first form takes.
fn forms(model: &mut LocalModel) {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "label": {"enum": ["refund", "return", "other"]},
            "summary": {"type": "string", "minLength": 200, "maxLength": 400},
            "score": {"type": "integer", "minimum": 0, "maximum": 100},
        },
        "required": ["label", "summary", "score"],
        "additionalProperties": false,
    });
    let constraint = Constraint::JsonSchema(schema);
    let prompt = || "A ticket as JSON: ".to_owned();
    let start = Instant::now();
    model.generate(&raw(prompt(), 1, Some(constraint.clone()), 0), &|| false, &mut |_| {}).unwrap();
    println!("first form of a model: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let (mut free, mut bound) = (Vec::new(), Vec::new());
    for seed in 0..2 * REPEATS as u64 {
        for (constraint, times) in [(None, &mut free), (Some(constraint.clone()), &mut bound)] {
            let request = raw(prompt(), 100, constraint, seed);
            let start = Instant::now();
            let finish = model.generate(&request, &|| false, &mut |_| {}).unwrap();
            times.push(start.elapsed().as_secs_f64() * 1e3 / finish.usage.output.max(1) as f64);
        }
    }
    let (free, bound) = (median(free), median(bound));
    println!("a token: {free:.2} ms free, {bound:.2} ms in a form: {:.2} times", bound / free);
}
