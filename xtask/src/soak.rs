//! `cargo xtask soak [SEED]`: the same laws as the tests, for as long as an evening has: a hundred thousand worlds, a
//! thousand killed processes, and property tests from another seed than every day's.
#![expect(clippy::print_stdout, reason = "this is a program for the terminal")]

use std::path::Path;
use std::process::Command;

/// The seed of the property tests where none is given.
const SEED: &str = "20261128";

/// What it is, the arguments of cargo, what stands in the environment.
type Part = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// What is run, in order.
const PARTS: &[Part] = &[
    (
        "simulation: 100,000 worlds",
        &["run", "--quiet", "--release", "--package", "sim", "--", "--seeds", "100000"],
        &[],
    ),
    (
        "ledger: 1,000 processes killed",
        &["test", "--release", "--package", "mains-store", "--test", "it", "log::"],
        &[("MAINS_SOAK_KILLS", "1000")],
    ),
    (
        "property tests: 50,000 cases each",
        &[
            "test",
            "--release",
            "--package",
            "mains-scan",
            "--package",
            "mains-config",
            "--test",
            "it",
            "laws",
        ],
        &[("PROPTEST_CASES", "50000")],
    ),
];

/// Runs every part; the error names those that failed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<String, String> {
    let seed = arguments.first().map_or(SEED, String::as_str);
    let mut failed = Vec::new();
    for (what, arguments, environment) in PARTS {
        println!("== {what}");
        let status = Command::new("cargo")
            .args(*arguments)
            .envs(environment.iter().copied())
            .env("PROPTEST_RNG_SEED", seed)
            .current_dir(root)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            failed.push(*what);
        }
    }
    if failed.is_empty() {
        Ok("the soak passed".into())
    } else {
        Err(format!("failed: {}", failed.join("; ")))
    }
}
