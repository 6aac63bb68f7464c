//! The vault behind a bounded queue and a thread of its own: what the outlet uses. An offer never waits; what
//! finds no room is not kept, and that is counted.

use super::core::{Erased, Offer, RetainFor, Vault, VaultPruned};
use super::error::VaultError;
use super::exchange::Exchange;
use super::queue::{Item, Queue, Refused};
use super::seal::Fresh;
use mains_units::{RequestId, Span, Timestamp};
use std::fmt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Why an exchange is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// A body has more bytes than the bound.
    TooLarge {
        /// The bytes of the larger body.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The disk did not keep up, and what waits has reached its bound.
    Full,
    /// The vault is closed.
    Closed,
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, bytes_max } => write!(
                f,
                "not kept: a body of {bytes} bytes is larger than {bytes_max}\nhint: raise `max_body_bytes` in `[record]`"
            ),
            Self::Full => f.write_str("not kept: the disk of the vault does not keep up"),
            Self::Closed => f.write_str("not kept: the vault is closed"),
        }
    }
}

impl std::error::Error for NotKept {}

/// What became of all exchanges that were offered since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tallies {
    /// Kept: sealed, synced, their keys stored.
    pub kept: u64,
    /// Not kept because a body was too large.
    pub too_large: u64,
    /// Not kept because the queue was full.
    pub full: u64,
    /// Not kept because the request had been kept or erased before.
    pub repeated: u64,
    /// Not kept because writing failed.
    pub failed: u64,
    /// What the last failure was.
    pub last_failure: Option<VaultError>,
    /// Waiting now.
    pub waiting: usize,
    /// Bytes of bodies that wait now.
    pub waiting_bytes: usize,
}

/// The bounds of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeeperOptions {
    /// Exchanges that may wait.
    pub offers_max: usize,
    /// Bytes of bodies that may wait.
    pub bytes_max: usize,
    /// How long the first that waits may wait for others, to share a sync with them.
    pub gather: Span,
}

impl Default for KeeperOptions {
    /// 1,024 exchanges, 32 MiB, 200 milliseconds.
    fn default() -> Self {
        Self { offers_max: 1_024, bytes_max: 32 << 20, gather: Span::from_ms(200) }
    }
}

/// A vault at work. Dropping it writes what waits and closes the vault.
pub struct Keeper {
    shared: Arc<Shared>,
    body_bytes_max: usize,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Queue,
    tallies: Mutex<Tallies>,
}

impl Shared {
    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault {
    /// Puts the vault behind a queue and a thread.
    pub fn start(self, options: KeeperOptions) -> Result<Keeper, VaultError> {
        let body_bytes_max = self.options.body_bytes_max;
        let queue = Queue::new(options.offers_max, options.bytes_max);
        let shared = Arc::new(Shared { queue, tallies: Mutex::default() });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("mains-vault".to_owned())
            .spawn(move || run(self, &theirs, options.gather))
            .map_err(|error| VaultError::disk("start a thread for", ".", &error))?;
        Ok(Keeper { shared, body_bytes_max, thread: Some(thread) })
    }
}

impl Keeper {
    /// Offers an exchange; never waits. `Ok` says that it is queued: whether it was kept, [`Keeper::tallies`]
    /// counts.
    pub fn keep(&self, exchange: Exchange, fresh: Fresh) -> Result<(), NotKept> {
        let bytes = exchange.asked.bytes.len().max(exchange.answer.bytes.len());
        if bytes > self.body_bytes_max {
            self.shared.tallies().too_large += 1;
            return Err(NotKept::TooLarge { bytes, bytes_max: self.body_bytes_max });
        }
        match self.shared.queue.offer(Offer { exchange, fresh }) {
            Ok(()) => Ok(()),
            Err(Refused::Closed) => Err(NotKept::Closed),
            Err(Refused::Full) => {
                self.shared.tallies().full += 1;
                Err(NotKept::Full)
            }
        }
    }

    /// See [`Vault::erase`]. Waits on this thread, behind what was offered before; never call it on a thread that
    /// drives async code.
    pub fn erase(&self, request: RequestId, now: Timestamp) -> Result<Erased, VaultError> {
        self.ask(move |vault| vault.erase(request, now))
    }

    /// See [`Vault::prune`]. Waits on this thread.
    pub fn prune(&self, now: Timestamp, retain: RetainFor) -> Result<VaultPruned, VaultError> {
        self.ask(move |vault| vault.prune(now, &retain))
    }

    /// Waits on this thread until all that was offered before is kept or counted as not kept.
    pub fn flush(&self) -> Result<(), VaultError> {
        self.ask(|_| Ok(()))
    }

    /// What became of what was offered.
    pub fn tallies(&self) -> Tallies {
        let (waiting, waiting_bytes) = self.shared.queue.waiting();
        Tallies { waiting, waiting_bytes, ..self.shared.tallies().clone() }
    }

    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let (sender, answer): (SyncSender<Result<T, VaultError>>, _) = sync_channel(1);
        let queued = self.shared.queue.call(Box::new(move |vault| {
            // Whoever asked may have given up waiting.
            let _ = sender.send(work(vault));
        }));
        if queued { answer.recv().unwrap_or(Err(VaultError::Closed)) } else { Err(VaultError::Closed) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut vault: Vault, shared: &Shared, gather: Span) {
    while let Some(items) = shared.queue.pop(gather.to_std()) {
        let mut offers = Vec::new();
        for item in items {
            match item {
                Item::Keep(offer) => offers.push(*offer),
                Item::Call(call) => {
                    write(&mut vault, shared, std::mem::take(&mut offers));
                    call(&mut vault);
                }
            }
        }
        write(&mut vault, shared, offers);
    }
}

fn write(vault: &mut Vault, shared: &Shared, offers: Vec<Offer>) {
    if offers.is_empty() {
        return;
    }
    let offered = offers.len() as u64;
    let (count, failure) = vault.keep(offers);
    let mut tallies = shared.tallies();
    tallies.kept += count.kept;
    tallies.repeated += count.repeated;
    tallies.too_large += count.too_large;
    if let Some(failure) = failure {
        tallies.failed += offered.saturating_sub(count.kept + count.repeated + count.too_large);
        tallies.last_failure = Some(failure);
    }
}
