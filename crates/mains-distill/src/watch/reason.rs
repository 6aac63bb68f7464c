//! Why a certificate is withdrawn, and what it is bound to.

use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Why. All but the first withdraw at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// The audited calls refute the promise.
    PromiseGone {
        /// Local answers that differed since the watch began.
        differs: u64,
        /// Of so many audited calls that the promise speaks of.
        of: u64,
    },
    /// The constant part of the prompt is another.
    Template,
    /// The teacher is another model.
    Teacher,
    /// The teacher says of itself that it is no longer the same.
    Fingerprint,
    /// The set of labels is another.
    Labels,
    /// The labeller's text reaches it through another tokenizer.
    Tokenizer,
    /// A row that the labeller was trained or certified on was deleted.
    RowDeleted,
    /// Somebody wanted it.
    ByHand,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PromiseGone { differs, of } => {
                write!(f, "{differs} of {of} audited answers differ, and the promise is refuted")
            }
            Self::Template => f.write_str("the constant part of the prompt has changed"),
            Self::Teacher => f.write_str("the teacher is another model"),
            Self::Fingerprint => f.write_str("the teacher's fingerprint has changed"),
            Self::Labels => f.write_str("the set of labels has changed"),
            Self::Tokenizer => f.write_str("the tokenizer has changed"),
            Self::RowDeleted => f.write_str("a row that it was trained or certified on was deleted"),
            Self::ByHand => f.write_str("withdrawn by hand"),
        }
    }
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
    /// After how many audited calls.
    pub calls: u64,
}

/// What a certificate is bound to. Hashes and names, as the caller makes them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The hash of the prompt's constant part.
    pub template: String,
    /// The teacher's model.
    pub teacher: String,
    /// The fingerprints that the teacher gave while the rows were recorded; some providers go between several. Empty
    /// where it gives none.
    pub fingerprints: BTreeSet<String>,
    /// The hash of the set of labels.
    pub labels: String,
    /// The hash of the tokenizer, where the labeller needs one.
    pub tokenizer: Option<String>,
}

/// What has changed, if anything: `seen` is how things are now. A teacher that gives no fingerprint any more cannot
/// be told from one that is the same, and one that begins to give them neither; bets must notice those.
pub fn changed(bound: &Bound, seen: &Bound) -> Option<Reason> {
    if bound.template != seen.template {
        return Some(Reason::Template);
    }
    if bound.teacher != seen.teacher {
        return Some(Reason::Teacher);
    }
    if !bound.fingerprints.is_empty() && !seen.fingerprints.is_subset(&bound.fingerprints) {
        return Some(Reason::Fingerprint);
    }
    if bound.labels != seen.labels {
        return Some(Reason::Labels);
    }
    (bound.tokenizer != seen.tokenizer).then_some(Reason::Tokenizer)
}
