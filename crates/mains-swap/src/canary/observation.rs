//! What is seen of one request, and where it falls on each metric's scale.
//!
//! *Stand-ins.* A metric other than errors says nothing of a request that failed. If that were left out, an old
//! model that dies would make the new one look worse: it alone would have refusals, schema failures, costs. So an
//! old request that failed stands in for the answer that it might have given, as the worst that it could have
//! been: the whole scale, or, for events, the share of answers that the metric says anything of. A new request
//! that failed stands for nothing, which is the best. Both err on the side of not rolling back; errors themselves
//! are watched by their own metric.

use super::plan::{Metric, Scale};
use mains_units::NanoUsd;
use serde::{Deserialize, Serialize};

/// The finest part of a scale is one of so many. New values are rounded down and old ones up, so that rounding
/// never speaks against the new model.
pub(super) const LEVELS: usize = 64;

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The model that is to go.
    Old,
    /// Its replacement.
    New,
}

/// What is seen of one request. `None`: does not apply, or is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observation {
    /// It got no answer.
    pub failed: bool,
    /// The answer breaks the schema that the request carried.
    pub schema_failed: Option<bool>,
    /// The answer declines.
    pub refused: Option<bool>,
    /// How many tokens the answer has.
    pub output_tokens: Option<u64>,
    /// What the answer cost.
    pub cost: Option<NanoUsd>,
}

impl Observation {
    /// What this metric counts of the request; `None` if nothing.
    pub(super) fn value(&self, metric: Metric) -> Option<u64> {
        if self.failed {
            return (metric == Metric::Errors).then_some(1);
        }
        match metric {
            Metric::Errors => Some(0),
            Metric::Schema => self.schema_failed.map(u64::from),
            Metric::Refusals => self.refused.map(u64::from),
            Metric::Length => self.output_tokens,
            Metric::Cost => self.cost.map(|cost| cost.0),
            Metric::Feedback => None,
        }
    }

    /// Whether an old request of which this metric says nothing needs a stand-in. An answer without a cost needs
    /// one too: the new model's costs are known, and nothing would stand against them.
    pub(super) fn needs_stand_in(&self, metric: Metric) -> bool {
        match metric {
            Metric::Errors => false,
            Metric::Schema | Metric::Refusals | Metric::Feedback => self.failed,
            Metric::Length => self.failed || self.output_tokens.is_none(),
            Metric::Cost => self.failed || self.cost.is_none(),
        }
    }
}

impl Scale {
    /// Where a value falls: 0 to [`LEVELS`].
    pub(super) fn level(self, arm: Arm, value: u64) -> usize {
        let levels = LEVELS as u128;
        let level = match (self, arm) {
            (Self::Event, _) => u128::from(value.min(1)) * levels,
            (Self::Value { of, .. }, Arm::Old) => {
                (u128::from(value) * levels).div_ceil(u128::from(of.max(1)))
            }
            (Self::Value { of, ratio, tolerance }, Arm::New) => {
                let millionths = |ppm: i64| u128::from(ppm.max(0).unsigned_abs());
                let whole = u128::from(of)
                    .saturating_mul(millionths(ratio.0))
                    .saturating_mul(millionths(tolerance.0.saturating_add(1_000_000)));
                // At most 2^64 * 64 * 10^12, which is below 2^128.
                u128::from(value) * levels * 1_000_000_000_000 / whole.max(1)
            }
        };
        usize::try_from(level.min(levels)).unwrap_or(LEVELS)
    }

    /// The level of a stand-in, where the metric said something of `counted` of `answered` answers.
    pub(super) fn stand_in(self, counted: u64, answered: u64) -> usize {
        match self {
            Self::Value { .. } => LEVELS,
            Self::Event => {
                let (counted, answered) = (u128::from(counted) + 1, u128::from(answered) + 1);
                let level = (counted * LEVELS as u128).div_ceil(answered);
                usize::try_from(level.min(LEVELS as u128)).unwrap_or(LEVELS)
            }
        }
    }
}
