//! The binary as a user types it: what it prints where, and with which code it ends. No test here reaches a
//! network.

#![cfg(test)]

mod catalog;
mod config;
mod distill;
mod distill_doc;
mod distill_route;
mod doctor;
mod drill;
mod help;
mod ledger;
mod model;
mod records;
mod running;
mod scan;
mod serve;
mod swap;
mod swap_import;
mod swap_people;
mod swap_plan;
mod swap_ways;
mod switch;
mod up;
mod vectors;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary, in this folder, as a user without any settings runs it.
fn mains(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mains"));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = name.starts_with("MAINS_") || name.starts_with("XDG_");
        if ours || ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "OPENAI_API_KEY"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command.env("HOME", folder).env("COLUMNS", "100").env("LINES", "50");
    command
}

/// What a run printed, and how it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    /// The same after the code was checked.
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// What it printed as one JSON document, which must be all of stdout.
    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Runs `mains` with these words in a folder.
fn run(folder: &Path, words: &[&str]) -> Ran {
    Ran::of(mains(folder).args(words))
}

/// The example application of the repository.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/app")
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
