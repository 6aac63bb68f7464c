//! The sums behind the meters: by minute, hour and day, for each project, key, route and target. What is
//! unknown is counted apart, so that a sum with gaps is never shown as a whole one.

use super::error::DbError;
use super::record::{self, Footprint, RequestRow};
use super::{Db, Pending, counted, stored};
use mains_units::{Grade, NanoUsd, Range, Timestamp, Usage};
use rusqlite::{Connection, Row, Statement, named_params};
use std::collections::HashMap;

/// The length of one sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// A minute of the clock.
    Minute,
    /// An hour of the clock.
    Hour,
    /// A day, from midnight UTC.
    Day,
}

impl Period {
    /// Every period, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    fn length_ms(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Minute => 0,
            Self::Hour => 1,
            Self::Day => 2,
        }
    }

    /// The first moment of the period that holds this one.
    pub fn start(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_sub(at.0.rem_euclid(self.length_ms())))
    }
}

/// What to sum by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// By project.
    Project,
    /// By key id.
    Key,
    /// By route.
    Route,
    /// By target.
    Target,
}

impl Group {
    fn column(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Key => "key_id",
            Self::Route => "route",
            Self::Target => "target",
        }
    }
}

/// Whose usage; every part that is set must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageFilter {
    /// Of this project.
    pub project: Option<String>,
    /// Of this key.
    pub key_id: Option<String>,
    /// Taken by this route.
    pub route: Option<String>,
    /// Answered by this target.
    pub target: Option<String>,
}

/// Sums over some requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// All requests.
    pub requests: u64,
    /// Those that did not end well.
    pub failed: u64,
    /// Those of unknown cost; `cost` lacks them.
    pub unpriced: u64,
    /// Those of unknown token counts; `usage` lacks them.
    pub uncounted: u64,
    /// Those of unknown footprint; energy, carbon and water lack them.
    pub unmetered: u64,
    /// What the others cost.
    pub cost: NanoUsd,
    /// Tokens of the others.
    pub usage: Usage,
    /// Energy of the others, in joules.
    pub energy_j: Range,
    /// Carbon of the others, in grams of CO2 equivalent.
    pub co2_g: Range,
    /// Water of the others, in litres.
    pub water_l: Range,
    /// The worst grade among the others; `None` when none has a footprint.
    pub grade: Option<Grade>,
}

/// The most rows of one answer.
const ROWS_MAX: i64 = 10_000;

impl Db {
    /// Sums over the periods that begin in `from..until`.
    pub fn totals(
        &self,
        period: Period,
        from: Timestamp,
        until: Timestamp,
        filter: UsageFilter,
    ) -> Pending<Totals> {
        self.read(move |connection| {
            let rows = sums(connection, "''", period, from, until, &filter)?;
            Ok(rows.into_iter().next().map_or(Totals::NOTHING, |(_, totals)| totals))
        })
    }

    /// Sums over the same, one for each value of a column, the most requests first. The empty name
    /// stands for requests without one.
    pub fn totals_by(
        &self,
        group: Group,
        period: Period,
        from: Timestamp,
        until: Timestamp,
        filter: UsageFilter,
    ) -> Pending<Vec<(String, Totals)>> {
        self.read(move |connection| sums(connection, group.column(), period, from, until, &filter))
    }

    /// Sums over the same, one for each period in which there was any request, the earliest first.
    pub fn totals_over_time(
        &self,
        period: Period,
        from: Timestamp,
        until: Timestamp,
        filter: UsageFilter,
    ) -> Pending<Vec<(Timestamp, Totals)>> {
        self.read(move |connection| {
            let rows = sums(connection, "CAST(start AS TEXT)", period, from, until, &filter)?;
            let starts =
                rows.into_iter().filter_map(|(start, totals)| Some((Timestamp(start.parse().ok()?), totals)));
            let mut starts: Vec<(Timestamp, Totals)> = starts.collect();
            starts.sort_by_key(|(start, _)| *start);
            Ok(starts)
        })
    }
}

impl Totals {
    /// No request at all.
    pub const NOTHING: Self = Self {
        requests: 0,
        failed: 0,
        unpriced: 0,
        uncounted: 0,
        unmetered: 0,
        cost: NanoUsd(0),
        usage: Usage { input: 0, cached_read: 0, cached_write: 0, output: 0, reasoning: 0 },
        energy_j: Range::ZERO,
        co2_g: Range::ZERO,
        water_l: Range::ZERO,
        grade: None,
    };
}

/// The largest count of one row. Sums of such rows stay below 2^63 for a thousand rows, so a provider
/// that reports nonsense cannot make a sum overflow and thereby a record fail.
const COUNT_MAX: u64 = 1 << 53;

const ADD: &str = "
INSERT INTO usage (
    period, start, project, key_id, route, target, requests, failed, unpriced, uncounted, unmetered,
    cost_nano_usd, input, cached_read, cached_write, output, reasoning,
    energy_j_low, energy_j, energy_j_high, co2_g_low, co2_g, co2_g_high,
    water_l_low, water_l, water_l_high, grade
) VALUES (
    :period, :start, :project, :key_id, :route, :target, :requests, :failed, :unpriced, :uncounted, :unmetered,
    :cost_nano_usd, :input, :cached_read, :cached_write, :output, :reasoning,
    :energy_j_low, :energy_j, :energy_j_high, :co2_g_low, :co2_g, :co2_g_high,
    :water_l_low, :water_l, :water_l_high, :grade
) ON CONFLICT (period, start, project, key_id, route, target) DO UPDATE SET
    requests = requests + excluded.requests,
    failed = failed + excluded.failed,
    unpriced = unpriced + excluded.unpriced,
    uncounted = uncounted + excluded.uncounted,
    unmetered = unmetered + excluded.unmetered,
    cost_nano_usd = min(cost_nano_usd + excluded.cost_nano_usd, 9007199254740992),
    input = min(input + excluded.input, 9007199254740992),
    cached_read = min(cached_read + excluded.cached_read, 9007199254740992),
    cached_write = min(cached_write + excluded.cached_write, 9007199254740992),
    output = min(output + excluded.output, 9007199254740992),
    reasoning = min(reasoning + excluded.reasoning, 9007199254740992),
    energy_j_low = energy_j_low + excluded.energy_j_low,
    energy_j = energy_j + excluded.energy_j,
    energy_j_high = energy_j_high + excluded.energy_j_high,
    co2_g_low = co2_g_low + excluded.co2_g_low,
    co2_g = co2_g + excluded.co2_g,
    co2_g_high = co2_g_high + excluded.co2_g_high,
    water_l_low = water_l_low + excluded.water_l_low,
    water_l = water_l + excluded.water_l,
    water_l_high = water_l_high + excluded.water_l_high,
    grade = CASE WHEN grade IS NULL OR excluded.grade > grade THEN excluded.grade ELSE grade END";

/// Whose sum a row belongs to, by the minute.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Slot {
    minute: Timestamp,
    project: Option<String>,
    key_id: Option<String>,
    route: Option<String>,
    target: Option<String>,
}

/// The sums of the rows of one transaction, so that a busy minute costs one update a transaction, not one a request.
#[derive(Debug, Default)]
pub(crate) struct Sums(HashMap<Slot, Totals>);

impl Sums {
    /// Adds one new request.
    pub(crate) fn add(&mut self, row: &RequestRow) {
        let slot = Slot {
            minute: Period::Minute.start(row.at),
            project: row.project.clone(),
            key_id: row.key_id.clone(),
            route: row.route.clone(),
            target: row.target.clone(),
        };
        self.0.entry(slot).or_insert(Totals::NOTHING).add(row);
    }

    /// Adds them to the minutes, hours and days of the file.
    pub(crate) fn write(self, connection: &Connection) -> Result<(), DbError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(ADD)?;
        for (slot, totals) in &self.0 {
            for period in Period::ALL {
                add(&mut statement, period, slot, totals)?;
            }
        }
        Ok(())
    }
}

impl Totals {
    fn add(&mut self, row: &RequestRow) {
        // Nonsense of a provider must not make a sum overflow and thereby a record fail.
        let sum = |sum: u64, count: u64| sum.saturating_add(count).min(COUNT_MAX);
        let usage = row.usage.unwrap_or_default();
        self.requests += 1;
        self.failed += u64::from(!row.succeeded);
        self.unpriced += u64::from(row.cost.is_none());
        self.uncounted += u64::from(row.usage.is_none());
        self.cost = NanoUsd(sum(self.cost.0, row.cost.unwrap_or_default().0));
        self.usage = Usage {
            input: sum(self.usage.input, usage.input),
            cached_read: sum(self.usage.cached_read, usage.cached_read),
            cached_write: sum(self.usage.cached_write, usage.cached_write),
            output: sum(self.usage.output, usage.output),
            reasoning: sum(self.usage.reasoning, usage.reasoning),
        };
        let Some(footprint) = row.footprint.filter(Footprint::is_finite) else {
            self.unmetered += 1;
            return;
        };
        self.energy_j = self.energy_j.plus(footprint.energy_j);
        self.co2_g = self.co2_g.plus(footprint.co2_g);
        self.water_l = self.water_l.plus(footprint.water_l);
        self.grade = self.grade.max(Some(footprint.grade));
    }
}

fn add(statement: &mut Statement<'_>, period: Period, slot: &Slot, totals: &Totals) -> Result<(), DbError> {
    let usage = &totals.usage;
    statement.execute(named_params! {
        ":period": period.code(),
        ":start": period.start(slot.minute).0,
        ":project": slot.project.as_deref().unwrap_or_default(),
        ":key_id": slot.key_id.as_deref().unwrap_or_default(),
        ":route": slot.route.as_deref().unwrap_or_default(),
        ":target": slot.target.as_deref().unwrap_or_default(),
        ":requests": stored(totals.requests),
        ":failed": stored(totals.failed),
        ":unpriced": stored(totals.unpriced),
        ":uncounted": stored(totals.uncounted),
        ":unmetered": stored(totals.unmetered),
        ":cost_nano_usd": stored(totals.cost.0),
        ":input": stored(usage.input),
        ":cached_read": stored(usage.cached_read),
        ":cached_write": stored(usage.cached_write),
        ":output": stored(usage.output),
        ":reasoning": stored(usage.reasoning),
        ":energy_j_low": totals.energy_j.low,
        ":energy_j": totals.energy_j.central,
        ":energy_j_high": totals.energy_j.high,
        ":co2_g_low": totals.co2_g.low,
        ":co2_g": totals.co2_g.central,
        ":co2_g_high": totals.co2_g.high,
        ":water_l_low": totals.water_l.low,
        ":water_l": totals.water_l.central,
        ":water_l_high": totals.water_l.high,
        ":grade": totals.grade.map(|grade| grade.to_string()),
    })?;
    Ok(())
}

/// Everything but the name of the group, which is one of our own words.
const SUMS: &str = " AS name,
    sum(requests) AS requests, sum(failed) AS failed, sum(unpriced) AS unpriced,
    sum(uncounted) AS uncounted, sum(unmetered) AS unmetered, sum(cost_nano_usd) AS cost_nano_usd,
    sum(input) AS input, sum(cached_read) AS cached_read, sum(cached_write) AS cached_write,
    sum(output) AS output, sum(reasoning) AS reasoning,
    sum(energy_j_low) AS energy_j_low, sum(energy_j) AS energy_j, sum(energy_j_high) AS energy_j_high,
    sum(co2_g_low) AS co2_g_low, sum(co2_g) AS co2_g, sum(co2_g_high) AS co2_g_high,
    sum(water_l_low) AS water_l_low, sum(water_l) AS water_l, sum(water_l_high) AS water_l_high,
    max(grade) AS grade
FROM usage
WHERE period = :period AND start >= :from AND start < :until
  AND (:project IS NULL OR project = :project)
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:route IS NULL OR route = :route)
  AND (:target IS NULL OR target = :target)
GROUP BY name ORDER BY sum(requests) DESC, name LIMIT :limit";

fn sums(
    connection: &Connection,
    name: &'static str,
    period: Period,
    from: Timestamp,
    until: Timestamp,
    filter: &UsageFilter,
) -> Result<Vec<(String, Totals)>, DbError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {name}{SUMS}"))?;
    let rows = statement.query_map(
        named_params! {
            ":period": period.code(),
            ":from": period.start(from).0,
            ":until": until.0,
            ":project": filter.project,
            ":key_id": filter.key_id,
            ":route": filter.route,
            ":target": filter.target,
            ":limit": ROWS_MAX,
        },
        |row| Ok((row.get("name")?, totals(row)?)),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn totals(row: &Row<'_>) -> Result<Totals, rusqlite::Error> {
    let count = |column: &str| row.get::<_, i64>(column).map(counted);
    Ok(Totals {
        requests: count("requests")?,
        failed: count("failed")?,
        unpriced: count("unpriced")?,
        uncounted: count("uncounted")?,
        unmetered: count("unmetered")?,
        cost: NanoUsd(count("cost_nano_usd")?),
        usage: Usage {
            input: count("input")?,
            cached_read: count("cached_read")?,
            cached_write: count("cached_write")?,
            output: count("output")?,
            reasoning: count("reasoning")?,
        },
        energy_j: record::range(row, "energy_j")?.unwrap_or(Range::ZERO),
        co2_g: record::range(row, "co2_g")?.unwrap_or(Range::ZERO),
        water_l: record::range(row, "water_l")?.unwrap_or(Range::ZERO),
        grade: record::grade(row)?,
    })
}
