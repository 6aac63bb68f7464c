//! The figures of a training, in whole numbers with their units.

use crate::certificate::{Audit, Promise, Savings, Share};
use serde::{Deserialize, Serialize};

/// The version of the report's form; another one is not read.
pub const SCHEMA: &str = "mains.distill.report/1";

/// Everything that is told of a training beside the certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `mains.distill.report/1`.
    pub schema: String,
    /// How many rows, and where they went.
    pub counts: Counts,
    /// Which heads speak, and why.
    pub chosen: Chosen,
    /// Audit rows on which the labeller says what the teacher says, were it to answer all.
    pub agreement: Share,
    /// How often the teacher says of a repeated text what it said before: the ceiling. Absent without repeats.
    pub self_agreement: Option<Share>,
    /// Calibration and audit rows that are too strange to be answered here, where there is a limit.
    pub strange: Option<Share>,
    /// The least that a text must be like what training saw (`Labelled::known`), in millionths, rounded down; 0 without
    /// a limit.
    pub known_micro_min: i64,
    /// Each label.
    pub classes: Vec<ClassOf>,
    /// Rows to fit where a labeller that did not see them is surest that the teacher is wrong, the surest first.
    pub suspicious: Vec<Suspicious>,
    /// Coverage against difference.
    pub curve: Curve,
    /// How confidence and agreement go together on the calibration rows.
    pub reliability: Vec<Bin>,
    /// The expected calibration error over these bins, in millionths.
    pub calibration_error_ppm: u64,
    /// Of which promise the threshold is in the file.
    pub serve: Promise,
    /// What was realised on the audit rows at that threshold; absent where there is none.
    pub realised: Option<Audit>,
    /// What is saved at that threshold, where costs are known.
    pub savings: Option<Savings>,
    /// Bytes of the labeller's file.
    pub file_bytes: u64,
}

/// How many rows, and where they went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// All.
    pub rows: u64,
    /// Those that repeat an earlier one to the letter.
    pub exact_repeats: u64,
    /// Different texts that are near an earlier one.
    pub near_repeats: u64,
    /// Rows that the labeller learned from.
    pub fit: u64,
    /// Rows that the certificates stand on, one of each group.
    pub calibrate: u64,
    /// Rows that were touched once, one of each group.
    pub audit: u64,
    /// Calibration and audit rows that were left out, for they repeat another.
    pub repeats: u64,
}

/// Which heads speak, and what spoke for them: rows to fit that heads label right which did not see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// `ngram`, `dense` or `both`.
    pub heads: Speaks,
    /// Whether the user settled it.
    pub by_hand: bool,
    /// Rows to fit.
    pub of: u64,
    /// Right by n-grams.
    pub ngram_right: u64,
    /// Right by embeddings.
    pub dense_right: Option<u64>,
    /// Right by the average.
    pub both_right: Option<u64>,
    /// The cost of the head on embeddings that was chosen out of fold.
    pub dense_cost: Option<u64>,
}

/// The heads that speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// N-grams alone.
    Ngram,
    /// Embeddings alone.
    Dense,
    /// Their average.
    Both,
}

/// One label, by what the teacher says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassOf {
    /// Its number.
    pub class: u32,
    /// Its name.
    pub name: String,
    /// Rows to fit that the teacher gave it.
    pub fit_rows: u64,
    /// Those of them that a labeller which did not see them gave it too.
    pub fit_right: u64,
    /// Calibration and audit rows that the teacher gave it.
    pub rows: u64,
    /// Those of them that the labeller gives it too.
    pub right: u64,
    /// Calibration and audit rows that the labeller gives it, whatever the teacher says.
    pub said: u64,
    /// Whether the labeller may answer it here.
    pub may_answer: bool,
}

/// A row whose label looks wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspicious {
    /// Its place among the examples.
    pub example: u64,
    /// The teacher's label.
    pub label: u32,
    /// What a labeller says that did not see it.
    pub says: u32,
    /// How sure it is, in millionths.
    pub confidence_micro: i64,
}

/// Coverage against difference: what would be answered here at each threshold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// On the calibration rows, which chose the threshold.
    pub calibration: Vec<Point>,
    /// On the audit rows, which did not.
    pub audit: Vec<Point>,
}

/// One threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The threshold, in millionths.
    pub threshold_micro: i64,
    /// Rows answered here.
    pub local: u64,
    /// Those of them that differ from the teacher.
    pub differs: u64,
    /// All rows.
    pub of: u64,
}

/// Rows of about one confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// From here, in millionths.
    pub low_micro: i64,
    /// To below here; the last one holds its end too.
    pub high_micro: i64,
    /// Rows in between.
    pub rows: u64,
    /// Those on which the labeller says what the teacher says.
    pub right: u64,
    /// Their mean confidence, in millionths; absent where there is none.
    pub mean_confidence_micro: Option<i64>,
}
