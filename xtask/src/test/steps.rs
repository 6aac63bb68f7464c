//! The steps of the whole test, in order: the cheap ones that fail often come first.
#![expect(clippy::print_stdout, reason = "this is a program for the terminal")]

use super::programs::{self, target};
use super::{Ended, Step};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Every step, in the order in which they run.
pub(super) const ALL: &[Step] = &[
    Step { name: "format", run: |root, _| command(root, "cargo", &["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: |root, _| tidy(root) },
    Step { name: "lints", run: |root, _| lints(root) },
    Step { name: "model", run: model },
    Step { name: "tests", run: tests },
    Step { name: "simulation", run: |root, _| simulation(root) },
    Step { name: "documentation", run: |root, _| documentation(root) },
    Step { name: "swap", run: swap },
    Step { name: "clients", run: clients },
    Step { name: "browser", run: browser },
];

fn command(root: &Path, program: &str, arguments: &[&str]) -> Ended {
    match Command::new(program).args(arguments).current_dir(root).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ended::Passed(1),
        Ok(status) => Ended::Failed(format!("`{program} {}` ended with {status}", arguments.join(" "))),
        Err(error) => Ended::Failed(format!("`{program}`: {error}")),
    }
}

fn tidy(root: &Path) -> Ended {
    match crate::tidy::run(root) {
        Err(error) => Ended::Failed(error),
        Ok(wrong) if wrong.is_empty() => Ended::Passed(1),
        Ok(wrong) => {
            for line in &wrong {
                println!("{line}");
            }
            Ended::Failed(format!("{} places", wrong.len()))
        }
    }
}

fn lints(root: &Path) -> Ended {
    command(root, "cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
}

fn documentation(root: &Path) -> Ended {
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(root);
    match doc.status() {
        Ok(status) if status.success() => Ended::Passed(1),
        other => Ended::Failed(format!("`cargo doc`: {other:?}")),
    }
}

/// `cargo test`, its output passed on; counts the tests and collects what they left out.
fn tests(root: &Path, left_out: &mut Vec<String>) -> Ended {
    if let Err(why) = programs::ensure(&programs::OPENSSL) {
        left_out.push(why);
    }
    counted(
        Command::new("cargo")
            .args(["test", "--workspace", "--no-fail-fast", "--", "--nocapture"])
            .current_dir(root),
        left_out,
    )
}

fn simulation(root: &Path) -> Ended {
    command(root, "cargo", &["run", "--quiet", "--release", "--package", "sim", "--", "--seeds", "10000"])
}

/// Runs a command whose lines say `test result: ok. N passed; …` and `left out: …`.
fn counted(command: &mut Command, left_out: &mut Vec<String>) -> Ended {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Ended::Failed(error.to_string()),
    };
    let mut passed = 0;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, what)) = line.split_once("left out: ") {
                left_out.push(what.to_owned());
            }
            if let Some(rest) = line.strip_prefix("test result: ") {
                passed += rest
                    .split_once(". ")
                    .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
                    .unwrap_or(0);
            }
            println!("{line}");
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ended::Passed(passed),
        Ok(status) => Ended::Failed(format!("ended with {status}")),
        Err(error) => Ended::Failed(error.to_string()),
    }
}

/// The binary under test, built once.
fn binary(root: &Path) -> Result<std::path::PathBuf, String> {
    let built =
        Command::new("cargo").args(["build", "--quiet", "--package", "mains"]).current_dir(root).status();
    if built.is_ok_and(|status| status.success()) {
        Ok(target(root).join("debug/mains"))
    } else {
        Err("`cargo build --package mains` failed".into())
    }
}

/// An example of a crate, built.
fn example(root: &Path, package: &str, name: &str) -> Result<std::path::PathBuf, String> {
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--package", package, "--example", name])
        .current_dir(root)
        .status();
    if built.is_ok_and(|status| status.success()) {
        Ok(target(root).join("debug/examples").join(name))
    } else {
        Err(format!("`cargo build --package {package} --example {name}` failed"))
    }
}

/// The local models that tests run: one that generates, one that makes vectors.
const MODELS: [&str; 2] = ["smollm2-135m-instruct", "all-minilm-l6-v2"];

/// Fetches the small local models, once, so that their tests have something to run.
fn model(root: &Path, left_out: &mut Vec<String>) -> Ended {
    let binary = match binary(root) {
        Ok(binary) => binary,
        Err(why) => return Ended::Failed(why),
    };
    for name in MODELS {
        let pulled = Command::new(&binary).args(["model", "pull", name]).current_dir(root).status();
        if !pulled.is_ok_and(|status| status.success()) {
            left_out.push(format!(
                "the local model: `mains model pull {name}` failed (it needs pip and a network)"
            ));
        }
    }
    Ended::Passed(0)
}

/// The whole path of a swap, as a user types it.
fn swap(root: &Path, left_out: &mut Vec<String>) -> Ended {
    let binary = match binary(root) {
        Ok(binary) => binary,
        Err(why) => return Ended::Failed(why),
    };
    let mut tests = Command::new("python3");
    tests.arg("-B").arg(root.join("tests/swap/run.py")).env("MAINS_BINARY", binary);
    counted(&mut tests, left_out)
}

/// The official SDKs, unmodified, against a running outlet.
fn clients(root: &Path, left_out: &mut Vec<String>) -> Ended {
    let binary = match binary(root) {
        Ok(binary) => binary,
        Err(why) => return Ended::Failed(why),
    };
    let mut passed = 0;
    match programs::python(root, &["openai==3.57.0", "anthropic==2.13.0"]) {
        Err(why) => left_out.push(format!("clients of Python: {why}")),
        Ok(python) => {
            let labeller = match example(root, "mains-serve", "labeller") {
                Ok(labeller) => labeller,
                Err(why) => return Ended::Failed(why),
            };
            for script in ["tests/clients/run.py", "tests/clients/labels.py"] {
                let mut tests = Command::new(&python);
                tests.arg("-B").arg(root.join(script)).env("MAINS_BINARY", &binary);
                tests.env("MAINS_LABELLER", &labeller);
                match counted(&mut tests, left_out) {
                    Ended::Passed(count) => passed += count,
                    other => return other,
                }
            }
        }
    }
    match programs::node(root, &["openai@7.57.0"]) {
        Err(why) => left_out.push(format!("clients of Node: {why}")),
        Ok(folder) => {
            let mut tests = Command::new("node");
            tests
                .arg(root.join("tests/clients/run.mjs"))
                .env("MAINS_BINARY", &binary)
                .env("NODE_FOLDER", folder);
            match counted(&mut tests, left_out) {
                Ended::Passed(count) => passed += count,
                other => return other,
            }
        }
    }
    Ended::Passed(passed)
}

/// The page in a real browser, light and dark, with an accessibility check.
fn browser(root: &Path, left_out: &mut Vec<String>) -> Ended {
    let binary = match binary(root) {
        Ok(binary) => binary,
        Err(why) => return Ended::Failed(why),
    };
    if let Err(why) = programs::ensure(&programs::CHROMIUM) {
        return Ended::LeftOut(why);
    }
    match programs::node(root, &["openai@7.57.0", "playwright-core@1.65.1", "axe-core@4.14.1"]) {
        Err(why) => Ended::LeftOut(why),
        Ok(folder) => {
            let mut tests = Command::new("node");
            tests
                .arg(root.join("tests/browser/run.mjs"))
                .env("MAINS_BINARY", &binary)
                .env("NODE_FOLDER", folder);
            counted(&mut tests, left_out)
        }
    }
}
