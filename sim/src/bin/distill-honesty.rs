//! `distill-honesty`: prints how often certificates of small labellers break their promise, and fails if that is more
//! often than they say.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the face of a tool for the desk and for CI")]

use sim::distill::{Population, faults, noticed, planted, recorded, switched, table};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: distill-honesty [--runs COUNT] [--seed N] [--data FOLDER]

  --runs COUNT   draws of calibration rows in each line (default 300)
  --seed N       the seed of the whole table (default 5)
  --data FOLDER  recorded data sets (default ../shared/datasets; planted tasks alone where it is absent)";

struct Arguments {
    runs: u32,
    seed: u64,
    data: PathBuf,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments { runs: 300, seed: 5, data: "../shared/datasets".into() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"))?;
        let wrong = |_| format!("`{value}` is no number");
        match word.as_str() {
            "--runs" => read.runs = value.parse().map_err(wrong)?,
            "--seed" => read.seed = value.parse().map_err(wrong)?,
            "--data" => read.data = value.into(),
            _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
        }
    }
    Ok(read)
}

fn populations(read: &Arguments) -> Result<Vec<Population>, String> {
    let mut populations = recorded(&read.data, read.seed)?;
    if populations.is_empty() {
        println!("no data sets at {}: planted tasks alone", read.data.display());
    }
    populations.push(planted("planted, smooth", 0.5, 0.0, read.seed));
    populations.push(planted("planted, sure and wrong at 0.9", 0.3, 0.06, read.seed));
    Ok(populations)
}

fn run() -> Result<bool, String> {
    let read = arguments()?;
    let populations = populations(&read)?;
    println!("{} draws a line, seed {}, 95 % confidence; all figures in %", read.runs, read.seed);
    println!(
        "{:56} {:16} {:>9} {:>7} {:>8}",
        "population and promise", "threshold by", "certified", "broken", "local"
    );
    let lines = table(&populations, read.runs, read.seed)?;
    for line in &lines {
        println!("{line}");
    }
    println!("\nat most 2 % may differ; 1.5 % do, and then 20 %: audited calls until it is noticed");
    println!("{:>12} {:>8} {:>7} {:>9} {:>10}", "calls before", "formula", "median", "95 % by", "too early");
    for found in noticed(read.runs, read.seed, [0.015, 0.2])? {
        let (before, formula, median) = (found.before, found.formula, found.median);
        println!("{before:12} {formula:8} {median:7} {:9} {:10}", found.late, found.too_early);
    }
    let switched = switched(&read.data, read.runs, read.seed)?;
    if !switched.is_empty() {
        println!("\noverruling: GPT-4 becomes another model after 200 audited calls and does not say so");
        println!(
            "{:24} {:>10} {:>10} {:>7} {:>8} {:>7}",
            "now", "differed %", "differs %", "median", "95 % by", "missed"
        );
    }
    for found in switched {
        let [before, after] = found.differs.map(|share| 100.0 * share);
        let (median, late) = (found.median, found.late);
        println!("{:24} {before:10.1} {after:10.1} {median:7} {late:8} {:7}", found.to, found.missed);
    }
    let faults = faults(&lines);
    for fault in &faults {
        println!("fault: {fault}");
    }
    println!("\n{} faults", faults.len());
    Ok(faults.is_empty())
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
