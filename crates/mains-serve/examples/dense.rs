//! What the head on embeddings adds to the embedding itself: one short text after the other, interleaved, one thread.
//!
//! `cargo run --release -p mains-serve --example dense -- FILE.labeller MODELS < texts.jsonl`, a JSON string a line.
#![expect(clippy::print_stdout, reason = "an example prints")]
#![expect(clippy::disallowed_methods, reason = "an example takes the time")]

use mains_distill::labeller::{Labeller, Scratch};
use mains_infer::encoder::EncoderSource;
use mains_infer::{Embedder, models};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, folder] = words.as_slice() else {
        println!("usage: dense FILE.labeller MODELS < texts.jsonl");
        return Ok(());
    };
    let labeller = Labeller::parse(&std::fs::read(file)?)?;
    if !labeller.needs_embedding() {
        return Err("this labeller stands on n-grams alone".into());
    }
    let known = models::find("all-minilm-l6-v2").ok_or("the model is not known")?;
    let source = EncoderSource::known(known, Path::new(folder)).ok_or("the model is no encoder")?;
    let embedder = Embedder::load(&source, 1)?;
    let texts: Vec<String> = std::io::stdin()
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let (mut alone, mut both, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
    for text in &texts {
        let begin = Instant::now();
        black_box(embedder.embed(&[text])?);
        alone.push(begin.elapsed().as_secs_f64() * 1e6);
        let begin = Instant::now();
        let embedding = embedder.embed(&[text])?;
        let embedding = embedding.first().ok_or("no embedding")?;
        black_box(labeller.label_with(text, Some(embedding), &mut scratch)?);
        both.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    for times in [&mut alone, &mut both] {
        times.sort_by(f64::total_cmp);
    }
    let at = |times: &[f64], share: usize| times.get(times.len() * share / 100).copied().unwrap_or(f64::NAN);
    let (one, two) = (at(&alone, 50), at(&both, 50));
    println!("{} texts, one thread: embedding p50 {one:.0} us, p99 {:.0} us", texts.len(), at(&alone, 99));
    println!(
        "embedding and heads: p50 {two:.0} us, p99 {:.0} us; {:.3} times the embedding",
        at(&both, 99),
        two / one
    );
    Ok(())
}
