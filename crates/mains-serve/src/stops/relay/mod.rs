//! Stop 8: the attempts. The machine in `mains-relay` decides; this drives it: it owns the sockets and the bytes.
//!
//! `line` is one upstream during one attempt, `translate` the way from its dialect to the caller's, `send` the
//! question in the upstream's words, and [`Drive`] the loop between them.

mod copied;
mod drive;
mod fault;
mod line;
mod pair;
mod send;
mod translate;

pub(crate) use copied::{Copied, bytes_max};
pub(crate) use drive::relay;

use super::Held;
use super::deliver::Unsent;
use bytes::Bytes;
use mains_ledger::Hash;
use mains_relay::relay::{Agreement, AttemptNumber, Summary};
use mains_units::Instant;
use mains_wire::error::ErrorBody;
pub(crate) use translate::Learnt;

/// How the caller's answer stands when the machine is done.
#[derive(Debug)]
pub(crate) enum Told {
    /// A stream that has been sent.
    Streamed,
    /// A whole answer, not sent yet.
    Answer(Bytes),
    /// An error before the commit point, not sent yet.
    Error(Box<ErrorBody>),
    /// Nothing: the caller has left.
    Nothing,
}

/// After stop 8: bytes have flowed, or not.
#[derive(Debug)]
pub(crate) struct Relayed {
    /// The question and its hold.
    pub held: Held,
    /// What the machine tells of its attempts.
    pub summary: Summary,
    /// What was learnt of the answer.
    pub learnt: Learnt,
    /// Answers of the models that were asked first which did not become the answer; they cost all the same.
    pub aside: Vec<(AttemptNumber, Learnt)>,
    /// How the caller's answer stands.
    pub told: Told,
    /// Indices of the intents in the ledger.
    pub intents: Vec<u64>,
    /// The commitment to the bytes that the caller received or will receive.
    pub commit: Option<Hash>,
    /// What went out of a stream, where it may be kept.
    pub copied: Copied,
    /// What a dialect could not carry, either way.
    pub losses: Vec<String>,
    /// When the machine was done.
    pub ended: Instant,
}

impl Relayed {
    /// How it stood between the two models that were to be asked first, if any were.
    pub(crate) fn agreement(&self) -> Option<Agreement> {
        pair::agreement(&self.held, &self.summary)
    }

    /// What is still to be sent.
    pub(crate) fn unsent(self) -> Option<Unsent> {
        match self.told {
            Told::Answer(bytes) => Some(Unsent::Answer(bytes)),
            Told::Error(body) => Some(Unsent::Error(body)),
            Told::Streamed | Told::Nothing => None,
        }
    }

    /// The HTTP status that the caller saw or will see.
    pub(crate) fn status(&self) -> u16 {
        match &self.told {
            Told::Streamed | Told::Answer(_) => 200,
            Told::Error(body) => body.status_in(self.held.asked().who.dialect),
            // What nginx calls "client closed request".
            Told::Nothing => 499,
        }
    }
}
