//! `mains distill`: smaller models in front of a big one.

mod route;

use crate::cli::Distill;
use crate::print::{Ended, Trouble};

pub(crate) fn run(verb: &Distill) -> Result<Ended, Trouble> {
    match verb {
        Distill::Route(arguments) => route::run(arguments),
    }
}
