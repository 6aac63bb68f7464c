//! What comes into the machine and what goes out of it.

use crate::admit::{Ask, Denied, Pass};
use crate::breaker::Verdict;
use crate::fault::Fault;
use crate::route::TargetName;
use mains_units::{Instant, Span};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::fmt;

/// Which attempt of its request; the first is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNumber(pub u32);

impl fmt::Display for AttemptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What happened. Byte counts are of the body as it came from the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The request may begin. Fed once, first.
    Start,
    /// The answer to `Action::Ask`.
    Permit {
        /// Which attempt may or may not start.
        attempt: AttemptNumber,
        /// Leave, or why not.
        answer: Result<Pass, Denied>,
    },
    /// The attempt's intent is synced.
    IntentDurable {
        /// Whose intent.
        attempt: AttemptNumber,
    },
    /// The attempt's intent cannot be written: nothing may leave this machine.
    IntentFailed {
        /// Whose intent.
        attempt: AttemptNumber,
    },
    /// There is a connection.
    Connected {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// The head of the reply came and its status is good. Recorded; decides nothing.
    Head {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// The attempt failed, at whatever stage: no connection, an error status, garbage, an error inside
    /// the body.
    Failed {
        /// Which attempt.
        attempt: AttemptNumber,
        /// How.
        fault: Fault,
        /// The provider's own wish, if it named one.
        retry_after: Option<Span>,
    },
    /// A piece of the body without real content: roles, ids, pings.
    Preamble {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Its length.
        bytes: u64,
    },
    /// A piece of the body with real content.
    Content {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Its length.
        bytes: u64,
    },
    /// The body ended as its dialect prescribes.
    EndedClean {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// The body ended otherwise.
    EndedBroken {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// The answer to `Action::Compare`.
    Compared {
        /// Whether both held answers say the same.
        agree: bool,
    },
    /// A moment asked for by `Action::Wake` has come.
    Tick,
    /// The caller has left.
    ClientGone,
}

impl Event {
    /// The attempt that this event belongs to.
    pub fn attempt(&self) -> Option<AttemptNumber> {
        match self {
            Self::Start | Self::Tick | Self::ClientGone | Self::Compared { .. } => None,
            Self::Permit { attempt, .. }
            | Self::IntentDurable { attempt }
            | Self::IntentFailed { attempt }
            | Self::Connected { attempt }
            | Self::Head { attempt }
            | Self::Failed { attempt, .. }
            | Self::Preamble { attempt, .. }
            | Self::Content { attempt, .. }
            | Self::EndedClean { attempt }
            | Self::EndedBroken { attempt } => Some(*attempt),
        }
    }
}

/// What to do, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Find out whether the attempt may start (`admit`), and feed `Event::Permit`.
    Ask {
        /// The attempt to be.
        attempt: AttemptNumber,
        /// Its place in the list of candidates.
        candidate: usize,
        /// What is asked.
        ask: Ask,
    },
    /// Write the attempt's intent into the ledger; feed `IntentDurable` when it is synced.
    WriteIntent {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Its place in the list of candidates.
        candidate: usize,
    },
    /// Connect; feed `Connected` or `Failed`.
    Dial {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Its place in the list of candidates.
        candidate: usize,
    },
    /// Send the question.
    SendBody {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// Keep the piece of the body that was just fed; the caller does not see it yet.
    Keep {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// The commit point: send the head, all that was kept, and the piece that was just fed (an
    /// `EndedClean` brings none), and flush.
    Commit {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// Send on the piece that was just fed, and flush.
    Forward {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// A whole answer of one of the two models that are asked first: put it aside, with all that was kept. Its connection is
    /// done.
    Hold {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// Compare the two answers that were put aside, and feed `Event::Compared`.
    Compare {
        /// The first attempt, whose answer it will be.
        first: AttemptNumber,
        /// The second.
        second: AttemptNumber,
    },
    /// The commit point of an answer that was put aside: send the head and the whole of it.
    Release {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// End the caller's answer cleanly.
    Close {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// Give the attempt up: drop its connection and what was kept of it.
    Cancel {
        /// Which attempt.
        attempt: AttemptNumber,
    },
    /// Tell the breaker of the attempt's target. Every permitted attempt ends with exactly one report
    /// that is not `Verdict::Answering`.
    Report {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Its place in the list of candidates.
        candidate: usize,
        /// Its pass.
        pass: Pass,
        /// When it was dialled.
        started: Instant,
        /// What it says.
        verdict: Verdict,
    },
    /// Answer the caller with an error: with a status before the commit point, after it with an error
    /// event of the caller's dialect and without a clean end.
    DeliverError(Failure),
    /// Feed `Tick` at this moment. The latest wake replaces any earlier one.
    Wake(Instant),
    /// The request is over: settle and record. Exactly once, and nothing follows it but the report of a
    /// pass that was asked for before and came too late.
    Finish(Outcome),
}

/// A few actions; a step rarely has more than four.
pub type Actions = SmallVec<[Action; 4]>;

/// How a request ended: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole answer was delivered.
    Ok,
    /// The answer broke after it had begun; the caller was told.
    Broken,
    /// Every candidate failed or could not be asked.
    Exhausted,
    /// The total deadline ran out.
    TimedOut,
    /// The caller left.
    Cancelled,
    /// A provider said that the question itself is at fault; the caller reads its words.
    Rejected,
    /// The ledger could not be written, so nothing may leave this machine.
    Refused,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Broken,
        Self::Exhausted,
        Self::TimedOut,
        Self::Cancelled,
        Self::Rejected,
        Self::Refused,
    ];

    /// The name written into records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Broken => "broken",
            Self::Exhausted => "exhausted",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
        }
    }
}

/// What the caller is told when there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the request ends.
    pub outcome: Outcome,
    /// The last fault, if an attempt failed.
    pub fault: Option<Fault>,
    /// The attempt of that fault, whose error body the caller may be shown.
    pub attempt: Option<AttemptNumber>,
    /// Why the last candidate could not be asked, if that is how it ended.
    pub denied: Option<Denied>,
    /// The answer had begun: the error must be an event of the stream.
    pub committed: bool,
    /// When it may help to come back, if anyone named it.
    pub retry_after: Option<Span>,
}

/// What the record needs to know of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How it ended; `None` while it lives.
    pub outcome: Option<Outcome>,
    /// Every attempt that was dialled, in order.
    pub attempts: Vec<AttemptSummary>,
    /// The attempt whose bytes the caller received.
    pub answered: Option<AttemptNumber>,
    /// Whether the caller received any.
    pub committed: bool,
    /// Body bytes of the answering attempt that were sent on.
    pub bytes_forwarded: u64,
    /// How it stood between the two models that were asked first; `None` where none were.
    pub agreement: Option<Agreement>,
}

/// How it stood between the two cheap models that are asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// They agreed.
    Yes,
    /// They did not.
    No,
    /// One of them could not be asked, or gave no whole answer.
    Failed,
}

impl Agreement {
    /// The name written into headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Failed => "failed",
        }
    }
}

/// What the record needs to know of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptSummary {
    /// Its number; the numbers of denied candidates are missing.
    pub number: AttemptNumber,
    /// Its place in the list of candidates.
    pub candidate: usize,
    /// Whom it asked.
    pub target: TargetName,
    /// When it was dialled.
    pub started: Instant,
    /// When the body left, if it did: only then the provider may bill.
    pub body_sent: Option<Instant>,
    /// When the head of a good reply came, if its driver said so.
    pub head: Option<Instant>,
    /// When real content came first, if it did.
    pub first_content: Option<Instant>,
    /// When it ended; `None` while it lives.
    pub ended: Option<Instant>,
    /// How it failed; `None` for a clean end and for a cancelled one.
    pub fault: Option<Fault>,
    /// Body bytes that came from the upstream.
    pub bytes_received: u64,
}
