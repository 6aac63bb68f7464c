//! The figures of a switch beside each other.

use super::observation::Arm;
use super::plan::{Metric, Plan, Watched};
use super::state::Canary;
use serde::{Deserialize, Serialize};

/// One metric of one model, over all steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArmReading {
    /// Requests that the metric says something of.
    pub requests: u64,
    /// The sum of what it says, in [`Metric::unit`].
    pub total: u64,
    /// That sum per 1,000 of these requests; absent without any.
    pub per_1000: Option<u64>,
}

/// One metric of both models, and what it proves. The rates are those of all steps together; the comparison weighs
/// each step by its share, so the rates alone may mislead where the traffic changed between steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Which.
    pub metric: Metric,
    /// The model that is to go.
    pub old: ArmReading,
    /// Its replacement.
    pub new: ArmReading,
    /// The natural logarithm of the wealth against "worse by no more than allowed", in thousandths.
    pub log_e_milli: i64,
    /// The least of that which rolls back.
    pub needed_milli: i64,
    /// Whether it can roll back, or why not.
    pub watched: Watched,
}

impl Canary {
    /// Every metric's figures, in the order of [`Metric::ALL`].
    pub fn readings(&self, plan: &Plan) -> Vec<Reading> {
        let needed_milli = plan.limits.needed_milli();
        let reading = |metric| {
            let watched = plan.limits.watched(metric);
            let log_e_milli = if watched == Watched::Yes { self.log_e_milli(plan, metric) } else { 0 };
            let arm = |arm| self.arm_reading(metric, arm);
            Reading { metric, old: arm(Arm::Old), new: arm(Arm::New), log_e_milli, needed_milli, watched }
        };
        Metric::ALL.into_iter().map(reading).collect()
    }

    fn arm_reading(&self, metric: Metric, arm: Arm) -> ArmReading {
        let add = |(n, sum): (u64, u64), counts: &super::counts::Counts| {
            (n.saturating_add(counts.n), sum.saturating_add(counts.sum))
        };
        let (requests, total) = self.pairs(metric).map(|pair| pair.arm(arm)).fold((0, 0), add);
        let per_1000 = (u128::from(total) * 1_000).checked_div(u128::from(requests));
        let per_1000 = per_1000.map(|per| u64::try_from(per).unwrap_or(u64::MAX));
        ArmReading { requests, total, per_1000 }
    }
}
