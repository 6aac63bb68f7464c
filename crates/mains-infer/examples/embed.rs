//! Our side of `bench/embed.sh`: reads "TOKENS REPEATS" lines, answers a line of milliseconds each.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::path::Path;
use std::time::Instant;

use mains_infer::encoder::EncoderSource;
use mains_infer::{Embedder, InstructionSet, models};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, threads, set] = arguments.as_slice() else {
        println!("usage: embed MODELS THREADS best|plain|avx2|avx512");
        return;
    };
    let known = models::find("all-minilm-l6-v2").unwrap();
    let source = EncoderSource::known(known, Path::new(folder)).unwrap();
    let set = match set.as_str() {
        "plain" => Some(InstructionSet::Plain),
        "avx2" => Some(InstructionSet::Avx2),
        "avx512" => Some(InstructionSet::Avx512),
        _ => None,
    };
    let embedder = Embedder::load_on(&source, threads.parse().unwrap(), set).unwrap();
    println!("ready {:?}", embedder.instruction_set());
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (count, repeats) = line.split_once(' ').unwrap();
        let count: u32 = count.parse().unwrap();
        let tokens: Vec<u32> = (0..count).map(|i| 1000 + i * 37 % 20_000).collect();
        let time = || {
            let start = Instant::now();
            std::hint::black_box(embedder.embed_tokens(&tokens).unwrap());
            format!("{:.4}", start.elapsed().as_secs_f64() * 1e3)
        };
        let times: Vec<String> = (0..repeats.parse().unwrap()).map(|_| time()).collect();
        println!("{}", times.join(" "));
    }
}
