//! The machine. Whose turn is next is decided in `turns`, what the two models that are asked first come to in `pair`;
//! everything that happens to a live attempt, here.

mod pair;
mod turns;

use self::turns::Turn;
use super::settings::{Durability, Mode, Settings};
use super::words::{
    Action, Actions, Agreement, AttemptNumber, AttemptSummary, Event, Failure, Outcome, Summary,
};
use crate::admit::{Denied, Pass};
use crate::breaker::Verdict;
use crate::fault::{Consequence, Fault};
use crate::route::{Candidate, Why};
use mains_units::{Chance, Instant, Span};
use std::collections::VecDeque;

/// One request on its way through its candidates.
#[derive(Debug, Clone)]
pub struct Relay {
    settings: Settings,
    candidates: Vec<Candidate>,
    /// Draws the jitter of pauses.
    chance: Chance,
    /// When the whole request must be over.
    total_by: Instant,
    /// Candidates still to be asked, next first.
    queue: VecDeque<Turn>,
    /// Candidates whose breaker said no; the first is the last resort if nothing is ever dialled.
    resting: Vec<usize>,
    next_number: u32,
    /// The latest attempt that leave was asked for, and its candidate.
    asked: Option<(AttemptNumber, usize)>,
    state: State,
    attempts: Vec<AttemptSummary>,
    /// The last thing that went wrong, for the error that the caller reads.
    last: Last,
    /// The moment of the latest `Wake`, if it has not come.
    wake_at: Option<Instant>,
    answered: Option<AttemptNumber>,
    bytes_forwarded: u64,
    pair: Pair,
    agreement: Option<Agreement>,
    outcome: Option<Outcome>,
}

/// The two models that are asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    /// There are none, or they are done with.
    Closed,
    /// None has answered yet.
    Open,
    /// The first has, with so many bytes.
    Half(AttemptNumber, u64),
}

#[derive(Debug, Clone, Default)]
struct Last {
    fault: Option<Fault>,
    attempt: Option<AttemptNumber>,
    denied: Option<Denied>,
    retry_after: Option<Span>,
}

#[derive(Debug, Clone)]
enum State {
    /// Not started.
    Fresh,
    /// Leave was asked for.
    Asking(AttemptNumber, Turn),
    /// Everyone left has to be given a pause.
    Pausing(Instant),
    /// An attempt is under way.
    Live(Live),
    /// Two answers are held, of which the first has so many bytes.
    Comparing(AttemptNumber, u64),
    /// Over.
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Live {
    number: AttemptNumber,
    turn: Turn,
    pass: Pass,
    started: Instant,
    connected: bool,
    intent_durable: bool,
    stage: Stage,
    /// When the stage must be over.
    by: Option<(Instant, Fault)>,
    /// Bytes kept and not yet sent on.
    kept: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waiting for the connection, or for the intent's sync.
    Opening,
    /// The body is sent; nothing of the answer is forwarded yet.
    Waiting,
    /// The caller receives this attempt's bytes.
    Committed,
}

impl Relay {
    /// A request for these candidates, of which its driver must not dial any other. `now` is when its
    /// total deadline begins: the moment it was accepted.
    pub fn new(settings: Settings, candidates: Vec<Candidate>, chance: Chance, now: Instant) -> Self {
        let turn = |candidate| Turn { candidate, tries: 0, not_before: now, last_resort: false };
        let pair = candidates.iter().filter(|candidate| candidate.why == Why::Agree).count();
        Self {
            pair: if pair == 2 { Pair::Open } else { Pair::Closed },
            agreement: None,
            settings,
            queue: (0..candidates.len()).map(turn).collect(),
            candidates,
            chance,
            total_by: now.after(settings.deadlines.total),
            resting: Vec::new(),
            next_number: 0,
            asked: None,
            state: State::Fresh,
            attempts: Vec::new(),
            last: Last::default(),
            wake_at: None,
            answered: None,
            bytes_forwarded: 0,
            outcome: None,
        }
    }

    /// The candidates, whose places the actions name.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Whether the request is over.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The deadline of the whole request.
    pub fn total_by(&self) -> Instant {
        self.total_by
    }

    /// What the record needs to know.
    pub fn summary(&self) -> Summary {
        Summary {
            outcome: self.outcome,
            attempts: self.attempts.clone(),
            answered: self.answered,
            committed: self.answered.is_some(),
            bytes_forwarded: self.bytes_forwarded,
            agreement: self.agreement,
        }
    }

    /// Takes one event and says what to do. `now` never runs backwards.
    pub fn step(&mut self, event: Event, now: Instant) -> Actions {
        let mut out = Actions::new();
        self.return_unused_pass(&event, now, &mut out);
        if matches!(event, Event::Tick) {
            self.wake_at = None;
        }
        // What arrives after its deadline arrives too late, whether or not the tick came first.
        if !matches!(event, Event::ClientGone) {
            self.expire(now, &mut out);
        }
        if !self.is_done() {
            match event {
                Event::Start => {
                    if matches!(self.state, State::Fresh) {
                        self.ask_next(now, &mut out);
                    }
                }
                Event::Tick => {
                    if matches!(self.state, State::Pausing(until) if until <= now) {
                        self.ask_next(now, &mut out);
                    }
                }
                Event::ClientGone => self.client_gone(now, &mut out),
                Event::Compared { agree } => self.compared(agree, now, &mut out),
                Event::Permit { attempt, answer } => self.permit(attempt, answer, now, &mut out),
                event => self.attempt_event(&event, now, &mut out),
            }
        }
        self.wake(now, &mut out);
        out
    }

    /// Ends what has outlived its deadline.
    fn expire(&mut self, now: Instant, out: &mut Actions) {
        if self.is_done() {
            return;
        }
        if now >= self.total_by {
            if let State::Live(live) = self.state {
                // The target is to blame only if it had the whole deadline for itself.
                let alone = self.attempts.len() == 1 && live.stage == Stage::Waiting;
                let fault = if alone { Fault::FirstContentTimeout } else { Fault::Deadline };
                self.end_live(live, Some(fault), None, now, out);
            }
            self.fail(Outcome::TimedOut, out);
        } else if let State::Live(live) = self.state
            && let Some((by, fault)) = live.by
            && now >= by
        {
            self.failed(live, fault, None, now, out);
        }
    }

    fn dial(&mut self, number: AttemptNumber, turn: Turn, pass: Pass, now: Instant, out: &mut Actions) {
        let Some(candidate) = self.candidates.get(turn.candidate) else { return };
        self.attempts.push(AttemptSummary {
            number,
            candidate: turn.candidate,
            target: candidate.target.name.clone(),
            started: now,
            body_sent: None,
            head: None,
            first_content: None,
            ended: None,
            fault: None,
            bytes_received: 0,
        });
        self.last.denied = None;
        self.state = State::Live(Live {
            number,
            turn: Turn { tries: turn.tries + 1, ..turn },
            pass,
            started: now,
            connected: false,
            intent_durable: self.settings.durability == Durability::Batched,
            stage: Stage::Opening,
            by: Some((now.after(self.settings.deadlines.connect), Fault::ConnectTimeout)),
            kept: 0,
        });
        out.push(Action::WriteIntent { attempt: number, candidate: turn.candidate });
        out.push(Action::Dial { attempt: number, candidate: turn.candidate });
    }

    /// An event of a live attempt; those of any other attempt are ignored.
    fn attempt_event(&mut self, event: &Event, now: Instant, out: &mut Actions) {
        let State::Live(mut live) = self.state else { return };
        if event.attempt() != Some(live.number) {
            return;
        }
        match *event {
            Event::Head { .. } => {
                if let Some(summary) = self.attempts.last_mut() {
                    summary.head = Some(now);
                }
            }
            Event::IntentDurable { .. } => {
                live.intent_durable = true;
                self.send_body(live, now, out);
            }
            Event::Connected { .. } if live.stage == Stage::Opening => {
                live.connected = true;
                live.by = None;
                self.send_body(live, now, out);
            }
            Event::IntentFailed { .. } => {
                self.end_live(live, None, None, now, out);
                self.fail(Outcome::Refused, out);
            }
            Event::Failed { fault, retry_after, .. } => self.failed(live, fault, retry_after, now, out),
            Event::Preamble { bytes, .. } => self.piece(live, bytes, false, now, out),
            Event::Content { bytes, .. } => self.piece(live, bytes, true, now, out),
            Event::EndedClean { .. } if live.stage == Stage::Opening => {
                self.failed(live, Fault::Garbage, None, now, out);
            }
            Event::EndedClean { .. } => self.ended_clean(live, now, out),
            Event::EndedBroken { .. } => self.failed(live, Fault::BrokenStream, None, now, out),
            _ => {}
        }
    }

    /// Sends the question once there is a connection and, if strict, a synced intent.
    fn send_body(&mut self, mut live: Live, now: Instant, out: &mut Actions) {
        if live.stage == Stage::Opening && live.connected && live.intent_durable {
            live.stage = Stage::Waiting;
            let deadlines = &self.settings.deadlines;
            let span = match self.settings.mode {
                Mode::Stream if !self.is_leg(live.turn) => deadlines.first_content,
                _ => deadlines.whole,
            };
            live.by = Some((now.after(span), Fault::FirstContentTimeout));
            if let Some(summary) = self.attempts.last_mut() {
                summary.body_sent = Some(now);
            }
            out.push(Action::SendBody { attempt: live.number });
        }
        self.state = State::Live(live);
    }

    /// A piece of the body.
    fn piece(&mut self, mut live: Live, bytes: u64, content: bool, now: Instant, out: &mut Actions) {
        if live.stage == Stage::Opening {
            // An answer to a question that was not sent.
            return self.failed(live, Fault::Garbage, None, now, out);
        }
        let attempt = live.number;
        if let Some(summary) = self.attempts.last_mut() {
            summary.bytes_received = summary.bytes_received.saturating_add(bytes);
            if content && summary.first_content.is_none() {
                summary.first_content = Some(now);
            }
        }
        if live.stage == Stage::Committed {
            self.bytes_forwarded = self.bytes_forwarded.saturating_add(bytes);
            live.by = Some((now.after(self.settings.deadlines.idle), Fault::IdleTimeout));
            self.state = State::Live(live);
            out.push(Action::Forward { attempt });
            return;
        }
        let kept = live.kept.saturating_add(bytes);
        let full = kept > self.settings.kept_max;
        if self.is_leg(live.turn) && full {
            return self.leg_failed(live, None, None, now, out);
        }
        match (self.settings.mode, content) {
            (Mode::Stream, true) if !self.is_leg(live.turn) => self.commit(live, bytes, now, out),
            (Mode::Stream, false) if full => self.failed(live, Fault::Garbage, None, now, out),
            (Mode::Whole, _) if full => self.commit(live, bytes, now, out),
            _ => {
                live.kept = kept;
                self.state = State::Live(live);
                out.push(Action::Keep { attempt });
            }
        }
    }

    /// From here on no other target can answer this request.
    fn commit(&mut self, mut live: Live, bytes: u64, now: Instant, out: &mut Actions) {
        out.push(Action::Commit { attempt: live.number });
        self.answered = Some(live.number);
        self.bytes_forwarded = live.kept.saturating_add(bytes);
        out.push(report(&live, Verdict::Answering));
        // The probe is spent: the breaker closed on it.
        live.pass = Pass { probe: false };
        live.kept = 0;
        live.stage = Stage::Committed;
        live.by = Some((now.after(self.settings.deadlines.idle), Fault::IdleTimeout));
        self.state = State::Live(live);
    }

    fn ended_clean(&mut self, mut live: Live, now: Instant, out: &mut Actions) {
        if self.is_leg(live.turn) {
            return self.leg_ended(live, now, out);
        }
        if live.stage == Stage::Waiting {
            self.commit(live, 0, now, out);
            live.pass = Pass { probe: false };
        }
        out.push(Action::Close { attempt: live.number });
        out.push(report(&live, Verdict::Healthy));
        if let Some(summary) = self.attempts.last_mut() {
            summary.ended = Some(now);
        }
        self.finish(Outcome::Ok, out);
    }

    /// A live attempt failed: tell the breaker, then the next candidate or the caller.
    fn failed(
        &mut self,
        live: Live,
        fault: Fault,
        retry_after: Option<Span>,
        now: Instant,
        out: &mut Actions,
    ) {
        if self.is_leg(live.turn) {
            return self.leg_failed(live, Some(fault), retry_after, now, out);
        }
        let committed = live.stage == Stage::Committed;
        self.end_live(live, Some(fault), retry_after, now, out);
        if committed {
            return self.fail(Outcome::Broken, out);
        }
        match fault.consequence() {
            Consequence::Ends => return self.fail(Outcome::Rejected, out),
            Consequence::Counts => self.queue_again(live.turn, retry_after, now),
            Consequence::Opens | Consequence::Reroutes | Consequence::Retires => {}
        }
        self.ask_next(now, out);
    }

    /// Closes the books of a live attempt that did not end well. The caller decides what comes next.
    fn end_live(
        &mut self,
        live: Live,
        fault: Option<Fault>,
        retry_after: Option<Span>,
        now: Instant,
        out: &mut Actions,
    ) {
        out.push(Action::Cancel { attempt: live.number });
        let verdict = match fault {
            Some(fault) => Verdict::Faulted { fault, retry_after },
            None => Verdict::Nothing,
        };
        out.push(report(&live, verdict));
        if let Some(summary) = self.attempts.last_mut() {
            summary.ended = Some(now);
            summary.fault = fault;
        }
        self.last.fault = fault.or(self.last.fault);
        self.last.attempt = fault.map(|_| live.number).or(self.last.attempt);
        self.last.retry_after = retry_after.or(self.last.retry_after);
        // Never to be seen: whoever calls this goes on to the next candidate or to the end.
        self.state = State::Pausing(now);
    }

    fn client_gone(&mut self, now: Instant, out: &mut Actions) {
        if let State::Live(live) = self.state {
            self.end_live(live, None, None, now, out);
        }
        self.finish(Outcome::Cancelled, out);
    }

    fn fail(&mut self, outcome: Outcome, out: &mut Actions) {
        let last = std::mem::take(&mut self.last);
        out.push(Action::DeliverError(Failure {
            outcome,
            fault: last.fault,
            attempt: last.attempt,
            denied: last.denied,
            committed: self.answered.is_some(),
            retry_after: last.retry_after,
        }));
        self.finish(outcome, out);
    }

    fn finish(&mut self, outcome: Outcome, out: &mut Actions) {
        self.state = State::Done;
        self.outcome = Some(outcome);
        out.push(Action::Finish(outcome));
    }

    /// The next moment at which something must be decided; `None` once the request is over.
    pub fn next_deadline(&self) -> Option<Instant> {
        let stage = match &self.state {
            State::Done | State::Fresh => return None,
            State::Live(live) => live.by.map(|(by, _)| by),
            State::Pausing(until) => Some(*until),
            State::Asking(..) | State::Comparing(..) => None,
        };
        Some(stage.map_or(self.total_by, |by| by.min(self.total_by)))
    }

    /// Asks to be woken if the next deadline comes before the wake under way. A wake that comes too
    /// early costs one tick; a new timer for every piece of a stream would cost more.
    fn wake(&mut self, now: Instant, out: &mut Actions) {
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
        }
        if let Some(by) = self.next_deadline()
            && self.wake_at.is_none_or(|at| by < at)
        {
            self.wake_at = Some(by);
            out.push(Action::Wake(by));
        }
    }
}

fn report(live: &Live, verdict: Verdict) -> Action {
    Action::Report {
        attempt: live.number,
        candidate: live.turn.candidate,
        pass: live.pass,
        started: live.started,
        verdict,
    }
}
