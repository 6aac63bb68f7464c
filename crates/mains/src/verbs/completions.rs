//! `mains completions`: a script that lets a shell complete verbs and flags.

use crate::cli::Arguments;
use crate::print::{self, Ended, Trouble};
use clap::CommandFactory;

pub(crate) fn run(shell: clap_complete::Shell) -> Result<Ended, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mains", &mut script);
    print::data(&String::from_utf8(script)?);
    Ok(Ended::Clean)
}
