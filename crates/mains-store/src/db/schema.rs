//! The tables, their versions, and how a file is judged before it is used.

use super::error::{DbError, DbErrorKind};
use rusqlite::{Connection, OptionalExtension};
use std::path::{Path, PathBuf};

/// Marks the file as ours in its header: `MAIN`.
const APPLICATION_ID: i32 = 0x4D41_494E;

/// Each step takes the schema from the version of its index to the next. A released step never changes.
pub(crate) const MIGRATIONS: &[&str] = &[FIRST, SECOND];

/// Files up to this size are checked page by page at every start; it takes some tens of milliseconds.
const CHECKED_BYTES_MAX: u64 = 16 << 20;

const FIRST: &str = "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys that clients present. The key itself is nowhere: mac is HMAC-SHA256 under the pepper.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    mac BLOB NOT NULL CHECK (length(mac) = 32),
    shown TEXT NOT NULL,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER
) STRICT, WITHOUT ROWID;

-- One row for every identified request. Times in milliseconds since 1970, UTC; unknown is NULL, never 0.
CREATE TABLE requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    key_id TEXT,
    project TEXT,
    dialect TEXT NOT NULL,
    streamed INTEGER NOT NULL,
    asked TEXT NOT NULL,
    route TEXT,
    target TEXT,
    provider TEXT,
    model TEXT,
    result TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    status INTEGER NOT NULL,
    attempts TEXT NOT NULL,
    input INTEGER, cached_read INTEGER, cached_write INTEGER, output INTEGER, reasoning INTEGER,
    cost_nano_usd INTEGER,
    energy_j_low REAL, energy_j REAL, energy_j_high REAL,
    co2_g_low REAL, co2_g REAL, co2_g_high REAL,
    water_l_low REAL, water_l REAL, water_l_high REAL,
    grade TEXT,
    duration_ms INTEGER NOT NULL,
    first_token_ms INTEGER,
    intents TEXT NOT NULL,
    outcome INTEGER,
    losses TEXT NOT NULL,
    degraded INTEGER NOT NULL,
    stand_in INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_at ON requests (at);

-- Sums by minute (0), hour (1) and day (2). Empty text stands for no project, key, route or target,
-- because a primary key holds no NULL.
CREATE TABLE usage (
    period INTEGER NOT NULL,
    start INTEGER NOT NULL,
    project TEXT NOT NULL,
    key_id TEXT NOT NULL,
    route TEXT NOT NULL,
    target TEXT NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    uncounted INTEGER NOT NULL,
    unmetered INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    input INTEGER NOT NULL, cached_read INTEGER NOT NULL, cached_write INTEGER NOT NULL,
    output INTEGER NOT NULL, reasoning INTEGER NOT NULL,
    energy_j_low REAL NOT NULL, energy_j REAL NOT NULL, energy_j_high REAL NOT NULL,
    co2_g_low REAL NOT NULL, co2_g REAL NOT NULL, co2_g_high REAL NOT NULL,
    water_l_low REAL NOT NULL, water_l REAL NOT NULL, water_l_high REAL NOT NULL,
    grade TEXT,
    PRIMARY KEY (period, start, project, key_id, route, target)
) STRICT, WITHOUT ROWID;

-- The key under which one record's payloads are committed to in the ledger; NULL once erased.
CREATE TABLE commitment_keys (
    record TEXT PRIMARY KEY,
    k BLOB CHECK (k IS NULL OR length(k) = 32),
    created INTEGER NOT NULL,
    erased INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX commitment_keys_created ON commitment_keys (created);

CREATE TABLE budgets (
    scope TEXT NOT NULL,
    per TEXT NOT NULL,
    quantity TEXT NOT NULL,
    since INTEGER NOT NULL,
    used INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    PRIMARY KEY (scope, per, quantity)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
";

/// Swaps: their tests, the switches under way, the arm that took a request, and the verdicts on answers.
const SECOND: &str = "
-- `new 50000 REPORT` or `old 50000 REPORT`: the arm, its chance in millionths, the report's hash.
ALTER TABLE requests ADD COLUMN canary TEXT;

CREATE TABLE swap_tests (
    report TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    from_target TEXT NOT NULL,
    to_target TEXT NOT NULL,
    route TEXT,
    verdict TEXT NOT NULL,
    figures TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE swap_states (
    route TEXT PRIMARY KEY,
    report TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feedback (
    request TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    project TEXT,
    key_id TEXT,
    good INTEGER NOT NULL,
    note TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_at ON feedback (at);

-- A verdict goes with the request that it is about, also when it came much later.
CREATE TRIGGER feedback_of_a_request AFTER DELETE ON requests
BEGIN
    DELETE FROM feedback WHERE request = OLD.id;
END;
";

/// Judges the file by its name and first bytes, before SQLite touches it.
pub(crate) fn check_file(path: &Path) -> Result<(), DbError> {
    let length = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err(DbError::new(DbErrorKind::Foreign, "this is not a regular file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log_length = std::fs::metadata(PathBuf::from(log)).map_or(0, |metadata| metadata.len());
    // SQLite would take an empty file for a new database and throw the log beside it away.
    if length == 0 && log_length > 0 {
        return Err(DbError::new(DbErrorKind::Damaged, "the database is cut off to nothing"));
    }
    if length == 0 {
        return Ok(());
    }
    let mut head = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(std::fs::File::open(path)?, 100), &mut head)?;
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(DbError::new(DbErrorKind::Foreign, "the file is not an SQLite database"));
    }
    // SQLite itself finds missing pages, but fills up a page that is cut in two. With a log beside it
    // the file may be in the middle of taking pages over, and the log has them whole.
    let page = page_bytes(&head);
    if page.is_none_or(|page| log_length == 0 && length % page != 0) {
        return Err(DbError::new(DbErrorKind::Damaged, "the database is cut off"));
    }
    Ok(())
}

/// The size of a page as the header says it, at offset 16; 1 stands for 65,536 (sqlite.org/fileformat2).
fn page_bytes(head: &[u8]) -> Option<u64> {
    match u16::from_be_bytes([*head.get(16)?, *head.get(17)?]) {
        1 => Some(65_536),
        size if head.len() == 100 && size >= 512 => Some(size.into()),
        _ => None,
    }
}

/// Makes the connection ours: settings, then the schema, migrated where it is older.
pub(crate) fn prepare(
    connection: &Connection,
    path: Option<&Path>,
    migrations: &[&str],
) -> Result<(), DbError> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if objects == 0 && application == 0 {
        // Only a database without tables can still be told to give space back page by page.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    } else if application != APPLICATION_ID {
        return Err(DbError::new(DbErrorKind::Foreign, "the database belongs to another program"));
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Erased secrets are overwritten with zeros, not only unlinked.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    check_pages(connection, path)?;
    migrate(connection, path, migrations)
}

fn check_pages(connection: &Connection, path: Option<&Path>) -> Result<(), DbError> {
    let length = path.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |metadata| metadata.len());
    if length > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(DbError::new(DbErrorKind::Damaged, format!("the database is damaged: {verdict}")))
}

fn version(connection: &Connection) -> Result<usize, DbError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    usize::try_from(version).map_err(|_| {
        DbError::new(DbErrorKind::Damaged, format!("the database says that its schema has version {version}"))
    })
}

fn migrate(connection: &Connection, path: Option<&Path>, migrations: &[&str]) -> Result<(), DbError> {
    let ours = migrations.len();
    let found = version(connection)?;
    if found > ours {
        let message = format!("the database has schema version {found}, and this Mains knows only {ours}");
        return Err(DbError::new(DbErrorKind::Newer, message));
    }
    if found == ours {
        return Ok(());
    }
    if let (Some(path), true) = (path, found > 0) {
        back_up(connection, path, found)?;
    }
    // Whoever opened the file at the same moment waits here, and then finds the work done.
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Exclusive)?;
    for step in &migrations[version(&transaction)?.min(ours)..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(ours).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}

/// Where the copy of a database of this version lies.
pub(crate) fn backup_path(path: &Path, version: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".backup-v{version}"));
    PathBuf::from(name)
}

/// A whole copy beside the file, complete before it gets its name.
fn back_up(connection: &Connection, path: &Path, version: usize) -> Result<(), DbError> {
    let target = backup_path(path, version);
    let mut part = target.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let part_text = part.to_str().ok_or_else(|| {
        DbError::new(DbErrorKind::Other, "the path of the data folder is not valid Unicode")
    })?;
    create_private(&part)?;
    connection.prepare("VACUUM INTO ?1").and_then(|mut statement| statement.execute([part_text])).map_err(
        |error| DbError::from(error).while_doing("failed to copy the database before migrating it"),
    )?;
    std::fs::File::open(&part)?.sync_all()?;
    std::fs::rename(&part, &target)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// An empty file that only its owner may read: keys' macs and commitment keys are inside.
pub(crate) fn create_private(path: &Path) -> Result<(), DbError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// Reads one value of `meta`.
pub(crate) fn meta(connection: &Connection, name: &str) -> Result<Option<String>, DbError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, DbOptions};

    const NOTES: &str = "CREATE TABLE notes (text TEXT NOT NULL) STRICT; INSERT INTO notes VALUES ('new')";

    fn version_of(path: &Path) -> usize {
        version(&Connection::open(path).unwrap()).unwrap()
    }

    #[test]
    fn an_older_schema_is_migrated_after_a_backup_that_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mains.db");
        let options = DbOptions::file(&path, [0; 32]);
        let db = Db::open(&options).unwrap();
        db.set_meta("kept", "yes").wait().unwrap();
        drop(db);
        // What an interrupted backup left must not be taken for one.
        std::fs::write(folder.path().join("mains.db.backup-v2.part"), "half").unwrap();
        let db = Db::open_with(&options, &[FIRST, SECOND, NOTES]).unwrap();
        assert_eq!(db.meta("kept").wait().unwrap().as_deref(), Some("yes"));
        drop(db);
        assert_eq!(version_of(&path), 3);
        let copy = backup_path(&path, 2);
        assert_eq!(version_of(&copy), 2);
        let old = Db::open(&DbOptions::file(&copy, [0; 32])).unwrap();
        assert_eq!(old.meta("kept").wait().unwrap().as_deref(), Some("yes"));
        // And the binary that knows only the versions before refuses the new file.
        assert_eq!(Db::open(&options).err().map(|error| error.kind), Some(DbErrorKind::Newer));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_last_good_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mains.db");
        let options = DbOptions::file(&path, [0; 32]);
        drop(Db::open(&options).unwrap());
        assert!(Db::open_with(&options, &[FIRST, SECOND, NOTES, "CREATE TABLE meta (a)"]).is_err());
        assert_eq!(version_of(&path), 2);
        let tables: i64 = Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'notes'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
        assert!(Db::open(&options).is_ok());
    }

    #[test]
    fn a_database_of_the_first_version_keeps_its_requests_and_takes_what_is_new() {
        use crate::db::{Canary, Feedback, FeedbackKept};
        use mains_units::{RequestId, Timestamp};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mains.db");
        let options = DbOptions::file(&path, [0; 32]);
        drop(Db::open_with(&options, &[FIRST]).unwrap());
        let id = RequestId::from_bytes([1; 12]);
        let old = Connection::open(&path).unwrap();
        let sql =
            "INSERT INTO requests (id, at, dialect, streamed, asked, result, succeeded, status, attempts,
                       duration_ms, intents, losses, degraded, stand_in)
                   VALUES (?1, 5, 'openai_chat', 0, 'gpt-4o', 'complete', 1, 200, '[]', 9, '[]', '[]', 0, 0)";
        old.execute(sql, [id.to_string()]).unwrap();
        drop(old);

        let db = Db::open(&options).unwrap();
        let before = db.request(id).wait().unwrap().unwrap();
        assert_eq!((before.asked.as_str(), before.canary.as_ref()), ("gpt-4o", None));
        let mut row = before.clone();
        row.id = RequestId::from_bytes([2; 12]);
        row.canary = Some(Canary { new: false, share_ppm: 250_000, report: "ab".repeat(32) });
        assert!(db.insert_request(row.clone()).wait().unwrap());
        assert_eq!(db.request(row.id).wait().unwrap(), Some(row));
        let feedback =
            Feedback { request: id, at: Timestamp(6), project: None, key_id: None, good: true, note: None };
        assert_eq!(db.add_feedback(feedback).wait().unwrap(), FeedbackKept::New);
        drop(db);
        assert_eq!((version_of(&path), version_of(&backup_path(&path, 1))), (2, 1));
    }
}
