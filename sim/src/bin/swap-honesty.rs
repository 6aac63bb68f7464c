//! `swap-honesty`: prints how often each way of deciding on a replacement model is wrong, and fails if a promise is
//! broken.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the face of a tool for the desk and for CI")]

use std::process::ExitCode;

const USAGE: &str = "usage: swap-honesty [--runs COUNT] [--seed N] [--only TABLE]

  --runs COUNT  tests in each line (default 1000)
  --seed N      the seed of the whole table (default 4)
  --only TABLE  verdict (tests of a replacement) or canary (switches in steps)";

struct Arguments {
    runs: u32,
    seed: u64,
    verdict: bool,
    canary: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments { runs: 1_000, seed: 4, verdict: true, canary: true };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"))?;
        let wrong = |_| format!("`{value}` is no number");
        match (word.as_str(), value.as_str()) {
            ("--runs", _) => read.runs = value.parse().map_err(wrong)?,
            ("--seed", _) => read.seed = value.parse().map_err(wrong)?,
            ("--only", "verdict") => read.canary = false,
            ("--only", "canary") => read.verdict = false,
            _ => return Err(format!("unknown argument `{word} {value}`\n{USAGE}")),
        }
    }
    Ok(read)
}

/// Prints the verdicts' table; how many promises are broken.
fn verdicts(runs: u32, seed: u64) -> usize {
    println!("{runs} tests a line, seed {seed}, 95 % confidence; accepted and covered in %, items per test");
    println!(
        "{:44} {:34} {:>8} {:>8} {:>10} {:>7}  promise",
        "planted truth", "way of deciding", "accepted", "covered", "mean items", "most"
    );
    let lines = sim::swap::table(runs, seed);
    for line in &lines {
        println!("{line}");
    }
    lines.iter().filter(|line| !line.is_kept()).count()
}

/// Prints the switches' table; how many promises are broken.
fn canaries(runs: u32, seed: u64) -> usize {
    println!(
        "{runs} switches a line of 10,000 requests, steps 5, 25, 50 %, seed {seed}, error level 5 %; rolled back in \
         %, of these with the planted metric named in %, medians until then"
    );
    println!(
        "{:44} {:26} {:>8} {:>8} {:>12} {:>9}  promise",
        "planted truth", "way of deciding", "back", "named", "new requests", "requests"
    );
    let lines = sim::swap::canary::table(runs, seed);
    for line in &lines {
        println!("{line}");
    }
    lines.iter().filter(|line| !line.is_kept()).count()
}

fn main() -> ExitCode {
    let read = match arguments() {
        Ok(read) => read,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let mut broken = 0;
    if read.verdict {
        broken += verdicts(read.runs, read.seed);
    }
    if read.canary {
        broken += canaries(read.runs, read.seed);
    }
    println!("{broken} promises are broken");
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
