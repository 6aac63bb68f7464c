//! Keeps what must outlive the process: the ledger's files and the database.
//!
//! Read `log` (the files of the ledger behind the `Disk` seam), then `db` (SQLite: usage, keys, budgets,
//! records) and `vault` (requests and answers, sealed, where they may be kept).
//!
//! Never: a business rule.

pub mod db;
pub mod log;
pub mod vault;
