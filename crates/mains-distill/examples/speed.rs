//! How long training and one label take on Banking77: `cargo run --release -p mains-distill --example speed`.
#![expect(clippy::print_stdout, reason = "an example prints")]
#![expect(clippy::disallowed_methods, reason = "an example takes the time")]

#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod common;

use mains_distill::features::Rows;
use mains_distill::heads::{dense, ngram};
use mains_distill::labeller::{Labeller, Scratch};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let task = common::tasks().0.into_iter().find(|task| task.name == "banking77").ok_or("no Banking77")?;
    train(&task)?;
    let fitted = common::Fitted::on(&task, None, None)?;
    println!("file: {} bytes, n-grams alone", fitted.bytes);
    // Texts near 60 characters, cut there.
    let texts: Vec<String> = task
        .train
        .iter()
        .filter(|(text, _)| text.len() >= 60)
        .map(|(text, _)| text.chars().take(60).collect())
        .collect();
    one_by_one(&fitted.labeller, &texts)?;
    for threads in [1, 2] {
        let begin = Instant::now();
        let rounds = 20;
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut scratch = Scratch::default();
                    for text in texts.iter().cycle().take(rounds * texts.len() / threads) {
                        let _ = black_box(fitted.labeller.label_with(text, None, &mut scratch));
                    }
                });
            }
        });
        let rate = (rounds * texts.len()) as f64 / begin.elapsed().as_secs_f64();
        println!("{threads} threads: {rate:.0} texts of 60 characters a second");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("memory {line}");
    }
    Ok(())
}

fn train(task: &common::Task) -> Result<(), Box<dyn Error>> {
    let labels: Vec<u32> = task.train.iter().map(|(_, label)| *label).collect();
    let all: Vec<usize> = (0..labels.len()).collect();
    let begin = Instant::now();
    let rows = Rows::of(task.train.iter().map(|(text, _)| text.as_str()));
    println!("n-grams of {} texts: {:.3} s", rows.len(), begin.elapsed().as_secs_f64());
    let begin = Instant::now();
    let problem = ngram::Problem::new(&rows, &labels, task.classes, &all, ngram::Settings::default())?;
    let head = problem.fit();
    println!("head on n-grams, {} known: {:.3} s, one thread", head.terms(), begin.elapsed().as_secs_f64());
    if let Some(values) = common::embeddings("banking77", "train") {
        let begin = Instant::now();
        let embeddings = dense::Embeddings { values: &values, dim: 384 };
        dense::fit(embeddings, &labels, task.classes, &all, dense::Settings::default())?;
        println!("head on embeddings: {:.3} s, one thread", begin.elapsed().as_secs_f64());
        let begin = Instant::now();
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(|| {
                let rows = Rows::of(task.train.iter().map(|(text, _)| text.as_str()));
                let settings = ngram::Settings::default();
                ngram::Problem::new(&rows, &labels, task.classes, &all, settings).map(|problem| problem.fit())
            });
            let two = dense::fit(embeddings, &labels, task.classes, &all, dense::Settings::default());
            (one.join(), two)
        });
        one.map_err(|_| "a thread failed")??;
        two?;
        println!("n-grams and both heads at once: {:.3} s, two threads", begin.elapsed().as_secs_f64());
    }
    Ok(())
}

fn one_by_one(labeller: &Labeller, texts: &[String]) -> Result<(), Box<dyn Error>> {
    let mut scratch = Scratch::default();
    for fresh in [true, false] {
        let mut nanoseconds = Vec::with_capacity(texts.len() * 5);
        for text in texts.iter().cycle().take(texts.len() * 5) {
            let begin = Instant::now();
            let answer = if fresh {
                labeller.label(text, None)
            } else {
                labeller.label_with(text, None, &mut scratch)
            };
            nanoseconds.push(begin.elapsed().as_nanos());
            black_box(answer?);
        }
        nanoseconds.sort_unstable();
        let at = |share: usize| nanoseconds[nanoseconds.len() * share / 100];
        let buffers = if fresh { "fresh buffers" } else { "buffers used again" };
        println!("one label, {buffers}: p50 {} ns, p99 {} ns", at(50), at(99));
    }
    Ok(())
}
