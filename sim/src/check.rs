//! What must hold, whatever happens. The checkers see effects only: what a provider is sent, what a caller
//! receives, what the books say. They know nothing of the relay's state.

use crate::provider::Script;
use mains_relay::relay::AttemptNumber;
use mains_units::{Instant, Span};
use std::collections::BTreeMap;
use std::fmt;

/// What a checker watches over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checker {
    /// Every caller who waits gets exactly one reply: one head, one end.
    OneReply,
    /// Every request ends in exactly one record.
    OneRecord,
    /// No request makes more attempts than its route allows.
    AttemptsBounded,
    /// No byte of a cancelled attempt reaches the caller, and none of a second one.
    NothingAbandoned,
    /// Replies end within the total deadline, first content and gaps within theirs.
    DeadlineKept,
    /// What is metered is what the caller received.
    MeteredIsForwarded,
    /// What was held is settled or released.
    HeldIsSettledAndReleased,
    /// No cap is exceeded but by what a provider bills beyond its rules, and that is shown.
    NoOvershoot,
    /// A clean end means that the caller has the whole answer.
    NoCleanEndOfBroken,
    /// No target is dialled that policy, route or budget exclude.
    NothingForbidden,
    /// Nobody is turned away for want of a target while an eligible one exists.
    LastNotEjected,
    /// No body leaves before its intent, in strict durability not before its sync.
    IntentFirst,
    /// No breaker waits for ever for a probe.
    ProbesComeBack,
    /// Further attempts stay within the retry budget.
    RetriesBounded,
    /// Nothing is dialled for a caller who has left.
    NothingAfterLeaving,
    /// After a kill or a power cut the log opens, verifies, and holds what was promised.
    LogSurvives,
    /// A target that named a moment is not asked before it, unless nothing else is left.
    RestIsKept,
}

impl Checker {
    /// Every checker.
    pub const ALL: [Self; 17] = [
        Self::OneReply,
        Self::OneRecord,
        Self::AttemptsBounded,
        Self::NothingAbandoned,
        Self::DeadlineKept,
        Self::MeteredIsForwarded,
        Self::HeldIsSettledAndReleased,
        Self::NoOvershoot,
        Self::NoCleanEndOfBroken,
        Self::NothingForbidden,
        Self::LastNotEjected,
        Self::IntentFirst,
        Self::ProbesComeBack,
        Self::RetriesBounded,
        Self::NothingAfterLeaving,
        Self::LogSurvives,
        Self::RestIsKept,
    ];
}

/// A broken law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub checker: Checker,
    /// The request, where it is one's.
    pub request: Option<usize>,
    /// When.
    pub at: Instant,
    /// What was seen.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} ms", self.checker, self.at.0 / 1_000_000)?;
        if let Some(request) = self.request {
            write!(f, ", request {request}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Broken laws of one world.
#[derive(Debug, Clone, Default)]
pub struct Violations(pub Vec<Violation>);

impl Violations {
    /// Notes a law as broken unless it holds.
    pub fn check(
        &mut self,
        holds: bool,
        checker: Checker,
        request: Option<usize>,
        at: Instant,
        detail: impl FnOnce() -> String,
    ) {
        // The first few tell the story; what follows from them does not.
        if !holds && self.0.len() < 8 {
            self.0.push(Violation { checker, request, at, detail: detail() });
        }
    }
}

/// What the providers see of one attempt.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which.
    pub number: AttemptNumber,
    /// Its target's place in the world.
    pub target: usize,
    /// How it goes.
    pub script: Script,
    /// Its intent was written.
    pub intent: bool,
    /// Its intent was synced.
    pub durable: bool,
    /// When the question came.
    pub body: Option<Instant>,
    /// The server has given it up.
    pub cancelled: bool,
    /// Tokens that it sent before.
    pub tokens: u64,
}

/// What one caller sees, and what is seen of its request.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Heads received.
    pub heads: u32,
    /// Clean ends received.
    pub closes: u32,
    /// Errors received, as a status or in the stream.
    pub errors: u32,
    /// Bytes received.
    pub bytes: u64,
    /// The attempt that they came from.
    pub from: Option<AttemptNumber>,
    /// When the last ones came.
    pub last: Option<Instant>,
    /// When the caller left.
    pub left: Option<Instant>,
    /// Records written.
    pub records: u32,
    /// The attempts, as their providers see them.
    pub attempts: Vec<Seen>,
    /// An intent could not be written.
    pub intent_failed: bool,
    /// The budget refused it before any attempt.
    pub refused: bool,
}

impl Watch {
    /// The attempt of this number.
    pub fn attempt(&mut self, number: AttemptNumber) -> Option<&mut Seen> {
        self.attempts.iter_mut().find(|seen| seen.number == number)
    }

    /// The caller has its reply.
    pub fn replied(&self) -> bool {
        self.closes + self.errors > 0
    }
}

/// What the caller of one request must see in time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// When the reply must have ended.
    pub total_by: Instant,
    /// From the body to the first content; `None` where the answer is delivered whole.
    pub first_content: Option<Span>,
    /// Between two deliveries; `None` likewise.
    pub idle: Option<Span>,
}

/// One look at one request at one moment.
pub struct Eye<'a> {
    /// Where broken laws go.
    pub out: &'a mut Violations,
    /// The request.
    pub request: usize,
    /// The moment.
    pub now: Instant,
}

impl Eye<'_> {
    fn check(&mut self, holds: bool, checker: Checker, detail: impl FnOnce() -> String) {
        self.out.check(holds, checker, Some(self.request), self.now, detail);
    }

    /// The caller gets a head.
    pub fn head(&mut self, watch: &mut Watch, limits: &Limits, answering: AttemptNumber) {
        watch.heads += 1;
        let heads = watch.heads;
        self.check(heads == 1 && watch.errors == 0, Checker::OneReply, || format!("head number {heads}"));
        let body = watch.attempt(answering).and_then(|seen| seen.body);
        let (now, waited) = (self.now, body.map(|body| self.now.since(body)));
        let in_time = limits.first_content.is_none_or(|most| waited.is_some_and(|waited| waited <= most));
        self.check(in_time, Checker::DeadlineKept, || format!("first content after {waited:?}"));
        watch.last = Some(now);
    }

    /// The caller gets bytes that came from this attempt.
    pub fn bytes(&mut self, watch: &mut Watch, limits: &Limits, origin: AttemptNumber, bytes: u64) {
        let abandoned = watch.attempt(origin).is_none_or(|seen| seen.cancelled);
        let second = watch.from.is_some_and(|from| from != origin);
        self.check(!abandoned && !second, Checker::NothingAbandoned, || {
            format!("{bytes} bytes of attempt {origin}; abandoned: {abandoned}, second: {second}")
        });
        let over = watch.closes + watch.errors;
        self.check(over == 0, Checker::OneReply, || format!("{bytes} bytes after the end"));
        let gap = watch.last.map(|last| self.now.since(last));
        let in_time = limits.idle.is_none_or(|idle| gap.is_some_and(|gap| gap < idle));
        self.check(in_time, Checker::DeadlineKept, || format!("bytes after a gap of {gap:?}"));
        watch.from = Some(origin);
        watch.last = Some(self.now);
        watch.bytes += bytes;
    }

    /// The caller gets a clean end.
    pub fn close(&mut self, watch: &mut Watch, limits: &Limits) {
        watch.closes += 1;
        self.end(watch, limits);
        let bytes = watch.bytes;
        let answer = watch
            .from
            .or_else(|| watch.attempts.last().map(|seen| seen.number))
            .and_then(|number| watch.attempt(number));
        let whole = answer.is_some_and(|seen| seen.script.ends_clean() && seen.script.bytes() == bytes);
        self.check(whole, Checker::NoCleanEndOfBroken, || format!("a clean end after {bytes} bytes"));
    }

    /// The caller gets an error.
    pub fn error(&mut self, watch: &mut Watch, limits: &Limits) {
        watch.errors += 1;
        self.end(watch, limits);
    }

    fn end(&mut self, watch: &Watch, limits: &Limits) {
        let (closes, errors) = (watch.closes, watch.errors);
        self.check(closes + errors == 1, Checker::OneReply, || format!("{closes} ends, {errors} errors"));
        let late = self.now > limits.total_by;
        self.check(!late, Checker::DeadlineKept, || "the reply ends after the total deadline".into());
    }

    /// A provider is dialled.
    pub fn dial(&mut self, watch: &Watch, attempts_max: u32, eligible: bool) {
        let dials = watch.attempts.len();
        self.check(dials <= attempts_max as usize, Checker::AttemptsBounded, || format!("attempt {dials}"));
        self.check(eligible, Checker::NothingForbidden, || "a forbidden target was dialled".into());
        let left = watch.left.is_some();
        self.check(!left, Checker::NothingAfterLeaving, || "dialled for a caller who has left".into());
    }

    /// A provider gets a question.
    pub fn body(&mut self, seen: &mut Seen, strict: bool) {
        seen.body = Some(self.now);
        let safe = if strict { seen.durable } else { seen.intent };
        self.check(safe, Checker::IntentFirst, || format!("the body of attempt {} leaves", seen.number));
    }

    /// A record is written; `metered` bytes were charged as delivered.
    pub fn record(&mut self, watch: &mut Watch, metered: u64) {
        watch.records += 1;
        let bytes = watch.bytes;
        self.check(metered == bytes, Checker::MeteredIsForwarded, || {
            format!("{metered} bytes metered, {bytes} received")
        });
    }

    /// The world is over.
    pub fn last(&mut self, watch: &Watch, some_eligible: bool) {
        let records = watch.records;
        self.check(records == 1, Checker::OneRecord, || format!("{records} records"));
        let answered = watch.left.is_some() || watch.replied();
        self.check(answered, Checker::DeadlineKept, || "there was never a reply".into());
        let excused = watch.left.is_some() || watch.refused || watch.intent_failed || !some_eligible;
        let asked = excused || !watch.attempts.is_empty();
        self.check(asked, Checker::LastNotEjected, || "turned away while a target was eligible".into());
    }
}

/// Recounts requests and further attempts by the second.
#[derive(Debug, Clone, Default)]
pub struct Recount {
    seconds: BTreeMap<u64, (u64, u64)>,
}

impl Recount {
    /// A request came.
    pub fn request(&mut self, now: Instant) {
        self.seconds.entry(now.0 / 1_000_000_000).or_default().0 += 1;
    }

    /// A further attempt was let through: whether the budget of the last ten seconds allows it.
    pub fn further(&mut self, now: Instant) -> bool {
        let second = now.0 / 1_000_000_000;
        self.seconds.entry(second).or_default().1 += 1;
        let recent = self.seconds.range(second.saturating_sub(9)..=second);
        let (requests, further) = recent.fold((0, 0), |sum, (_, n)| (sum.0 + n.0, sum.1 + n.1));
        further <= requests / 5 + 100
    }
}
