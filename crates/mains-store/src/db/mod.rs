//! The database: requests, usage, keys, budgets, commitment keys, checkpoints, swaps, feedback, in one SQLite
//! file.
//!
//! Read `record` (one row a request), `usage` (the sums behind the meters), `keys` (who may ask), `swaps` (tests and
//! switches) and `feedback` (verdicts on answers), then `upkeep` (budgets, commitment keys, pruning), `schema` (the tables and their versions) and `worker`
//! (one thread that writes, grouping commits; a few that read).
//!
//! Every call gives a [`Pending`]: await it, or `wait()` for it on a thread of your own. Only keys are
//! verified without any waiting, from memory, because that stands before every request.
//!
//! Never: a business rule, a clock, randomness of its own. Times, keys and peppers are handed in.

mod error;
mod feedback;
mod keys;
mod pending;
mod queue;
mod record;
pub(crate) mod schema;
mod swaps;
mod upkeep;
mod usage;
mod worker;

pub use error::{DbError, DbErrorKind};
pub use feedback::{Feedback, FeedbackKept};
pub use keys::{KeyRefusal, KeyRow, KeySecret, NewKey, has_key_form};
pub use pending::Pending;
pub use record::{Footprint, Page, RequestFilter, RequestRow};
pub use swaps::{Canary, SwapState, SwapTest};
pub use upkeep::{BudgetRow, CheckpointRow, KeepFor, Pruned};
pub use usage::{Group, Period, Totals, UsageFilter};

use keys::KeyTable;
use mains_units::Span;
use queue::Queue;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use worker::{Care, Job, Session};

/// How to open a database.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// The file; `None` for one in memory, which its last handle takes with it.
    pub path: Option<PathBuf>,
    /// The secret under which keys are stored, from a file outside the database.
    pub pepper: KeySecret,
    /// Threads that read; at least one for a file, none are needed in memory.
    pub readers: usize,
    /// Calls that may wait before callers are held back.
    pub queue: usize,
    /// The most bytes that the file may have; beyond that writing fails as on a full disk.
    pub bytes_max: Option<u64>,
    /// How long another process may hold the file before a call fails.
    pub busy: Span,
}

impl DbOptions {
    /// A file with the usual settings: two readers, 4,096 waiting calls, five seconds for a lock.
    pub fn file(path: impl Into<PathBuf>, pepper: [u8; 32]) -> Self {
        Self { path: Some(path.into()), ..Self::in_memory(pepper) }
    }

    /// A database in memory.
    pub fn in_memory(pepper: [u8; 32]) -> Self {
        Self {
            path: None,
            pepper: KeySecret::new(pepper),
            readers: 2,
            queue: 4_096,
            bytes_max: None,
            busy: Span::from_s(5),
        }
    }
}

/// A handle on the open database; clones share it. The last one waits until all queued work is done.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    writes: Arc<Queue<Job>>,
    reads: Arc<Queue<Job>>,
    keys: Arc<KeyTable>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
        for thread in self.threads.drain(..) {
            // A handle may be dropped by the very thread that it started; that one ends by itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Db {
    /// Opens or creates the database, and migrates an older one after a backup copy. A newer, foreign,
    /// damaged or locked file is refused and left as it is.
    pub fn open(options: &DbOptions) -> Result<Self, DbError> {
        Self::open_with(options, schema::MIGRATIONS)
    }

    fn open_with(options: &DbOptions, migrations: &[&str]) -> Result<Self, DbError> {
        let name = options
            .path
            .as_ref()
            .map_or("the database in memory".to_owned(), |path| format!("`{}`", path.display()));
        Self::open_inner(options, migrations)
            .map_err(|error| error.while_doing(&format!("failed to open {name}")))
    }

    fn open_inner(options: &DbOptions, migrations: &[&str]) -> Result<Self, DbError> {
        let writer = connect(options, false)?;
        schema::prepare(&writer, options.path.as_deref(), migrations)?;
        limit_size(&writer, options.bytes_max)?;
        let keys = Arc::new(KeyTable::load(&writer, options.pepper.clone())?);
        let writes = Arc::new(Queue::new(options.queue.max(1), Job::is_patient));
        let mut inner =
            Inner { writes: Arc::clone(&writes), reads: Arc::clone(&writes), keys, threads: Vec::new() };
        inner.threads.push(worker::spawn("mains-db-write", writer, &writes, worker::write_loop)?);
        if options.path.is_some() {
            inner.reads = Arc::new(Queue::new(options.queue.max(1), Job::is_patient));
            for _ in 0..options.readers.max(1) {
                let reader = connect(options, true)?;
                inner.threads.push(worker::spawn("mains-db-read", reader, &inner.reads, worker::read_loop)?);
            }
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    fn write<T: Send + 'static>(
        &self,
        care: Care,
        work: impl FnOnce(&Session) -> Result<T, DbError> + Send + 'static,
    ) -> Pending<T> {
        Pending::queue(&self.inner.writes, |sender| Job::new(care, sender, work))
    }

    /// The same for work that may linger a few milliseconds, so that many share one commit.
    fn write_in_time<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, DbError> + Send + 'static,
    ) -> Pending<T> {
        Pending::queue(&self.inner.writes, |sender| Job::new(Care::Usual, sender, work).patient())
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, DbError> + Send + 'static,
    ) -> Pending<T> {
        Pending::queue(&self.inner.reads, |sender| Job::new(Care::Usual, sender, work))
    }
}

fn connect(options: &DbOptions, read_only: bool) -> Result<Connection, DbError> {
    let connection = match &options.path {
        None => Connection::open_in_memory()?,
        Some(path) => connect_file(path, read_only)?,
    };
    connection.busy_timeout(options.busy.to_std())?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn connect_file(path: &Path, read_only: bool) -> Result<Connection, DbError> {
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        schema::check_file(path)?;
        schema::create_private(path)?;
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    // Each connection stays on its thread, so SQLite's own lock is not needed; no URI, so that no
    // character of a path has a meaning.
    Ok(Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

fn limit_size(connection: &Connection, bytes_max: Option<u64>) -> Result<(), DbError> {
    let Some(bytes_max) = bytes_max else { return Ok(()) };
    let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = stored(bytes_max) / page.max(1);
    // The limit is answered, and SQLite never takes one below what the file has.
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    Ok(())
}

/// SQLite counts up to 2^63 - 1; a count beyond that is as good as that.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The way back; a negative count cannot have been written by us.
fn counted(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
