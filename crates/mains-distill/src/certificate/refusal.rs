//! Why a promise is not shown: a normal result, told in figures.

use super::page::percent;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum Refusal {
    /// Even without one error the rows could not show it.
    TooFewRows {
        /// Calibration rows there are.
        have: u64,
        /// Rows it takes.
        need: u64,
    },
    /// No training row may be answered: every class is too small, or every text too strange.
    NoCandidates,
    /// The text says nothing of the label.
    NothingLearned {
        /// Training rows that the labeller gets right, out of fold.
        right: u64,
        /// Training rows of the most frequent label.
        most: u64,
        /// All training rows.
        of: u64,
    },
    /// Earlier certificates left too little of delta.
    DeltaSpent {
        /// What is left, in millionths.
        left_ppm: u64,
        /// What was asked, in millionths.
        asked_ppm: u64,
    },
    /// No threshold passed.
    TooManyDiffer {
        /// Rows answered locally at the threshold that came nearest.
        local: u64,
        /// Those of them that differ.
        differs: u64,
        /// How many may differ at most there; absent where even none is too many.
        allowed: Option<u64>,
    },
    /// Only thresholds passed at which nothing is answered locally.
    NothingLocal,
    /// The audit part refutes the promise: times have changed since the calibration rows.
    AuditRefutes {
        /// The least share that the audit part does not refute, in millionths.
        low_ppm: u64,
        /// The share that may differ, in millionths.
        eps_ppm: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewRows { have, need } => write!(
                f,
                "{have} of {need} calibration rows: fewer cannot show it even if none differs\nhint: let more traffic come in, or allow a greater share"
            ),
            Self::NoCandidates => f.write_str(
                "no training row may be answered locally: every class has too few rows, or every text is too strange",
            ),
            Self::NothingLearned { right, most, of } => write!(
                f,
                "the text does not tell the label: {right} of {of} training rows are labelled right, and always naming the most frequent label gets {most}\nhint: more training rows, or embeddings; where the answer hangs on more than the text, no labeller can give it"
            ),
            Self::DeltaSpent { left_ppm, asked_ppm } => write!(
                f,
                "earlier certificates leave {} of the chance to be wrong, and this one asks {}\nhint: calibrate on new rows, or allow all promises together to be wrong more often",
                percent(*left_ppm),
                percent(*asked_ppm)
            ),
            Self::TooManyDiffer { local, differs, allowed: Some(allowed) } => write!(
                f,
                "at the threshold that came nearest {differs} of {local} local answers differ, and at most {allowed} may\nhint: more training rows, a better head, or a greater share"
            ),
            Self::TooManyDiffer { local, differs, allowed: None } => write!(
                f,
                "at the threshold that came nearest {differs} of {local} local answers differ, and so few rows show nothing\nhint: let more traffic come in, or allow a greater share"
            ),
            Self::NothingLocal => {
                f.write_str("the promise is kept only where nothing is answered locally")
            }
            Self::AuditRefutes { low_ppm, eps_ppm } => write!(
                f,
                "on the audit rows at least {} differ, more than the {} that may: the traffic or the teacher has changed since the calibration rows\nhint: train and calibrate on newer rows",
                percent(*low_ppm),
                percent(*eps_ppm)
            ),
        }
    }
}
