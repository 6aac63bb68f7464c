//! All that is kept of the requests: whole numbers, by the share of the traffic under which each was drawn.

use super::observation::{Arm, LEVELS};
use super::plan::Metric;
use crate::stats::bet::Seen;
use serde::{Deserialize, Serialize};

/// One metric of one model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    /// Requests that the metric says something of.
    pub n: u64,
    /// The sum of their values.
    pub sum: u64,
    /// How many of them fell on each level.
    pub levels: Vec<u64>,
}

impl Counts {
    pub(super) fn add(&mut self, value: u64, level: usize) {
        self.n = self.n.saturating_add(1);
        self.sum = self.sum.saturating_add(value);
        count(&mut self.levels, level);
    }
}

/// One metric of both models.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    pub old: Counts,
    pub new: Counts,
    /// Old requests that failed, by the level that stands in for their answer.
    pub stand_ins: Vec<u64>,
}

impl Pair {
    pub(super) fn arm(&self, arm: Arm) -> &Counts {
        match arm {
            Arm::Old => &self.old,
            Arm::New => &self.new,
        }
    }

    pub(super) fn add(&mut self, arm: Arm, value: u64, level: usize) {
        match arm {
            Arm::Old => self.old.add(value, level),
            Arm::New => self.new.add(value, level),
        }
    }

    pub(super) fn stand_in(&mut self, level: usize) {
        count(&mut self.stand_ins, level);
    }
}

/// All metrics under one share of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    errors: Pair,
    schema: Pair,
    refusals: Pair,
    length: Pair,
    cost: Pair,
    feedback: Pair,
}

impl Step {
    pub(super) fn of(&self, metric: Metric) -> &Pair {
        match metric {
            Metric::Errors => &self.errors,
            Metric::Schema => &self.schema,
            Metric::Refusals => &self.refusals,
            Metric::Length => &self.length,
            Metric::Cost => &self.cost,
            Metric::Feedback => &self.feedback,
        }
    }

    pub(super) fn of_mut(&mut self, metric: Metric) -> &mut Pair {
        match metric {
            Metric::Errors => &mut self.errors,
            Metric::Schema => &mut self.schema,
            Metric::Refusals => &mut self.refusals,
            Metric::Length => &mut self.length,
            Metric::Cost => &mut self.cost,
            Metric::Feedback => &mut self.feedback,
        }
    }

    /// Requests that a model got.
    pub(super) fn requests(&self, arm: Arm) -> u64 {
        self.errors.arm(arm).n
    }

    /// Requests that either model answered.
    pub(super) fn answered(&self) -> u64 {
        let answered = |counts: &Counts| counts.n.saturating_sub(counts.sum);
        answered(&self.errors.old).saturating_add(answered(&self.errors.new))
    }
}

/// Levels as parts of one.
pub(super) fn seen(levels: &[u64]) -> impl Iterator<Item = Seen> + '_ {
    levels
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(level, count)| (level.min(LEVELS) as f64 / LEVELS as f64, *count as f64))
}

fn count(levels: &mut Vec<u64>, level: usize) {
    let level = level.min(LEVELS);
    if levels.len() <= level {
        levels.resize(level + 1, 0);
    }
    levels[level] = levels[level].saturating_add(1);
}
