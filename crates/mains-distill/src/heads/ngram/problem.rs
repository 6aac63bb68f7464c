//! What is to be solved: weighed rows, and a separator for each class.

use super::dual::{self, Limits, Matrix, Separator};
use super::head::NgramHead;
use crate::features::{Rows, Terms};
use crate::heads::Refused;

/// How the head on n-grams learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How much a wrong row counts beside the size of the weights (liblinear's C).
    pub cost: f32,
    /// An n-gram is known when at least so many rows have it.
    pub rows_min: u32,
    /// The most bytes that quantised weights may take.
    pub bytes_max: usize,
    /// A solution is good enough when the dual gradient is below.
    pub epsilon: f32,
    /// The most passes over the rows.
    pub rounds_max: u32,
    /// The order of rows in each pass.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cost: 0.5, rows_min: 1, bytes_max: 16 << 20, epsilon: 0.1, rounds_max: 200, seed: 0 }
    }
}

/// Rows, labels and settings: separate pieces of work, each the same whoever does it and in whatever order.
#[derive(Debug, Clone)]
pub struct Problem {
    terms: Terms,
    rows: Matrix,
    labels: Vec<u32>,
    classes: usize,
    settings: Settings,
}

impl Problem {
    /// Weighs the chosen rows; `labels` belongs to all rows, each below `classes`.
    pub fn new(
        rows: &Rows,
        labels: &[u32],
        classes: usize,
        chosen: &[usize],
        settings: Settings,
    ) -> Result<Self, Refused> {
        crate::heads::check(rows.len(), labels, classes, chosen)?;
        let terms = Terms::learn(rows, chosen, settings.rows_min, settings.bytes_max / classes);
        let mut matrix = Matrix::default();
        let mut weighed = Vec::new();
        for row in chosen {
            let (buckets, values) = rows.row(*row);
            terms.weigh(buckets.iter().copied().zip(values.iter().copied()), &mut weighed);
            matrix.push(&weighed);
        }
        let labels = chosen.iter().map(|row| labels[*row]).collect();
        Ok(Self { terms, rows: matrix, labels, classes, settings })
    }

    /// How many separators there are to find: one for each class, or one where there are two classes.
    pub fn pieces(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes }
    }

    /// The n-grams that are known.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Finds one separator: of class `piece` from the rest, or of class 1 from class 0 where there are two.
    pub fn solve(&self, piece: usize) -> Separator {
        let class = if self.classes == 2 { 1 } else { piece };
        let side: Vec<bool> = self.labels.iter().map(|label| *label as usize == class).collect();
        let Settings { cost, epsilon, rounds_max, seed, .. } = self.settings;
        let limits = Limits { cost, epsilon, rounds_max };
        dual::solve(&self.rows, &side, self.terms.len(), limits, seed ^ (class as u64) << 32)
    }

    /// The head of these separators, in the order of their pieces, its weights quantised.
    pub fn assemble(&self, separators: &[Separator]) -> NgramHead {
        NgramHead::quantise(self.terms.clone(), self.classes, separators)
    }

    /// Solves every piece, one after the other.
    pub fn fit(&self) -> NgramHead {
        let separators: Vec<Separator> = (0..self.pieces()).map(|piece| self.solve(piece)).collect();
        self.assemble(&separators)
    }
}
