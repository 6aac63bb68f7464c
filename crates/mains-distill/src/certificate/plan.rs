//! What is settled before a calibration row is looked at: thresholds, starts, classes, the limit of strangeness.
//!
//! All of it comes from the training rows, judged out of fold. A grid taken from the calibration rows themselves,
//! or classes left out for what those rows say of them, would make the argument only approximate.

use super::terms::{Calibration, Malformed, Promise, RowOf, Terms};
use super::{tails, terms};
use crate::figures::count_up;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A threshold that is tried, the safest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Confidence at or above it answers locally, in millionths.
    pub threshold_micro: i64,
    /// The part of delta that starts here, in billionths; 0 where no start is.
    pub start_ppb: u64,
}

/// What is settled beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The thresholds, falling.
    pub candidates: Vec<Candidate>,
    /// How many training rows the labeller gave to each class, out of fold.
    pub training_rows: BTreeMap<u32, u64>,
    /// The classes that may be answered locally.
    pub classes: BTreeSet<u32>,
    /// Text that is stranger than this always escalates, in millionths.
    pub strangeness_micro_max: Option<i64>,
    /// What the labeller learned beyond the most frequent label, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

/// Training rows out of fold, beside what a labeller without eyes would reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Rows that the labeller gets right.
    pub right: u64,
    /// Rows of the most frequent label.
    pub most: u64,
    /// All rows.
    pub of: u64,
}

impl Learned {
    /// Whether the rows do not show (at 97.5 %) that the text says more than always naming the most frequent label,
    /// and that alone would differ on more than may. Then a threshold that passes only picks out luck.
    pub(super) fn is_nothing(&self, terms: &Terms) -> bool {
        let share = |rows: u64| rows as f64 / self.of.max(1) as f64;
        share(self.most) < 1.0 - terms.eps() && tails::lower(self.right, self.of, 0.025) <= share(self.most)
    }
}

impl Plan {
    /// Settles it from training rows, for a number of calibration rows to come.
    ///
    /// A class may answer if the calibration rows are expected to hold enough of it. The starts over what is
    /// answered locally lie between the safest threshold that can pass with that many rows and the one that
    /// promises best by the training rows.
    pub fn from_training(
        training: &Calibration,
        calibration_rows: u64,
        terms: &Terms,
        strangeness_micro_max: Option<i64>,
    ) -> Result<Self, Malformed> {
        terms.check()?;
        training.check("training")?;
        if strangeness_micro_max.is_some() && training.strangeness.is_empty() && !training.is_empty() {
            return Err(Malformed::NoStrangeness("training"));
        }
        let mut training_rows = BTreeMap::new();
        for class in &training.class {
            *training_rows.entry(*class).or_insert(0u64) += 1;
        }
        let whole = training.len() as u64;
        // In 128 bits no product of counts runs over.
        let expected = |rows: u64| u128::from(rows) * u128::from(calibration_rows);
        let least = u128::from(terms.class_rows_min) * u128::from(whole);
        let classes =
            training_rows.iter().filter(|(_, rows)| expected(**rows) >= least).map(|(class, _)| *class);
        let mut plan = Self {
            candidates: Vec::new(),
            classes: classes.collect(),
            training_rows,
            strangeness_micro_max,
            learned: None,
        };
        let hopes = plan.hopes(training, calibration_rows, terms);
        let starts = starts(&hopes, terms);
        plan.candidates = hopes
            .iter()
            .enumerate()
            .map(|(place, hope)| Candidate {
                threshold_micro: hope.threshold,
                start_ppb: starts.get(&place).copied().unwrap_or(0),
            })
            .collect();
        Ok(plan)
    }

    /// Whether a row is answered locally at a threshold.
    pub(super) fn is_local(&self, row: &RowOf, threshold_micro: i64) -> bool {
        let familiar = self
            .strangeness_micro_max
            .is_none_or(|most| row.strangeness.is_some_and(|strangeness| strangeness <= most));
        row.confidence >= threshold_micro
            && row.confidence > i64::MIN
            && familiar
            && self.classes.contains(&row.class)
    }

    /// The grid: quantiles of the confidences that may answer, with what the training rows make expect.
    fn hopes(&self, training: &Calibration, calibration_rows: u64, terms: &Terms) -> Vec<Hope> {
        let mut able: Vec<terms::RowOf> =
            training.rows().filter(|row| self.is_local(row, i64::MIN)).collect();
        able.sort_by_key(|row| std::cmp::Reverse((row.confidence, row.differs)));
        let steps = (terms.steps as usize).min(able.len());
        let mut hopes: Vec<Hope> = Vec::with_capacity(steps);
        let (mut taken, mut errors) = (0, 0u64);
        for step in 1..=steps {
            let Some(threshold) = able.get((step * able.len()).div_ceil(steps) - 1).map(|r| r.confidence)
            else {
                break;
            };
            while able.get(taken).is_some_and(|row| row.confidence >= threshold) {
                errors += u64::from(able[taken].differs);
                taken += 1;
            }
            if hopes.last().is_some_and(|last| last.threshold == threshold) {
                continue;
            }
            let scale = calibration_rows as f64 / training.len() as f64;
            let local = count_up(taken as f64 * scale);
            let p_value = tails::at_most(count_up(errors as f64 * scale), local, terms.eps());
            hopes.push(Hope { threshold, local, p_value });
        }
        hopes
    }
}

/// What training rows make expect of a threshold.
struct Hope {
    threshold: i64,
    local: u64,
    p_value: f64,
}

/// Where the sequence may start, and with how many billionths of delta.
fn starts(hopes: &[Hope], terms: &Terms) -> BTreeMap<usize, u64> {
    let mut starts = BTreeMap::new();
    let Some(last) = hopes.len().checked_sub(1) else {
        return starts;
    };
    let number = u64::from(terms.starts);
    let (from, to) = match terms.promise {
        Promise::AllTraffic => (0, last),
        Promise::AnsweredLocally => {
            let need = tails::least_rows(terms.eps(), terms.delta() / number as f64);
            let able = |hope: &Hope| need.is_some_and(|need| hope.local >= need);
            let from = hopes.iter().position(able).unwrap_or(last);
            let best = (from..=last).min_by(|a, b| hopes[*a].p_value.total_cmp(&hopes[*b].p_value));
            (from, best.unwrap_or(last))
        }
    };
    let whole = terms.delta_ppm * 1_000;
    for start in 0..number {
        let along = if number == 1 { 0.0 } else { start as f64 / (number - 1) as f64 };
        let place = from + usize::try_from(count_up((to - from) as f64 * along)).unwrap_or(0);
        let remainder = if start == 0 { whole % number } else { 0 };
        *starts.entry(place.min(last)).or_insert(0) += whole / number + remainder;
    }
    starts
}
