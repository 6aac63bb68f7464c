//! What learns to label: `ngram` from hashed n-grams.

pub mod ngram;

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
