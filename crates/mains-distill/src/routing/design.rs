//! Rows of numbers, sparse or dense, from which a router learns; never centred in memory.

use crate::features::{Rows, Terms};
use crate::heads::dense::Embeddings;

/// An n-gram is known when at least so many rows have it.
const ROWS_MIN: u32 = 2;
/// The most n-grams that are known.
const TERMS_MAX: usize = 1 << 16;

/// From what a router learns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// Hashed n-grams.
    Ngrams(&'a Rows),
    /// Embeddings.
    Embeddings(Embeddings<'a>),
}

/// The rows of all texts, weighed by what the rows that teach know.
#[derive(Debug)]
pub(super) struct Design<'a> {
    numbers: Numbers<'a>,
    width: usize,
}

#[derive(Debug)]
enum Numbers<'a> {
    Sparse { ends: Vec<usize>, cells: Vec<(u32, f32)> },
    Dense(Embeddings<'a>),
}

impl<'a> Design<'a> {
    /// All rows; which n-grams count, and how much, is learned from those that `teach`.
    pub(super) fn new(source: Source<'a>, teach: &[usize]) -> Self {
        match source {
            Source::Embeddings(embeddings) => {
                Self { numbers: Numbers::Dense(embeddings), width: embeddings.dim }
            }
            Source::Ngrams(rows) => {
                let terms = Terms::learn(rows, teach, ROWS_MIN, TERMS_MAX);
                let (mut ends, mut cells, mut row_cells) =
                    (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
                for row in 0..rows.len() {
                    let (buckets, values) = rows.row(row);
                    terms.weigh(buckets.iter().copied().zip(values.iter().copied()), &mut row_cells);
                    cells.extend_from_slice(&row_cells);
                    ends.push(cells.len());
                }
                Self { numbers: Numbers::Sparse { ends, cells }, width: terms.len() }
            }
        }
    }

    /// Numbers in a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The sum of a row's numbers, each times its weight.
    pub(super) fn dot(&self, row: usize, weights: &[f64]) -> f64 {
        match &self.numbers {
            Numbers::Sparse { ends, cells } => cells_of(ends, cells, row)
                .iter()
                .map(|(number, value)| f64::from(*value) * weights[*number as usize])
                .sum(),
            Numbers::Dense(embeddings) => embeddings
                .row(row)
                .iter()
                .zip(weights)
                .map(|(value, weight)| f64::from(*value) * weight)
                .sum(),
        }
    }

    /// Adds a row, so many times, to `sums`.
    pub(super) fn add(&self, row: usize, times: f64, sums: &mut [f64]) {
        match &self.numbers {
            Numbers::Sparse { ends, cells } => {
                for (number, value) in cells_of(ends, cells, row) {
                    sums[*number as usize] += f64::from(*value) * times;
                }
            }
            Numbers::Dense(embeddings) => {
                for (sum, value) in sums.iter_mut().zip(embeddings.row(row)) {
                    *sum += f64::from(*value) * times;
                }
            }
        }
    }
}

fn cells_of<'c>(ends: &[usize], cells: &'c [(u32, f32)], row: usize) -> &'c [(u32, f32)] {
    let start = if row == 0 { 0 } else { ends[row - 1] };
    &cells[start..ends[row]]
}
