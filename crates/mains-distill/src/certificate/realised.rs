//! What happened on rows that had no part in the promise, and what is saved.

use super::plan::Plan;
use super::tails;
use super::terms::Calibration;
use crate::figures::{ppm_down, ppm_up, share_ppm};
use serde::{Deserialize, Serialize};

/// A share with its exact 95 % interval (Clopper and Pearson), in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share; 0 of nothing.
    pub ppm: u64,
    /// Its least value that is not refuted at 97.5 %.
    pub low_ppm: u64,
    /// Its greatest.
    pub high_ppm: u64,
}

impl Share {
    /// The share with its interval; of nothing everything is possible.
    pub fn of(hits: u64, of: u64) -> Self {
        let (low, high) =
            if of == 0 { (0.0, 1.0) } else { (tails::lower(hits, of, 0.025), tails::upper(hits, of, 0.025)) };
        Self { hits, of, ppm: share_ppm(hits, of), low_ppm: ppm_down(low), high_ppm: ppm_up(high) }
    }
}

/// The audit part, touched once, at the threshold that was chosen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Rows answered locally, of all.
    pub local: Share,
    /// Answers that differ, of all.
    pub differs_of_all: Share,
    /// Answers that differ, of those answered locally.
    pub differs_of_local: Share,
}

impl Audit {
    pub(super) fn of(plan: &Plan, rows: &Calibration, threshold_micro: i64) -> Self {
        let (mut local, mut differs) = (0, 0);
        for row in rows.rows().filter(|row| plan.is_local(row, threshold_micro)) {
            local += 1;
            differs += u64::from(row.differs);
        }
        let all = rows.len() as u64;
        Self {
            local: Share::of(local, all),
            differs_of_all: Share::of(differs, all),
            differs_of_local: Share::of(differs, local),
        }
    }
}

/// What 1,000 answers cost; what is not known is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Money, in nano-USD.
    pub nano_usd_per_1000: Option<u64>,
    /// Energy in millijoules: low, central, high.
    pub mj_per_1000: Option<[u64; 3]>,
    /// Time until the whole answer, summed, in milliseconds.
    pub ms_per_1000: Option<u64>,
}

/// What is saved with every 1,000 requests: the teacher's cost on the share that is answered locally, less the
/// labeller's on all of them, for it looks at each. A loss is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Savings {
    /// The share answered locally on which this stands.
    pub local_ppm: u64,
    /// What the teacher costs.
    pub teacher: Costs,
    /// What the labeller costs.
    pub labeller: Costs,
    /// Money, in nano-USD.
    pub nano_usd_per_1000: Option<i64>,
    /// Energy in millijoules: low, central, high.
    pub mj_per_1000: Option<[i64; 3]>,
    /// Time in milliseconds.
    pub ms_per_1000: Option<i64>,
}

impl Savings {
    /// The savings at a share.
    pub fn at(local_ppm: u64, teacher: Costs, labeller: Costs) -> Self {
        let saved = |teacher: u64, labeller: u64| {
            let kept = u128::from(teacher) * u128::from(local_ppm) / 1_000_000;
            let signed = |value: u128| i64::try_from(value).unwrap_or(i64::MAX);
            signed(kept).saturating_sub(signed(labeller.into()))
        };
        let both = |teacher: Option<u64>, labeller: Option<u64>| Some(saved(teacher?, labeller?));
        let energy = teacher.mj_per_1000.zip(labeller.mj_per_1000).map(|(teacher, labeller)| {
            // The least is saved where the teacher burns least and the labeller most.
            [saved(teacher[0], labeller[2]), saved(teacher[1], labeller[1]), saved(teacher[2], labeller[0])]
        });
        Self {
            local_ppm,
            teacher,
            labeller,
            nano_usd_per_1000: both(teacher.nano_usd_per_1000, labeller.nano_usd_per_1000),
            mj_per_1000: energy,
            ms_per_1000: both(teacher.ms_per_1000, labeller.ms_per_1000),
        }
    }
}
