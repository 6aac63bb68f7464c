//! Chores of the house, the same at the desk and in CI: `cargo xtask VERB`.

mod catalog;

use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program for the terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("catalog") => catalog::run(&arguments[1..]),
        Some(other) => Err(format!("no chore is called `{other}`\nhint: chores: catalog")),
        None => Err("which chore?\nhint: chores: catalog".to_owned()),
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
