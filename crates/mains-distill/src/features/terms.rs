//! The buckets that a head knows, numbered without gaps, and how much each counts.

use super::{BUCKETS, Rows, WORDS};
use crate::maths;

/// Known buckets in ascending order; a bucket's number is how many known ones lie before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    known: Vec<u64>,
    before: Vec<u32>,
    weights: Vec<f32>,
}

impl Terms {
    /// Learns from the chosen rows: a bucket is known when at least `rows_min` of them have it, and weighs
    /// `1 + ln((1 + rows) / (1 + rows that have it))`. Where more than `terms_max` would be known,
    /// `rows_min` rises until they are not.
    pub fn learn(rows: &Rows, chosen: &[usize], rows_min: u32, terms_max: usize) -> Self {
        let mut having = vec![0u32; BUCKETS as usize];
        for row in chosen {
            for bucket in rows.row(*row).0 {
                having[*bucket as usize] += 1;
            }
        }
        let mut rows_min = rows_min.max(1);
        while having.iter().filter(|count| **count >= rows_min).count() > terms_max {
            rows_min += 1;
        }
        let mut known = vec![0u64; BUCKETS as usize / 64];
        let mut weights = Vec::new();
        for (bucket, count) in having.iter().enumerate().filter(|(_, count)| **count >= rows_min) {
            known[bucket / 64] |= 1 << (bucket % 64);
            weights.push(weight(chosen.len(), *count));
        }
        let before = before(&known);
        Self { known, before, weights }
    }

    /// Terms of their parts: a bit for each bucket, and a weight for each bit that is set; none where these are not
    /// as many.
    pub(crate) fn of_parts(known: Vec<u64>, weights: Vec<f32>) -> Option<Self> {
        let count: usize = known.iter().map(|word| word.count_ones() as usize).sum();
        let fits = known.len() == BUCKETS as usize / 64 && count == weights.len();
        let before = before(&known);
        fits.then_some(Self { known, before, weights })
    }

    /// A bit for each bucket, and a weight for each that is known.
    pub(crate) fn parts(&self) -> (&[u64], &[f32]) {
        (&self.known, &self.weights)
    }

    /// How many buckets are known.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The number of a bucket, if it is known.
    pub fn find(&self, bucket: u32) -> Option<u32> {
        let word = *self.known.get(bucket as usize / 64)?;
        let bit = 1u64 << (bucket % 64);
        (word & bit != 0).then(|| self.before[bucket as usize / 64] + (word & (bit - 1)).count_ones())
    }

    /// Writes number and weighted value of each known n-gram of a row into `into`: those of characters at
    /// length one together, and those of words. The row is `(bucket, 1 + ln(count))` in ascending order.
    pub fn weigh(&self, row: impl Iterator<Item = (u32, f32)>, into: &mut Vec<(u32, f32)>) {
        into.clear();
        let mut squares = [0.0f32; 2];
        let mut chars = 0;
        for (bucket, value) in row {
            let Some(number) = self.find(bucket) else { continue };
            let value = value * self.weights[number as usize];
            into.push((number, value));
            let word = usize::from(bucket >= WORDS);
            squares[word] += value * value;
            chars += 1 - word;
        }
        let [of_chars, of_words] = squares.map(|sum| if sum > 0.0 { 1.0 / sum.sqrt() } else { 0.0 });
        let (first, last) = into.split_at_mut(chars);
        for (_, value) in first {
            *value *= of_chars;
        }
        for (_, value) in last {
            *value *= of_words;
        }
    }
}

fn before(known: &[u64]) -> Vec<u32> {
    known
        .iter()
        .scan(0, |total, word| {
            let before = *total;
            *total += word.count_ones();
            Some(before)
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "f32 is what a head holds")]
fn weight(rows: usize, having: u32) -> f32 {
    (1.0 + maths::ln((1.0 + rows as f64) / (1.0 + f64::from(having)))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_weights_those_of_the_formula() {
        let rows = Rows::of(["the card", "the bank", "the tree", "a tree"]);
        let all = Terms::learn(&rows, &[0, 1, 2, 3], 1, usize::MAX);
        let mut numbers: Vec<u32> = (0..BUCKETS).filter_map(|bucket| all.find(bucket)).collect();
        assert_eq!(numbers.len(), all.len());
        assert!(numbers.iter().enumerate().all(|(at, number)| at == *number as usize));
        assert_eq!(all.find(BUCKETS), None);
        // A space and a "t" are in all rows: 1 + ln(5 / 5).
        let least = all.weights.iter().copied().fold(f32::MAX, f32::min);
        assert!((least - 1.0).abs() < 1e-6);
        // What is in one row of four: 1 + ln(5 / 2).
        let most = all.weights.iter().copied().fold(0.0, f32::max);
        assert!((most - (1.0 + 2.5f32.ln())).abs() < 1e-6);
        let twice = Terms::learn(&rows, &[0, 1, 2, 3], 2, usize::MAX);
        assert!(twice.len() < all.len());
        assert!(Terms::learn(&rows, &[0, 1, 2, 3], 1, 15).len() <= 15);
        numbers.clear();
        let mut weighed = Vec::new();
        let (buckets, values) = rows.row(3);
        all.weigh(buckets.iter().copied().zip(values.iter().copied()), &mut weighed);
        let length: f32 = weighed.iter().map(|(_, value)| value * value).sum();
        assert!((length - 2.0).abs() < 1e-5);
    }
}
