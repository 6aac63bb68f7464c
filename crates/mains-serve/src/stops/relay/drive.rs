//! The loop: feed the machine what happened, carry out what it says. `aside` is what it does with the answers of two models
//! that are asked first, and the head of a stream.

mod aside;

use super::fault::{is_clear_word, of_piece, to_relay};
use super::line::{Line, Piece};
use super::pair::Aside;
use super::send::send;
use super::translate::{Learnt, Passed, Translate};
use super::{Copied, Relayed, Told};
use crate::outlet::Outlet;
use crate::stops::deliver::Reply;
use crate::stops::{Held, record, reserve};
use bytes::Bytes;
use mains_ledger::commitment::Commitment;
use mains_relay::relay::{Action, AttemptNumber, Durability, Event, Failure, Mode, Outcome, Relay, Settings};
use mains_relay::{Fault, Pass, admit};
use mains_store::log::Durable;
use mains_units::Instant;
use mains_wire::error::{Deadline, ErrorBody, FailedAttempt, ProviderError, Refusal};
use mains_wire::fault::Fault as WireFault;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most bytes of a plain answer.
const WHOLE_BYTES_MAX: u64 = 64 << 20;

/// A failed attempt as its provider told it.
struct Failed {
    attempt: AttemptNumber,
    error: ProviderError,
    fault: WireFault,
}

/// One request being relayed.
struct Drive<'a> {
    outlet: &'a Outlet,
    held: Held,
    machine: Relay,
    reply: &'a mut Reply,
    attempt: AttemptNumber,
    /// Which candidate each attempt asks.
    asked_of: Vec<(AttemptNumber, usize)>,
    /// Attempts at a target that a drill keeps dead.
    drilled: Vec<AttemptNumber>,
    line: Line,
    translate: Option<Translate>,
    /// Whole answers that the machine put aside.
    aside: Vec<Aside>,
    /// What the machine said to keep.
    kept: Vec<u8>,
    /// The piece that was just fed.
    piece: Vec<u8>,
    /// Whether an attempt waits for its intent's sync.
    strict: bool,
    durable: Option<Durable>,
    wake: Option<Instant>,
    events: VecDeque<Event>,
    commit: Commitment,
    copied: Copied,
    committed_bytes: bool,
    intents: Vec<u64>,
    failed: Vec<Failed>,
    losses: Vec<String>,
    learnt: Learnt,
    told: Told,
}

/// Relays the question until the machine is done.
pub(crate) async fn relay(outlet: &Outlet, held: Held, reply: &mut Reply) -> Relayed {
    let mut drive = Drive::new(outlet, held, reply);
    drive.events.push_back(Event::Start);
    loop {
        while let Some(event) = drive.events.pop_front() {
            let actions = drive.machine.step(event, outlet.clock.monotonic());
            for action in actions {
                drive.act(action).await;
            }
        }
        if drive.machine.is_done() {
            return drive.finish();
        }
        drive.wait().await;
    }
}

impl<'a> Drive<'a> {
    fn new(outlet: &'a Outlet, held: Held, reply: &'a mut Reply) -> Self {
        let stream = held.asked().peek.stream;
        let settings = Settings {
            deadlines: held.routed.route.route.deadlines,
            retry: held.routed.route.route.retry,
            durability: match held.asked().who.live.settings.ledger.durability.value {
                mains_config::Durability::Strict => Durability::Strict,
                mains_config::Durability::Batched => Durability::Batched,
            },
            mode: if stream { Mode::Stream } else { Mode::Whole },
            kept_max: if stream { 1 << 20 } else { WHOLE_BYTES_MAX },
        };
        let mut shared = outlet.shared();
        shared.retries.deposit(outlet.clock.monotonic());
        let chance = shared.chance.split();
        drop(shared);
        let candidates = held.routed.choice.candidates.clone();
        let commit = Commitment::new(&held.asked().who.commit_key);
        let copied = Copied::of(&held);
        Self {
            outlet,
            machine: Relay::new(settings, candidates, chance, outlet.clock.monotonic()),
            held,
            reply,
            attempt: AttemptNumber::default(),
            asked_of: Vec::new(),
            drilled: Vec::new(),
            line: Line::Idle,
            translate: None,
            aside: Vec::new(),
            kept: Vec::new(),
            piece: Vec::new(),
            strict: settings.durability == Durability::Strict,
            durable: None,
            wake: None,
            events: VecDeque::new(),
            commit,
            copied,
            committed_bytes: false,
            intents: Vec::new(),
            failed: Vec::new(),
            losses: Vec::new(),
            learnt: Learnt::default(),
            told: Told::Nothing,
        }
    }

    /// Waits for the next thing to happen and queues it for the machine.
    async fn wait(&mut self) {
        let now = self.outlet.clock.monotonic();
        let sleep = self.wake.map(|at| at.since(now).to_std());
        let timer = async {
            match sleep {
                Some(span) => tokio::time::sleep(span).await,
                None => std::future::pending().await,
            }
        };
        let durable = async {
            match &mut self.durable {
                Some(durable) => durable.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.reply.gone() => self.events.push_back(Event::ClientGone),
            synced = durable => {
                self.durable = None;
                let attempt = self.attempt;
                self.events.push_back(if synced.is_ok() { Event::IntentDurable { attempt } } else { Event::IntentFailed { attempt } });
            }
            piece = self.line.next() => self.take(piece),
            () = timer => {
                self.wake = None;
                self.events.push_back(Event::Tick);
            }
        }
    }

    /// Turns a piece of the line into events.
    fn take(&mut self, piece: Piece) {
        let attempt = self.attempt;
        let now = self.outlet.clock.now();
        let provider = self.facts(attempt).map(|facts| facts.upstream.provider.clone());
        let classify = |error: &ProviderError| {
            provider
                .as_ref()
                .map_or(WireFault::Transient { retry_after: None }, |provider| provider.classify(error))
        };
        if let Some((fault, error, wire, retry_after)) = of_piece(&piece, classify, now) {
            self.failed.push(Failed { attempt, error, fault: wire });
            self.events.push_back(Event::Failed { attempt, fault, retry_after });
            return;
        }
        let Some(translate) = &mut self.translate else { return };
        match piece {
            Piece::Head => self.events.push_back(Event::Head { attempt }),
            Piece::Bytes(bytes) => {
                let passed = translate.bytes(&bytes);
                self.passed(passed);
            }
            Piece::Local(event) => {
                let passed = translate.event(event);
                self.passed(passed);
            }
            Piece::End => {
                let passed = translate.finish();
                let failed = passed.failed.is_some();
                self.passed(passed);
                if !failed {
                    self.events.push_back(Event::EndedClean { attempt });
                }
            }
            Piece::Broken => {
                let error = ProviderError::without_reply("the connection broke in the middle of the answer");
                self.failed.push(Failed { attempt, error, fault: WireFault::BrokenStream });
                self.events.push_back(Event::EndedBroken { attempt });
            }
            _ => {}
        }
    }

    /// A piece that went through the translation.
    fn passed(&mut self, passed: Passed) {
        let attempt = self.attempt;
        let Passed { forward, committed, failed, losses } = passed;
        self.losses.extend(losses);
        let begun = self.reply.has_begun();
        if failed.is_none() || begun {
            let bytes = forward.len() as u64;
            self.piece = forward;
            self.events.push_back(if committed {
                Event::Content { attempt, bytes }
            } else {
                Event::Preamble { attempt, bytes }
            });
        }
        if let Some((error, fault)) = failed {
            let retry_after = fault.retry_after();
            self.failed.push(Failed { attempt, error, fault });
            self.events.push_back(Event::Failed { attempt, fault: to_relay(fault, true), retry_after });
        }
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Ask { attempt, candidate, ask } => {
                let answer = self.ask(attempt, candidate, ask);
                self.events.push_back(Event::Permit { attempt, answer });
            }
            Action::WriteIntent { attempt, candidate } => self.write_intent(attempt, candidate),
            Action::Dial { attempt, .. } => {
                // The pool dials when the question is sent; it enforces the connect deadline itself.
                self.attempt = attempt;
                self.events.push_back(Event::Connected { attempt });
            }
            Action::SendBody { attempt } => self.send_body(attempt),
            Action::Keep { .. } => self.kept.append(&mut self.piece),
            Action::Commit { .. } => {
                let mut all = std::mem::take(&mut self.kept);
                all.append(&mut self.piece);
                self.hand_on(all, true).await;
            }
            Action::Forward { .. } => {
                let piece = std::mem::take(&mut self.piece);
                self.hand_on(piece, false).await;
            }
            Action::Hold { attempt } => self.put_aside(attempt),
            Action::Compare { first, second } => self.compare([first, second]),
            Action::Release { attempt } => self.release(attempt).await,
            Action::Cancel { .. } => {
                self.line = Line::Idle;
                self.kept.clear();
                self.piece.clear();
                self.durable = None;
            }
            Action::Report { attempt, pass, started, verdict, .. } => {
                self.report(attempt, pass, started, verdict);
            }
            Action::DeliverError(failure) => self.deliver_error(&failure).await,
            Action::Wake(at) => self.wake = Some(at),
            // A stream ends when the reply is dropped, which comes after the record.
            Action::Close { .. } | Action::Finish(_) => {}
        }
    }

    /// May this attempt start? Breaker, retry budget and hold are asked under one lock.
    fn ask(
        &mut self,
        attempt: AttemptNumber,
        candidate: usize,
        ask: mains_relay::Ask,
    ) -> Result<Pass, mains_relay::Denied> {
        let now = self.outlet.clock.monotonic();
        let at = self.outlet.clock.now();
        let Some(target) =
            self.machine.candidates().get(candidate).map(|candidate| Arc::clone(&candidate.target))
        else {
            return Err(mains_relay::Denied::RetryBudget);
        };
        let facts = self.held.asked().who.live.facts(&target.name, &self.held.routed.extra);
        let drilled = facts.as_ref().is_some_and(|facts| self.outlet.drills.is_dead(facts, now));
        if drilled {
            self.drilled.push(attempt);
        }
        // The first attempt is covered by the hold of stop 7.
        let worst = facts
            .filter(|_| ask.further)
            .map(|facts| reserve::worst_case(self.outlet, &self.held.routed, &facts));
        let shared = &mut *self.outlet.shared();
        let hold = &mut self.held.hold;
        let budgets = &mut shared.budgets;
        let extend = || match (&worst, hold) {
            (Some(worst), Some(hold)) => budgets.extend(hold, worst, at),
            _ => Ok(()),
        };
        let breakers = if drilled { &mut shared.drilled } else { &mut shared.breakers };
        admit::admit(breakers, &mut shared.retries, &target.name, ask, extend, now)
    }

    fn write_intent(&mut self, attempt: AttemptNumber, candidate: usize) {
        self.attempt = attempt;
        self.asked_of.push((attempt, candidate));
        let Some(target) =
            self.machine.candidates().get(candidate).map(|candidate| Arc::clone(&candidate.target))
        else {
            return;
        };
        let facts = self.held.asked().who.live.facts(&target.name, &self.held.routed.extra);
        match record::intent(self.outlet, &self.held, attempt, &target, facts.as_deref()) {
            Ok(ticket) => {
                self.intents.push(ticket.index());
                // With `batched` nobody waits for the disk, and the ledger may take its time.
                self.durable = self.strict.then(|| ticket.durable());
            }
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be written; the request is refused");
                self.events.push_back(Event::IntentFailed { attempt });
            }
        }
    }

    fn send_body(&mut self, attempt: AttemptNumber) {
        let Some(facts) = self.facts(attempt) else { return };
        if self.drilled.contains(&attempt) {
            self.line = Line::Drilled;
            return;
        }
        match send(self.outlet, &self.held, &facts) {
            Ok(sent) => {
                self.line = sent.line;
                self.translate = Some(sent.translate);
                self.losses.extend(sent.losses);
            }
            Err(why) => {
                let fault = WireFault::Unsupported;
                self.failed.push(Failed { attempt, error: ProviderError::without_reply(why), fault });
                self.events.push_back(Event::Failed {
                    attempt,
                    fault: Fault::ContextLength,
                    retry_after: None,
                });
            }
        }
    }

    /// Bytes for the caller. A plain answer is held back until it is settled; a stream flows.
    async fn hand_on(&mut self, bytes: Vec<u8>, first: bool) {
        self.commit.update(&bytes);
        self.copied.add(&bytes);
        self.committed_bytes = true;
        if !self.held.asked().peek.stream {
            self.told = Told::Answer(match &self.told {
                Told::Answer(held) => [held.as_ref(), bytes.as_slice()].concat().into(),
                _ => bytes.into(),
            });
            return;
        }
        if first {
            let head = self.stream_head();
            self.reply.begin(head);
            self.told = Told::Streamed;
        }
        if !self.reply.piece(Bytes::from(bytes)).await {
            self.events.push_back(Event::ClientGone);
        }
    }

    fn report(&self, attempt: AttemptNumber, pass: Pass, started: Instant, verdict: mains_relay::Verdict) {
        let index =
            self.asked_of.iter().rev().find(|(number, _)| *number == attempt).map(|(_, index)| *index);
        let Some(candidate) = index.and_then(|index| self.machine.candidates().get(index)) else { return };
        let now = self.outlet.clock.monotonic();
        let drilled = self.drilled.contains(&attempt);
        self.outlet.shared().breakers_of(drilled).report(&candidate.target.name, pass, started, verdict, now);
    }

    async fn deliver_error(&mut self, failure: &Failure) {
        let body = self.error_body(failure);
        let who = &self.held.asked().who;
        let (id, dialect) = (who.id, who.dialect);
        if !failure.committed || !self.held.asked().peek.stream {
            self.told = Told::Error(Box::new(body));
            return;
        }
        // The provider's own error event may have gone through already; two would be one too many.
        if self.translate.as_ref().is_some_and(Translate::told) {
            return;
        }
        let place = self.translate.as_ref().map(Translate::place).unwrap_or_default();
        let bytes = body.in_stream(dialect, id, &place);
        self.commit.update(&bytes);
        let _ = self.reply.piece(bytes.into()).await;
    }

    /// What the caller is told: the provider's own words where the question is at fault, else what Mains saw.
    fn error_body(&self, failure: &Failure) -> ErrorBody {
        let told = failure
            .attempt
            .and_then(|attempt| self.failed.iter().rev().find(|failed| failed.attempt == attempt));
        let attempts = self.failed_attempts();
        match failure.outcome {
            Outcome::Rejected => {
                if let Some(failed) = told {
                    return ErrorBody::from_provider(&failed.error, failed.fault);
                }
            }
            Outcome::TimedOut => {
                let after = self.held.routed.route.route.deadlines.total;
                return Refusal::TimedOut { deadline: Deadline::Total, after, attempts }.body();
            }
            Outcome::Broken => {
                let detail = told.map_or_else(
                    || "the stream ended before its end".to_owned(),
                    |failed| failed.error.message.clone(),
                );
                return Refusal::StreamBroken { detail, attempts }.body();
            }
            _ => {}
        }
        if let Some(mains_relay::Denied::Hold(spent)) = &failure.denied
            && self.failed.is_empty()
        {
            let as_429 = self.held.asked().who.live.settings.serve.budget_status.value.code() == 429;
            return reserve::refusal(spent, self.outlet.clock.now(), as_429).body();
        }
        // One target, one clear word of its provider: pass that on instead of "all have failed".
        if let (1, Some(failed)) = (self.held.routed.choice.candidates.len(), told)
            && is_clear_word(failed.fault)
        {
            return ErrorBody::from_provider(&failed.error, failed.fault);
        }
        Refusal::NoHealthyTarget { attempts, retry_after: failure.retry_after }.body()
    }

    fn failed_attempts(&self) -> Vec<FailedAttempt> {
        let summary = self.machine.summary();
        let failed = self.failed.iter().filter_map(|failed| {
            let made = summary.attempts.iter().find(|made| made.number == failed.attempt)?;
            Some(FailedAttempt {
                target: made.target.to_string(),
                fault: failed.fault,
                status: failed.error.status,
            })
        });
        failed.collect()
    }

    fn facts(&self, attempt: AttemptNumber) -> Option<Arc<crate::live::TargetFacts>> {
        self.facts_and_candidate(attempt).map(|(facts, _)| facts)
    }

    fn facts_and_candidate(&self, attempt: AttemptNumber) -> Option<(Arc<crate::live::TargetFacts>, bool)> {
        let index = self.asked_of.iter().rev().find(|(number, _)| *number == attempt)?.1;
        let candidate = self.machine.candidates().get(index)?;
        let facts = self.held.asked().who.live.facts(&candidate.target.name, &self.held.routed.extra)?;
        Some((facts, candidate.degraded))
    }

    fn finish(mut self) -> Relayed {
        let summary = self.machine.summary();
        if let Some(translate) = self.translate.take() {
            self.learnt = translate.learnt();
            self.losses.extend(translate.stream_losses());
        }
        let commit = self.committed_bytes.then(|| self.commit.finish());
        Relayed {
            held: self.held,
            summary,
            learnt: self.learnt,
            aside: self.aside.into_iter().map(|aside| (aside.attempt, aside.learnt)).collect(),
            told: self.told,
            intents: self.intents,
            commit,
            copied: self.copied,
            losses: self.losses,
            ended: self.outlet.clock.monotonic(),
        }
    }
}
