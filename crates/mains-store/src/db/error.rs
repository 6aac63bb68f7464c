//! What can go wrong with the database, said for whoever runs the outlet.

use std::fmt;
use std::sync::Arc;

/// A failure of the database. Cheap to clone, because one failed commit fails many waiting callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbError {
    /// What kind of failure.
    pub kind: DbErrorKind,
    message: Arc<str>,
}

/// The kinds of failure that a caller may treat apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DbErrorKind {
    /// Another process holds the database, for longer than we wait.
    Locked,
    /// The disk is full.
    Full,
    /// The file is damaged or cut off.
    Damaged,
    /// The file is no database of ours.
    Foreign,
    /// The file was written by a newer Mains.
    Newer,
    /// The file may not be read or written.
    Denied,
    /// The database was closed while the request waited.
    Closed,
    /// Anything else.
    Other,
}

impl DbErrorKind {
    /// What to do about it.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Locked => Some("stop the other process that uses this data folder, then try again"),
            Self::Full => Some("free some space on the disk of the data folder; nothing was lost"),
            Self::Damaged => {
                Some("move the file away and put a backup in its place; the ledger is kept apart")
            }
            Self::Foreign => Some("set `data` in `[serve]` to a folder of its own"),
            Self::Newer => Some("install the newer version again, or use another data folder"),
            Self::Denied => Some("give the user that runs Mains the data folder, with mode 0700"),
            Self::Closed | Self::Other => None,
        }
    }
}

impl DbError {
    pub(crate) fn new(kind: DbErrorKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: message.as_ref().into() }
    }

    /// The same failure with what was being done in front: `failed to open …: the disk is full`.
    pub(crate) fn while_doing(self, what: &str) -> Self {
        Self::new(self.kind, format!("{what}: {}", self.message))
    }

    pub(crate) fn closed() -> Self {
        Self::new(DbErrorKind::Closed, "the database is closed")
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.kind.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DbError {}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let (kind, message) = match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked | Code::FileLockingProtocolFailed) => {
                (DbErrorKind::Locked, "another process holds the database".to_owned())
            }
            Some(Code::DiskFull) => (DbErrorKind::Full, "the disk is full".to_owned()),
            Some(Code::DatabaseCorrupt) => {
                (DbErrorKind::Damaged, "the database is damaged or cut off".to_owned())
            }
            Some(Code::NotADatabase) => (DbErrorKind::Foreign, "the file is not a database".to_owned()),
            Some(
                Code::CannotOpen
                | Code::ReadOnly
                | Code::PermissionDenied
                | Code::AuthorizationForStatementDenied,
            ) => (DbErrorKind::Denied, format!("the database cannot be opened for writing ({error})")),
            // The text of SQLite names statements and columns, never values.
            _ => (DbErrorKind::Other, format!("the database failed: {error}")),
        };
        Self::new(kind, message)
    }
}

impl From<std::io::Error> for DbError {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => DbErrorKind::Full,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                DbErrorKind::Denied
            }
            _ => DbErrorKind::Other,
        };
        Self::new(kind, error.to_string())
    }
}
