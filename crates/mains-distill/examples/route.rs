//! Routers on MMLU, Mixtral 8x7B or GPT-4: what is recovered beside chance and beside prompt length, on questions of
//! subjects that were seen and of subjects that were not.
//!
//! `cargo run --release -p mains-distill --example route`. Data sets: `MAINS_DATASETS`, or beside the repository.
//! Embeddings are read where `MAINS_EMBEDDINGS` names a folder with `routellm_mmlu.f32` (rows of 384 little-endian
//! numbers, as the example `embed_lines` of `mains-infer` writes them from the column `prompt`).
#![expect(clippy::print_stdout, reason = "an example prints")]
#![expect(clippy::disallowed_methods, reason = "an example takes the time")]

#[path = "../tests/it/mmlu/mod.rs"]
mod mmlu;

use mains_distill::heads::dense::Embeddings;
use mains_distill::routing::{Figure, Part, Settings, Table, Trial};
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Numbers in an embedding.
const DIM: usize = 384;

fn main() -> Result<(), Box<dyn Error>> {
    let questions = mmlu::questions()?;
    let rows: Vec<_> = questions.iter().map(mmlu::Question::row).collect();
    let values = embeddings()?;
    let embeddings = values.as_deref().map(|values| Embeddings { values, dim: DIM });
    let begin = Instant::now();
    let trial = Trial::new(&rows, embeddings, Settings::default())?;
    let report = trial.report(&solved(&trial));
    println!(
        "{} questions, {} subjects; weak alone {}, strong alone {}; {:.0} s",
        report.rows,
        report.groups,
        share(report.weak_ppm),
        share(report.strong_ppm),
        begin.elapsed().as_secs_f64()
    );
    print("subjects seen", &report.seen);
    if let Some(unseen) = &report.unseen {
        print("subjects not seen", unseen);
    }
    println!("{:?}", report.ruling);
    Ok(())
}

/// All pieces, on two threads.
fn solved(trial: &Trial<'_>) -> Vec<Part> {
    let next = AtomicUsize::new(0);
    let some = || {
        let mut parts = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= trial.pieces() {
                return parts;
            }
            parts.extend(trial.solve(piece));
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(some);
        let mut parts = some();
        parts.extend(other.join().into_iter().flatten());
        parts
    })
}

fn embeddings() -> Result<Option<Vec<f32>>, std::io::Error> {
    let Some(folder) = std::env::var_os("MAINS_EMBEDDINGS") else { return Ok(None) };
    let bytes = std::fs::read(PathBuf::from(folder).join("routellm_mmlu.f32"))?;
    Ok(Some(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()))
}

fn print(name: &str, table: &Table) {
    println!("\n{name} ({} units)", table.units);
    println!("{:24} {:24} {:24} {:24} beyond chance and length", "", "APGR", "CPT50", "CPT80");
    for line in &table.lines {
        let beyond = line.beyond.map(interval).unwrap_or_default();
        println!(
            "{:24} {:24} {:24} {:24} {beyond}",
            line.router,
            interval(line.apgr),
            interval(line.calls_50),
            interval(line.calls_80)
        );
    }
}

fn interval(figure: Figure) -> String {
    format!("{} [{}, {}]", share(figure.ppm), share(figure.low_ppm), share(figure.high_ppm))
}

fn share(ppm: i64) -> String {
    format!("{:.3}", ppm as f64 / 1e6)
}
