//! Why the vault did not do what it was asked.

use super::kek::KekId;
use crate::db::DbError;
use std::fmt;
use std::io;

/// A failure of the vault. Cheap to clone; no content and no key is in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultError {
    /// The disk failed; nothing was promised, and what was kept before still is.
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
    /// Another process has the vault open for writing.
    Locked,
    /// What lies there does not verify, or is of a newer format; nothing was changed.
    Refused {
        /// In which file.
        path: String,
        /// At which byte of it.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// The table of places and wrapped keys failed.
    Table(DbError),
    /// Exchanges are sealed under another key-encryption key than the one that was given.
    WrongKey {
        /// The key that was given.
        given: KekId,
        /// The key that is needed.
        needed: KekId,
        /// How many exchanges need it.
        exchanges: u64,
    },
    /// The file of the key-encryption key cannot be used.
    KeyFile {
        /// Which file.
        path: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// A key was destroyed, but a reader keeps an older copy of it alive in the write-ahead log of `keys.db`.
    LogHeld,
    /// A sync failed earlier: what is on the disk is unknown until the vault is opened again.
    Broken {
        /// What failed.
        why: String,
    },
    /// The vault is closed.
    Closed,
}

impl VaultError {
    pub(super) fn disk(doing: &'static str, path: &str, error: &io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        Self::Disk { doing, path: path.into(), why: error.to_string(), full }
    }

    pub(super) fn refused(path: impl Into<String>, offset: u64, why: impl Into<String>) -> Self {
        Self::Refused { path: path.into(), offset, why: why.into() }
    }
}

impl From<DbError> for VaultError {
    fn from(error: DbError) -> Self {
        Self::Table(error)
    }
}

impl From<rusqlite::Error> for VaultError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Table(error.into())
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk { doing, path, why, full } => {
                write!(f, "the vault cannot {doing} `{path}`: {why}")?;
                if *full { f.write_str("\nhint: free some space; until then nothing is kept") } else { Ok(()) }
            }
            Self::Locked => f.write_str(
                "the vault is open in another process\nhint: one outlet per data folder; stop the other one or set \
                 `data` in `[serve]`",
            ),
            Self::Refused { path, offset, why } => write!(
                f,
                "the vault refuses `{path}` at byte {offset}: {why}\nhint: nothing was changed; put a backup back, \
                 or move the folder `vault` away and begin a new one"
            ),
            Self::Table(error) => write!(f, "the vault's `keys.db` failed: {error}"),
            Self::WrongKey { given, needed, exchanges } => write!(
                f,
                "{exchanges} kept exchanges are sealed under the key {needed}, and the key file holds {given}\nhint: \
                 put the right file where `key_file` in `[record]` points; without it they cannot be read"
            ),
            Self::KeyFile { path, why, hint } => {
                write!(f, "the key of the vault in `{path}` cannot be used: {why}\nhint: {hint}")
            }
            Self::LogHeld => f.write_str(
                "the key is destroyed, but a reader holds an older copy in the write-ahead log of `keys.db`\nhint: \
                 end the export that is running and erase again",
            ),
            Self::Broken { why } => {
                write!(f, "the vault stopped after a failed write: {why}\nhint: start the outlet again")
            }
            Self::Closed => f.write_str("the vault is closed"),
        }
    }
}

impl std::error::Error for VaultError {}
