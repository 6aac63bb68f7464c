//! The n-grams of many texts as sparse rows.

use super::Counts;
use crate::maths;

/// Sparse rows: for each text its buckets in ascending order, each with `1 + ln(count)`.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    ends: Vec<usize>,
    buckets: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    /// Rows of these texts, in their order.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut rows = Self::default();
        let mut counts = Counts::default();
        for text in texts {
            rows.push(counts.of(text));
        }
        rows
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Buckets and values of one text; nothing beyond the last.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let Some(end) = self.ends.get(row).copied() else { return (&[], &[]) };
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        (&self.buckets[start..end], &self.values[start..end])
    }

    fn push(&mut self, counts: &[(u32, u32)]) {
        self.buckets.extend(counts.iter().map(|(bucket, _)| *bucket));
        self.values.extend(counts.iter().map(|(_, count)| maths::sublinear(*count)));
        self.ends.push(self.buckets.len());
    }
}
