//! Where the embeddings of each class lie: a text that is near none of them is of another kind.

use super::{DenseHead, Embeddings};

/// The mean direction of each class's embeddings; of a class without rows there is none, and nothing is near it.
///
/// As a head whose scores are products with those directions, without a bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Centres(DenseHead);

impl Centres {
    /// Of the chosen rows; `labels` belongs to all rows.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what a head holds")]
    pub fn of(embeddings: Embeddings<'_>, labels: &[u32], classes: usize, chosen: &[usize]) -> Self {
        let dim = embeddings.dim;
        let mut sums = vec![0.0f64; classes * dim];
        for row in chosen {
            let class = labels.get(*row).map_or(usize::MAX, |label| *label as usize);
            let Some(sum) = sums.chunks_exact_mut(dim.max(1)).nth(class) else { continue };
            for (sum, value) in sum.iter_mut().zip(embeddings.row(*row)) {
                *sum += f64::from(*value);
            }
        }
        let directions: Vec<f32> = sums
            .chunks_exact(dim.max(1))
            .flat_map(|sum| {
                let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
                let by = if length > 0.0 { 1.0 / length } else { 0.0 };
                sum.iter().map(move |value| (value * by) as f32)
            })
            .collect();
        Self::of_parts(classes, dim, &directions)
    }

    /// Of their parts: for each class its direction.
    pub(crate) fn of_parts(classes: usize, dim: usize, directions: &[f32]) -> Self {
        let with_bias =
            directions.chunks_exact(dim.max(1)).flat_map(|one| [0.0].into_iter().chain(one.iter().copied()));
        Self(DenseHead::of_parts(classes, dim, &with_bias.collect::<Vec<f32>>()))
    }

    /// For each class its direction.
    pub(crate) fn directions(&self) -> impl Iterator<Item = f32> {
        let with_bias = self.0.dim() + 1;
        self.0.weights().enumerate().filter(move |(place, _)| place % with_bias != 0).map(|(_, value)| value)
    }

    /// How near an embedding lies to the nearest centre: `(1 + cosine) / 2`; 0 for one of length zero. `scores` is a
    /// buffer.
    pub fn near(&self, embedding: &[f32], scores: &mut Vec<f32>) -> f32 {
        self.0.score(embedding, scores);
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let length = embedding.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 && most.is_finite() { f32::midpoint(1.0, most / length).clamp(0.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_a_class_is_near_and_what_is_like_none_is_not() {
        let values = [1.0, 0.0, 0.9, 0.1, 0.0, 2.0, 0.0, 3.0];
        let embeddings = Embeddings { values: &values, dim: 2 };
        let centres = Centres::of(embeddings, &[0, 0, 2, 2], 3, &[0, 1, 2, 3]);
        let mut scores = Vec::new();
        let mut near = |embedding: &[f32]| centres.near(embedding, &mut scores);
        // The length of an embedding says nothing.
        assert!(near(&[0.0, 5.0]) > 0.999_999 && near(&[0.0, 0.1]) > 0.999_999);
        assert!(near(&[1.0, 0.05]) > 0.999 && near(&[1.0, 1.0]) < 0.9);
        // The class in the middle has no rows: a right angle to it counts as one.
        assert!((near(&[-1.0, -1.0]) - 0.5).abs() < 1e-6);
        assert!(near(&[0.0, 0.0]) == 0.0);
        let directions: Vec<f32> = centres.directions().collect();
        assert_eq!((directions.len(), &directions[2..4]), (6, &[0.0, 0.0][..]));
        assert_eq!(Centres::of_parts(3, 2, &directions), centres);
        let half = Centres::of(embeddings, &[0, 0, 2, 2], 3, &[0, 2]);
        assert_eq!(half.directions().collect::<Vec<f32>>(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
