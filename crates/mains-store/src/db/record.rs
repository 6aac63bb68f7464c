//! One row for every identified request: written once, read by the page, the drill and the ledger's
//! questions.

use super::error::DbError;
use super::swaps::Canary;
use super::worker::Session;
use super::{Db, Pending, counted, stored, upkeep};
use mains_units::{Grade, NanoUsd, Range, RequestId, Span, Timestamp, Usage};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// Energy, carbon and water of one request, each with its range, and the grade of the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Footprint {
    /// In joules.
    pub energy_j: Range,
    /// In grams of CO2 equivalent.
    pub co2_g: Range,
    /// In litres.
    pub water_l: Range,
    /// How sure.
    pub grade: Grade,
}

impl Footprint {
    /// A figure that is no number is no figure.
    pub(crate) fn is_finite(&self) -> bool {
        let ranges = [self.energy_j, self.co2_g, self.water_l];
        ranges
            .iter()
            .all(|range| [range.low, range.central, range.high].iter().all(|value| value.is_finite()))
    }
}

/// What is kept of one request. No content, no key, no address of a client.
#[expect(clippy::struct_excessive_bools, reason = "four facts of one row that do not exclude each other")]
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Its name; writing the same name again changes nothing.
    pub id: RequestId,
    /// When it came.
    pub at: Timestamp,
    /// The id of the key that asked, if keys are in use.
    pub key_id: Option<String>,
    /// The project it counts for.
    pub project: Option<String>,
    /// The dialect it was asked in.
    pub dialect: String,
    /// Whether the answer was a stream.
    pub streamed: bool,
    /// The model that was asked for, as it was spelled.
    pub asked: String,
    /// The route that took it.
    pub route: Option<String>,
    /// The target that answered.
    pub target: Option<String>,
    /// That target's provider.
    pub provider: Option<String>,
    /// The model that answered, as the provider calls it.
    pub model: Option<String>,
    /// How it ended, in the words of the ledger.
    pub result: String,
    /// Whether it ended well.
    pub succeeded: bool,
    /// The HTTP status that the client saw.
    pub status: u16,
    /// Every attempt, as JSON in the caller's own shape.
    pub attempts: serde_json::Value,
    /// Tokens; `None` when the provider did not say.
    pub usage: Option<Usage>,
    /// Cost; `None` when no price is known. What cost nothing is `Some(0)`.
    pub cost: Option<NanoUsd>,
    /// Energy, carbon and water; `None` when no method applies.
    pub footprint: Option<Footprint>,
    /// From the first byte of the request to the last of the answer.
    pub duration: Span,
    /// Until the first content.
    pub first_token: Option<Span>,
    /// The ledger's leaves of its attempts.
    pub intents: Vec<u64>,
    /// The ledger's leaf of its end.
    pub outcome: Option<u64>,
    /// What the answer's dialect could not carry.
    pub losses: Vec<String>,
    /// Whether a local generative model stood in for another.
    pub degraded: bool,
    /// Whether a scripted stand-in answered for a provider.
    pub stand_in: bool,
    /// Which arm of a switch took it; `None` outside of one.
    pub canary: Option<Canary>,
}

/// Which requests to look at; every part that is set must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestFilter {
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of this project.
    pub project: Option<String>,
    /// Of this key.
    pub key_id: Option<String>,
    /// Taken by this route.
    pub route: Option<String>,
    /// Answered by this target.
    pub target: Option<String>,
    /// Ended this way.
    pub result: Option<String>,
}

/// Some requests, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The requests.
    pub rows: Vec<RequestRow>,
    /// What to pass for the next page; `None` at the end.
    pub next: Option<i64>,
}

/// The largest page; a page is built in memory.
const PAGE_ROWS_MAX: usize = 1_000;

impl Db {
    /// Writes one request and adds it to the sums, both or neither. `false` when this request is there
    /// already; then nothing changes, so a caller that is unsure may write again.
    pub fn insert_request(&self, row: RequestRow) -> Pending<bool> {
        self.write_in_time(move |session| insert(session, &row))
    }

    /// The same, and in one piece with it the key under which the request's payloads are committed to.
    pub fn record_request(&self, row: RequestRow, key: [u8; 32]) -> Pending<bool> {
        self.write_in_time(move |session| {
            upkeep::keep_key(session, &row.id, &key, row.at)?;
            insert(session, &row)
        })
    }

    /// One request by its name.
    pub fn request(&self, id: RequestId) -> Pending<Option<RequestRow>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM requests WHERE id = ?1")?;
            Ok(statement.query_row([id.to_string()], read_row).optional()?)
        })
    }

    /// The last requests, the newest first; `before` is the `next` of the page before. At most 1,000.
    pub fn requests(&self, filter: RequestFilter, before: Option<i64>, limit: usize) -> Pending<Page> {
        self.read(move |connection| page(connection, &filter, before, limit.clamp(1, PAGE_ROWS_MAX)))
    }
}

const INSERT: &str = "
INSERT INTO requests (
    id, at, key_id, project, dialect, streamed, asked, route, target, provider, model, result, succeeded,
    status, attempts, input, cached_read, cached_write, output, reasoning, cost_nano_usd,
    energy_j_low, energy_j, energy_j_high, co2_g_low, co2_g, co2_g_high,
    water_l_low, water_l, water_l_high, grade, duration_ms, first_token_ms, intents, outcome, losses,
    degraded, stand_in, canary
) VALUES (
    :id, :at, :key_id, :project, :dialect, :streamed, :asked, :route, :target, :provider, :model, :result,
    :succeeded, :status, :attempts, :input, :cached_read, :cached_write, :output, :reasoning,
    :cost_nano_usd, :energy_j_low, :energy_j, :energy_j_high, :co2_g_low, :co2_g, :co2_g_high,
    :water_l_low, :water_l, :water_l_high, :grade, :duration_ms, :first_token_ms, :intents, :outcome,
    :losses, :degraded, :stand_in, :canary
) ON CONFLICT (id) DO NOTHING";

fn insert(session: &Session, row: &RequestRow) -> Result<bool, DbError> {
    let usage = row.usage.as_ref();
    let footprint = row.footprint.filter(Footprint::is_finite);
    let energy = footprint.map(|f| f.energy_j);
    let co2 = footprint.map(|f| f.co2_g);
    let water = footprint.map(|f| f.water_l);
    let changed = session.prepare_cached(INSERT)?.execute(named_params! {
        ":id": row.id.to_string(),
        ":at": row.at.0,
        ":key_id": row.key_id,
        ":project": row.project,
        ":dialect": row.dialect,
        ":streamed": row.streamed,
        ":asked": row.asked,
        ":route": row.route,
        ":target": row.target,
        ":provider": row.provider,
        ":model": row.model,
        ":result": row.result,
        ":succeeded": row.succeeded,
        ":status": row.status,
        ":attempts": row.attempts.to_string(),
        ":input": usage.map(|u| stored(u.input)),
        ":cached_read": usage.map(|u| stored(u.cached_read)),
        ":cached_write": usage.map(|u| stored(u.cached_write)),
        ":output": usage.map(|u| stored(u.output)),
        ":reasoning": usage.map(|u| stored(u.reasoning)),
        ":cost_nano_usd": row.cost.map(|cost| stored(cost.0)),
        ":energy_j_low": energy.map(|r| r.low),
        ":energy_j": energy.map(|r| r.central),
        ":energy_j_high": energy.map(|r| r.high),
        ":co2_g_low": co2.map(|r| r.low),
        ":co2_g": co2.map(|r| r.central),
        ":co2_g_high": co2.map(|r| r.high),
        ":water_l_low": water.map(|r| r.low),
        ":water_l": water.map(|r| r.central),
        ":water_l_high": water.map(|r| r.high),
        ":grade": footprint.map(|f| f.grade.to_string()),
        ":duration_ms": stored(row.duration.as_ms()),
        ":first_token_ms": row.first_token.map(|span| stored(span.as_ms())),
        ":intents": serde_json::Value::from(row.intents.clone()).to_string(),
        ":outcome": row.outcome.map(stored),
        ":losses": serde_json::Value::from(row.losses.clone()).to_string(),
        ":degraded": row.degraded,
        ":stand_in": row.stand_in,
        ":canary": row.canary.as_ref().map(Canary::to_string),
    })?;
    let new = changed == 1;
    if new {
        // Last, so that a job that fails has added nothing.
        session.sums.borrow_mut().add(row);
    }
    Ok(new)
}

const PAGE: &str = "
SELECT * FROM requests
WHERE sequence < :before
  AND at >= :from AND at < :until
  AND (:project IS NULL OR project = :project)
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:route IS NULL OR route = :route)
  AND (:target IS NULL OR target = :target)
  AND (:result IS NULL OR result = :result)
ORDER BY sequence DESC LIMIT :limit";

fn page(
    connection: &Connection,
    filter: &RequestFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page, DbError> {
    let mut statement = connection.prepare_cached(PAGE)?;
    let rows = statement.query_map(
        named_params! {
            ":before": before.unwrap_or(i64::MAX),
            ":from": filter.from.map_or(i64::MIN, |from| from.0),
            ":until": filter.until.map_or(i64::MAX, |until| until.0),
            ":project": filter.project,
            ":key_id": filter.key_id,
            ":route": filter.route,
            ":target": filter.target,
            ":result": filter.result,
            ":limit": stored(limit as u64 + 1),
        },
        |row| Ok((row.get::<_, i64>("sequence")?, read_row(row)?)),
    )?;
    let mut rows: Vec<(i64, RequestRow)> = rows.collect::<Result<_, _>>()?;
    // One more was asked for than is shown, to know whether there is a next page.
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().map(|(sequence, _)| *sequence).filter(|_| more);
    Ok(Page { rows: rows.into_iter().map(|(_, row)| row).collect(), next })
}

/// A value of the file that cannot be one of ours.
pub(crate) fn damaged(row: &Row<'_>, column: &str) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or(0);
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(FromSqlError::InvalidType))
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, rusqlite::Error> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| damaged(row, column))
}

/// Three columns that are all there or all unknown.
pub(crate) fn range(row: &Row<'_>, column: &str) -> Result<Option<Range>, rusqlite::Error> {
    let low: Option<f64> = row.get(format!("{column}_low").as_str())?;
    let central: Option<f64> = row.get(column)?;
    let high: Option<f64> = row.get(format!("{column}_high").as_str())?;
    Ok(match (low, central, high) {
        (Some(low), Some(central), Some(high)) => Some(Range { low, central, high }),
        _ => None,
    })
}

pub(crate) fn grade(row: &Row<'_>) -> Result<Option<Grade>, rusqlite::Error> {
    let text: Option<String> = row.get("grade")?;
    Ok(match text.as_deref() {
        None => None,
        Some("A") => Some(Grade::A),
        Some("B") => Some(Grade::B),
        Some("C") => Some(Grade::C),
        Some("D") => Some(Grade::D),
        Some("E") => Some(Grade::E),
        Some(_) => return Err(damaged(row, "grade")),
    })
}

fn footprint(row: &Row<'_>) -> Result<Option<Footprint>, rusqlite::Error> {
    let parts = (range(row, "energy_j")?, range(row, "co2_g")?, range(row, "water_l")?, grade(row)?);
    Ok(match parts {
        (Some(energy_j), Some(co2_g), Some(water_l), Some(grade)) => {
            Some(Footprint { energy_j, co2_g, water_l, grade })
        }
        _ => None,
    })
}

fn usage_of(row: &Row<'_>) -> Result<Option<Usage>, rusqlite::Error> {
    let Some(input) = row.get::<_, Option<i64>>("input")? else { return Ok(None) };
    Ok(Some(Usage {
        input: counted(input),
        cached_read: counted(row.get("cached_read")?),
        cached_write: counted(row.get("cached_write")?),
        output: counted(row.get("output")?),
        reasoning: counted(row.get("reasoning")?),
    }))
}

fn canary(row: &Row<'_>) -> Result<Option<Canary>, rusqlite::Error> {
    let Some(text) = row.get::<_, Option<String>>("canary")? else { return Ok(None) };
    Canary::parse(&text).map(Some).ok_or_else(|| damaged(row, "canary"))
}

fn read_row(row: &Row<'_>) -> Result<RequestRow, rusqlite::Error> {
    let id: String = row.get("id")?;
    let milliseconds = |count: i64| Span::from_ms(counted(count));
    Ok(RequestRow {
        id: RequestId::parse(&id).ok_or_else(|| damaged(row, "id"))?,
        at: Timestamp(row.get("at")?),
        key_id: row.get("key_id")?,
        project: row.get("project")?,
        dialect: row.get("dialect")?,
        streamed: row.get("streamed")?,
        asked: row.get("asked")?,
        route: row.get("route")?,
        target: row.get("target")?,
        provider: row.get("provider")?,
        model: row.get("model")?,
        result: row.get("result")?,
        succeeded: row.get("succeeded")?,
        status: row.get("status")?,
        attempts: json(row, "attempts")?,
        usage: usage_of(row)?,
        cost: row.get::<_, Option<i64>>("cost_nano_usd")?.map(|cost| NanoUsd(counted(cost))),
        footprint: footprint(row)?,
        duration: milliseconds(row.get("duration_ms")?),
        first_token: row.get::<_, Option<i64>>("first_token_ms")?.map(milliseconds),
        intents: json(row, "intents")?,
        outcome: row.get::<_, Option<i64>>("outcome")?.map(counted),
        losses: json(row, "losses")?,
        degraded: row.get("degraded")?,
        stand_in: row.get("stand_in")?,
        canary: canary(row)?,
    })
}
