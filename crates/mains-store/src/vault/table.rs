//! `keys.db`: where each exchange lies, and its wrapped data key. NULL in place of the key says that it was
//! erased.

use super::error::VaultError;
use super::kek::KekId;
use super::seal::WRAPPED_BYTES;
use crate::db::{DbError, DbErrorKind, schema};
use mains_units::{RequestId, Span, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::path::Path;

/// Marks the file as the vault's in its header: `MVLT`.
const APPLICATION_ID: i32 = 0x4D56_4C54;
const SCHEMA_VERSION: i64 = 1;

/// `wrapped` must be as long as [`WRAPPED_BYTES`].
const SCHEMA: &str = "
CREATE TABLE exchanges (
    sequence INTEGER PRIMARY KEY,
    request TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    route TEXT,
    project TEXT,
    segment INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    kek BLOB NOT NULL CHECK (length(kek) = 8),
    wrapped BLOB CHECK (wrapped IS NULL OR length(wrapped) = 72),
    erased INTEGER
) STRICT;
CREATE INDEX exchanges_at ON exchanges (at, sequence);
CREATE INDEX exchanges_segment ON exchanges (segment, start);
";

const COLUMNS: &str = "sequence, request, at, route, project, segment, start, length, kek, wrapped, erased";

/// One exchange as the table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sequence: i64,
    pub(super) request: RequestId,
    pub(super) at: Timestamp,
    pub(super) route: Option<String>,
    pub(super) project: Option<String>,
    pub(super) segment: u64,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) kek: KekId,
    pub(super) wrapped: Option<Vec<u8>>,
    pub(super) erased: Option<Timestamp>,
}

/// What one segment holds according to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) segment: u64,
    /// One past the last byte of its last exchange.
    pub(super) end: u64,
    /// Exchanges whose key stands.
    pub(super) live: u64,
    /// When the oldest exchange arrived.
    pub(super) oldest: Timestamp,
}

/// The table; one connection, for one thread at a time.
pub(super) struct Table {
    connection: Connection,
}

impl Table {
    /// Opens or makes the table for writing; in memory without a path.
    pub(super) fn open(path: Option<&Path>, busy: Span) -> Result<Self, VaultError> {
        let connection = match path {
            None => Connection::open_in_memory()?,
            Some(path) => {
                schema::check_file(path)?;
                schema::create_private(path).map_err(VaultError::Table)?;
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(path, flags)?
            }
        };
        connection.busy_timeout(busy.to_std())?;
        prepare(&connection)?;
        Ok(Self { connection })
    }

    /// Opens the table that is there, for reading beside its writer.
    pub(super) fn read_only(path: &Path, busy: Span) -> Result<Self, VaultError> {
        schema::check_file(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy.to_std())?;
        check_owner(&connection)?;
        Ok(Self { connection })
    }

    /// Adds these exchanges, all or none.
    pub(super) fn insert(&self, entries: &[Entry]) -> Result<(), VaultError> {
        let transaction = self.connection.unchecked_transaction()?;
        {
            let sql =
                "INSERT INTO exchanges (request, at, route, project, segment, start, length, kek, wrapped)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let mut statement = transaction.prepare_cached(sql)?;
            for entry in entries {
                statement.execute(params![
                    entry.request.to_string(),
                    entry.at.0,
                    entry.route,
                    entry.project,
                    stored(entry.segment),
                    stored(entry.start),
                    stored(entry.length),
                    entry.kek.0.as_slice(),
                    entry.wrapped,
                ])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// The exchange of this request, erased or not.
    pub(super) fn find(&self, request: RequestId) -> Result<Option<Entry>, VaultError> {
        let sql = format!("SELECT {COLUMNS} FROM exchanges WHERE request = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let row = statement.query_row([request.to_string()], |row| Ok(entry(row))).optional()?;
        row.transpose()
    }

    /// Exchanges whose key stands, in the order of time, after this place.
    pub(super) fn page(
        &self,
        filter: &super::VaultFilter,
        after: Option<(Timestamp, i64)>,
        limit: u64,
    ) -> Result<Vec<Entry>, VaultError> {
        let (after_at, after_sequence) =
            after.map_or((i64::MIN, i64::MIN), |(at, sequence)| (at.0, sequence));
        let since = filter.since.map_or(i64::MIN, |since| since.0).max(after_at);
        let sql = format!(
            "SELECT {COLUMNS} FROM exchanges
             WHERE wrapped IS NOT NULL AND at >= ?1 AND at < ?2 AND (at, sequence) > (?3, ?4)
                 AND (?5 IS NULL OR route = ?5) AND (?6 IS NULL OR project = ?6)
             ORDER BY at, sequence LIMIT ?7"
        );
        let until = filter.until.map_or(i64::MAX, |until| until.0);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values =
            params![since, until, after_at, after_sequence, filter.route, filter.project, stored(limit)];
        let rows = statement.query_map(values, |row| Ok(entry(row)))?;
        rows.map(|row| row.map_err(VaultError::from).and_then(|entry| entry)).collect()
    }

    /// The exchanges of a segment, erased or not, in the order of their frames.
    pub(super) fn in_segment(&self, segment: u64) -> Result<Vec<Entry>, VaultError> {
        let sql = format!("SELECT {COLUMNS} FROM exchanges WHERE segment = ?1 ORDER BY start");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([stored(segment)], |row| Ok(entry(row)))?;
        rows.map(|row| row.map_err(VaultError::from).and_then(|entry| entry)).collect()
    }

    /// What the segments hold, in their order.
    pub(super) fn extents(&self) -> Result<Vec<Extent>, VaultError> {
        let sql = "SELECT segment, max(start + length), count(wrapped), min(at) FROM exchanges
                   GROUP BY segment ORDER BY segment";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Extent {
                segment: counted(row.get(0)?),
                end: counted(row.get(1)?),
                live: counted(row.get(2)?),
                oldest: Timestamp(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Exchanges whose key stands, the bytes of their frames, and when the oldest of them arrived.
    pub(super) fn totals(&self) -> Result<(u64, u64, Option<Timestamp>), VaultError> {
        let sql =
            "SELECT count(*), coalesce(sum(length), 0), min(at) FROM exchanges WHERE wrapped IS NOT NULL";
        let row = self.connection.query_row(sql, [], |row| {
            Ok((counted(row.get(0)?), counted(row.get(1)?), row.get::<_, Option<i64>>(2)?.map(Timestamp)))
        });
        Ok(row?)
    }

    /// A key-encryption key, other than this one, that exchanges need, and how many do.
    pub(super) fn other_kek(&self, ours: KekId) -> Result<Option<(KekId, u64)>, VaultError> {
        let sql = "SELECT kek, count(*) FROM exchanges WHERE wrapped IS NOT NULL AND kek <> ?1
                   GROUP BY kek ORDER BY count(*) DESC LIMIT 1";
        let found = self
            .connection
            .query_row(sql, [ours.0.as_slice()], |row| Ok((KekId(row.get(0)?), counted(row.get(1)?))));
        Ok(found.optional()?)
    }

    /// Destroys the key of this request; `false` where none stands.
    pub(super) fn destroy(&self, request: RequestId, now: Timestamp) -> Result<bool, VaultError> {
        let sql =
            "UPDATE exchanges SET wrapped = NULL, erased = ?2 WHERE request = ?1 AND wrapped IS NOT NULL";
        self.synced(|connection| {
            Ok(connection.prepare_cached(sql)?.execute(params![request.to_string(), now.0])? == 1)
        })
    }

    /// Takes away exchanges of before `since`, erased ones too: those of `project`, or those of every project
    /// that is not in `but`.
    pub(super) fn expire(
        &self,
        since: Timestamp,
        project: Option<&str>,
        but: &[&str],
        limit: u64,
    ) -> Result<u64, VaultError> {
        let but = serde_json::to_string(but).unwrap_or_else(|_| "[]".into());
        let sql = "DELETE FROM exchanges WHERE sequence IN (
                       SELECT sequence FROM exchanges WHERE at < ?1
                           AND CASE WHEN ?2 IS NULL
                               THEN project IS NULL OR project NOT IN (SELECT value FROM json_each(?3))
                               ELSE project = ?2 END
                       ORDER BY at LIMIT ?4)";
        self.synced(|connection| {
            let values = params![since.0, project, but, stored(limit)];
            Ok(connection.prepare_cached(sql)?.execute(values)? as u64)
        })
    }

    /// Forgets what is left of a segment whose file goes: rows of erased exchanges.
    pub(super) fn forget(&self, segment: u64) -> Result<(), VaultError> {
        self.synced(|connection| {
            let sql = "DELETE FROM exchanges WHERE segment = ?1 AND wrapped IS NULL";
            connection.prepare_cached(sql)?.execute([stored(segment)])?;
            Ok(())
        })
    }

    /// Folds the write-ahead log into the file and cuts it to nothing, so that no older copy of a page stays
    /// in it; waits for readers as long as `busy` said.
    pub(super) fn clear_log(&self) -> Result<(), VaultError> {
        let held: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if held == 0 { Ok(()) } else { Err(VaultError::LogHeld) }
    }

    /// Gives freed pages back to the disk, a few at a time.
    pub(super) fn shrink(&self) -> Result<(), VaultError> {
        let mut vacuum = self.connection.prepare_cached("PRAGMA incremental_vacuum(256)")?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        Ok(())
    }

    /// One change that a power cut does not undo once it is done.
    fn synced<T>(&self, work: impl FnOnce(&Connection) -> Result<T, VaultError>) -> Result<T, VaultError> {
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let result = work(&self.connection);
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        result
    }
}

fn prepare(connection: &Connection) -> Result<(), VaultError> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if objects == 0 {
        // Only a database without tables can still be told to give space back page by page.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    } else {
        check_owner(connection)?;
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Erased keys are overwritten with zeros, not only unlinked.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    if objects == 0 {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
    }
    Ok(())
}

fn check_owner(connection: &Connection) -> Result<(), VaultError> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(DbError::new(DbErrorKind::Foreign, "it is no table of a vault").into());
    }
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA_VERSION {
        let why = format!("it has schema version {version}, and this Mains knows only {SCHEMA_VERSION}");
        return Err(DbError::new(DbErrorKind::Newer, why).into());
    }
    Ok(())
}

/// A row as an entry; a row that we cannot have written is damage.
fn entry(row: &Row<'_>) -> Result<Entry, VaultError> {
    let damaged = || VaultError::from(DbError::new(DbErrorKind::Damaged, "a row of it makes no sense"));
    let request: String = row.get(1)?;
    let wrapped: Option<Vec<u8>> = row.get(9)?;
    if wrapped.as_ref().is_some_and(|wrapped| wrapped.len() != WRAPPED_BYTES) {
        return Err(damaged());
    }
    Ok(Entry {
        sequence: row.get(0)?,
        request: RequestId::parse(&request).ok_or_else(damaged)?,
        at: Timestamp(row.get(2)?),
        route: row.get(3)?,
        project: row.get(4)?,
        segment: counted(row.get(5)?),
        start: counted(row.get(6)?),
        length: counted(row.get(7)?),
        kek: KekId(row.get(8)?),
        wrapped,
        erased: row.get::<_, Option<i64>>(10)?.map(Timestamp),
    })
}

/// SQLite counts up to 2^63 - 1; a count beyond that is as good as that.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The way back; a negative count cannot have been written by us.
fn counted(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
