//! Learn-then-Test: the fixed sequence over thresholds.
//!
//! Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then test: calibrating predictive algorithms to achieve risk
//! control" (2021). Starts share delta as in the fallback procedure (Wiens, Pharmaceutical Statistics 2 (2003),
//! 211-215): what a start has won goes on with the sequence and is added to the next start's part; a threshold that
//! fails loses all that reached it. For the first false promise some threshold that should have failed must pass
//! with the parts of delta since the one before that should have failed and did; these stretches do not overlap, so
//! the chances sum to delta at most.

use super::plan::Plan;
use super::tails;
use super::terms::{Calibration, Promise, Terms};
use crate::figures::ppb_up;
use serde::{Deserialize, Serialize};

/// One threshold, tried on the calibration rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The threshold, in millionths.
    pub threshold_micro: i64,
    /// Calibration rows that it answers locally.
    pub local: u64,
    /// Those of them that differ from the teacher.
    pub differs: u64,
    /// The chance of so few if more than eps differed, in billionths, rounded up.
    pub p_ppb: u64,
    /// The part of delta that reached this threshold, in billionths.
    pub level_ppb: u64,
    /// Whether the promise is shown at this threshold.
    pub passed: bool,
}

/// Walks the sequence.
pub(super) fn walk(plan: &Plan, rows: &Calibration, terms: &Terms) -> Vec<Step> {
    let mut able: Vec<_> = rows.rows().filter(|row| plan.is_local(row, i64::MIN)).collect();
    able.sort_by_key(|row| std::cmp::Reverse(row.confidence));
    let (mut local, mut differs, mut level) = (0, 0, 0);
    let step = |candidate: &super::plan::Candidate| {
        while able.get(local).is_some_and(|row| row.confidence >= candidate.threshold_micro) {
            differs += u64::from(able[local].differs);
            local += 1;
        }
        level = candidate.start_ppb.saturating_add(level);
        let of = match terms.promise {
            Promise::AllTraffic => rows.len() as u64,
            Promise::AnsweredLocally => local as u64,
        };
        let p_ppb = if of == 0 { ppb_up(1.0) } else { ppb_up(tails::at_most(differs, of, terms.eps())) };
        let reached = level;
        let passed = p_ppb <= reached;
        if !passed {
            level = 0;
        }
        Step {
            threshold_micro: candidate.threshold_micro,
            local: local as u64,
            differs,
            p_ppb,
            level_ppb: reached,
            passed,
        }
    };
    plan.candidates.iter().map(step).collect()
}

/// The greediest threshold at which the promise is shown.
pub(super) fn greediest(steps: &[Step]) -> Option<&Step> {
    steps.iter().rev().find(|step| step.passed)
}
