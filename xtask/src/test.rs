//! `cargo xtask test`: every test there is, in one command.
//!
//! What needs the folder `../shared` or a program that is missing is left out and listed; with
//! `MAINS_REQUIRE_ALL=1` anything left out is a failure. As root on Debian the missing programs are
//! installed first, else the list says exactly what to install.
#![expect(clippy::print_stdout, reason = "this is a program for the terminal")]

mod programs;
mod steps;

use std::path::Path;
use std::time::Instant;

/// How one step ended.
pub(crate) enum Ended {
    /// All well; how many tests the step counted.
    Passed(usize),
    /// What went wrong, in a line; the details were printed as they came.
    Failed(String),
    /// Not run, and why.
    LeftOut(String),
}

/// One step of the whole test.
pub(crate) struct Step {
    /// What it is called in the summary.
    pub(crate) name: &'static str,
    /// Does it; pushes what parts of it were left out.
    pub(crate) run: fn(&Path, &mut Vec<String>) -> Ended,
}

/// Runs every step, or those whose names are given, and prints the summary. True when nothing failed.
pub(crate) fn run(root: &Path, only: &[String]) -> bool {
    let require_all = std::env::var_os("MAINS_REQUIRE_ALL").is_some_and(|value| value == "1");
    let known: Vec<&str> = steps::ALL.iter().map(|step| step.name).collect();
    if let Some(wrong) = only.iter().find(|name| !known.contains(&name.as_str())) {
        println!("no step `{wrong}`\nhint: steps are {}", known.join(", "));
        return false;
    }
    let mut left_out = Vec::new();
    let mut times = Vec::new();
    let (mut passed, mut failed) = (0, Vec::new());
    for step in steps::ALL.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
    {
        println!("\n== {}", step.name);
        let start = now();
        match (step.run)(root, &mut left_out) {
            Ended::Passed(count) => passed += count,
            Ended::Failed(why) => failed.push(format!("{}: {why}", step.name)),
            Ended::LeftOut(why) => left_out.push(format!("{}: {why}", step.name)),
        }
        times.push((start.elapsed(), step.name));
    }
    times.sort_by(|a, b| b.cmp(a));
    println!("\n== summary");
    for (time, name) in times.iter().take(6) {
        println!("{:>7.1} s  {name}", time.as_secs_f64());
    }
    for what in &left_out {
        println!("left out: {what}");
    }
    for what in &failed {
        println!("failed: {what}");
    }
    let missing = require_all && !left_out.is_empty();
    if missing {
        println!("failed: MAINS_REQUIRE_ALL=1 and {} things were left out", left_out.len());
    }
    println!("{passed} passed, {} failed, {} skipped", failed.len() + usize::from(missing), left_out.len());
    failed.is_empty() && !missing
}

#[expect(clippy::disallowed_methods, reason = "the slowest steps are named; nothing is decided by the time")]
fn now() -> Instant {
    Instant::now()
}
