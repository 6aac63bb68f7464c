//! What keeps a restart honest and the file small: budgets, commitment keys, checkpoints, small facts, and
//! the pruning of what is past its time.

use super::error::DbError;
use super::usage::Period;
use super::worker::Care;
use super::{Db, Pending, counted, feedback, schema, stored};
use mains_units::{Quantity, RequestId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// What one cap has used in its window, so that a restart does not renew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRow {
    /// Whose: `organisation`, `project:NAME`, `key:NAME`.
    pub scope: String,
    /// The window: `minute`, `hour`, `day`, `week`, `month`.
    pub per: String,
    /// What is capped.
    pub quantity: Quantity,
    /// Start of the window that the amounts belong to.
    pub since: Timestamp,
    /// Settled, of figures that bind, in [`Quantity::unit`].
    pub used: u64,
    /// Settled, of figures too weak to bind, in [`Quantity::unit`].
    pub reported: u64,
}

/// A signed checkpoint of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// The number of leaves it covers.
    pub size: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

/// For how many days each table keeps its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepFor {
    /// Requests, their commitment keys, and the verdicts on their answers.
    pub requests_days: u64,
    /// Sums by minute.
    pub usage_minute_days: u64,
    /// Sums by hour.
    pub usage_hour_days: u64,
    /// Sums by day.
    pub usage_day_days: u64,
}

/// What one call of [`Db::prune`] took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Requests.
    pub requests: u64,
    /// Commitment keys.
    pub commitment_keys: u64,
    /// Sums.
    pub usage: u64,
    /// Whether there is more to take away.
    pub more: bool,
}

/// How many rows of a table one call takes away, so that requests do not wait behind it.
const PRUNE_ROWS_MAX: i64 = 2_000;

const QUANTITIES: [(Quantity, &str); 6] = [
    (Quantity::Money, "money"),
    (Quantity::Energy, "energy"),
    (Quantity::Carbon, "carbon"),
    (Quantity::Water, "water"),
    (Quantity::Tokens, "tokens"),
    (Quantity::Requests, "requests"),
];

impl Db {
    /// Puts these amounts in place of all that were kept before.
    pub fn save_budgets(&self, rows: Vec<BudgetRow>) -> Pending<()> {
        self.write(Care::Usual, move |connection| {
            connection.prepare_cached("DELETE FROM budgets")?.execute([])?;
            let sql = "INSERT INTO budgets (scope, per, quantity, since, used, reported)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let mut statement = connection.prepare_cached(sql)?;
            for row in &rows {
                let quantity = QUANTITIES.iter().find(|(known, _)| *known == row.quantity);
                let quantity = quantity.map_or("", |(_, name)| name);
                let (used, reported) = (stored(row.used), stored(row.reported));
                statement.execute(params![row.scope, row.per, quantity, row.since.0, used, reported])?;
            }
            Ok(())
        })
    }

    /// The amounts that were kept last.
    pub fn budgets(&self) -> Pending<Vec<BudgetRow>> {
        self.read(|connection| {
            let sql = "SELECT scope, per, quantity, since, used, reported FROM budgets
                       ORDER BY scope, per, quantity";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                let name: String = row.get(2)?;
                let quantity = QUANTITIES.iter().find(|(_, known)| *known == name).map(|(known, _)| *known);
                let (scope, per, since) = (row.get(0)?, row.get(1)?, Timestamp(row.get(3)?));
                let (used, reported) = (counted(row.get(4)?), counted(row.get(5)?));
                Ok(quantity.map(|quantity| BudgetRow { scope, per, quantity, since, used, reported }))
            })?;
            Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
    }

    /// Keeps the key under which a record's payloads are committed to. A record has one key for good: a
    /// second one, and one for a record that was erased, is refused with `false`.
    pub fn keep_commitment_key(&self, record: RequestId, key: [u8; 32], now: Timestamp) -> Pending<bool> {
        self.write(Care::Usual, move |connection| keep_key(connection, &record, &key, now))
    }

    /// The commitment key of a record; `None` when it was erased, pruned or never kept.
    pub fn commitment_key(&self, record: RequestId) -> Pending<Option<[u8; 32]>> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT k FROM commitment_keys WHERE record = ?1")?;
            let key: Option<Option<[u8; 32]>> =
                statement.query_row([record.to_string()], |row| row.get(0)).optional()?;
            Ok(key.flatten())
        })
    }

    /// Erases the commitment key of a record, so that its leaves can no longer be tied to any payload;
    /// `false` when there is none. When this answers, the key is overwritten in the file and gone from
    /// the write-ahead log, unless a reader held that open; copies made elsewhere are the caller's. The note
    /// of a verdict on its answer goes with it.
    pub fn erase_commitment_key(&self, record: RequestId, now: Timestamp) -> Pending<bool> {
        self.write(Care::Erased, move |connection| {
            feedback::erase_note(connection, record)?;
            let sql = "UPDATE commitment_keys SET k = NULL, erased = ?2 WHERE record = ?1 AND k IS NOT NULL";
            Ok(connection.prepare_cached(sql)?.execute(params![record.to_string(), now.0])? == 1)
        })
    }

    /// Keeps a signed checkpoint; the first of a size stays.
    pub fn add_checkpoint(&self, row: CheckpointRow) -> Pending<()> {
        self.write(Care::Usual, move |connection| {
            let sql = "INSERT INTO checkpoints (size, at, note) VALUES (?1, ?2, ?3)
                       ON CONFLICT (size) DO NOTHING";
            connection.prepare_cached(sql)?.execute(params![stored(row.size), row.at.0, row.note])?;
            Ok(())
        })
    }

    /// The checkpoint that covers the most leaves.
    pub fn last_checkpoint(&self) -> Pending<Option<CheckpointRow>> {
        self.read(|connection| {
            let sql = "SELECT size, at, note FROM checkpoints ORDER BY size DESC LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let row = statement.query_row([], |row| {
                Ok(CheckpointRow {
                    size: counted(row.get(0)?),
                    at: Timestamp(row.get(1)?),
                    note: row.get(2)?,
                })
            });
            Ok(row.optional()?)
        })
    }

    /// Keeps a small fact about this outlet under a name.
    pub fn set_meta(&self, name: &str, value: &str) -> Pending<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(Care::Usual, move |connection| {
            let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.prepare_cached(sql)?.execute([&name, &value])?;
            Ok(())
        })
    }

    /// The fact of this name.
    pub fn meta(&self, name: &str) -> Pending<Option<String>> {
        let name = name.to_owned();
        self.read(move |connection| schema::meta(connection, &name))
    }

    /// Takes away what is past its time, some thousand rows at once; call again while `more` is set.
    pub fn prune(&self, now: Timestamp, keep: KeepFor) -> Pending<Pruned> {
        self.write(Care::Usual, move |connection| prune(connection, now, keep))
    }
}

/// Keeps a commitment key, unless the record has or had one.
pub(crate) fn keep_key(
    connection: &Connection,
    record: &RequestId,
    key: &[u8; 32],
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO commitment_keys (record, k, created) VALUES (?1, ?2, ?3)
               ON CONFLICT (record) DO NOTHING";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute(params![record.to_string(), key.as_slice(), now.0])? == 1)
}

/// The first moment that is kept.
fn kept_since(now: Timestamp, days: u64) -> i64 {
    now.0.saturating_sub(stored(days).saturating_mul(86_400_000))
}

fn prune(connection: &Connection, now: Timestamp, keep: KeepFor) -> Result<Pruned, DbError> {
    let delete = |sql: &str, since: i64| -> Result<u64, DbError> {
        let count = connection.prepare_cached(sql)?.execute(params![since, PRUNE_ROWS_MAX])?;
        Ok(count as u64)
    };
    let requests_since = kept_since(now, keep.requests_days);
    let requests = delete(
        "DELETE FROM requests WHERE sequence IN
             (SELECT sequence FROM requests WHERE at < ?1 ORDER BY at LIMIT ?2)",
        requests_since,
    )?;
    let commitment_keys = delete(
        "DELETE FROM commitment_keys WHERE record IN
             (SELECT record FROM commitment_keys WHERE created < ?1 ORDER BY created LIMIT ?2)",
        requests_since,
    )?;
    // A verdict goes with its request; this one finds those whose request was never kept.
    let feedback = delete(
        "DELETE FROM feedback WHERE request IN (SELECT request FROM feedback WHERE at < ?1 ORDER BY at LIMIT ?2)",
        requests_since,
    )?;
    let mut usage = 0;
    let mut more = false;
    for (period, days) in [
        (Period::Minute, keep.usage_minute_days),
        (Period::Hour, keep.usage_hour_days),
        (Period::Day, keep.usage_day_days),
    ] {
        let sql = "DELETE FROM usage WHERE (period, start, project, key_id, route, target) IN
                       (SELECT period, start, project, key_id, route, target FROM usage
                        WHERE period = ?3 AND start < ?1 LIMIT ?2)";
        let since = kept_since(now, days);
        let count = connection.prepare_cached(sql)?.execute(params![since, PRUNE_ROWS_MAX, period.code()])?;
        usage += count as u64;
        more |= stored(count as u64) == PRUNE_ROWS_MAX;
    }
    more |= [requests, commitment_keys, feedback].contains(&counted(PRUNE_ROWS_MAX));
    // Gives freed pages back to the disk, a few at a time.
    let mut vacuum = connection.prepare_cached("PRAGMA incremental_vacuum(256)")?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(Pruned { requests, commitment_keys, usage, more })
}
