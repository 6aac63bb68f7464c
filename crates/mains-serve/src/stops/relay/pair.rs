//! The answers of the two cheap models that a route asks first: put aside until both are here, then compared.
//!
//! They are compared as the caller would read them, in the caller's dialect, by the rule that `mains distill route --agree`
//! uses. A caller of a stream gets the first one's stream in one go once they agree.

use super::translate::Learnt;
use crate::stops::Held;
use mains_relay::relay::{Agreement, AttemptNumber, Summary};
use mains_swap::grade::{Said, agree};
use mains_wire::Dialect;

/// One whole answer, put aside.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) attempt: AttemptNumber,
    /// In the caller's dialect.
    pub(super) bytes: Vec<u8>,
    pub(super) learnt: Learnt,
    /// What a dialect could not carry.
    pub(super) losses: Vec<String>,
}

impl Aside {
    /// What it says; `None` where it cannot be read, or is not one answer.
    fn said(&self, dialect: Dialect, stream: bool) -> Option<Said> {
        let read =
            if stream { dialect.read_streamed_answer(&self.bytes) } else { dialect.read_answer(&self.bytes) };
        match read.ok()?.choices.as_slice() {
            [only] => Some(Said::of(only)),
            _ => None,
        }
    }
}

/// Whether the answers of two attempts say the same.
pub(super) fn same(aside: &[Aside], attempts: [AttemptNumber; 2], dialect: Dialect, stream: bool) -> bool {
    let said = |attempt| aside.iter().find(|one| one.attempt == attempt)?.said(dialect, stream);
    let [first, second] = attempts.map(said);
    first.zip(second).is_some_and(|(first, second)| agree(&first, &second))
}

/// How it stood between the two, where two were to be asked.
pub(super) fn agreement(held: &Held, summary: &Summary) -> Option<Agreement> {
    held.routed.agree.then(|| summary.agreement.unwrap_or(Agreement::Failed))
}
