//! The two cheap models that are asked before all others, one after the other. Nothing of theirs reaches the caller until
//! both have answered; where they do not agree, or one of them fails, the others are asked as if these had not been there.

use super::turns::Turn;
use super::{Live, Pair, Relay, State, report};
use crate::breaker::Verdict;
use crate::fault::Fault;
use crate::relay::words::{Action, Actions, Agreement, Outcome};
use crate::route::Why;
use mains_units::{Instant, Span};

impl Relay {
    /// Whether this turn is that of one of the two.
    pub(super) fn is_leg(&self, turn: Turn) -> bool {
        self.pair != Pair::Closed && self.is_of_pair(turn.candidate)
    }

    pub(super) fn is_of_pair(&self, candidate: usize) -> bool {
        self.candidates.get(candidate).is_some_and(|candidate| candidate.why == Why::Agree)
    }

    /// One of the two has answered.
    pub(super) fn leg_ended(&mut self, live: Live, now: Instant, out: &mut Actions) {
        out.push(Action::Hold { attempt: live.number });
        out.push(report(&live, Verdict::Healthy));
        if let Some(summary) = self.attempts.last_mut() {
            summary.ended = Some(now);
        }
        if let Pair::Half(first, bytes) = self.pair {
            self.state = State::Comparing(first, bytes);
            out.push(Action::Compare { first, second: live.number });
        } else {
            self.pair = Pair::Half(live.number, live.kept);
            self.ask_next(now, out);
        }
    }

    /// One of the two gives no answer: whatever it was, the question goes on.
    pub(super) fn leg_failed(
        &mut self,
        live: Live,
        fault: Option<Fault>,
        retry_after: Option<Span>,
        now: Instant,
        out: &mut Actions,
    ) {
        self.end_live(live, fault, retry_after, now, out);
        self.close_pair(Agreement::Failed);
        self.ask_next(now, out);
    }

    /// They are done with: nobody of them is asked any more.
    pub(super) fn close_pair(&mut self, how: Agreement) {
        self.pair = Pair::Closed;
        self.agreement = Some(how);
        let candidates = &self.candidates;
        self.queue.retain(|turn| candidates.get(turn.candidate).is_none_or(|one| one.why != Why::Agree));
    }

    /// Both have answered, and it is known whether they agree.
    pub(super) fn compared(&mut self, agree: bool, now: Instant, out: &mut Actions) {
        let State::Comparing(first, bytes) = self.state else { return };
        if !agree {
            self.close_pair(Agreement::No);
            return self.ask_next(now, out);
        }
        self.close_pair(Agreement::Yes);
        self.answered = Some(first);
        self.bytes_forwarded = bytes;
        out.push(Action::Release { attempt: first });
        out.push(Action::Close { attempt: first });
        self.finish(Outcome::Ok, out);
    }
}
