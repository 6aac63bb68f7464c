//! OVERRULING with GPT-4's recorded answers: train, calibrate and test by ten splits of our own, for both promises.
//!
//! `cargo run --release -p mains-distill --example overruling [ngram]`. The data set is read from `MAINS_DATASETS`, or beside
//! the repository; embeddings from `MAINS_EMBEDDINGS`, where they are.
#![expect(clippy::print_stdout, reason = "an example prints")]

#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod common;
#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod recorded;

use common::Threads;
use mains_distill::certificate::{Promise, Terms};
use mains_distill::heads::average::Heads;
use mains_distill::split::Shares;
use mains_distill::training::{Embedded, Part, Settings, train};
use mains_units::Timestamp;
use recorded::Recorded;
use std::error::Error;

const SEEDS: u64 = 10;

/// Two fifths to fit, three tenths to calibrate, three tenths to test.
const SHARES: Shares = Shares { fit_ppm: 400_000, calibrate_ppm: 300_000 };

/// The figures of one split, in percent.
struct Figures {
    local: f64,
    agrees: f64,
    right: f64,
    teacher_right: f64,
    saved: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(recorded) = Recorded::read("gpt-4")? else {
        println!("left out, no data in {}: overruling_12llm", common::folder().display());
        return Ok(());
    };
    let only = std::env::args().any(|word| word == "ngram").then_some(Heads::Ngram);
    println!("{} rows, {} left out: GPT-4 gave no label", recorded.rows.len(), recorded.left_out);
    let embeddings = recorded.embeddings().filter(|_| only.is_none());
    println!("embeddings: {}", if embeddings.is_some() { "yes" } else { "none" });
    let promises = [Promise::AllTraffic, Promise::AnsweredLocally];
    for (serve, eps_ppm) in promises.into_iter().flat_map(|serve| [(serve, 20_000), (serve, 50_000)]) {
        let mut found = Vec::new();
        for seed in 0..SEEDS {
            let [all, local] = promises.map(|promise| Terms::new(promise, eps_ppm));
            let start = Settings::new(seed, Timestamp(0));
            let settings = Settings { shares: SHARES, serve, all, local, heads: only, ..start };
            found.push(measure(&recorded, embeddings.as_deref(), &settings)?);
        }
        println!("promise {serve:?}, {} %, {SEEDS} splits: mean (least to most)", eps_ppm / 10_000);
        let line = |name: &str, of: fn(&Figures) -> f64| {
            let values: Vec<f64> = found.iter().map(of).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            println!("  {name:34} {mean:6.2} ({least:.2} to {most:.2})");
        };
        line("answered locally %", |figures| figures.local);
        line("answers as GPT-4's %", |figures| figures.agrees);
        line("right by the gold label %", |figures| figures.right);
        line("GPT-4 alone right %", |figures| figures.teacher_right);
        line("cost saved %", |figures| figures.saved);
    }
    Ok(())
}

fn measure(
    recorded: &Recorded,
    embeddings: Option<&[f32]>,
    settings: &Settings,
) -> Result<Figures, Box<dyn Error>> {
    let lesson = recorded.lesson()?;
    let dim = common::DIM;
    let embedded = embeddings.map(|values| Embedded { model_sha256: [0; 32], values, dim });
    let made = train(&lesson, embedded, settings, &Threads(2), &|_| ())?;
    let (mut local, mut agrees, mut right, mut teacher_right, mut of) = (0, 0, 0, 0, 0);
    let (mut saved, mut cost) = (0.0, 0.0);
    for (place, row) in recorded.rows.iter().enumerate() {
        if made.parts[place] != Part::Audit {
            continue;
        }
        let embedding = embeddings.and_then(|values| values.get(place * dim..(place + 1) * dim));
        let said = made.labeller.label(&row.text, embedding)?;
        let answer = if said.local { said.label } else { row.label };
        of += 1;
        local += usize::from(said.local);
        agrees += usize::from(answer == row.label);
        right += usize::from(answer == row.gold);
        teacher_right += usize::from(row.label == row.gold);
        cost += row.usd;
        saved += if said.local { row.usd } else { 0.0 };
    }
    let percent = |count: usize| 100.0 * count as f64 / f64::from(of);
    Ok(Figures {
        local: percent(local),
        agrees: percent(agrees),
        right: percent(right),
        teacher_right: percent(teacher_right),
        saved: 100.0 * saved / cost,
    })
}
