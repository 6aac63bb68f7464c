//! The log behind two threads: callers append, one thread syncs, one publishes.
//!
//! An append is one write into the page cache under a lock, so a leaf has its index and survives a killed
//! process when the call returns; nothing waits in memory, so nothing there can fill up or be lost. While
//! somebody waits for a leaf to be durable, the syncing thread starts a sync when the last one ends: every caller
//! that came meanwhile shares the next one. While nobody waits, a sync starts 4 ms after the last one did, so that
//! a power cut takes little more than that. The publishing thread reads back what was synced, writes tiles and
//! bundles, and signs each second or 256 leaves, but no more often than twenty times a second.

use super::core::{CHECKPOINT_LEAVES, Log, Publisher, SignedCheckpoint, Writer, mark_closed};
use super::disk::{Disk, LogError};
use super::ticket::Ticket;
use mains_ledger::journal::Position;
use mains_ledger::verify::names::JOURNAL;
use mains_units::{Instant, Span};
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, JoinHandle};

/// Tells the monotonic time; given at the start because this crate reads no clock.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A checkpoint is due so long after the last one.
const CHECKPOINT_AFTER: Span = Span::from_s(1);
/// Under load, checkpoints have this much between them, for each costs a file, a signature and a sync.
const CHECKPOINT_PAUSE: Span = Span::from_ms(50);
/// From the start of a sync to the next while nobody waits.
const SYNC_PACE: Span = Span::from_ms(4);
/// Sync times that the median is taken of.
const RECENT_SYNCS: usize = 128;

/// How long syncs take on this disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncTimes {
    /// Syncs done.
    pub count: u64,
    /// Leaves that they made durable.
    pub leaves: u64,
    /// All of their time together.
    pub total: Span,
    /// The longest.
    pub max: Span,
    /// The median of the last 128.
    pub recent_median: Span,
}

impl SyncTimes {
    /// The mean over all syncs; `None` before the first.
    pub fn mean(&self) -> Option<Span> {
        self.total.0.checked_div(self.count).map(Span)
    }
}

/// A handle to the log; clones append to the same log. When the last one is dropped the threads end; call
/// [`Appender::close`] before for an end in order.
#[derive(Clone)]
pub struct Appender(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

pub(super) struct Shared {
    disk: Arc<dyn Disk>,
    clock: Clock,
    writer: Mutex<Writer>,
    pub(super) state: Mutex<State>,
    /// Leaves that are durable: what tickets look at first.
    pub(super) durable: AtomicU64,
    pub(super) sync_wanted: Condvar,
    pub(super) synced: Condvar,
    publish_wanted: Condvar,
    published: Condvar,
    signed: Mutex<Arc<SignedCheckpoint>>,
}

pub(super) struct State {
    written: Position,
    durable: Position,
    /// Set by a failed sync, or by a journal that reads back wrong; final.
    pub(super) broken: Option<LogError>,
    /// The last failure to publish; gone once it succeeds again.
    publish_error: Option<LogError>,
    /// Somebody waits for a checkpoint of so many leaves; zero once one was tried, whatever came of it.
    flush: u64,
    /// Publications tried, and how many leaves the last one was to cover.
    tries: (u64, u64),
    pub(super) stage: Stage,
    pub(super) waiting: BTreeMap<u64, Vec<Waiting>>,
    /// Threads that block until a leaf is durable.
    pub(super) blocked: usize,
    /// The syncing thread sleeps until the next leaf.
    syncer_idle: bool,
    /// The publishing thread sleeps until so many leaves are durable.
    publish_from: u64,
    times: SyncTimes,
    recent: VecDeque<Span>,
}

/// How far the end of the log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Open,
    /// No more leaves are taken.
    Closing,
    /// The syncing thread has ended.
    Synced,
    /// The publishing thread has ended.
    Ended,
}

pub(super) enum Waiting {
    Task(Waker),
    Call(Box<dyn FnOnce(Result<(), LogError>) + Send>),
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// Puts the log behind its two threads.
    pub fn start(self, clock: Clock) -> Result<Appender, LogError> {
        let Self { writer, publisher, durable } = self;
        let state = State {
            written: writer.at,
            durable,
            broken: writer.broken.clone(),
            publish_error: None,
            flush: 0,
            tries: (0, 0),
            stage: Stage::Open,
            waiting: BTreeMap::new(),
            blocked: 0,
            syncer_idle: false,
            publish_from: 0,
            times: SyncTimes::default(),
            recent: VecDeque::new(),
        };
        let shared = Arc::new(Shared {
            disk: Arc::clone(&writer.disk),
            clock,
            writer: Mutex::new(writer),
            state: Mutex::new(state),
            durable: AtomicU64::new(durable.index),
            sync_wanted: Condvar::new(),
            synced: Condvar::new(),
            publish_wanted: Condvar::new(),
            published: Condvar::new(),
            signed: Mutex::new(Arc::new(publisher.signed.clone())),
        });
        let handle = Handle { shared: Arc::clone(&shared), threads: Mutex::default() };
        let (syncing, publishing) = (Arc::clone(&shared), shared);
        handle.spawn("ledger-sync", move || syncing.run_syncer())?;
        handle.spawn("ledger-publish", move || publishing.run_publisher(publisher))?;
        Ok(Appender(Arc::new(handle)))
    }
}

impl Handle {
    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LogError> {
        let spawned = thread::Builder::new().name(name.into()).spawn(run);
        let thread = spawned.map_err(|error| LogError::disk("start a thread for", JOURNAL, &error))?;
        locked(&self.threads).push(thread);
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.begin_closing();
        for thread in locked(&self.threads).drain(..) {
            // A callback may drop the last handle on one of these threads, which cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Appender {
    /// Appends one leaf. When this returns, the leaf has its index and survives a killed process; the ticket
    /// tells when it survives a power cut. Takes microseconds: it writes to the page cache.
    pub fn append(&self, leaf: &[u8]) -> Result<Ticket, LogError> {
        self.append_all(&[leaf])
    }

    /// Appends several leaves in one write, all or none; the ticket is that of the last one. Without any,
    /// nothing is written, and the ticket is that of the last leaf before (in an empty log, of the first to
    /// come).
    pub fn append_all<L: AsRef<[u8]>>(&self, leaves: &[L]) -> Result<Ticket, LogError> {
        let shared = &self.0.shared;
        let (indices, at) = {
            let mut writer = locked(&shared.writer);
            if let Some(broken) = &writer.broken {
                return Err(broken.clone());
            }
            (writer.append(leaves)?, writer.at)
        };
        let mut state = locked(&shared.state);
        if state.written.index < at.index {
            state.written = at;
        }
        let idle = std::mem::take(&mut state.syncer_idle);
        drop(state);
        if idle {
            shared.sync_wanted.notify_one();
        }
        Ok(Ticket::new(indices.end.saturating_sub(1), Arc::clone(shared)))
    }

    /// The newest signed checkpoint: a lock and a count, nothing else.
    pub fn checkpoint(&self) -> Arc<SignedCheckpoint> {
        Arc::clone(&locked(&self.0.shared.signed))
    }

    /// How many leaves were appended.
    pub fn size(&self) -> u64 {
        locked(&self.0.shared.state).written.index
    }

    /// How many leaves survive a power cut.
    pub fn durable_size(&self) -> u64 {
        self.0.shared.durable.load(Ordering::Acquire)
    }

    /// How long syncs take.
    pub fn sync_times(&self) -> SyncTimes {
        let state = locked(&self.0.shared.state);
        let mut recent: Vec<Span> = state.recent.iter().copied().collect();
        recent.sort_unstable();
        SyncTimes { recent_median: recent.get(recent.len() / 2).copied().unwrap_or_default(), ..state.times }
    }

    /// What keeps the log from going on, if anything: a failed sync for good, or checkpoints that could not
    /// be written lately.
    pub fn trouble(&self) -> Option<LogError> {
        let state = locked(&self.0.shared.state);
        state.broken.clone().or_else(|| state.publish_error.clone())
    }

    /// Blocks until every leaf appended so far is durable and under a signed checkpoint.
    pub fn flush(&self) -> Result<Arc<SignedCheckpoint>, LogError> {
        let shared = &self.0.shared;
        let mut state = locked(&shared.state);
        let target = state.written.index;
        let tries_before = state.tries.0;
        loop {
            if self.checkpoint().checkpoint.size >= target {
                return Ok(self.checkpoint());
            }
            // Only a try that was to cover these leaves speaks for them.
            let tried = state.tries.0 > tries_before && state.tries.1 >= target;
            let failed = state.publish_error.as_ref().filter(|_| tried);
            if let Some(error) = state.broken.as_ref().or(failed) {
                return Err(error.clone());
            }
            if state.stage == Stage::Ended {
                return Err(LogError::Closed);
            }
            state.flush = state.flush.max(target);
            shared.sync_wanted.notify_one();
            shared.publish_wanted.notify_one();
            state = shared.published.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the log in order: no more leaves, everything synced, signed, and marked as complete. Blocks.
    pub fn close(&self) -> Result<(), LogError> {
        let shared = &self.0.shared;
        shared.begin_closing();
        let mut state = locked(&shared.state);
        while state.stage != Stage::Ended {
            state = shared.published.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let outcome = state.broken.clone().or_else(|| state.publish_error.clone());
        drop(state);
        for thread in locked(&self.0.threads).drain(..) {
            let _ = thread.join();
        }
        outcome.map_or(Ok(()), Err)
    }
}

impl Shared {
    fn begin_closing(&self) {
        let mut writer = locked(&self.writer);
        if writer.broken.is_none() {
            writer.broken = Some(LogError::Closed);
        }
        // Both locks at once: a leaf that is written but not yet told of must be synced as well.
        let mut state = locked(&self.state);
        if state.written.index < writer.at.index {
            state.written = writer.at;
        }
        state.stage = state.stage.max(Stage::Closing);
        drop(state);
        drop(writer);
        self.sync_wanted.notify_all();
        self.publish_wanted.notify_all();
    }

    fn run_syncer(&self) {
        let mut began: Option<Instant> = None;
        loop {
            let mut state = locked(&self.state);
            while state.written.index == state.durable.index && state.stage == Stage::Open {
                state.syncer_idle = true;
                state = self.sync_wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.syncer_idle = false;
            if let Some(last) = began {
                let pause = Span(SYNC_PACE.0.saturating_sub((self.clock)().since(last).0)).to_std();
                let paced = self.sync_wanted.wait_timeout_while(state, pause, |state| !state.is_awaited());
                state = paced.unwrap_or_else(PoisonError::into_inner).0;
            }
            let target = state.written;
            if target.index == state.durable.index {
                break;
            }
            drop(state);
            let start = (self.clock)();
            began = Some(start);
            let outcome = self.disk.sync(JOURNAL);
            let took = (self.clock)().since(start);
            match outcome {
                Ok(()) => self.synced_to(target, took),
                Err(error) => {
                    self.break_off(&LogError::Broken { why: error.to_string() });
                    break;
                }
            }
        }
        let mut state = locked(&self.state);
        state.stage = state.stage.max(Stage::Synced);
        drop(state);
        self.publish_wanted.notify_all();
    }

    fn synced_to(&self, target: Position, took: Span) {
        let mut state = locked(&self.state);
        state.times.count += 1;
        state.times.leaves += target.index - state.durable.index;
        state.times.total = Span(state.times.total.0.saturating_add(took.0));
        state.times.max = state.times.max.max(took);
        if state.recent.len() == RECENT_SYNCS {
            state.recent.pop_front();
        }
        state.recent.push_back(took);
        state.durable = target;
        self.durable.store(target.index, Ordering::Release);
        let later = state.waiting.split_off(&target.index);
        let ready = std::mem::replace(&mut state.waiting, later);
        let publish = state.durable.index >= state.publish_from || state.flush > 0;
        let blocked = state.blocked > 0;
        drop(state);
        if blocked {
            self.synced.notify_all();
        }
        if publish {
            self.publish_wanted.notify_one();
        }
        tell(ready, &Ok(()));
    }

    /// Ends the log for good and tells everyone who waits.
    fn break_off(&self, error: &LogError) {
        locked(&self.writer).broken = Some(error.clone());
        let mut state = locked(&self.state);
        state.broken = Some(error.clone());
        let ready = std::mem::take(&mut state.waiting);
        drop(state);
        self.synced.notify_all();
        self.published.notify_all();
        tell(ready, &Err(error.clone()));
    }

    fn run_publisher(&self, mut publisher: Publisher) {
        let mut signed_at = (self.clock)();
        let mut last = false;
        while let Some(durable) = self.next_publication(&publisher, signed_at, &mut last) {
            let outcome = publisher.catch_up(durable).and_then(|()| publisher.sign());
            signed_at = (self.clock)();
            self.tell_published(&publisher, durable, outcome);
        }
        let complete = {
            let state = locked(&self.state);
            state.broken.is_none()
                && state.publish_error.is_none()
                && state.written.index == state.durable.index
        };
        if complete && let Err(error) = mark_closed(&*self.disk) {
            locked(&self.state).publish_error = Some(error);
        }
        // The lock of the folder is free before anyone is told that the log is closed.
        drop(publisher);
        locked(&self.state).stage = Stage::Ended;
        self.published.notify_all();
    }

    /// Waits until a checkpoint is due and gives the place up to which it goes; `None` at the end.
    fn next_publication(
        &self,
        publisher: &Publisher,
        signed_at: Instant,
        last: &mut bool,
    ) -> Option<Position> {
        let signed = publisher.signed.checkpoint.size;
        let mut state = locked(&self.state);
        loop {
            if state.broken.is_some() {
                return None;
            }
            let unsigned = state.durable.index.saturating_sub(signed);
            let waited = (self.clock)().since(signed_at);
            if state.stage >= Stage::Synced {
                // One last time; a failure then is final.
                let again = unsigned > 0 && !*last;
                *last = true;
                return again.then_some(state.durable);
            }
            let flush = signed < state.flush && state.durable.index >= state.flush;
            let enough = unsigned >= CHECKPOINT_LEAVES && state.publish_error.is_none();
            let after = if enough { CHECKPOINT_PAUSE } else { CHECKPOINT_AFTER };
            if unsigned > 0 && (flush || waited >= after) {
                return Some(state.durable);
            }
            if unsigned == 0 {
                state.publish_from = signed + 1;
                state = self.publish_wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                state.publish_from = if enough { u64::MAX } else { signed + CHECKPOINT_LEAVES };
                let rest = Span(after.0.saturating_sub(waited.0));
                let woken = self.publish_wanted.wait_timeout(state, rest.to_std());
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn tell_published(&self, publisher: &Publisher, until: Position, outcome: Result<(), LogError>) {
        if let Err(error @ LogError::Refused { .. }) = &outcome {
            // What was read back is not what was written: nobody may go on as if it were.
            self.break_off(error);
            return;
        }
        *locked(&self.signed) = Arc::new(publisher.signed.clone());
        let mut state = locked(&self.state);
        state.publish_error = outcome.err();
        state.tries = (state.tries.0 + 1, until.index);
        if state.flush <= until.index {
            state.flush = 0;
        }
        drop(state);
        self.published.notify_all();
    }
}

impl State {
    /// Whether somebody waits for a sync.
    fn is_awaited(&self) -> bool {
        !self.waiting.is_empty() || self.blocked > 0 || self.flush > 0 || self.stage > Stage::Open
    }
}

fn tell(ready: BTreeMap<u64, Vec<Waiting>>, outcome: &Result<(), LogError>) {
    for waiting in ready.into_values().flatten() {
        match waiting {
            Waiting::Task(waker) => waker.wake(),
            Waiting::Call(call) => call(outcome.clone()),
        }
    }
}
