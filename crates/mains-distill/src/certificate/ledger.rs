//! What was staked before.

use mains_units::Timestamp;
use serde::{Deserialize, Serialize};

/// Delta staked on an earlier certificate: another promise, task, retrain or look at the same calibration rows.
/// A refusal stakes it too: the rows were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// On which task and promise, in the caller's words.
    pub on: String,
    /// The name of the calibration rows: a hash of them.
    pub rows: String,
    /// How much, in millionths.
    pub delta_ppm: u64,
    /// When.
    pub at: Timestamp,
}

/// What certificates have staked, and the most that all may stake together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaLedger {
    /// All earlier stakes that this one is to be read together with.
    pub spent: Vec<Spent>,
    /// The most that all of them and this one may stake, in millionths: with this much less than certainty all
    /// promises hold at once.
    pub delta_ppm_most: u64,
}

impl DeltaLedger {
    /// Nothing staked yet.
    pub fn new(delta_ppm_most: u64) -> Self {
        Self { spent: Vec::new(), delta_ppm_most }
    }

    /// The sum of the stakes, in millionths.
    pub fn sum_ppm(&self) -> u64 {
        self.spent.iter().fold(0, |sum, spent| sum.saturating_add(spent.delta_ppm))
    }

    /// What may still be staked, in millionths.
    pub fn left_ppm(&self) -> u64 {
        self.delta_ppm_most.saturating_sub(self.sum_ppm())
    }
}
