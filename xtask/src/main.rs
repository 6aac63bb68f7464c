//! Chores of the house, the same at the desk and in CI: `cargo xtask VERB`.

mod catalog;
mod soak;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const CHORES: &str = "catalog, tidy, test, soak";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program for the terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("catalog") => catalog::run(&arguments[1..]),
        Some("tidy") => tidy(),
        Some("soak") => soak::run(&root(), &arguments[1..]),
        Some("test") if test::run(&root(), &arguments[1..]) => Ok(String::new()),
        Some("test") => Err("the test failed".to_owned()),
        Some(other) => Err(format!("no chore is called `{other}`\nhint: chores: {CHORES}")),
        None => Err(format!("which chore?\nhint: chores: {CHORES}")),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::from(2)
        }
    }
}

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

fn tidy() -> Result<String, String> {
    let wrong = tidy::run(&root())?;
    if wrong.is_empty() { Ok("tidy".into()) } else { Err(wrong.join("\n")) }
}
