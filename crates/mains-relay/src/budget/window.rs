//! The windows of caps: intervals of the UTC calendar.

use mains_units::{Day, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a cap lasts before it renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// A minute of the clock.
    Minute,
    /// An hour of the clock.
    Hour,
    /// A day, from midnight UTC.
    Day,
    /// A week, from Monday, midnight UTC (ISO 8601).
    Week,
    /// A calendar month, from midnight UTC.
    Month,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Per {
    /// The window that holds this moment: its first moment, and the first moment after it.
    pub(crate) fn window(self, at: Timestamp) -> (Timestamp, Timestamp) {
        match self {
            Self::Minute => fixed(at, MINUTE_MS, 0),
            Self::Hour => fixed(at, HOUR_MS, 0),
            Self::Day => fixed(at, DAY_MS, 0),
            // 1 January 1970 was a Thursday: the Monday before it was three days earlier.
            Self::Week => fixed(at, 7 * DAY_MS, -3 * DAY_MS),
            Self::Month => month(at),
        }
    }

    /// Whether a cap on requests or tokens over this window is a rate, which clients may retry, and not
    /// a budget, which they may not.
    pub fn is_rate(self) -> bool {
        matches!(self, Self::Minute | Self::Hour)
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        })
    }
}

fn fixed(at: Timestamp, length_ms: i64, origin_ms: i64) -> (Timestamp, Timestamp) {
    let start = at.0.saturating_sub((at.0.saturating_sub(origin_ms)).rem_euclid(length_ms));
    (Timestamp(start), Timestamp(start.saturating_add(length_ms)))
}

fn month(at: Timestamp) -> (Timestamp, Timestamp) {
    let first = Day(at.day().0.first_of_month());
    let next = Day(at.day().0.last_of_month()).plus_days(1);
    (midnight(first), midnight(next))
}

fn midnight(day: Day) -> Timestamp {
    let epoch = Timestamp(0).day();
    Timestamp(epoch.days_until(day).saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_utc_calendar() {
        // Tuesday 2026-11-24T20:06:53.120Z.
        let at = Timestamp(1_795_550_813_120);
        let check = |per: Per, start: &str, end: &str| {
            let window = per.window(at);
            assert_eq!((window.0.to_string(), window.1.to_string()), (start.into(), end.into()), "{per}");
        };
        check(Per::Minute, "2026-11-24T20:06:00.000Z", "2026-11-24T20:07:00.000Z");
        check(Per::Hour, "2026-11-24T20:00:00.000Z", "2026-11-24T21:00:00.000Z");
        check(Per::Day, "2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z");
        check(Per::Week, "2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z");
        check(Per::Month, "2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z");
    }

    #[test]
    fn windows_hold_their_moment_at_the_calendar_edges() {
        // A leap February, the turn of a year, the epoch, and moments before it.
        for at in [1_709_164_800_000, 1_798_761_599_999, 1_798_761_600_000, 0, -1, -86_400_001] {
            for per in [Per::Minute, Per::Hour, Per::Day, Per::Week, Per::Month] {
                let (start, end) = per.window(Timestamp(at));
                assert!(start.0 <= at && at < end.0, "{per} at {at}: {start} .. {end}");
                assert_eq!(per.window(start), (start, end), "{per} at {at}");
                assert_ne!(per.window(end).0, start, "{per} at {at}");
            }
        }
    }
}
