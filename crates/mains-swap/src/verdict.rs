//! The question, and the answer to it at any moment.

mod course;
mod slices;

pub use course::{Course, Look, moments};
pub use slices::{Slice, SliceRuling, slices};

use crate::stats::need::{self, Expected};
use crate::stats::{Counts, Side, Tally};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A share or a difference of shares in millionths: 20,000 is two points. Whole, so that a report has one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ppm(pub i64);

impl Ppm {
    /// This many points (hundredths).
    pub fn points(points: i64) -> Self {
        Self(points * 10_000)
    }

    /// As a fraction of one.
    pub fn fraction(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The greatest value not above `fraction`.
    pub fn down(fraction: f64) -> Self {
        Self(whole((fraction * 1e6).floor()))
    }

    /// The least value not below `fraction`.
    pub fn up(fraction: f64) -> Self {
        Self(whole((fraction * 1e6).ceil()))
    }

    /// The nearest value.
    pub fn near(fraction: f64) -> Self {
        Self(whole((fraction * 1e6).round()))
    }
}

/// Truncates what is already whole; beyond the range of `i64` it saturates, and no number is 0.
pub(crate) fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the value is whole, and the cast saturates")]
    (value as i64)
}

impl fmt::Display for Ppm {
    /// In points with two decimals: `-1.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0 as f64 / 1e4)
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Question {
    /// Both models' answers are graded against something that is not either of them: a true answer, a check of the
    /// user, a judge. Is the new one at most this much worse?
    Quality {
        /// The difference in passed shares (or in the balance of preferences) that is allowed.
        margin: Ppm,
    },
    /// The new answer is compared with the recorded one. Does it differ at most this often?
    Agreement {
        /// The share of differing answers that is allowed.
        most: Ppm,
    },
    /// As above, where the old model was asked a second time too: it does not always agree with itself, and no
    /// replacement can be asked to agree more. Does the new model agree with the recorded answer at most this much
    /// less often than the old model does?
    AgreementBesideSelf {
        /// The difference in agreement that is allowed.
        margin: Ppm,
    },
}

impl Question {
    /// The allowance.
    pub fn margin(self) -> Ppm {
        match self {
            Self::Quality { margin } | Self::AgreementBesideSelf { margin } => margin,
            Self::Agreement { most } => most,
        }
    }

    /// Whether outcomes are pairs, whose mean is a difference of shares.
    pub fn is_paired(self) -> bool {
        !matches!(self, Self::Agreement { .. })
    }

    /// The claim to refute, on the unit scale of the outcomes: "the new model is worse by the margin or more".
    pub fn claim(self) -> f64 {
        let margin = self.margin().fraction();
        if self.is_paired() { (1.0 - margin) / 2.0 } else { 1.0 - margin }
    }

    /// From the unit scale to what is shown: a difference in `[-1, 1]`, or the share that agrees.
    pub fn shown(self, unit: f64) -> f64 {
        if self.is_paired() { 2.0 * unit - 1.0 } else { unit }
    }

    /// The place of a pair in a [`Tally`]: did the old answer pass, did the new one?
    pub fn place_of_pair(old: bool, new: bool) -> usize {
        1 + usize::from(new) - usize::from(old)
    }

    /// The place of a single comparison in a [`Tally`].
    pub fn place_of_single(same: bool) -> usize {
        2 * usize::from(same)
    }

    /// What outcomes like these lead one to expect of a new model that is as good as the old one (pairs) or as
    /// close as it has been so far (single comparisons). Half an outcome of each sort is added, so that a short
    /// lucky streak is not taken for certainty.
    pub fn expected(self, seen: &Tally) -> Expected {
        let n = seen.n() as f64;
        if self.is_paired() {
            Expected::pairs((seen.discordance() * n + 0.5) / (n + 1.0), 0.0)
        } else {
            Expected::singles((seen.0[0] as f64 + 0.5) / (n + 1.0))
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not worse by the margin, as far as the confidence goes.
    NonInferior,
    /// Worse by more than the margin, as far as the confidence goes.
    Inferior,
    /// Neither is shown. A normal result.
    Undecided,
}

impl Verdict {
    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::NonInferior => "not worse",
            Self::Inferior => "worse",
            Self::Undecided => "not decided",
        }
    }
}

/// Why nothing more can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// The verdict is supported.
    Decided,
    /// So few outcomes cannot support a verdict, whatever they are.
    TooFew {
        /// About how many will, if the models are alike; absent if no number of them will.
        needed: Option<u64>,
    },
    /// The outcomes support neither verdict yet.
    NotYet {
        /// About how many in all will, if the models are alike; absent if no number of them will.
        needed: Option<u64>,
    },
    /// Free text was judged by a model and by no human.
    NoHumanVerdicts,
    /// Both verdicts were supported at different moments: the traffic or a model changed in mid-test.
    Drift,
}

/// What the counts of one moment prove. All numbers are whole; the unit is in each name or type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Outcomes.
    pub n: u64,
    /// The best single value; absent where nothing supports one.
    pub estimate: Option<Ppm>,
    /// Lower end of the two-sided interval.
    pub low: Ppm,
    /// Upper end of the two-sided interval.
    pub high: Ppm,
    /// The one-sided lower bound at the full error level; it passes the margin exactly when the verdict does.
    pub at_least: Ppm,
    /// The natural logarithm of the wealth against "worse by the margin or more", in thousandths.
    pub log_e_not_worse_milli: i64,
    /// The same against "not worse by more than the margin".
    pub log_e_worse_milli: i64,
}

impl Evidence {
    /// Reads counts. `alpha` is the error level of the interval and of the bound.
    pub fn of(question: Question, counts: &Counts, alpha: f64) -> Self {
        let claim = question.claim();
        let (low, high) = counts.interval(alpha);
        let milli = |log: f64| whole((log * 1_000.0).clamp(-1e15, 1e15).floor());
        Self {
            n: counts.n(),
            estimate: counts.mean().map(|mean| Ppm::near(question.shown(mean))),
            low: Ppm::down(question.shown(low)),
            high: Ppm::up(question.shown(high)),
            at_least: Ppm::down(question.shown(counts.lower(alpha))),
            log_e_not_worse_milli: milli(counts.log_wealth(claim, Side::Above)),
            log_e_worse_milli: milli(counts.log_wealth(claim, Side::Below)),
        }
    }
}

/// A verdict with everything that stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The answer.
    pub verdict: Verdict,
    /// Why, or why not.
    pub reason: Reason,
    /// The evidence.
    pub evidence: Evidence,
}

/// The least wealth, as a logarithm in thousandths, that supports a verdict at this error level.
pub(crate) fn needed_milli(alpha: f64) -> i64 {
    whole((-alpha.ln() * 1_000.0).ceil())
}

/// Why counts support no verdict.
pub(crate) fn reason_for_none(question: Question, counts: &Counts, like: &Tally, alpha: f64) -> Reason {
    if let Counts::Judged(judged) = counts
        && judged.labelled() == 0
    {
        return Reason::NoHumanVerdicts;
    }
    let needed = need::anytime(&question.expected(like), question.claim(), alpha, 0.8);
    let best = if question.is_paired() { 0.5 } else { 1.0 };
    let floor = need::floor(best, question.claim(), alpha);
    if floor.is_none_or(|floor| counts.n() < floor) {
        Reason::TooFew { needed }
    } else {
        Reason::NotYet { needed }
    }
}
