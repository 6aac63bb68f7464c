//! Verdicts of applications on the answers they got. One for each request; the last one holds.

use super::error::DbError;
use super::worker::Care;
use super::{Db, Pending, record};
use mains_units::{RequestId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A verdict on one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// The request that was answered.
    pub request: RequestId,
    /// When the verdict came.
    pub at: Timestamp,
    /// The project that sent it.
    pub project: Option<String>,
    /// The id of the key that sent it, if keys are in use.
    pub key_id: Option<String>,
    /// Whether the answer was good.
    pub good: bool,
    /// What its sender wrote to it.
    pub note: Option<String>,
}

/// What became of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedbackKept {
    /// The first on this request.
    New,
    /// It says what was said before; nothing changed.
    Same,
    /// It stands in place of another one.
    Changed,
}

impl Db {
    /// Keeps a verdict, in place of an earlier one on the same request. The caller checks that the request is there
    /// and belongs to the sender.
    pub fn add_feedback(&self, feedback: Feedback) -> Pending<FeedbackKept> {
        self.write(Care::Usual, move |connection| add(connection, &feedback))
    }

    /// The verdict on a request.
    pub fn feedback(&self, request: RequestId) -> Pending<Option<Feedback>> {
        self.read(move |connection| find(connection, request))
    }
}

fn add(connection: &Connection, feedback: &Feedback) -> Result<FeedbackKept, DbError> {
    let kept = match find(connection, feedback.request)? {
        None => FeedbackKept::New,
        Some(old) if old.good == feedback.good && old.note == feedback.note => return Ok(FeedbackKept::Same),
        Some(_) => FeedbackKept::Changed,
    };
    let sql =
        "INSERT INTO feedback (request, at, project, key_id, good, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (request) DO UPDATE SET at = excluded.at, project = excluded.project,
                   key_id = excluded.key_id, good = excluded.good, note = excluded.note";
    let Feedback { request, at, project, key_id, good, note } = feedback;
    connection.prepare_cached(sql)?.execute(params![
        request.to_string(),
        at.0,
        project,
        key_id,
        good,
        note
    ])?;
    Ok(kept)
}

fn find(connection: &Connection, request: RequestId) -> Result<Option<Feedback>, DbError> {
    let mut statement = connection.prepare_cached("SELECT * FROM feedback WHERE request = ?1")?;
    Ok(statement.query_row([request.to_string()], read).optional()?)
}

fn read(row: &Row<'_>) -> Result<Feedback, rusqlite::Error> {
    let request: String = row.get("request")?;
    Ok(Feedback {
        request: RequestId::parse(&request).ok_or_else(|| record::damaged(row, "request"))?,
        at: Timestamp(row.get("at")?),
        project: row.get("project")?,
        key_id: row.get("key_id")?,
        good: row.get("good")?,
        note: row.get("note")?,
    })
}

/// Takes the words of a verdict away; the verdict itself stays, for it counts.
pub(crate) fn erase_note(connection: &Connection, request: RequestId) -> Result<(), DbError> {
    let sql = "UPDATE feedback SET note = NULL WHERE request = ?1 AND note IS NOT NULL";
    connection.prepare_cached(sql)?.execute([request.to_string()])?;
    Ok(())
}
