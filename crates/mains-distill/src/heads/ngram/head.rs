//! What was learned: a table of small integers, a row for each known n-gram, a column for each separator.

use super::dual::Separator;
use crate::features::{Counts, Rows, Terms};
use crate::heads::Scores;
use crate::maths;

/// Values of a text are multiplied by this and rounded. With two blocks of length one, at most 2^18 n-grams each,
/// and weights of at most 127, a sum stays below 2^31: 2 x 512 x 8,192 x 127 and half a step for each.
const VALUE_ONE: f32 = 8192.0;

/// Rows of this many columns and more are padded to a multiple of it, so that wide instructions fit.
const LANES: usize = 16;

/// A trained head on n-grams. Its weights are whole numbers, so its sums do not depend on their order.
#[derive(Debug, Clone, PartialEq)]
pub struct NgramHead {
    pub(crate) terms: Terms,
    pub(crate) classes: usize,
    /// Columns of a row in memory; the file holds `columns()` of them.
    stride: usize,
    weights: Vec<i8>,
    pub(crate) scales: Vec<f32>,
    pub(crate) biases: Vec<f32>,
}

/// Buffers for labelling, which can be used again.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    counts: Counts,
    weighed: Vec<(u32, f32)>,
    sums: Vec<i32>,
}

impl NgramHead {
    /// Rounds each separator's weights to 127 steps of its largest.
    pub(super) fn quantise(terms: Terms, classes: usize, separators: &[Separator]) -> Self {
        let columns = separators.len();
        let scales: Vec<f32> = separators.iter().map(scale).collect();
        let mut weights = vec![0; terms.len() * columns];
        for (column, (separator, scale)) in separators.iter().zip(&scales).enumerate() {
            let places = weights.iter_mut().skip(column).step_by(columns.max(1));
            for (place, weight) in places.zip(&separator.weights) {
                #[expect(clippy::cast_possible_truncation, reason = "at most 127 by the scale")]
                let rounded = (weight / scale).round() as i8;
                *place = rounded;
            }
        }
        let biases = separators.iter().map(|separator| separator.bias).collect();
        Self::of_parts(terms, classes, &weights, scales, biases)
    }

    /// A head of its parts; `weights` without padding, a row for each term.
    pub(crate) fn of_parts(
        terms: Terms,
        classes: usize,
        weights: &[i8],
        scales: Vec<f32>,
        biases: Vec<f32>,
    ) -> Self {
        let columns = scales.len();
        let stride = if columns < LANES / 2 { columns } else { columns.next_multiple_of(LANES) };
        let mut padded = vec![0; terms.len() * stride];
        if columns > 0 {
            for (to, from) in padded.chunks_exact_mut(stride).zip(weights.chunks_exact(columns)) {
                to[..columns].copy_from_slice(from);
            }
        }
        Self { terms, classes, stride, weights: padded, scales, biases }
    }

    /// How many separators there are.
    pub(crate) fn columns(&self) -> usize {
        self.scales.len()
    }

    /// The weights of each term, without padding.
    pub(crate) fn weights(&self) -> impl Iterator<Item = &[i8]> {
        self.weights.chunks_exact(self.stride.max(1)).map(|row| &row[..self.columns()])
    }

    /// How many n-grams are known.
    pub fn terms(&self) -> usize {
        self.terms.len()
    }

    /// Scores of one text for each class, and the share of its n-grams that are known.
    pub fn score(&self, text: &str, scratch: &mut Scratch, scores: &mut Vec<f32>) -> f32 {
        let Scratch { counts, weighed, sums } = scratch;
        let counts = counts.of(text);
        self.terms.weigh(counts.iter().map(|(bucket, n)| (*bucket, maths::sublinear(*n))), weighed);
        let known = weighed.len() as f32 / counts.len().max(1) as f32;
        self.sum(weighed, sums);
        self.finish(sums, scores);
        known
    }

    /// Scores of the chosen rows, in their order.
    pub fn score_rows(&self, rows: &Rows, chosen: &[usize]) -> Scores {
        let mut all = Scores::zero(chosen.len(), self.classes);
        let (mut weighed, mut sums, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for (at, row) in chosen.iter().enumerate() {
            let (buckets, values) = rows.row(*row);
            self.terms.weigh(buckets.iter().copied().zip(values.iter().copied()), &mut weighed);
            self.sum(&weighed, &mut sums);
            self.finish(&sums, &mut scores);
            all.set(at, &scores);
        }
        all
    }

    /// The share of a row's n-grams that are known, as `score` gives it of a text.
    pub fn known(&self, rows: &Rows, row: usize) -> f32 {
        let (buckets, _) = rows.row(row);
        let known = buckets.iter().filter(|bucket| self.terms.find(**bucket).is_some()).count();
        known as f32 / buckets.len().max(1) as f32
    }

    fn sum(&self, weighed: &[(u32, f32)], sums: &mut Vec<i32>) {
        sums.clear();
        sums.resize(self.stride, 0);
        pulp::Arch::new().dispatch(Sum { stride: self.stride, weights: &self.weights, weighed, sums });
    }

    fn finish(&self, sums: &[i32], scores: &mut Vec<f32>) {
        let columns = sums.iter().zip(&self.scales).zip(&self.biases);
        scores.clear();
        scores.extend(columns.map(|((sum, scale), bias)| *sum as f32 * (scale / VALUE_ONE) + bias));
        if let ([score], 2) = (scores.as_slice(), self.classes) {
            let score = *score;
            scores.splice(.., [-score, score]);
        }
    }
}

/// The step of a separator's weights; one where all are zero.
fn scale(separator: &Separator) -> f32 {
    let most = separator.weights.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
    if most > 0.0 { most / 127.0 } else { 1.0 }
}

/// The sum of the weights of a text's n-grams. A type and not a closure: `dispatch` does not inline closures, and only
/// what is inlined uses the wide instructions.
struct Sum<'a> {
    stride: usize,
    weights: &'a [i8],
    weighed: &'a [(u32, f32)],
    sums: &'a mut [i32],
}

impl pulp::WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let (wide_sums, rest_sums) = self.sums.as_chunks_mut::<LANES>();
        for (number, value) in self.weighed {
            #[expect(clippy::cast_possible_truncation, reason = "at most 8,192")]
            let value = (value * VALUE_ONE + 0.5) as i32;
            let from = *number as usize * self.stride;
            let (wide, rest) = self.weights[from..from + self.stride].as_chunks::<LANES>();
            for (sums, weights) in wide_sums.iter_mut().zip(wide) {
                for lane in 0..LANES {
                    sums[lane] += i32::from(weights[lane]) * value;
                }
            }
            for (sum, weight) in rest_sums.iter_mut().zip(rest) {
                *sum += i32::from(*weight) * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::ngram::{Problem, Settings};

    #[test]
    fn quantised_scores_are_those_of_the_separators() {
        let texts =
            ["my card is lost", "a lost card", "top up failed", "the top up", "rate of euros", "euro rate"];
        let rows = Rows::of(texts);
        let labels = [0, 0, 1, 1, 2, 2];
        let all: Vec<usize> = (0..6).collect();
        let problem = Problem::new(&rows, &labels, 3, &all, Settings::default()).unwrap();
        let separators: Vec<Separator> = (0..3).map(|piece| problem.solve(piece)).collect();
        let head = problem.assemble(&separators);
        let (mut scratch, mut scores, mut weighed) = (Scratch::default(), Vec::new(), Vec::new());
        for (row, text) in texts.iter().enumerate() {
            let known = head.score(text, &mut scratch, &mut scores);
            assert!((known - 1.0).abs() < 1e-6);
            assert_eq!(head.score_rows(&rows, &[row]).row(0), scores);
            let (buckets, values) = rows.row(row);
            problem.terms().weigh(buckets.iter().copied().zip(values.iter().copied()), &mut weighed);
            for (separator, score) in separators.iter().zip(&scores) {
                assert!((separator.score(&weighed) - score).abs() < 0.01);
            }
            assert_eq!(crate::heads::scores::top(&scores).0, labels[row] as usize);
        }
        assert!(head.score("zzz qqq", &mut scratch, &mut scores) < 0.2);
    }
}
