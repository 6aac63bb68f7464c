//! What learns to label: `ngram` from hashed n-grams, `dense` from sentence embeddings; `folds` for scores that
//! no head saw in training; `mapping` from scores to probabilities; `average` to choose between the heads.
//!
//! A head gives `Scores`: a ranking, not a probability. No head runs threads: `ngram::Problem` falls into pieces,
//! and folds and heads are independent, so the caller may run them beside each other and gets the same bits.

pub mod average;
pub mod dense;
pub mod folds;
pub mod mapping;
pub mod ngram;
pub(crate) mod scores;

pub use scores::Scores;

use std::fmt;

/// Why a head cannot be trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Fewer than two classes.
    Classes(usize),
    /// No rows to learn from.
    NoRows,
    /// Rows and labels are not as many.
    Lengths {
        /// How many rows.
        rows: usize,
        /// How many labels.
        labels: usize,
    },
    /// A row that was chosen does not exist.
    Row(usize),
    /// A label is not below the number of classes.
    Label {
        /// The row.
        row: usize,
        /// Its label.
        label: u32,
    },
    /// A number that is not finite.
    NotFinite {
        /// The row that holds it.
        row: usize,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes(classes) => write!(f, "{classes} classes: two at least are needed"),
            Self::NoRows => f.write_str("no rows to learn from"),
            Self::Lengths { rows, labels } => write!(f, "{rows} rows and {labels} labels"),
            Self::Row(row) => write!(f, "row {row} was chosen and does not exist"),
            Self::Label { row, label } => write!(f, "row {row}: label {label} is no class"),
            Self::NotFinite { row } => write!(f, "row {row}: a number that is not finite"),
        }
    }
}

impl std::error::Error for Refused {}

fn check(rows: usize, labels: &[u32], classes: usize, chosen: &[usize]) -> Result<(), Refused> {
    if classes < 2 {
        return Err(Refused::Classes(classes));
    }
    if rows != labels.len() {
        return Err(Refused::Lengths { rows, labels: labels.len() });
    }
    if chosen.is_empty() {
        return Err(Refused::NoRows);
    }
    for row in chosen.iter().copied() {
        let label = *labels.get(row).ok_or(Refused::Row(row))?;
        if label as usize >= classes {
            return Err(Refused::Label { row, label });
        }
    }
    Ok(())
}
