//! The head on sentence embeddings: multinomial logistic regression.
//!
//! Read `kernel` (the products, the same bits with any instructions), `objective` (loss and gradient), `lbfgs`
//! (how it is minimised), then `DenseHead` (what was learned) and `Centres` (where it was learned).

mod centres;
mod head;
mod kernel;
mod lbfgs;
mod objective;

pub use centres::Centres;
pub use head::{DenseHead, Settings, fit};

/// Embeddings of many texts: a row for each, side by side.
#[derive(Debug, Clone, Copy)]
pub struct Embeddings<'a> {
    /// All numbers, row after row.
    pub values: &'a [f32],
    /// Numbers in a row.
    pub dim: usize,
}

impl<'a> Embeddings<'a> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row; nothing beyond the last.
    pub fn row(&self, row: usize) -> &'a [f32] {
        self.values.get(row * self.dim..(row + 1) * self.dim).unwrap_or(&[])
    }
}
