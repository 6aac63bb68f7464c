//! Embeddings of many texts: reads a JSON string a line, writes the numbers of each, little-endian floats, row after
//! row. `bench/distill.sh` makes its embeddings with it.
//!
//! `cargo run --release -p mains-infer --example embed_texts MODELS < texts.jsonl > texts.f32`
#![expect(clippy::print_stdout, reason = "an example prints")]

use mains_infer::encoder::EncoderSource;
use mains_infer::{Embedder, models};
use std::error::Error;
use std::io::Write;
use std::path::Path;

/// Texts that are embedded together.
const BATCH: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::args().nth(1) else {
        println!("usage: embed_texts MODELS < texts.jsonl > texts.f32");
        return Ok(());
    };
    let known = models::find("all-minilm-l6-v2").ok_or("the model is not known")?;
    let source = EncoderSource::known(known, Path::new(&folder)).ok_or("the model is no encoder")?;
    let embedder = Embedder::load(&source, 1)?;
    let texts: Vec<String> = std::io::stdin()
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for batch in texts.chunks(BATCH) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        for row in embedder.embed(&batch)? {
            for number in row {
                out.write_all(&number.to_le_bytes())?;
            }
        }
    }
    out.flush()?;
    Ok(())
}
