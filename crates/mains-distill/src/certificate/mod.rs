//! How often a labeller differs from its teacher, proven on rows that had no part in training it.
//!
//! Read `terms` (what is promised, and the rows), `plan` (what is settled before a calibration row is looked at),
//! `learn` (the sequence of thresholds), `tails` (exact binomial chances), `realised` (the audit part, savings),
//! `ledger` (what was staked before), `refusal` (a normal result), `build`, then `recheck` (from a certificate back
//! to certainty) and `page` (one page of text).
//!
//! Every number is a whole one with its unit in its name. The promise rests on calibration rows being drawn as
//! later traffic is; `watch` tests that for ever.

mod build;
mod learn;
mod ledger;
mod page;
mod plan;
mod realised;
mod recheck;
mod refusal;
pub mod tails;
mod terms;

pub use build::{Ask, certify};
pub use learn::Step;
pub use ledger::{DeltaLedger, Spent};
pub use page::{page, progress};
pub use plan::{Candidate, Learned, Plan};
pub use realised::{Audit, Costs, Savings, Share};
pub use recheck::recheck;
pub use refusal::Refusal;
pub use terms::{Calibration, Malformed, Promise, Terms};

use mains_units::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the certificate's form; another one is not read.
pub const SCHEMA: &str = "mains.distill.certificate/1";

/// What is certified, in the caller's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The task.
    pub task: String,
    /// The teacher, with its fingerprint where it has one.
    pub teacher: String,
    /// The name of the calibration rows: a hash of them.
    pub rows: String,
    /// When the calibration rows were looked at.
    pub at: Timestamp,
}

/// The ruling on one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ruling {
    /// The promise is shown.
    Certified {
        /// Confidence at or above it answers locally, in millionths.
        threshold_micro: i64,
    },
    /// It is not.
    Refused {
        /// Why.
        reason: Refusal,
    },
}

/// A class, as the labeller says it, on the calibration rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRow {
    /// The class.
    pub class: u32,
    /// Training rows that were given to it, out of fold.
    pub training_rows: u64,
    /// Calibration rows that were given to it.
    pub rows: u64,
    /// Those answered locally at the certified threshold; 0 of a refusal.
    pub local: u64,
    /// Those of them that differ.
    pub differs: u64,
    /// Whether it may be answered locally at all.
    pub may_answer: bool,
}

/// A finished certificate, or a refusal: the same form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`SCHEMA`].
    pub schema: String,
    /// What is certified.
    pub about: About,
    /// The terms.
    pub terms: Terms,
    /// What was settled before.
    pub plan: Plan,
    /// How many calibration rows there were.
    pub rows: u64,
    /// The fewest that could have shown it.
    pub least_rows: Option<u64>,
    /// Every threshold with what the rows say of it; empty if they were not looked at.
    pub steps: Vec<Step>,
    /// The ruling.
    pub ruling: Ruling,
    /// The classes, in order.
    pub classes: Vec<ClassRow>,
    /// What was realised on the audit part, where there is one and a threshold was found.
    pub audit: Option<Audit>,
    /// How often the teacher agrees with itself on repeats: no labeller can be asked to agree more.
    pub ceiling: Option<Share>,
    /// What was staked before on certificates that this one is read together with.
    pub ledger: DeltaLedger,
    /// Stakes up to and with this one, in millionths.
    pub delta_ppm_together: u64,
    /// What is saved, where a threshold was found and costs are known.
    pub savings: Option<Savings>,
}

impl Certificate {
    /// The threshold, in millionths, if the promise is shown.
    pub fn threshold_micro(&self) -> Option<i64> {
        match self.ruling {
            Ruling::Certified { threshold_micro } => Some(threshold_micro),
            Ruling::Refused { .. } => None,
        }
    }

    /// Whether the labeller may give this answer itself. False of a refusal, of what is no number, of a class that
    /// always escalates, of text that is too strange, and of text without a score where a limit is set.
    pub fn is_local(&self, confidence: f32, class: u32, strangeness: Option<f32>) -> bool {
        let Some(threshold) = self.threshold_micro() else {
            return false;
        };
        let listed = self.classes.binary_search_by_key(&class, |row| row.class);
        let may_answer = listed.is_ok_and(|place| self.classes[place].may_answer);
        let row = terms::RowOf::new(confidence, false, class, strangeness);
        may_answer && self.plan.is_local(&row, threshold)
    }

    /// What this certificate stakes, to be put into the ledger of later ones.
    pub fn spent(&self) -> Spent {
        Spent {
            on: format!("{} / {}", self.about.task, page::promise(&self.terms)),
            rows: self.about.rows.clone(),
            delta_ppm: self.terms.delta_ppm,
            at: self.about.at,
        }
    }
}
