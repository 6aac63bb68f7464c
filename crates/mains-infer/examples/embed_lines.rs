//! Embeddings of texts, for the examples that read them: a JSON string a line on stdin; on stdout the vectors, one after
//! the other, as little-endian 32-bit floats.
//!
//! `embed_lines MODELS [THREADS] < texts.jsonl > texts.f32`; `MODELS` holds `all-minilm-l6-v2/model.safetensors` and
//! its `tokenizer.json` (see `bench/embed.sh`).

use std::io::{BufWriter, Write};
use std::path::Path;

use mains_infer::encoder::EncoderSource;
use mains_infer::{Embedder, models};

/// Texts that are embedded together.
const BATCH: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: embed_lines MODELS [THREADS]")?;
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let known = models::find("all-minilm-l6-v2").ok_or("the encoder is not known")?;
    let source = EncoderSource::known(known, Path::new(&folder)).ok_or("the model is no encoder")?;
    let embedder = Embedder::load(&source, threads)?;
    let texts: Result<Vec<String>, Box<dyn std::error::Error>> =
        std::io::stdin().lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect();
    let texts = texts?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for batch in texts.chunks(BATCH) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        for value in embedder.embed(&batch)?.into_iter().flatten() {
            out.write_all(&value.to_le_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}
