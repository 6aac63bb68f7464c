//! Is the verdict on a replacement model honest? Scripted models with planted differences, thousands of tests, and
//! how often each way of deciding is wrong.
//!
//! Read `graded` (outcomes that are known), `judged` (a biased judge and a few people), `sliced` (many parts of
//! the traffic at once), and for the switch after the test `canary`. Beside our way of deciding stand the classical test of a fixed sample and the two that
//! are common and wrong: looking at a t-test until it says yes, and believing the judge.

pub mod canary;
mod graded;
mod judged;
mod sliced;

use std::fmt;

/// The error level of every test.
pub const ALPHA: f64 = 0.05;

/// What a line of the table must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// A worse model is accepted in at most 5 % of tests, and the interval covers the truth at every look in at
    /// least 95 %.
    Honest,
    /// A model that is as good is accepted in at least 80 % of tests, and the interval covers as above.
    Able,
    /// The common way is wrong: a worse model is accepted in more than 5 %.
    Wrong,
    /// For comparison only.
    None,
}

impl Promise {
    /// Its last word in a table.
    fn word(self, kept: bool) -> &'static str {
        match (self, kept) {
            (Self::None, _) => "",
            (Self::Honest, true) => "honest",
            (Self::Able, true) => "able",
            (Self::Wrong, true) => "shown to fail",
            (_, false) => "BROKEN",
        }
    }
}

/// How one way of deciding did in one world.
#[derive(Debug, Clone)]
pub struct Line {
    /// The planted truth.
    pub world: String,
    /// The way of deciding.
    pub method: &'static str,
    /// The share of tests that accepted the new model.
    pub accepted: f64,
    /// The share of tests whose interval covered the truth at every look; absent where the way has none.
    pub covered: Option<f64>,
    /// Items until the verdict, or all of them, on average.
    pub mean_items: f64,
    /// Items at most.
    pub most_items: u64,
    /// What must be shown.
    pub promise: Promise,
}

impl Line {
    /// Whether the promise is kept.
    pub fn is_kept(&self) -> bool {
        let covered = self.covered.is_none_or(|covered| covered >= 1.0 - ALPHA);
        match self.promise {
            Promise::Honest => self.accepted <= ALPHA && covered,
            Promise::Able => self.accepted >= 0.8 && covered,
            Promise::Wrong => self.accepted > ALPHA,
            Promise::None => true,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let covered = self.covered.map_or_else(|| "-".into(), |covered| format!("{:.1}", 100.0 * covered));
        let promise = self.promise.word(self.is_kept());
        write!(
            f,
            "{:44} {:34} {:8.1} {covered:>8} {:10.0} {:7}  {promise}",
            self.world,
            self.method,
            100.0 * self.accepted,
            self.mean_items,
            self.most_items
        )
    }
}

/// The whole table, `runs` tests a line. The same seed gives the same table.
pub fn table(runs: u32, seed: u64) -> Vec<Line> {
    let mut lines = graded::lines(runs, seed);
    lines.extend(judged::lines(runs, seed));
    lines.extend(sliced::lines(runs, seed));
    lines
}

/// Sums over tests of one way of deciding.
#[derive(Debug, Clone, Copy)]
struct Sums {
    accepted: u32,
    covered: u32,
    items: u64,
}

impl Sums {
    const ZERO: Self = Self { accepted: 0, covered: 0, items: 0 };

    fn add(&mut self, accepted: bool, covered: bool, items: u64) {
        self.accepted += u32::from(accepted);
        self.covered += u32::from(covered);
        self.items += items;
    }

    fn line(self, world: &str, method: &'static str, runs: u32, most_items: u64, promise: Promise) -> Line {
        let share = |count: u32| f64::from(count) / f64::from(runs.max(1));
        Line {
            world: world.to_owned(),
            method,
            accepted: share(self.accepted),
            covered: Some(share(self.covered)),
            mean_items: self.items as f64 / f64::from(runs.max(1)),
            most_items,
            promise,
        }
    }
}
