//! What a disk can do for the log, and what can go wrong with it.

use std::fmt;
use std::io;

/// How long a change must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It survives a power cut once the call returns.
    Synced,
    /// It survives the end of this process; a power cut may undo or damage it.
    Unsynced,
}

/// Holds the log's lock until it is dropped.
pub type LockGuard = Box<dyn Send + Sync>;

/// A folder of files, by paths with slashes relative to it. The double in [`super::double`] loses what was
/// not synced; simulations and tests use it.
pub trait Disk: Send + Sync {
    /// Appends to a file that exists. On an error any part of the bytes may have been written.
    fn append(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything appended to a file survive a power cut.
    fn sync(&self, path: &str) -> io::Result<()>;
    /// Puts a whole file in place at once, folders included: a reader sees the old bytes or the new ones.
    fn replace(&self, path: &str, bytes: &[u8], keep: Keep) -> io::Result<()>;
    /// At most `limit` bytes from `offset` on; fewer only at the end of the file.
    fn read(&self, path: &str, offset: u64, limit: usize) -> io::Result<Vec<u8>>;
    /// Every file, in no particular order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Cuts a file to this length and syncs it.
    fn truncate(&self, path: &str, length: u64) -> io::Result<()>;
    /// Removes a file, and its folder if that was the last one in it.
    fn remove(&self, path: &str, keep: Keep) -> io::Result<()>;
    /// Takes the lock `path` for as long as the guard lives; [`io::ErrorKind::WouldBlock`] where another
    /// process holds it.
    fn lock(&self, path: &str) -> io::Result<LockGuard>;
}

/// Why the log did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogError {
    /// The disk failed; nothing was promised, and what was promised before still holds.
    Disk {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: String,
        /// What the system said.
        why: String,
        /// Whether the disk is full.
        full: bool,
    },
    /// Another process has the log open.
    Locked,
    /// What lies there does not verify, or is of a newer format; nothing was changed.
    Refused {
        /// In which file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A leaf is longer than a leaf can be.
    Leaf {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A sync failed earlier: what is on the disk is unknown until the log is opened again.
    Broken {
        /// What failed.
        why: String,
    },
    /// The log is closed.
    Closed,
}

impl LogError {
    pub(super) fn disk(doing: &'static str, path: &str, error: &io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        Self::Disk { doing, path: path.into(), why: error.to_string(), full }
    }

    pub(super) fn refused(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Refused { path: path.into(), why: why.into() }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk { doing, path, why, full } => {
                write!(f, "the ledger cannot {doing} `{path}`: {why}")?;
                if *full { write!(f, "\nhint: free some space; the ledger goes on by itself") } else { Ok(()) }
            }
            Self::Locked => f.write_str(
                "the ledger is open in another process\nhint: one outlet per data folder; stop the other one or \
                 set `data` in `[serve]`",
            ),
            Self::Refused { path, why } => write!(
                f,
                "the ledger refuses `{path}`: {why}\nhint: nothing was changed; `mains ledger verify` tells more"
            ),
            Self::Leaf { bytes } => write!(f, "a leaf of {bytes} bytes is longer than 65535"),
            Self::Broken { why } => {
                write!(f, "the ledger stopped after a failed sync: {why}\nhint: start the outlet again")
            }
            Self::Closed => f.write_str("the ledger is closed"),
        }
    }
}

impl std::error::Error for LogError {}
