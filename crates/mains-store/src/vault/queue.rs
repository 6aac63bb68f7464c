//! A queue with a bound in exchanges and in bytes. Whoever offers an exchange never waits; whoever asks for
//! something else waits for the answer anyway, and is let in.

use super::core::{Offer, Vault};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// About so many bytes are taken out at a time: what is being written lies in memory beside the queue.
const TAKEN_BYTES: usize = 8 << 20;

/// Something to do with the vault.
pub(super) type Call = Box<dyn FnOnce(&mut Vault) + Send>;

pub(super) enum Item {
    Keep(Box<Offer>),
    Call(Call),
}

/// Why an offer did not enter.
pub(super) enum Refused {
    Full,
    Closed,
}

pub(super) struct Queue {
    offers_max: usize,
    bytes_max: usize,
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    offers: usize,
    bytes: usize,
    /// Calls that wait: the writer does not gather any longer then.
    calls: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(offers_max: usize, bytes_max: usize) -> Self {
        Self { offers_max, bytes_max, state: Mutex::default(), filled: Condvar::new() }
    }

    /// A thread that panicked while it held the lock left a whole state: nothing below can panic midway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn offer(&self, offer: Offer) -> Result<(), Refused> {
        let bytes = offer.exchange.body_bytes();
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.offers >= self.offers_max || state.bytes.saturating_add(bytes) > self.bytes_max {
            return Err(Refused::Full);
        }
        state.offers += 1;
        state.bytes += bytes;
        state.items.push_back(Item::Keep(Box::new(offer)));
        self.filled.notify_one();
        Ok(())
    }

    /// `false` where the queue is closed.
    pub(super) fn call(&self, call: Call) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.calls += 1;
        state.items.push_back(Item::Call(call));
        self.filled.notify_one();
        true
    }

    /// Offers and bytes that wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.offers, state.bytes)
    }

    /// Waits for items, then up to `gather` for more of them, so that they share a sync; `None` once the queue is
    /// closed and empty.
    pub(super) fn pop(&self, gather: Duration) -> Option<Vec<Item>> {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let half_full =
            |state: &State| state.bytes >= self.bytes_max / 2 || state.offers >= self.offers_max.div_ceil(2);
        if !gather.is_zero() {
            let more = |state: &mut State| !state.closed && state.calls == 0 && !half_full(state);
            state = match self.filled.wait_timeout_while(state, gather, more) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < TAKEN_BYTES
            && let Some(item) = state.items.pop_front()
        {
            match &item {
                Item::Keep(offer) => {
                    bytes += offer.exchange.body_bytes();
                    state.offers -= 1;
                    state.bytes -= offer.exchange.body_bytes();
                }
                Item::Call(_) => state.calls -= 1,
            }
            taken.push(item);
        }
        Some(taken)
    }

    /// Lets nothing in any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }
}
