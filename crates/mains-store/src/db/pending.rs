//! An answer that is on its way: a future for async code, [`Pending::wait`] for a thread.

use super::error::DbError;
use super::queue::{Queue, Refused};
use super::worker::Job;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The answer of the database to one call. The work is queued when the call is made; only while the queue
/// is full does it wait for whoever awaits this, so that a flood of calls slows its callers down instead
/// of filling the memory. One that is dropped before it entered a full queue is not done.
#[must_use = "work may stay undone until this is awaited, and its failure is known only then"]
pub struct Pending<T> {
    slot: Arc<Slot<T>>,
    unsent: Option<Job>,
    queue: Arc<Queue<Job>>,
}

struct Slot<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

enum State<T> {
    Empty(Listener<T>),
    Full(Result<T, DbError>),
    Taken,
}

/// Who is told.
enum Listener<T> {
    Nobody,
    Task(Waker),
    Call(Box<dyn FnOnce(Result<T, DbError>) + Send>),
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sending end; dropped unused, it says that the database is closed.
pub(crate) struct Sender<T>(Option<Arc<Slot<T>>>);

impl<T> Sender<T> {
    pub(crate) fn send(mut self, result: Result<T, DbError>) {
        self.put(result);
    }

    fn put(&mut self, result: Result<T, DbError>) {
        let Some(slot) = self.0.take() else { return };
        let mut state = slot.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Empty(Listener::Call(call)) => {
                drop(state);
                call(result);
            }
            before => {
                *state = State::Full(result);
                drop(state);
                slot.arrived.notify_all();
                if let State::Empty(Listener::Task(waker)) = before {
                    waker.wake();
                }
            }
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.put(Err(DbError::closed()));
    }
}

impl<T> Pending<T> {
    /// Queues the job that `make` builds around the sending end.
    pub(crate) fn queue(queue: &Arc<Queue<Job>>, make: impl FnOnce(Sender<T>) -> Job) -> Self {
        let slot =
            Arc::new(Slot { state: Mutex::new(State::Empty(Listener::Nobody)), arrived: Condvar::new() });
        let job = make(Sender(Some(Arc::clone(&slot))));
        let unsent = match queue.try_push(job) {
            Ok(()) | Err(Refused::Closed) => None,
            Err(Refused::Full(job)) => Some(job),
        };
        Self { slot, unsent, queue: Arc::clone(queue) }
    }

    /// Leaves `call` to be told how it ended: at once, here, if that is known already, else on the database's thread,
    /// which every other call waits for. Waits only while the queue is full.
    pub async fn then(mut self, call: impl FnOnce(Result<T, DbError>) + Send + 'static) {
        std::future::poll_fn(|context| match &self.unsent {
            Some(_) => self.queue.poll_push(&mut self.unsent, context),
            None => Poll::Ready(true),
        })
        .await;
        let mut state = self.slot.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(result) => {
                drop(state);
                call(result);
            }
            State::Empty(_) => *state = State::Empty(Listener::Call(Box::new(call))),
            State::Taken => {}
        }
    }

    /// Waits on this thread. Never call it on a thread that drives async code.
    pub fn wait(mut self) -> Result<T, DbError> {
        if let Some(job) = self.unsent.take() {
            // A refused job drops its sender, and the slot then says why.
            self.queue.push(job);
        }
        self.queue.hurry();
        let mut state = self.slot.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Full(result) => return result,
                State::Taken => return Err(DbError::closed()),
                empty @ State::Empty(_) => *state = empty,
            }
            state = self.slot.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, DbError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.unsent.is_some() && this.queue.poll_push(&mut this.unsent, context).is_pending() {
            return Poll::Pending;
        }
        let mut state = this.slot.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(result) => Poll::Ready(result),
            State::Taken => Poll::Ready(Err(DbError::closed())),
            State::Empty(_) => {
                *state = State::Empty(Listener::Task(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}
