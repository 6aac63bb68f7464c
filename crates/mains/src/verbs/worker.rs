//! `mains worker`: the process that runs local models; the outlet starts it and talks to it over pipes.

use crate::print::{Ended, Trouble};

/// Serves questions from stdin until it is closed.
pub(crate) fn run() -> Result<Ended, Trouble> {
    mains_infer::worker::run(std::io::stdin(), std::io::stdout())?;
    Ok(Ended::Clean)
}
