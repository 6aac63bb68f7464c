//! Answers, from the state where they are there, else from the outlet; several items at once, their outcomes in order.

use crate::cli::SwapTest;
use crate::print::{self, Trouble};
use crate::verbs::swap::requests::{Item, said};
use crate::verbs::swap::sender::{Asked, Sender};
use crate::verbs::swap::state::{Answered, Known, Side, State};
use futures_util::{StreamExt, stream};
use mains_swap::grade::Said;
use mains_units::NanoUsd;
use mains_wire::Dialect;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::pin::pin;
use tokio::signal::unix::{SignalKind, signal};

/// Failures in a row after which the test gives up for now.
const FAILURES_MAX: u32 = 5;

/// Why an item has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Left {
    /// It is left out, and the report says why.
    Out(String),
    /// Nothing more is sent.
    Stopped,
}

/// Whether the next outcome is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Go {
    On,
    Enough,
}

/// What is asked of all items, and how it goes.
pub(in super::super) struct Asking<'t> {
    pub(in super::super) arguments: &'t SwapTest,
    state: RefCell<&'t mut State>,
    sender: &'t Sender,
    /// What one request is expected to cost, in nano-USD, where nothing dearer was seen.
    expected: u64,
    in_flight: Cell<u64>,
    failures: Cell<u32>,
    stopped: Cell<bool>,
    capped: Cell<bool>,
    trouble: RefCell<Option<Trouble>>,
}

impl<'t> Asking<'t> {
    pub(in super::super) fn new(
        arguments: &'t SwapTest,
        state: &'t mut State,
        sender: &'t Sender,
        expected: u64,
    ) -> Self {
        Self {
            arguments,
            state: RefCell::new(state),
            sender,
            expected,
            in_flight: Cell::new(0),
            failures: Cell::new(0),
            stopped: Cell::new(false),
            capped: Cell::new(false),
            trouble: RefCell::new(None),
        }
    }

    /// Reads the state.
    pub(in super::super) fn state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.borrow())
    }

    /// Adds to the state.
    pub(in super::super) fn note<T>(
        &self,
        write: impl FnOnce(&mut State) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        write(&mut self.state.borrow_mut())
    }

    /// Whether the cap ended it.
    pub(in super::super) fn is_capped(&self) -> bool {
        self.capped.get()
    }

    /// Works on items, several at once, and hands on what came of each, in their order. What is on its way when the
    /// last wanted outcome is there, or when somebody interrupts, is waited for, because it is paid.
    pub(in super::super) async fn each<'i, T, F: Future<Output = Result<T, Left>>>(
        &self,
        items: &[&'i Item],
        work: impl Fn(&'i Item) -> F,
        mut take: impl FnMut(&'i Item, Result<T, Left>) -> Result<Go, Trouble>,
    ) -> Result<(), Trouble> {
        self.stopped.set(false);
        let bar = print::watched().then(|| indicatif::ProgressBar::new(items.len() as u64));
        let wanted = items.iter().take_while(|_| !self.stopped.get());
        let together = usize::from(self.arguments.in_flight);
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut outcomes =
            pin!(stream::iter(wanted.map(|item| async { (*item, work(item).await) })).buffered(together));
        loop {
            let (item, outcome) = tokio::select! {
                next = outcomes.next() => match next {
                    Some(next) => next,
                    None => break,
                },
                _ = interrupts.recv() => {
                    self.interrupt()?;
                    continue;
                }
            };
            if self.stopped.get() {
                continue;
            }
            if let Some(bar) = &bar {
                bar.inc(1);
            }
            if take(item, outcome)? == Go::Enough {
                self.stopped.set(true);
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        self.trouble.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// The first time nothing more is sent; the second time nothing more is waited for.
    fn interrupt(&self) -> Result<(), Trouble> {
        let trouble = Trouble::new("interrupted").hint("the same command goes on");
        if self.trouble.borrow().is_some() {
            return Err(trouble);
        }
        print::say("waiting for the answers that are on their way; interrupt again to leave them");
        self.stop(trouble);
        Ok(())
    }

    fn stop(&self, trouble: Trouble) {
        self.stopped.set(true);
        self.trouble.borrow_mut().get_or_insert(trouble);
    }

    /// What the old model said: recorded, or asked now.
    pub(in super::super) async fn reference(&self, item: &Item) -> Result<Said, Left> {
        if let Some(recorded) = &item.reference {
            return Ok(recorded.clone());
        }
        let answer = self.model(item, Side::Old).await?;
        if answer.status != 200 {
            return Err(Left::Out("the old model refuses the request".into()));
        }
        said(item.dialect, &answer.body)
            .map_err(|why| Left::Out(format!("the old model's answer cannot be read: {why}")))
    }

    /// What a model says to an item now; nothing where it refuses the request.
    pub(in super::super) async fn says(&self, item: &Item, side: Side) -> Result<(Said, u16), Left> {
        let answer = self.model(item, side).await?;
        let read = if answer.status == 200 { said(item.dialect, &answer.body).ok() } else { None };
        Ok((read.unwrap_or_default(), answer.status))
    }

    async fn model(&self, item: &Item, side: Side) -> Result<Answered, Left> {
        let target = if side == Side::New { &self.arguments.to } else { &self.arguments.from };
        self.answer(item, side, item.dialect, target, || item.body.clone()).await
    }

    /// The answer of a target to a body, from the state where it is there, else from the outlet.
    pub(in super::super) async fn answer(
        &self,
        item: &Item,
        side: Side,
        dialect: Dialect,
        target: &str,
        body: impl FnOnce() -> Value,
    ) -> Result<Answered, Left> {
        let known = self.state(|state| match state.get(&item.id, side) {
            Some(Known::Answer(answer)) => Some(Ok(answer.as_ref().clone())),
            Some(Known::Lost) => {
                Some(Err(Left::Out("asked when the test was killed, and not asked again".into())))
            }
            None => None,
        });
        let answer = match known {
            Some(known) => known?,
            None => self.ask(item, side, dialect, target, body()).await?,
        };
        if self.state(|state| state.is_first(side, &answer.target)) {
            return Ok(answer);
        }
        Err(Left::Out("answered by another target than the first request".into()))
    }

    async fn ask(
        &self,
        item: &Item,
        side: Side,
        dialect: Dialect,
        target: &str,
        body: Value,
    ) -> Result<Answered, Left> {
        if self.stopped.get() {
            return Err(Left::Stopped);
        }
        if self.would_pass_the_cap() {
            self.capped.set(true);
            return Err(Left::Stopped);
        }
        self.in_flight.set(self.in_flight.get() + 1);
        let asked = self.send(item, side, dialect, target, &body).await;
        self.in_flight.set(self.in_flight.get() - 1);
        match asked {
            Ok(outcome) => outcome,
            Err(trouble) => {
                self.stop(trouble);
                Err(Left::Stopped)
            }
        }
    }

    async fn send(
        &self,
        item: &Item,
        side: Side,
        dialect: Dialect,
        target: &str,
        body: &Value,
    ) -> Result<Result<Answered, Left>, Trouble> {
        self.sender.turn().await;
        if self.stopped.get() {
            return Ok(Err(Left::Stopped));
        }
        self.note(|state| state.asking(&item.id, side))?;
        match self.sender.ask(dialect, body, target).await? {
            Asked::Answer(answer) => {
                self.failures.set(0);
                self.note(|state| state.answer(&item.id, side, answer.as_ref().clone()))?;
                Ok(Ok(*answer))
            }
            Asked::Refused(status, trouble) => {
                self.note(|state| state.failed(&item.id, side, status))?;
                Err(trouble)
            }
            Asked::Failed(status) => {
                self.failures.set(self.failures.get() + 1);
                self.note(|state| state.failed(&item.id, side, status))?;
                if self.failures.get() < FAILURES_MAX {
                    return Ok(Err(Left::Out(format!("HTTP {status}"))));
                }
                let why = format!("`{target}` failed {FAILURES_MAX} times in a row, HTTP {status} at last");
                Err(Trouble::new(why).hint("the same command goes on; what was answered is kept"))
            }
        }
    }

    /// Whether one more request like the dearest so far, beside those on their way, would pass the cap.
    fn would_pass_the_cap(&self) -> bool {
        let Some(cap) = self.arguments.max_usd else { return false };
        let (spent, dearest) = self.state(|state| (state.spent(), state.dearest().max(self.expected)));
        let ahead = dearest.saturating_mul(self.in_flight.get() + 1);
        NanoUsd(spent.saturating_add(ahead)).as_usd() > cap
    }
}
