//! Whose turn is next: the queue of candidates, the leave that each attempt asks for, and the pauses
//! before a target is asked again.

use super::{Relay, State};
use crate::admit::{Ask, Denied, Pass};
use crate::breaker::Verdict;
use crate::relay::words::{Action, Actions, Agreement, AttemptNumber, Event, Outcome};
use crate::route::Why;
use mains_units::{Instant, Span};

/// A candidate waiting for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) candidate: usize,
    /// How often this request has asked it.
    pub(super) tries: u32,
    pub(super) not_before: Instant,
    pub(super) last_resort: bool,
}

impl Relay {
    /// A pass that comes when its request no longer needs it goes back to the breaker: it may be the one
    /// probe.
    pub(super) fn return_unused_pass(&self, event: &Event, now: Instant, out: &mut Actions) {
        let Event::Permit { attempt, answer: Ok(pass) } = event else { return };
        let used =
            now < self.total_by && matches!(self.state, State::Asking(number, _) if number == *attempt);
        if let Some((number, candidate)) = self.asked
            && number == *attempt
            && !used
        {
            let (attempt, verdict) = (number, Verdict::Nothing);
            out.push(Action::Report { attempt, candidate, pass: *pass, started: now, verdict });
        }
    }

    /// Asks the next candidate in the queue, or ends the request.
    pub(super) fn ask_next(&mut self, now: Instant, out: &mut Actions) {
        // The two that are asked first are no attempts in place of others.
        let before = self.attempts.iter().filter(|attempt| self.is_of_pair(attempt.candidate)).count();
        let dialled = u32::try_from(self.attempts.len() - before).unwrap_or(u32::MAX);
        if dialled >= self.settings.retry.attempts_max.max(1) {
            return self.fail(Outcome::Exhausted, out);
        }
        if self.queue.is_empty()
            && dialled == 0
            && let Some(candidate) = self.resting.first().copied()
        {
            // Never ejecting the last: all that is left is resting, and nobody was asked yet.
            self.resting.clear();
            self.queue.push_back(Turn { candidate, tries: 0, not_before: now, last_resort: true });
        }
        let Some(turn) = self.queue.pop_front() else {
            return self.fail(Outcome::Exhausted, out);
        };
        if turn.not_before > now {
            self.state = State::Pausing(turn.not_before);
            self.queue.push_front(turn);
            return;
        }
        let attempt = AttemptNumber(self.next_number);
        self.next_number += 1;
        self.state = State::Asking(attempt, turn);
        self.asked = Some((attempt, turn.candidate));
        let ask = Ask {
            // What both of them may use was held at once, at the start.
            further: dialled > 0 || (before > 0 && !self.is_leg(turn)),
            planned: dialled == 0,
            last_resort: turn.last_resort || matches!(self.why(turn), Why::LeastBad { .. } | Why::OnlyOne),
        };
        out.push(Action::Ask { attempt, candidate: turn.candidate, ask });
    }

    fn why(&self, turn: Turn) -> Why {
        self.candidates.get(turn.candidate).map_or(Why::Order, |candidate| candidate.why)
    }

    pub(super) fn permit(
        &mut self,
        attempt: AttemptNumber,
        answer: Result<Pass, Denied>,
        now: Instant,
        out: &mut Actions,
    ) {
        let State::Asking(number, turn) = self.state else { return };
        if number != attempt {
            return;
        }
        match answer {
            Ok(pass) => self.dial(number, turn, pass, now, out),
            Err(denied) => {
                match denied {
                    Denied::Open { .. } if self.is_leg(turn) => self.close_pair(Agreement::Failed),
                    // Turned away even as the last: to ask it again and again would never end.
                    Denied::Open { .. } if turn.last_resort => {}
                    Denied::Open { .. } => self.resting.push(turn.candidate),
                    // No further attempt of any kind.
                    Denied::RetryBudget => self.queue.clear(),
                    Denied::Hold(_) => {}
                }
                self.last.denied = Some(denied);
                self.ask_next(now, out);
            }
        }
    }

    /// Puts a target that may recover behind all others, if its pause fits the deadline.
    pub(super) fn queue_again(&mut self, turn: Turn, retry_after: Option<Span>, now: Instant) {
        let retry = &self.settings.retry;
        if turn.tries >= retry.tries_per_target.max(1) {
            return;
        }
        let doubled = retry.pause.0.saturating_mul(1 << turn.tries.saturating_sub(1).min(20));
        let jittered = doubled - self.chance.below(doubled / 2 + 1);
        let pause = Span(jittered).max(retry_after.unwrap_or_default());
        let not_before = now.after(pause);
        if pause <= retry.pause_max && not_before < self.total_by {
            self.queue.push_back(Turn { not_before, ..turn });
        }
    }
}
