//! What training is given.

use crate::certificate::{Costs, DeltaLedger, Promise, Terms};
use crate::heads::average::Heads;
use crate::split::Shares;
use crate::task::Served;
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};

/// A text with the teacher's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The row's name: a request's id, or file and line.
    pub name: String,
    /// The text.
    pub text: String,
    /// The number of the teacher's label.
    pub label: u32,
    /// When it was answered.
    pub at: Timestamp,
}

/// A task with its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The task as it will be served.
    pub task: Served,
    /// Its rows, in any order.
    pub examples: Vec<Example>,
    /// What teacher and labeller cost, where it is known.
    pub costs: Option<(Costs, Costs)>,
}

/// Sentence embeddings of the rows.
#[derive(Debug, Clone, Copy)]
pub struct Embedded<'a> {
    /// SHA-256 of the weights of the model that made them.
    pub model_sha256: [u8; 32],
    /// One row of `dim` numbers for each example, in their order.
    pub values: &'a [f32],
    /// Numbers in an embedding.
    pub dim: usize,
}

/// Which text is too strange to be answered here: the limit on the share of its n-grams that training did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// None is.
    Any,
    /// What is stranger than this share of the training rows, judged out of fold, in millionths.
    Within {
        /// The share of the training rows that stays in scope, in millionths.
        ppm: u32,
    },
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The seed of every draw.
    pub seed: u64,
    /// How rows are divided.
    pub shares: Shares,
    /// The terms of the promise about all traffic.
    pub all: Terms,
    /// The terms of the promise about what is answered locally.
    pub local: Terms,
    /// Whose threshold goes into the file.
    pub serve: Promise,
    /// Which heads speak; chosen by scores out of fold where it is left open.
    pub heads: Option<Heads>,
    /// When the calibration rows are looked at.
    pub at: Timestamp,
    /// What was staked before. Each of the two certificates stakes its own delta, the served one first.
    pub ledger: DeltaLedger,
    /// Which text is too strange.
    pub strangeness: Scope,
}

impl Settings {
    /// At most 2 % of all traffic, and 2 % of what is answered locally, at 95 % confidence each; the first is served.
    /// Nothing was staked before, and both may.
    pub fn new(seed: u64, at: Timestamp) -> Self {
        let all = Terms::new(Promise::AllTraffic, 20_000);
        let local = Terms::new(Promise::AnsweredLocally, 20_000);
        Self {
            seed,
            shares: Shares::default(),
            all,
            local,
            serve: Promise::AllTraffic,
            heads: None,
            at,
            ledger: DeltaLedger::new(all.delta_ppm + local.delta_ppm),
            strangeness: Scope::Within { ppm: 980_000 },
        }
    }
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are grouped and divided.
    Group,
    /// Heads are trained out of fold.
    Fold {
        /// Pieces that are done.
        done: u32,
        /// Of so many.
        of: u32,
    },
    /// The heads that speak are chosen.
    Choose,
    /// They are trained on all rows to fit.
    Fit,
    /// Calibration and audit rows are judged.
    Judge,
    /// Both promises are ruled on.
    Certify,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The labeller learned from it.
    Fit,
    /// Its threshold stands on it.
    Calibrate,
    /// It was touched once, at the end.
    Audit,
    /// Left out: it repeats another calibration or audit row.
    Repeat,
}
