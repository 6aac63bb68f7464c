//! Waiting until a leaf is durable: blocking, as a future, or by a call back.

use super::appender::{Shared, Stage, State, Waiting, locked};
use super::disk::LogError;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

/// One appended leaf (or the last of several): its index now, and a way to wait until it is durable.
pub struct Ticket {
    index: u64,
    shared: Arc<Shared>,
}

impl Ticket {
    pub(super) fn new(index: u64, shared: Arc<Shared>) -> Self {
        Self { index, shared }
    }

    /// The leaf's place in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Whether the leaf survives a power cut already.
    pub fn is_durable(&self) -> bool {
        self.shared.durable.load(Ordering::Acquire) > self.index
    }

    /// Blocks until the leaf is durable, or until it is certain that nobody can tell.
    pub fn wait(&self) -> Result<(), LogError> {
        let mut state = locked(&self.shared.state);
        loop {
            if let Some(outcome) = self.shared.outcome(self.index, &state) {
                return outcome;
            }
            state.blocked += 1;
            self.shared.sync_wanted.notify_one();
            state = self.shared.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.blocked = state.blocked.saturating_sub(1);
        }
    }

    /// The same as a future, for any executor.
    pub fn durable(self) -> Durable {
        Durable { index: self.index, shared: self.shared }
    }

    /// Calls back when the leaf is durable: at once, here, if it is already; else on the syncing thread, which
    /// every other caller waits for, so the call must be short.
    pub fn on_durable(self, call: impl FnOnce(Result<(), LogError>) + Send + 'static) {
        let mut state = locked(&self.shared.state);
        if let Some(outcome) = self.shared.outcome(self.index, &state) {
            drop(state);
            call(outcome);
        } else {
            state.waiting.entry(self.index).or_default().push(Waiting::Call(Box::new(call)));
            drop(state);
            self.shared.sync_wanted.notify_one();
        }
    }
}

impl Shared {
    fn outcome(&self, index: u64, state: &State) -> Option<Result<(), LogError>> {
        if self.durable.load(Ordering::Acquire) > index {
            return Some(Ok(()));
        }
        if let Some(broken) = &state.broken {
            return Some(Err(broken.clone()));
        }
        (state.stage >= Stage::Synced).then_some(Err(LogError::Closed))
    }
}

/// Becomes ready when a leaf is durable.
pub struct Durable {
    index: u64,
    shared: Arc<Shared>,
}

impl Future for Durable {
    type Output = Result<(), LogError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.shared.durable.load(Ordering::Acquire) > self.index {
            return Poll::Ready(Ok(()));
        }
        let mut state = locked(&self.shared.state);
        if let Some(outcome) = self.shared.outcome(self.index, &state) {
            return Poll::Ready(outcome);
        }
        let waiting = state.waiting.entry(self.index).or_default();
        let known =
            waiting.iter().any(|one| matches!(one, Waiting::Task(waker) if waker.will_wake(context.waker())));
        if !known {
            waiting.push(Waiting::Task(context.waker().clone()));
            drop(state);
            self.shared.sync_wanted.notify_one();
        }
        Poll::Pending
    }
}
