//! A queue with a bound that threads and async code can both push into. No runtime is assumed: a waker
//! is all that async code leaves behind.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Why an item did not enter.
pub(crate) enum Refused<T> {
    /// There is no room now; here it is back.
    Full(T),
    /// There never will be.
    Closed,
}

pub(crate) struct Queue<T> {
    capacity: usize,
    /// Whether an item may linger until others have come.
    patient: fn(&T) -> bool,
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    /// Somebody waits for what is queued: nothing may linger.
    hurried: bool,
    /// While items linger: how many end that.
    enough: usize,
    closed: bool,
    waiting: Vec<Waker>,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize, patient: fn(&T) -> bool) -> Self {
        let items = VecDeque::new();
        let state = State { items, hurried: false, enough: 0, closed: false, waiting: Vec::new() };
        Self { capacity, patient, state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// A thread that panicked while it held the lock left a whole state: nothing below can panic midway.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nothing linger that is in the queue now.
    pub(crate) fn hurry(&self) {
        let mut state = self.lock();
        if !state.items.is_empty() && !state.hurried {
            state.hurried = true;
            self.filled.notify_one();
        }
    }

    /// Pushes if there is room.
    pub(crate) fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        self.push_locked(&mut self.lock(), item)
    }

    fn push_locked(&self, state: &mut State<T>, item: T) -> Result<(), Refused<T>> {
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.items.len() >= self.capacity {
            return Err(Refused::Full(item));
        }
        let patient = (self.patient)(&item);
        state.items.push_back(item);
        state.hurried |= !patient;
        // Patient items wake nobody between the first and the one that makes enough: that is their point.
        if !patient || state.items.len() == 1 || state.items.len() >= state.enough {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Pushes, and waits for room on this thread. `false` when the queue is closed.
    pub(crate) fn push(&self, mut item: T) -> bool {
        let mut state = self.lock();
        loop {
            match self.push_locked(&mut state, item) {
                Ok(()) => return true,
                Err(Refused::Closed) => return false,
                Err(Refused::Full(back)) => item = back,
            }
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Pushes if there is room, else leaves a waker and the item where it was.
    pub(crate) fn poll_push(&self, item: &mut Option<T>, context: &Context<'_>) -> Poll<bool> {
        let Some(taken) = item.take() else { return Poll::Ready(true) };
        let mut state = self.lock();
        match self.push_locked(&mut state, taken) {
            Ok(()) => Poll::Ready(true),
            Err(Refused::Closed) => Poll::Ready(false),
            Err(Refused::Full(back)) => {
                *item = Some(back);
                let waker = context.waker();
                if !state.waiting.iter().any(|known| known.will_wake(waker)) {
                    state.waiting.push(waker.clone());
                }
                Poll::Pending
            }
        }
    }

    /// Waits for items and takes at most so many; `None` once the queue is closed and empty. While nobody is in a
    /// hurry, the first item lingers for others that may come.
    pub(crate) fn pop_some(&self, max: usize, linger: Duration) -> Option<Vec<T>> {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !linger.is_zero() {
            state.enough = max.min(self.capacity);
            let lingers =
                |state: &mut State<T>| !state.hurried && !state.closed && state.items.len() < state.enough;
            let lingered = self.filled.wait_timeout_while(state, linger, lingers);
            state = lingered.unwrap_or_else(PoisonError::into_inner).0;
        }
        let count = state.items.len().min(max);
        let taken = state.items.drain(..count).collect();
        state.hurried &= !state.items.is_empty();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.emptied.notify_all();
        waiting.into_iter().for_each(Waker::wake);
        Some(taken)
    }

    /// Lets nobody in any more; who waits is told.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.filled.notify_all();
        self.emptied.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_full_queue_holds_back_and_a_closed_one_gives_what_it_has() {
        let queue = Queue::new(2, |_| false);
        assert!(queue.try_push(1).is_ok() && queue.try_push(2).is_ok());
        assert!(matches!(queue.try_push(3), Err(Refused::Full(3))));
        let mut item = Some(3);
        let context = Context::from_waker(Waker::noop());
        assert!(queue.poll_push(&mut item, &context).is_pending());
        assert_eq!(item, Some(3));
        assert_eq!(queue.pop_some(1, Duration::ZERO), Some(vec![1]));
        assert!(queue.poll_push(&mut item, &context).is_ready());
        queue.close();
        assert!(matches!(queue.try_push(4), Err(Refused::Closed)));
        assert_eq!(queue.pop_some(9, Duration::ZERO), Some(vec![2, 3]));
        assert_eq!(queue.pop_some(9, Duration::ZERO), None);
    }

    #[test]
    fn many_threads_lose_nothing() {
        let queue = Arc::new(Queue::new(3, |_| true));
        let pushers: Vec<_> = (0..4u32)
            .map(|thread| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || (0..500).for_each(|i| assert!(queue.push(thread * 1_000 + i))))
            })
            .collect();
        let mut seen = Vec::new();
        while seen.len() < 2_000 {
            seen.extend(queue.pop_some(7, Duration::from_micros(50)).unwrap());
        }
        for pusher in pushers {
            pusher.join().unwrap();
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2_000);
    }
}
