//! Right labels on the official test sets, each head and their choice, from the file that would be shipped.
//!
//! `cargo run --release -p mains-distill --example accuracy [TASK…]`. Data sets: `MAINS_DATASETS`, or beside the repository.
//! Embeddings are read where `MAINS_EMBEDDINGS` names a folder with `<task>_train.f32` and `<task>_test.f32` (rows
//! of 384 little-endian numbers). A test file is read for the last figure only; settings were chosen on train parts.
#![expect(clippy::print_stdout, reason = "an example prints")]
#![expect(clippy::disallowed_methods, reason = "an example takes the time")]

mod common;

use common::{Fitted, Task};
use mains_distill::heads::average::Heads;
use mains_distill::training::Chosen;
use std::fmt::Write;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let (tasks, absent) = common::tasks();
    if !absent.is_empty() {
        println!("left out, no data in {}: {}", common::folder().display(), absent.join(", "));
    }
    for task in tasks.into_iter().filter(|task| only.is_empty() || only.iter().any(|name| name == task.name))
    {
        measure(&task)?;
    }
    Ok(())
}

fn measure(task: &Task) -> Result<(), Box<dyn std::error::Error>> {
    let embeddings = common::embeddings(task.name, "train");
    let begin = Instant::now();
    let fitted = Fitted::on(task, embeddings.as_deref(), embeddings.as_ref().map(|_| Heads::Both))?;
    let seconds = begin.elapsed().as_secs_f64();
    let test = common::rows(task.name, "test").ok_or("no test file")?;
    let embeddings = common::embeddings(task.name, "test");
    let mut line = format!("{:10} {:5} {:8}", task.name, task.train.len(), task.classes);
    for heads in fitted.speakers() {
        let labeller = fitted.with(*heads);
        let percent = common::percent(&labeller, &test, embeddings.as_deref());
        write!(line, "  {heads:?} {percent:.2}")?;
    }
    let Chosen { of, ngram_right, dense_right, both_right, dense_cost, .. } = fitted.chosen;
    println!("{line}  file {} bytes, {seconds:.1} s on two threads", fitted.bytes);
    println!(
        "    out of fold on the {of} train rows: Ngram {ngram_right}, Dense {dense_right:?}, Both {both_right:?}; cost of Dense {dense_cost:?}"
    );
    Ok(())
}
