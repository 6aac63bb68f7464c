//! Does the certificate of a small labeller keep its promise? Calibration rows drawn again and again from a population
//! whose truth is known, and how often a threshold breaks what was promised of it.
//!
//! Read `scorer` (a tiny labeller), `population` (recorded tasks and planted ones), `lines` (the table), then `change`
//! (how soon a teacher that changes is noticed). Beside our way stands the common one: the threshold at which the
//! calibration rows themselves look good.

mod change;
mod lines;
mod population;
mod scorer;

pub use change::{Noticed, Switched, noticed, switched};
pub use lines::table;
pub use population::{Population, planted, recorded};

use mains_distill::certificate::tails::at_most;
use std::fmt;

/// The chance to be wrong of every certificate.
pub const DELTA: f64 = 0.05;

/// What a line of the table must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Promises are broken no more often than chance allows at delta.
    Kept,
    /// They are broken more often than that: the common way is wrong.
    Wrong,
    /// For comparison only.
    Nothing,
}

/// How one way of choosing a threshold did on one population.
#[derive(Debug, Clone)]
pub struct Line {
    /// The population with its terms.
    pub world: String,
    /// The way of choosing.
    pub method: &'static str,
    /// How many draws.
    pub runs: u64,
    /// Draws in which a threshold was found.
    pub certified: u64,
    /// Draws whose threshold breaks the promise in the population.
    pub broken: u64,
    /// The share answered locally, over all draws.
    pub local: f64,
    /// What must be shown.
    pub shows: Shows,
}

impl Line {
    /// The most broken promises that are no evidence, at 95 %, against a chance of delta each.
    pub fn bound(&self) -> u64 {
        (0..=self.runs).find(|broken| at_most(*broken, self.runs, DELTA) >= 0.95).unwrap_or(self.runs)
    }

    /// Whether the line shows what it must.
    pub fn is_kept(&self) -> bool {
        match self.shows {
            Shows::Kept => self.broken <= self.bound(),
            Shows::Wrong => self.broken > self.bound(),
            Shows::Nothing => true,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match (self.shows, self.is_kept()) {
            (Shows::Nothing, _) => "",
            (Shows::Kept, true) => "honest",
            (Shows::Wrong, true) => "shown to fail",
            (_, false) => "BROKEN",
        };
        let share = |count: u64| 100.0 * count as f64 / self.runs.max(1) as f64;
        write!(
            f,
            "{:56} {:16} {:9.1} {:7.1} {:8.1}  {words}",
            self.world,
            self.method,
            share(self.certified),
            share(self.broken),
            100.0 * self.local
        )
    }
}

/// What the whole table must show: every line its own, and promises broken now and then, or the way is too timid.
pub fn faults(lines: &[Line]) -> Vec<String> {
    let mut faults: Vec<String> = lines.iter().filter(|line| !line.is_kept()).map(Line::to_string).collect();
    let broken: u64 = lines.iter().filter(|line| line.shows == Shows::Kept).map(|line| line.broken).sum();
    if broken == 0 {
        faults.push("no promise was ever broken: delta is not used".into());
    }
    faults
}
