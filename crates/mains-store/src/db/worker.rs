//! The threads behind the queue: one that writes, committing what has gathered in one transaction, and a
//! few that read.

use super::error::{DbError, DbErrorKind};
use super::pending::Sender;
use super::queue::Queue;
use super::usage::Sums;
use rusqlite::Connection;
use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// The most jobs of one transaction: enough to share the price of a commit, few enough that the first of
/// them does not wait long.
const BATCH_MAX: usize = 256;

/// How long the first job of a transaction lingers for others, unless somebody waits: a commit costs more than the
/// rows in it, and nobody but the page looks for a row at once.
const LINGER: Duration = Duration::from_millis(20);

/// A connection, with the sums of the transaction under way, which are written just before its commit.
pub(crate) struct Session {
    connection: Connection,
    pub(crate) sums: RefCell<Sums>,
}

impl Session {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, sums: RefCell::default() }
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// How careful the disk must be with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Care {
    /// A killed process loses nothing; a power cut may lose the last moments, which the ledger still has.
    Usual,
    /// Synced before it is said to be done: keys made and revoked.
    Synced,
    /// Synced, and no older copy of the page stays in the write-ahead log: secrets that were erased.
    Erased,
}

/// Told whether the transaction was committed.
type Completion = Box<dyn FnOnce(Result<(), DbError>) + Send>;

/// The work, given a connection or the reason why there is none; says whether it went well.
type Work = Box<dyn FnOnce(Result<&Session, DbError>) -> (bool, Completion) + Send>;

/// One piece of work and its promise.
pub(crate) struct Job {
    care: Care,
    patient: bool,
    work: Work,
}

impl Job {
    /// Work whose result goes to `sender` once it is committed.
    pub(crate) fn new<T: Send + 'static>(
        care: Care,
        sender: Sender<T>,
        work: impl FnOnce(&Session) -> Result<T, DbError> + Send + 'static,
    ) -> Self {
        Self::then(care, sender, work, |_| ())
    }

    /// The same, and `committed` is run between the commit and the answer.
    pub(crate) fn then<T: Send + 'static>(
        care: Care,
        sender: Sender<T>,
        work: impl FnOnce(&Session) -> Result<T, DbError> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> Self {
        let work = Box::new(move |session: Result<&Session, DbError>| {
            let result = session.and_then(work);
            let worked = result.is_ok();
            let completion: Completion = Box::new(move |commit| {
                let result = result.and_then(|value| commit.map(|()| value));
                if let Ok(value) = &result {
                    committed(value);
                }
                sender.send(result);
            });
            (worked, completion)
        });
        Self { care, patient: false, work }
    }

    /// The same, but it may linger.
    pub(crate) fn patient(self) -> Self {
        Self { patient: true, ..self }
    }

    pub(crate) fn is_patient(&self) -> bool {
        self.patient
    }
}

/// Writes until the queue is closed and empty.
pub(crate) fn write_loop(connection: &Session, queue: &Queue<Job>) {
    while let Some(jobs) = queue.pop_some(BATCH_MAX, LINGER) {
        let care = jobs.iter().map(|job| job.care).max().unwrap_or(Care::Usual);
        let synced = care >= Care::Synced && set_synchronous(connection, "FULL").is_ok();
        let (done, committed) = write_batch(connection, jobs);
        if care == Care::Erased {
            clear_log(connection);
        }
        if synced {
            let _ = set_synchronous(connection, "NORMAL");
        }
        for completion in done {
            completion(committed.clone());
        }
    }
    // Leaves one tidy file behind where it can; the next start copes with either.
    let _ = connection.execute_batch("PRAGMA optimize");
    clear_log(connection);
}

/// Folds the write-ahead log into the file and cuts it to nothing. Best effort: a reader in the middle of
/// an old snapshot holds the log until it is done, and then the next checkpoint clears it.
fn clear_log(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

fn set_synchronous(connection: &Connection, level: &str) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "synchronous", level)
}

/// Runs jobs in as few transactions as can be: one, unless a failure made SQLite roll back on its own.
/// Gives back whom to tell about the last commit, and how it went.
fn write_batch(connection: &Session, jobs: Vec<Job>) -> (Vec<Completion>, Result<(), DbError>) {
    let mut done: Vec<Completion> = Vec::with_capacity(jobs.len());
    let mut refused = None;
    for job in jobs {
        let begun = match refused.clone() {
            // Whoever waited for a lock in vain does not wait again for each job of the batch.
            Some(error) => Err(error),
            None if connection.is_autocommit() => execute(connection, "BEGIN IMMEDIATE"),
            None => Ok(()),
        };
        if let Err(error) = begun.and_then(|()| execute(connection, "SAVEPOINT job")) {
            let (_, completion) = (job.work)(Err(error.clone()));
            completion(Ok(()));
            refused = Some(error);
            continue;
        }
        let (worked, completion) = (job.work)(Ok(connection));
        if connection.is_autocommit() {
            // A full disk or a failing one makes SQLite give up the whole transaction: everyone in it
            // must hear that nothing was kept.
            connection.sums.take();
            let error = DbError::new(DbErrorKind::Other, "the transaction was rolled back with a failed one");
            for earlier in done.drain(..) {
                earlier(Err(error.clone()));
            }
            completion(Err(error));
            continue;
        }
        let closed = if worked {
            execute(connection, "RELEASE job")
        } else {
            // A failed job takes back only itself.
            execute(connection, "ROLLBACK TO job").and_then(|()| execute(connection, "RELEASE job"))
        };
        match closed {
            Ok(()) => done.push(completion),
            Err(error) => completion(Err(error)),
        }
    }
    let committed = if connection.is_autocommit() {
        Ok(())
    } else {
        connection.sums.take().write(connection).and_then(|()| execute(connection, "COMMIT"))
    };
    if committed.is_err() && !connection.is_autocommit() {
        let _ = execute(connection, "ROLLBACK");
    }
    (done, committed)
}

/// Reads until the queue is closed and empty. One at a time, so that another thread can take the next.
pub(crate) fn read_loop(connection: &Session, queue: &Queue<Job>) {
    while let Some(jobs) = queue.pop_some(1, Duration::ZERO) {
        for job in jobs {
            let (_, completion) = (job.work)(Ok(connection));
            completion(Ok(()));
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<(), DbError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Runs writers' and readers' loops on threads of their own.
pub(crate) fn spawn(
    name: &str,
    connection: Connection,
    queue: &Arc<Queue<Job>>,
    run: fn(&Session, &Queue<Job>),
) -> Result<std::thread::JoinHandle<()>, DbError> {
    let queue = Arc::clone(queue);
    let thread = std::thread::Builder::new().name(name.to_owned());
    let session = Session::new(connection);
    Ok(thread.spawn(move || run(&session, &queue))?)
}
