//! The ten stops of a request. What a stop needs is in its argument's type: `Held` contains `Routed`, which
//! contains `Judged`, and so on, so a stop cannot run early.

pub(crate) mod choose;
pub(crate) mod deliver;
pub(crate) mod identify;
pub(crate) mod judge;
pub(crate) mod keep;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod relay;
pub(crate) mod reserve;
pub(crate) mod settle;

use crate::labels::Call;
use crate::live::{Extra, Live, LiveRoute};
use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;
use mains_ledger::Hash;
use mains_relay::budget::{Hold, Path};
use mains_relay::route::{Allowed, Capabilities, Choice, Drawn};
use mains_units::{Instant, RequestId, Timestamp};
use mains_wire::Dialect;
use mains_wire::edit::Peek;
use mains_wire::error::Refusal;
use mains_wire::neutral::Question;
use std::sync::Arc;

/// After stop 1: bytes are coming in, and it is known when they began.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// This request's name.
    pub id: RequestId,
    /// By the calendar.
    pub at: Timestamp,
    /// By the monotonic clock.
    pub started: Instant,
    /// What the path says.
    pub dialect: Dialect,
    /// As the client sent them.
    pub headers: HeaderMap,
    /// Not yet read.
    pub body: Incoming,
}

/// Who pays for a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The key's id; `None` while the outlet has no keys.
    pub key: Option<Arc<str>>,
    /// The project of the key.
    pub project: Option<Arc<str>>,
}

impl Caller {
    /// The budgets on its path.
    pub(crate) fn path(&self) -> Path {
        Path { project: self.project.clone(), key: self.key.clone() }
    }
}

/// What every record names, from stop 2 on.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// This request's name.
    pub id: RequestId,
    /// By the calendar.
    pub at: Timestamp,
    /// By the monotonic clock.
    pub started: Instant,
    /// How the caller speaks.
    pub dialect: Dialect,
    /// Who pays.
    pub caller: Caller,
    /// The fresh key of this record's commitments.
    pub commit_key: [u8; 32],
    /// The settings that were in force when the request came.
    pub live: Arc<Live>,
}

/// After stop 2: the caller is known.
#[derive(Debug)]
pub(crate) struct Known {
    /// What the record names.
    pub who: Who,
    /// As the client sent them.
    pub headers: HeaderMap,
    /// Not yet read.
    pub body: Incoming,
}

/// What is asked, in the form that its dialect has.
#[derive(Debug)]
pub(crate) enum Asking {
    /// A conversation, or why it could not be read (it may still pass through unread).
    Conversation(Result<Box<Question>, Refusal>),
    /// Passes through only: embeddings and responses.
    Opaque,
}

/// After stop 3: the question is read.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What the record names.
    pub who: Who,
    /// Headers that may go on to the provider.
    pub headers: HeaderMap,
    /// The original bytes.
    pub bytes: Bytes,
    /// The model's name as the caller wrote it.
    pub model: String,
    /// What a cheap look told.
    pub peek: Peek,
    /// The question.
    pub asking: Asking,
    /// What a target must be able to do.
    pub needs: Capabilities,
    /// The commitment to the original bytes.
    pub commit: Hash,
}

/// After stop 4: the policy has spoken.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The question.
    pub asked: Asked,
    /// The targets that may be asked.
    pub allowed: Allowed,
}

/// After stop 6: the targets are in order.
#[derive(Debug)]
pub(crate) struct Routed {
    /// The question, judged.
    pub judged: Judged,
    /// The route.
    pub route: Arc<LiveRoute>,
    /// A target that only this request has.
    pub extra: Extra,
    /// The candidates, why each.
    pub choice: Choice,
    /// How the coin of a switch fell, where one is under way and both its targets can answer.
    pub coin: Option<Coin>,
    /// Whether two cheap models were to be asked first.
    pub agree: bool,
    /// What the labeller of the route says, where one stands there.
    pub label: Option<Call>,
}

/// A draw between the old and the new target of a switch.
#[derive(Debug, Clone)]
pub(crate) struct Coin {
    /// How it fell.
    pub drawn: Drawn,
    /// The place of the drawn target among the candidates; none where it rests, and fails this request.
    pub place: Option<usize>,
    /// The new target's share, in percent.
    pub percent: u8,
    /// SHA-256 of the report behind the switch, in hex.
    pub report: Arc<str>,
}

/// After stop 7: the worst case is held in every budget.
#[derive(Debug)]
pub(crate) struct Held {
    /// The question, routed.
    pub routed: Routed,
    /// What is held; `None` once it is settled.
    pub hold: Option<Hold>,
}

/// A request that leaves before stop 8, and why.
#[derive(Debug)]
pub(crate) struct Left {
    /// What the record names.
    pub who: Who,
    /// The model, if it was read.
    pub model: Option<String>,
    /// Whether the caller wants a stream.
    pub stream: bool,
    /// The commitment to the bytes, if they were read.
    pub commit: Option<Hash>,
    /// What the caller is told.
    pub refusal: Box<Refusal>,
}

impl Who {
    /// Leaves before the question was read.
    pub(crate) fn leave(self, refusal: Refusal) -> Box<Left> {
        Box::new(Left { who: self, model: None, stream: false, commit: None, refusal: Box::new(refusal) })
    }
}

impl Asked {
    /// Leaves after it was.
    pub(crate) fn leave(self, refusal: Refusal) -> Box<Left> {
        Box::new(Left {
            who: self.who,
            model: Some(self.model),
            stream: self.peek.stream,
            commit: Some(self.commit),
            refusal: Box::new(refusal),
        })
    }
}

impl Routed {
    /// The original question.
    pub(crate) fn asked(&self) -> &Asked {
        &self.judged.asked
    }
}

impl Held {
    /// The original question.
    pub(crate) fn asked(&self) -> &Asked {
        self.routed.asked()
    }
}
