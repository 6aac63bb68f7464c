//! What is kept of swaps: the tests of replacements, the switches under way, and which arm of a switch took a
//! request.

use super::error::DbError;
use super::worker::Care;
use super::{Db, Pending};
use mains_units::Timestamp;
use rusqlite::{Connection, Row, params};
use std::fmt;

/// Which arm of a switch took a request, drawn by a coin of known chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Whether it was the replacement.
    pub new: bool,
    /// The chance that it was the replacement, in millionths.
    pub share_ppm: u32,
    /// SHA-256 of the signed report behind the switch, as hexadecimal digits.
    pub report: String,
}

impl Canary {
    /// Reads the text of the column: `new 50000 2c26…` or `old 50000 2c26…`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let new = match words.next()? {
            "new" => true,
            "old" => false,
            _ => return None,
        };
        let share_ppm = words.next()?.parse().ok().filter(|share| *share <= 1_000_000)?;
        let report = words.next().filter(|report| !report.is_empty())?.to_owned();
        words.next().is_none().then_some(Self { new, share_ppm, report })
    }
}

impl fmt::Display for Canary {
    /// The text of the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", if self.new { "new" } else { "old" }, self.share_ppm, self.report)
    }
}

/// A test of a replacement that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapTest {
    /// SHA-256 of the signed report, as hexadecimal digits; its name.
    pub report: String,
    /// When it was made known to this outlet.
    pub at: Timestamp,
    /// The target that was to be replaced.
    pub from: String,
    /// The target that was tested in its place.
    pub to: String,
    /// The route whose requests were asked again, where they came from one.
    pub route: Option<String>,
    /// What the test found, in the report's words.
    pub verdict: String,
    /// Its figures, as JSON that the store does not read.
    pub figures: String,
}

/// A switch under way, so that a restart goes on where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapState {
    /// The route; it has one switch at most.
    pub route: String,
    /// SHA-256 of the signed report behind it, as hexadecimal digits.
    pub report: String,
    /// Its counts and stage, as JSON that the store does not read.
    pub state: String,
    /// When it was saved.
    pub at: Timestamp,
}

impl Db {
    /// Keeps a test; `false` when this report is kept already, and then nothing changes.
    pub fn add_swap_test(&self, test: SwapTest) -> Pending<bool> {
        self.write(Care::Usual, move |connection| {
            let sql = "INSERT INTO swap_tests (report, at, from_target, to_target, route, verdict, figures)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (report) DO NOTHING";
            let SwapTest { report, at, from, to, route, verdict, figures } = test;
            let values = params![report, at.0, from, to, route, verdict, figures];
            Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
        })
    }

    /// Every test, the newest first. There are few: one for each report that was ever signed here.
    pub fn swap_tests(&self) -> Pending<Vec<SwapTest>> {
        self.read(|connection| {
            all(connection, "SELECT * FROM swap_tests ORDER BY at DESC, report", |row| {
                Ok(SwapTest {
                    report: row.get("report")?,
                    at: Timestamp(row.get("at")?),
                    from: row.get("from_target")?,
                    to: row.get("to_target")?,
                    route: row.get("route")?,
                    verdict: row.get("verdict")?,
                    figures: row.get("figures")?,
                })
            })
        })
    }

    /// Puts this state in place of the one that the route had.
    pub fn save_swap_state(&self, state: SwapState) -> Pending<()> {
        self.write(Care::Usual, move |connection| {
            let sql = "INSERT INTO swap_states (route, report, state, at) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (route) DO UPDATE SET
                           report = excluded.report, state = excluded.state, at = excluded.at";
            let SwapState { route, report, state, at } = state;
            connection.prepare_cached(sql)?.execute(params![route, report, state, at.0])?;
            Ok(())
        })
    }

    /// The state of every switch, by route.
    pub fn swap_states(&self) -> Pending<Vec<SwapState>> {
        self.read(|connection| {
            all(connection, "SELECT * FROM swap_states ORDER BY route", |row| {
                Ok(SwapState {
                    route: row.get("route")?,
                    report: row.get("report")?,
                    state: row.get("state")?,
                    at: Timestamp(row.get("at")?),
                })
            })
        })
    }

    /// Forgets the state of a route's switch; `false` when there is none.
    pub fn drop_swap_state(&self, route: &str) -> Pending<bool> {
        let route = route.to_owned();
        self.write(Care::Usual, move |connection| {
            let sql = "DELETE FROM swap_states WHERE route = ?1";
            Ok(connection.prepare_cached(sql)?.execute([route])? == 1)
        })
    }
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
) -> Result<Vec<T>, DbError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_arm_reads_back_and_nothing_else_does() {
        for new in [true, false] {
            let canary = Canary { new, share_ppm: 50_000, report: "2c26".into() };
            assert_eq!(Canary::parse(&canary.to_string()), Some(canary));
        }
        let text = Canary { new: true, share_ppm: 50_000, report: "2c26".into() }.to_string();
        assert_eq!(text, "new 50000 2c26");
        let wrong =
            ["", "new", "new 5", "new 5 ", "new 1000001 2c26", "new -1 2c26", "young 5 2c26", "new 5 2c26 x"];
        for wrong in wrong {
            assert_eq!(Canary::parse(wrong), None, "{wrong:?}");
        }
    }
}
