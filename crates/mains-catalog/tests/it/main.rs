//! The catalogue as its users see it, on the built-in data.

mod counts;
mod defects;
mod lookup;
mod overlay;
mod replace;

use mains_units::Day;

/// The day on which the tests ask, whatever day it is.
fn today() -> Day {
    day("2026-11-24")
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap_or_else(|| unreachable!("{text} is no day"))
}
