//! Which of two models to ask before either has answered, and whether a router that was learned earns its keep.
//!
//! A router gives each text a score; the strong model gets the texts with the highest. What it learns is the *gain*:
//! the quality of the strong model's answer less that of the weak one's. On most texts there is none, and how long a
//! text is tells much of the rest, so every router stands beside chance and beside length, with an interval, and is
//! refused where it is not better than both.
//!
//! Read `Row` and `Trial` (what goes in, in pieces that may run beside each other), `design` and `ridge` (how a router
//! learns), `curve` (what it earns: PGR, APGR and CPT of Ong et al., "RouteLLM: Learning to Route LLMs with Preference
//! Data", arXiv 2406.18665, section on metrics), `bootstrap` (how sure that is), `report`. `agree` is the other way:
//! after two cheap answers.

pub mod agree;
mod bootstrap;
mod curve;
mod design;
mod report;
mod ridge;
mod trial;

pub use report::{Figure, Line, Refusal, Report, Router, Ruling, SCHEMA, Table};
pub use trial::{Part, Trial};

use std::fmt;

/// One text that both models have answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a> {
    /// The text, as it would be routed.
    pub text: &'a str,
    /// How good the weak model's answer was, between 0 and 1; 0 or 1 where it is wrong or right.
    pub weak: f64,
    /// How good the strong model's was.
    pub strong: f64,
    /// What they cost, in one currency: the weak, the strong.
    pub costs: Option<[f64; 2]>,
    /// What the text belongs to: a subject, a customer, a project.
    pub group: Option<&'a str>,
}

/// How a router is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Decides the folds and the draws of the bootstrap.
    pub seed: u64,
    /// In how many parts the rows are dealt; each is scored by a router that learned from the others.
    pub folds: u32,
    /// How often the bootstrap draws.
    pub resamples: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, folds: 5, resamples: 2_000 }
    }
}

/// Fewer texts that differ say nothing of a router.
pub const ROWS_MIN: u32 = 100;
/// With fewer groups nothing is said of groups that were not seen: an interval drawn from so few is too short.
pub const GROUPS_MIN: u32 = 20;

/// Why rows cannot be tried at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untestable {
    /// Too few texts that are not near duplicates of each other.
    Few(u32),
    /// A quality that does not lie between 0 and 1; the row, from 0.
    Quality(usize),
    /// A cost that is negative or no number; the row, from 0.
    Cost(usize),
    /// Embeddings that do not fit the rows: how many there are, of how many.
    Embeddings(usize, usize),
    /// An embedding with a number that is not finite; the row, from 0.
    NotFinite(usize),
}

impl fmt::Display for Untestable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few(found) => write!(
                f,
                "{found} texts that differ: {ROWS_MIN} at least are needed before a router can be tried"
            ),
            Self::Quality(row) => write!(f, "row {}: a quality that is not between 0 and 1", row + 1),
            Self::Cost(row) => write!(f, "row {}: a cost that is negative or no number", row + 1),
            Self::Embeddings(found, rows) => write!(f, "{found} embeddings of {rows} texts"),
            Self::NotFinite(row) => write!(f, "row {}: its embedding is not finite", row + 1),
        }
    }
}

impl std::error::Error for Untestable {}
