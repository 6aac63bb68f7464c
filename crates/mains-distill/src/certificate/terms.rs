//! What is promised, and the rows that must show it.

use crate::figures::micro;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Of which answers at most a given share differs from the teacher's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// Of all answers, those of the teacher among them: what a caller of the route sees.
    AllTraffic,
    /// Of the answers that the labeller gives itself: stricter, and needs more rows.
    AnsweredLocally,
}

/// The terms of one promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Of which answers.
    pub promise: Promise,
    /// The share that may differ, in millionths.
    pub eps_ppm: u64,
    /// The chance that the promise is wrong, in millionths.
    pub delta_ppm: u64,
    /// Where the sequence of thresholds may start; they share delta.
    pub starts: u32,
    /// How many thresholds are tried at most.
    pub steps: u32,
    /// A class of which fewer calibration rows are expected always escalates.
    pub class_rows_min: u64,
}

impl Terms {
    /// At most `eps_ppm` of these answers differ, with 95 % confidence; the other terms as measured good.
    ///
    /// Over all traffic a greedier threshold never has fewer errors, so its p-value is never smaller: a second
    /// start could only take from the first one's delta. Of what is answered locally an unlucky threshold can
    /// come before a lucky one, and three starts lose least.
    pub fn new(promise: Promise, eps_ppm: u64) -> Self {
        let starts = match promise {
            Promise::AllTraffic => 1,
            Promise::AnsweredLocally => 3,
        };
        Self { promise, eps_ppm, delta_ppm: 50_000, starts, steps: 100, class_rows_min: 3 }
    }

    /// The share that may differ, as a fraction.
    pub fn eps(&self) -> f64 {
        self.eps_ppm as f64 / 1e6
    }

    /// The chance that the promise is wrong, as a fraction.
    pub fn delta(&self) -> f64 {
        self.delta_ppm as f64 / 1e6
    }

    /// The calibration rows under which no promise on these terms is possible, however good the labeller: they hold
    /// no error, all are answered locally, and one start has all of delta.
    pub fn least_rows(&self) -> Option<u64> {
        super::tails::least_rows(self.eps(), self.delta())
    }

    pub(super) fn check(&self) -> Result<(), Malformed> {
        let fraction = |ppm: u64| (1..1_000_000).contains(&ppm);
        if !fraction(self.eps_ppm) || !fraction(self.delta_ppm) {
            return Err(Malformed::Terms("both shares must lie between 0 and 1"));
        }
        if self.starts == 0 || self.steps == 0 || self.steps > 10_000 {
            return Err(Malformed::Terms("starts must be at least 1, and steps lie within 1 and 10,000"));
        }
        Ok(())
    }
}

/// Rows that the labeller has judged and whose teacher's answer is known. One row of each group of near
/// duplicates, or their number would say more than they do.
///
/// The three or four lists are of one length, a place is a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// How sure the labeller is: a ranking, not a probability. What is no number is never answered locally.
    pub confidence: Vec<f32>,
    /// Whether the labeller's answer is another than the teacher's.
    pub differs: Vec<bool>,
    /// The class that the labeller says.
    pub class: Vec<u32>,
    /// How far outside the task's scope the text looks: more is stranger. Empty where there is no such score.
    pub strangeness: Vec<f32>,
}

impl Calibration {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.confidence.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.confidence.is_empty()
    }

    /// The rows at these places; places beyond the end are left out.
    #[must_use]
    pub fn pick(&self, places: &[usize]) -> Self {
        let mut picked = Self::default();
        for &place in places.iter().filter(|place| **place < self.len()) {
            picked.confidence.push(self.confidence[place]);
            picked.differs.extend(self.differs.get(place));
            picked.class.extend(self.class.get(place));
            picked.strangeness.extend(self.strangeness.get(place));
        }
        picked
    }

    pub(super) fn check(&self, which: &'static str) -> Result<(), Malformed> {
        let n = self.len();
        let strange = self.strangeness.is_empty() || self.strangeness.len() == n;
        if self.differs.len() == n && self.class.len() == n && strange {
            Ok(())
        } else {
            Err(Malformed::Lengths(which))
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = RowOf> + '_ {
        (0..self.len()).map(|i| {
            let strangeness = self.strangeness.get(i).copied();
            RowOf::new(self.confidence[i], self.differs[i], self.class[i], strangeness)
        })
    }
}

/// One row in whole numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowOf {
    pub(super) confidence: i64,
    pub(super) differs: bool,
    pub(super) class: u32,
    pub(super) strangeness: Option<i64>,
}

impl RowOf {
    pub(super) fn new(confidence: f32, differs: bool, class: u32, strangeness: Option<f32>) -> Self {
        Self {
            confidence: micro(confidence, i64::MIN),
            differs,
            class,
            strangeness: strangeness.map(|score| micro(score, i64::MAX)),
        }
    }
}

/// Why rows or terms cannot be used at all. A promise that is merely not shown is a `Refusal`, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// The lists of these rows have different lengths.
    Lengths(&'static str),
    /// The terms cannot be met by anything.
    Terms(&'static str),
    /// A limit of strangeness is set, and these rows have no such score.
    NoStrangeness(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lengths(which) => write!(f, "the lists of the {which} rows have different lengths"),
            Self::Terms(why) => write!(f, "terms that nothing can meet: {why}"),
            Self::NoStrangeness(which) => write!(
                f,
                "a limit of strangeness is set, and the {which} rows have no such score\nhint: score them, or set no limit"
            ),
        }
    }
}

impl std::error::Error for Malformed {}
