//! `mains`: the wall outlet for machine learning, in one binary.
//!
//! Read `cli` (the verbs and their flags), then `verbs/NAME` (one file a verb), `print` (how anything
//! reaches the terminal), `settings` (where they come from).
//!
//! Never: logic worth testing alone. A verb reads its settings, calls a room below, prints the answer.

mod cli;
mod client;
mod print;
mod settings;
mod start;
mod verbs;

use clap::Parser;
use std::process::ExitCode;

/// A request makes some hundred short-lived values; the system's allocator took a tenth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    print::set_color(arguments.color);
    match verbs::run(arguments.verb) {
        Ok(ended) => ended.into(),
        Err(trouble) => {
            print::trouble(&trouble);
            ExitCode::from(2)
        }
    }
}
