//! `swap-honesty`: prints how often each way of deciding on a replacement model is wrong, and fails if a promise is
//! broken.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the face of a tool for the desk and for CI")]

use std::process::ExitCode;

const USAGE: &str = "usage: swap-honesty [--runs COUNT] [--seed N]

  --runs COUNT  tests in each line (default 1000)
  --seed N      the seed of the whole table (default 4)";

fn arguments() -> Result<(u32, u64), String> {
    let (mut runs, mut seed) = (1_000, 4);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"))?;
        let wrong = |_| format!("`{value}` is no number");
        match word.as_str() {
            "--runs" => runs = value.parse().map_err(wrong)?,
            "--seed" => seed = value.parse().map_err(wrong)?,
            _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
        }
    }
    Ok((runs, seed))
}

fn main() -> ExitCode {
    let (runs, seed) = match arguments() {
        Ok(read) => read,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    println!("{runs} tests a line, seed {seed}, 95 % confidence; accepted and covered in %, items per test");
    println!(
        "{:44} {:34} {:>8} {:>8} {:>10} {:>7}  promise",
        "planted truth", "way of deciding", "accepted", "covered", "mean items", "most"
    );
    let lines = sim::swap::table(runs, seed);
    for line in &lines {
        println!("{line}");
    }
    let broken = lines.iter().filter(|line| !line.is_kept()).count();
    println!("{broken} promises are broken");
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
