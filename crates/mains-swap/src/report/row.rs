//! One outcome.

use crate::stats::{Counts, JudgedTally, Tally};
use crate::verdict::Question;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What came of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// Both models' answers were graded.
    Pair {
        /// The old one passed.
        old: bool,
        /// The new one passed.
        new: bool,
    },
    /// The new answer was compared with the recorded one.
    Single {
        /// It is the same.
        same: bool,
    },
    /// A judge compared both, and perhaps a human too: 0 the old one is better, 1 a tie, 2 the new one is better.
    Judged {
        /// The judge's verdict.
        judge: u8,
        /// The human's verdict.
        human: Option<u8>,
    },
}

/// One graded item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The item, as the caller names it.
    pub id: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Its part of the traffic under each division: `language` → `de`.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
}

/// How one field came out over all items.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldCount {
    /// Its path.
    pub path: String,
    /// The same value.
    pub same: u64,
    /// Another value.
    pub differs: u64,
    /// Lacking in the new answer.
    pub missing: u64,
    /// Only in the new answer.
    pub extra: u64,
}

/// Counts rows; `None` if outcomes of different sorts are mixed, or are not the sort that the question is about.
pub(super) fn count<'r>(question: Question, rows: impl IntoIterator<Item = &'r Row>) -> Option<Counts> {
    let (mut tally, mut judged) = (Tally::default(), JudgedTally::default());
    for row in rows {
        match (row.outcome, question) {
            (Outcome::Pair { old, new }, Question::Quality { .. } | Question::AgreementBesideSelf { .. }) => {
                tally.add(Question::place_of_pair(old, new));
            }
            (Outcome::Single { same }, Question::Agreement { .. }) => {
                tally.add(Question::place_of_single(same));
            }
            (Outcome::Judged { judge, human }, Question::Quality { .. })
                if judge <= 2 && human.is_none_or(|human| human <= 2) =>
            {
                judged.add(usize::from(judge), human.map(usize::from));
            }
            _ => return None,
        }
    }
    match (tally.n(), judged.n()) {
        (_, 0) => Some(Counts::Graded(tally)),
        (0, _) => Some(Counts::Judged(judged)),
        _ => None,
    }
}
