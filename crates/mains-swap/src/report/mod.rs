//! A test and its verdict as one value that a stranger can compute again.
//!
//! Read `row` (one outcome), `build` (from rows to verdicts), `recheck` (from a report back to certainty),
//! `canonical` (its one text, to be hashed and signed elsewhere), then `page` (how a reader sees it).
//!
//! Every number is a whole one with its unit in its name, so that a report has one text and nothing is lost in it.
//! It names records by what the caller calls them; content stands in it only where the caller put it.

mod build;
mod canonical;
mod page;
mod picture;
mod recheck;
mod row;

pub use build::Test;
pub use canonical::{NotCanonical, canonical};
pub use page::html;
pub use recheck::recheck;
pub use row::{FieldCount, Outcome, Row};

use crate::verdict::{Look, Ppm, Question, Ruling, SliceRuling};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the report's form; another one is not read.
pub const SCHEMA: &str = "mains.swap.report/1";

/// A finished or stopped test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What was tested, in the caller's words.
    pub about: About,
    /// What was asked.
    pub question: Question,
    /// The error level: 50,000 for 95 % confidence.
    pub alpha: Ppm,
    /// How many records there were to draw from.
    pub available: u64,
    /// Records that could not be graded, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Every graded item, in the order of the test.
    pub rows: Vec<Row>,
    /// The looks at the counts.
    pub looks: Vec<Look>,
    /// The verdict.
    pub ruling: Ruling,
    /// The verdicts on parts of the traffic.
    pub slices: Vec<SliceRuling>,
    /// How each field of the answers came out, where there are fields.
    pub fields: Vec<FieldCount>,
    /// Items where the new model did worst.
    pub worst: Vec<Example>,
    /// What both models cost, beside each other.
    pub beside: Beside,
}

/// What was tested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The model whose answers are recorded.
    pub old: String,
    /// The candidate.
    pub new: String,
    /// The route, or wherever the records come from.
    pub route: String,
    /// The grader with its rules, in words.
    pub grader: String,
    /// The day of the test, `YYYY-MM-DD`.
    pub day: String,
    /// The seed of the sample.
    pub seed: String,
}

/// An item where the new model did worse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The item.
    pub id: String,
    /// What was wrong.
    pub note: String,
    /// The recorded answer, where content may be shown.
    pub old: Option<String>,
    /// The candidate's answer, where content may be shown.
    pub new: Option<String>,
}

/// What both models cost on the tested items. Nothing here is computed by this crate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// The old model.
    pub old: Costs,
    /// The new one.
    pub new: Costs,
}

impl Beside {
    /// The new model's cost and its output tokens over the old one's, to the nearest millionth: 1,000,000 is alike.
    /// Absent where either side is unknown or the old one's is nothing.
    pub fn ratios(&self) -> (Option<Ppm>, Option<Ppm>) {
        let ratio = |of: fn(&Costs) -> Option<u64>| {
            let (old, new) = (u128::from(of(&self.old)?), u128::from(of(&self.new)?));
            let ratio = (new * 1_000_000 + old / 2).checked_div(old)?;
            Some(Ppm(i64::try_from(ratio).unwrap_or(i64::MAX)))
        };
        (ratio(|costs| costs.nano_usd_per_1000), ratio(|costs| costs.output_per_1000))
    }
}

/// What a model costs; what is not known is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Money per 1,000 requests, in nano-USD.
    pub nano_usd_per_1000: Option<u64>,
    /// Input tokens per 1,000 requests, cached ones included. Not written where unknown, as in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_per_1000: Option<u64>,
    /// Output tokens per 1,000 requests, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_per_1000: Option<u64>,
    /// Median time to the first token, in milliseconds.
    pub first_ms_p50: Option<u64>,
    /// Median time to the whole answer, in milliseconds.
    pub total_ms_p50: Option<u64>,
    /// Energy per 1,000 requests in millijoules: low, central, high.
    pub mj_per_1000: Option<[u64; 3]>,
    /// The grade of the energy figure, `A` to `E`.
    pub energy_grade: Option<String>,
}
