//! The head on n-grams alone, for `bench/distill.sh`: a line of `mains`, task, percent right on the official test set,
//! seconds of features, seconds of training on one thread.
#![expect(clippy::print_stdout, reason = "an example prints")]
#![expect(clippy::disallowed_methods, reason = "an example takes the time")]

#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod common;

use mains_distill::features::Rows;
use mains_distill::heads::ngram::{Problem, Settings};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    for task in common::tasks().0 {
        let labels: Vec<u32> = task.train.iter().map(|(_, label)| *label).collect();
        let all: Vec<usize> = (0..labels.len()).collect();
        let begin = Instant::now();
        let rows = Rows::of(task.train.iter().map(|(text, _)| text.as_str()));
        let features = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        let head = Problem::new(&rows, &labels, task.classes, &all, Settings::default())?.fit();
        let training = begin.elapsed().as_secs_f64();
        let test = common::rows(task.name, "test").ok_or("no test file")?;
        let rows = Rows::of(test.iter().map(|(text, _)| text.as_str()));
        let labels: Vec<u32> = test.iter().map(|(_, label)| *label).collect();
        let all: Vec<usize> = (0..labels.len()).collect();
        let right = head.score_rows(&rows, &all).right(&labels);
        let percent = 100.0 * right as f64 / labels.len() as f64;
        println!("mains {} {percent:.4} {features:.4} {training:.4}", task.name);
    }
    Ok(())
}
