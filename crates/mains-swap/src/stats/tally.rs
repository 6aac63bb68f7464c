//! Outcomes as counts.

use super::bet::{Seen, Side, crossing, log_wealth};
use super::judged::JudgedTally;
use serde::{Deserialize, Serialize};

/// Outcomes of one kind of item, counted: all that the statistics need to know.
///
/// The three places are the unit values 0, ½ and 1. Of a pair: the old answer passed and the new one did not;
/// both did or neither; only the new one passed. Of a single comparison: differs, (unused), agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally(pub [u64; 3]);

impl Tally {
    /// Counts one outcome; places beyond the last are counted in it.
    pub fn add(&mut self, place: usize) {
        self.0[place.min(2)] += 1;
    }

    /// How many outcomes.
    pub fn n(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The mean on the unit scale; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        let n = self.n();
        (n > 0).then(|| (0.5 * self.0[1] as f64 + self.0[2] as f64) / n as f64)
    }

    /// The share of outcomes that are not ½: how often a pair disagrees.
    pub fn discordance(&self) -> f64 {
        (self.0[0] + self.0[2]) as f64 / self.n().max(1) as f64
    }

    /// The counts with their unit values.
    pub(crate) fn seen(&self) -> [Seen; 3] {
        [(0.0, self.0[0] as f64), (0.5, self.0[1] as f64), (1.0, self.0[2] as f64)]
    }
}

/// What was counted: graded outcomes, or a judge's with human corrections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Every outcome is known.
    Graded(Tally),
    /// A judge's outcomes, some of them with a human verdict.
    Judged(JudgedTally),
}

impl Counts {
    /// The logarithm of the wealth of betting against "the mean is `claim`" on the unit scale.
    pub fn log_wealth(&self, claim: f64, side: Side) -> f64 {
        match self {
            Self::Graded(tally) => log_wealth(&tally.seen(), claim, side),
            Self::Judged(judged) => judged.log_wealth(claim, side),
        }
    }

    /// How many items.
    pub fn n(&self) -> u64 {
        match self {
            Self::Graded(tally) => tally.n(),
            Self::Judged(judged) => judged.n(),
        }
    }

    /// The best single value of the mean, on the unit scale; `None` where nothing supports one.
    pub fn mean(&self) -> Option<f64> {
        match self {
            Self::Graded(tally) => tally.mean(),
            Self::Judged(judged) => judged.mean(),
        }
    }

    /// The least mean that is not refuted at this error level, at any time.
    pub fn lower(&self, alpha: f64) -> f64 {
        crossing(-alpha.ln(), |claim| self.log_wealth(claim, Side::Above))
    }

    /// The greatest mean that is not refuted at this error level, at any time.
    pub fn upper(&self, alpha: f64) -> f64 {
        1.0 - crossing(-alpha.ln(), |claim| self.log_wealth(1.0 - claim, Side::Below))
    }

    /// The two-sided interval on the unit scale: half of the error level on each side.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        (self.lower(alpha / 2.0), self.upper(alpha / 2.0))
    }
}
