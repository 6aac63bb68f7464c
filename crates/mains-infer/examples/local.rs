//! Our side of `bench/local.sh`: times, logits, memory.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::time::Instant;

use mains_infer::gguf::Gguf;
use mains_infer::model::{CHUNK_TOKENS, Llama, Options};
use mains_infer::reference::Reference;
use mains_infer::tokenizer::{Prompt, Tokenizer};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize| arguments[at].parse::<usize>().unwrap();
    match arguments.get(1).map(String::as_str) {
        Some("time") => time(&arguments[2], number(3), number(4), number(5), number(6)),
        Some("tokens") => tokens(&arguments[2], &arguments[3]),
        Some("logits") => logits(&arguments[2], &arguments[3], &arguments[4]),
        _ => println!(
            "usage: local time FILE THREADS PROMPT DECODE REPEATS\n       local tokens FILE PROMPTS\n       local logits FILE TOKENS OUT"
        ),
    }
}

fn load(path: &str, threads: usize, context: usize) -> (Llama, f64) {
    let start = Instant::now();
    let mut file = std::fs::File::open(path).unwrap();
    let gguf = Gguf::read(&mut file).unwrap();
    let options = Options { threads, context, instruction_set: None };
    let model = Llama::load(&gguf, &mut file, options).unwrap();
    (model, start.elapsed().as_secs_f64())
}

fn largest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    u32::try_from(best).unwrap()
}

/// Seconds that this thread has been on a processor: on a shared machine steadier than the clock.
fn busy() -> f64 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// Tokens per second of a prompt and of greedy decoding after it, one line of JSON a repeat.
fn time(path: &str, threads: usize, prompt: usize, decode: usize, repeats: usize) {
    let (mut model, load_s) = load(path, threads, prompt + decode);
    let tokens: Vec<u32> = (0..prompt).map(|i| u32::try_from(1000 + i * 37 % 20_000).unwrap()).collect();
    for _ in 0..repeats {
        model.truncate(0);
        let (start, start_busy) = (Instant::now(), busy());
        for chunk in tokens.chunks(CHUNK_TOKENS) {
            model.feed(chunk).unwrap();
        }
        let mut token = largest(model.logits());
        let prefill = prompt as f64 / start.elapsed().as_secs_f64();
        let prefill_busy = prompt as f64 / (busy() - start_busy);
        let (start, start_busy) = (Instant::now(), busy());
        for _ in 0..decode {
            model.feed(&[token]).unwrap();
            token = largest(model.logits());
        }
        let decoded = decode as f64 / start.elapsed().as_secs_f64();
        let decoded_busy = decode as f64 / (busy() - start_busy);
        let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("").trim().to_owned();
        println!(
            "{{\"engine\":\"mains\",\"set\":\"{:?}\",\"threads\":{threads},\"prefill\":{prefill:.1},\"decode\":{decoded:.1},\"prefill_busy\":{prefill_busy:.1},\"decode_busy\":{decoded_busy:.1},\"load_s\":{load_s:.3},\"peak\":\"{peak}\"}}",
            model.instruction_set()
        );
    }
}

/// Reads prompts as lines of token numbers; writes our logits and the reference's as raw floats.
fn logits(path: &str, prompts: &str, out: &str) {
    let mut file = std::fs::File::open(path).unwrap();
    let gguf = Gguf::read(&mut file).unwrap();
    let reference = Reference::load(&gguf, &mut file).unwrap();
    let (mut model, _) = load(path, 1, 2048);
    for (index, line) in std::fs::read_to_string(prompts).unwrap().lines().enumerate() {
        let tokens: Vec<u32> = line.split_whitespace().map(|token| token.parse().unwrap()).collect();
        model.truncate(0);
        for chunk in tokens.chunks(CHUNK_TOKENS) {
            model.feed(chunk).unwrap();
        }
        let bytes = |logits: &[f32]| logits.iter().flat_map(|logit| logit.to_le_bytes()).collect::<Vec<u8>>();
        std::fs::write(format!("{out}/mains-{index}.f32"), bytes(model.logits())).unwrap();
        std::fs::write(format!("{out}/reference-{index}.f32"), bytes(&reference.logits(&tokens).unwrap()))
            .unwrap();
    }
}

/// Reads a JSON list of texts; writes the numbers of their tokens, a line a text.
fn tokens(path: &str, prompts: &str) {
    let mut file = std::fs::File::open(path).unwrap();
    let tokenizer = Tokenizer::from_gguf(&Gguf::read(&mut file).unwrap()).unwrap();
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(prompts).unwrap()).unwrap();
    for text in texts {
        let tokens = tokenizer.encode(&Prompt::raw(text)).unwrap();
        println!("{}", tokens.iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
    }
}
