//! Verdicts on parts of the traffic, read together.

use super::{Evidence, Question, Reason, Ruling, Verdict, needed_milli, reason_for_none};
use crate::stats::many::adjusted;
use crate::stats::{Counts, Side, Tally};
use crate::verdict::whole;
use serde::{Deserialize, Serialize};

/// A part of the traffic and its outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// What divides the traffic: `language`.
    pub by: String,
    /// Which part: `de`.
    pub part: String,
    /// Its outcomes.
    pub counts: Counts,
}

/// The verdict on a part of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceRuling {
    /// What divides the traffic.
    pub by: String,
    /// Which part.
    pub part: String,
    /// Its outcomes.
    pub counts: Counts,
    /// The verdict. The wealths in its evidence are adjusted for the number of slices, and its interval is wide
    /// enough for all slices at once; both may be read as if this were the only slice.
    pub ruling: Ruling,
}

/// Rules on all slices together: the chance that any slice that is worse by the margin is ever called not worse is
/// at most `alpha` in all, and so for the reverse. `like` are the outcomes of the whole test, from which the
/// number needed is told.
pub fn slices(question: Question, alpha: f64, like: &Tally, slices: Vec<Slice>) -> Vec<SliceRuling> {
    let wealth = |side| {
        let logs: Vec<f64> = slices.iter().map(|s| s.counts.log_wealth(question.claim(), side)).collect();
        adjusted(&logs).into_iter().map(|log| whole((log * 1_000.0).clamp(-1e15, 1e15).floor())).collect()
    };
    let (not_worse, worse): (Vec<i64>, Vec<i64>) = (wealth(Side::Above), wealth(Side::Below));
    let shared = alpha / slices.len().max(1) as f64;
    let needed = needed_milli(alpha);
    let rule = |(slice, (log_e_not_worse_milli, log_e_worse_milli)): (Slice, (i64, i64))| {
        let alone = Evidence::of(question, &slice.counts, shared);
        let evidence = Evidence { log_e_not_worse_milli, log_e_worse_milli, ..alone };
        let (verdict, reason) = if log_e_not_worse_milli >= needed {
            (Verdict::NonInferior, Reason::Decided)
        } else if log_e_worse_milli >= needed {
            (Verdict::Inferior, Reason::Decided)
        } else {
            (Verdict::Undecided, reason_for_none(question, &slice.counts, like, shared))
        };
        let ruling = Ruling { verdict, reason, evidence };
        SliceRuling { by: slice.by, part: slice.part, counts: slice.counts, ruling }
    };
    slices.into_iter().zip(not_worse.into_iter().zip(worse)).map(rule).collect()
}
