//! Which head answers: n-grams, embeddings, or the average of their probabilities, by scores out of fold.

use super::mapping;
use super::scores::{Scores, top};

/// Which heads speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heads {
    /// N-grams alone: no weights of a model, microseconds.
    Ngram,
    /// Embeddings alone.
    Dense,
    /// Both, their probabilities averaged.
    Both,
}

/// How scores of the heads become one probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapping {
    /// Which heads speak.
    pub heads: Heads,
    /// The factor on scores of n-grams.
    pub ngram: f32,
    /// The factor on scores of embeddings.
    pub dense: f32,
    /// The factor on the logarithms of the average; an average of two is too timid.
    pub shown: f32,
}

/// The choice, and what spoke for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// How scores become probabilities.
    pub mapping: Mapping,
    /// Rows that n-grams label right.
    pub ngram_right: usize,
    /// Rows that embeddings label right.
    pub dense_right: Option<usize>,
    /// Rows that the average labels right.
    pub both_right: Option<usize>,
}

/// Buffers for mapping, which can be used again.
#[derive(Debug, Clone, Default)]
pub struct Mixed {
    one: Vec<f64>,
    other: Vec<f64>,
    logarithms: Vec<f32>,
}

impl Mapping {
    /// Class and probability of one row; zero where scores overflow. The scores of a head that does not speak are not
    /// read.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what thresholds are")]
    pub fn top(&self, ngram: &[f32], dense: &[f32], mixed: &mut Mixed) -> (usize, f32) {
        self.logarithms(ngram, dense, mixed);
        mapping::softmax(&mixed.logarithms, self.shown, &mut mixed.one);
        let (class, _) = top(&mixed.logarithms);
        let probability = mixed.one.get(class).copied().unwrap_or(0.0) as f32;
        (class, if probability.is_finite() { probability } else { 0.0 })
    }

    /// Logarithms of the average, or the scores times their factor where one head speaks.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what scores are")]
    fn logarithms(&self, ngram: &[f32], dense: &[f32], mixed: &mut Mixed) {
        mixed.logarithms.clear();
        match self.heads {
            Heads::Ngram => mixed.logarithms.extend(ngram.iter().map(|score| score * self.ngram)),
            Heads::Dense => mixed.logarithms.extend(dense.iter().map(|score| score * self.dense)),
            Heads::Both => {
                mapping::softmax(ngram, self.ngram, &mut mixed.one);
                mapping::softmax(dense, self.dense, &mut mixed.other);
                let pairs = mixed.one.iter().zip(&mixed.other);
                mixed.logarithms.extend(pairs.map(|(a, b)| crate::maths::ln(f64::midpoint(*a, *b)) as f32));
            }
        }
    }
}

/// Chooses by scores out of fold: the most rows right; of equals the simpler, n-grams first. Where `settled` says which
/// heads speak, the scores only give their factors.
pub fn choose(ngram: &Scores, dense: Option<&Scores>, labels: &[u32], settled: Option<Heads>) -> Choice {
    let ngram_right = ngram.right(labels);
    let mut mapping =
        Mapping { heads: Heads::Ngram, ngram: mapping::fit(ngram, labels), dense: 1.0, shown: 1.0 };
    let Some(dense) = dense else {
        return Choice { mapping, ngram_right, dense_right: None, both_right: None };
    };
    mapping.dense = mapping::fit(dense, labels);
    let dense_right = dense.right(labels);
    let both = Mapping { heads: Heads::Both, ..mapping };
    let mut mixed = Mixed::default();
    let mut averages = Scores::zero(labels.len(), ngram.classes());
    for row in 0..labels.len() {
        both.logarithms(ngram.row(row), dense.row(row), &mut mixed);
        averages.set(row, &mixed.logarithms);
    }
    let both_right = averages.right(labels);
    mapping.heads = settled.unwrap_or(if both_right > ngram_right.max(dense_right) {
        Heads::Both
    } else if dense_right > ngram_right {
        Heads::Dense
    } else {
        Heads::Ngram
    });
    if mapping.heads == Heads::Both {
        mapping.shown = mapping::fit(&averages, labels);
    }
    Choice { mapping, ngram_right, dense_right: Some(dense_right), both_right: Some(both_right) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores where each row's label has `own`, the others zero.
    fn scores(labels: &[u32], own: impl Fn(usize) -> f32) -> Scores {
        let mut scores = Scores::zero(labels.len(), 3);
        for (row, label) in labels.iter().enumerate() {
            let mut values = [0.0; 3];
            values[*label as usize] = own(row);
            scores.set(row, &values);
        }
        scores
    }

    #[test]
    fn heads_that_err_apart_are_averaged_and_equals_leave_the_simpler() {
        let labels: Vec<u32> = (0..300).map(|row| row % 3).collect();
        let ngram = scores(&labels, |row| if row % 10 == 0 { -0.1 } else { 2.0 });
        let dense = scores(&labels, |row| if row % 10 == 5 { -0.1 } else { 2.0 });
        let choice = choose(&ngram, Some(&dense), &labels, None);
        assert_eq!(choice.mapping.heads, Heads::Both);
        assert_eq!(choice.both_right, Some(300));
        let alone = choose(&ngram, Some(&ngram.clone()), &labels, None);
        assert_eq!(alone.mapping.heads, Heads::Ngram);
        let worse = scores(&labels, |row| if row % 10 < 3 || row % 10 == 5 { -1.0 } else { 2.0 });
        assert_eq!(choose(&worse, Some(&dense), &labels, None).mapping.heads, Heads::Dense);
        let settled = choose(&worse, Some(&dense), &labels, Some(Heads::Both)).mapping;
        assert!(settled.heads == Heads::Both && settled.shown > 1.0);
        let (class, probability) = choice.mapping.top(ngram.row(1), dense.row(1), &mut Mixed::default());
        assert!(class == 1 && probability > 0.9 && probability <= 1.0);
    }
}
