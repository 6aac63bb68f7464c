//! A test as it goes on: looks at the counts, and the verdict that they have supported so far.

use super::{Evidence, Question, Reason, Ruling, Verdict, needed_milli, reason_for_none};
use crate::stats::{Counts, Tally};
use crate::verdict::Ppm;
use serde::{Deserialize, Serialize};

/// The counts at one moment and what they prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The counts.
    pub counts: Counts,
    /// What they prove alone.
    pub evidence: Evidence,
}

/// A test as it goes on. Looking is free: the error level holds for all looks together, and the test may stop at
/// any of them for any reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    question: Question,
    alpha: Ppm,
    looks: Vec<Look>,
}

impl Course {
    /// A test without outcomes. `alpha` is the error level: 50,000 for 95 % confidence.
    pub fn new(question: Question, alpha: Ppm) -> Self {
        Self { question, alpha: Ppm(alpha.0.clamp(1, 999_999)), looks: Vec::new() }
    }

    /// Looks at the counts so far.
    pub fn look(&mut self, counts: Counts) -> Ruling {
        let evidence = Evidence::of(self.question, &counts, self.alpha.fraction());
        self.looks.push(Look { counts, evidence });
        self.ruling()
    }

    /// All looks, in order.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// The verdict so far: the first that any look supported stands, because the error level covers them all; the
    /// interval is what all looks leave. If looks contradict each other, nothing is decided.
    pub fn ruling(&self) -> Ruling {
        let alpha = self.alpha.fraction();
        let needed = needed_milli(alpha);
        let empty = Counts::Graded(Tally::default());
        let Some(last) = self.looks.last() else {
            let reason = reason_for_none(self.question, &empty, &Tally::default(), alpha);
            let evidence = Evidence::of(self.question, &empty, alpha);
            return Ruling { verdict: Verdict::Undecided, reason, evidence };
        };
        let not_worse = self.looks.iter().any(|look| look.evidence.log_e_not_worse_milli >= needed);
        let worse = self.looks.iter().any(|look| look.evidence.log_e_worse_milli >= needed);
        let evidence = self.together(last.evidence);
        let (verdict, reason) = match (not_worse, worse) {
            (true, true) => (Verdict::Undecided, Reason::Drift),
            _ if evidence.low > evidence.high => (Verdict::Undecided, Reason::Drift),
            (true, false) => (Verdict::NonInferior, Reason::Decided),
            (false, true) => (Verdict::Inferior, Reason::Decided),
            (false, false) => {
                let like = match &last.counts {
                    Counts::Graded(tally) => *tally,
                    Counts::Judged(judged) => Tally(judged.both.map(|row| row.iter().sum())),
                };
                (Verdict::Undecided, reason_for_none(self.question, &last.counts, &like, alpha))
            }
        };
        let evidence = if reason == Reason::Drift { last.evidence } else { evidence };
        Ruling { verdict, reason, evidence }
    }

    /// The last evidence with the bounds and the wealth that all looks leave.
    fn together(&self, last: Evidence) -> Evidence {
        let all = || self.looks.iter().map(|look| look.evidence);
        Evidence {
            low: all().map(|e| e.low).max().unwrap_or(last.low),
            high: all().map(|e| e.high).min().unwrap_or(last.high),
            at_least: all().map(|e| e.at_least).max().unwrap_or(last.at_least),
            log_e_not_worse_milli: all().map(|e| e.log_e_not_worse_milli).max().unwrap_or(0),
            log_e_worse_milli: all().map(|e| e.log_e_worse_milli).max().unwrap_or(0),
            ..last
        }
    }
}

/// Moments at which a test of `n` outcomes looks: every 10 outcomes at first, then in steps of a twentieth, and
/// at the end. Any other choice would be valid too; this one keeps a report short.
pub fn moments(n: u64) -> Vec<u64> {
    let mut moments = Vec::new();
    let mut at = 10;
    while at < n {
        moments.push(at);
        at += (at / 20).max(10);
    }
    if n > 0 {
        moments.push(n);
    }
    moments
}
