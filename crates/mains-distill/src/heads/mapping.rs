//! From scores to probabilities, by one factor (temperature scaling; Guo et al., ICML 2017).

use super::Scores;
use crate::maths;

/// The softmax of scores times `factor`, into `probabilities`.
pub fn softmax(scores: &[f32], factor: f32, probabilities: &mut Vec<f64>) {
    probabilities.clear();
    let most = scores.iter().fold(f32::NEG_INFINITY, |most, score| most.max(*score));
    let factor = f64::from(factor);
    probabilities.extend(scores.iter().map(|score| maths::exp(f64::from(score - most) * factor)));
    let sum: f64 = probabilities.iter().sum();
    for probability in probabilities {
        *probability /= sum;
    }
}

/// The factor under which the labels are likeliest, between 1/64 and 64; of scores that no head saw in training.
#[expect(clippy::cast_possible_truncation, reason = "f32 is what a file holds")]
pub fn fit(scores: &Scores, labels: &[u32]) -> f32 {
    // The loss is convex in the factor: halve the bracket where its slope changes sign, by Newton where it fits.
    let (mut low, mut high) = (1.0 / 64.0, 64.0);
    let mut factor = 1.0f64;
    let mut probabilities = Vec::new();
    for _ in 0..40 {
        let (mut slope, mut bend) = (0.0, 0.0);
        for (row, label) in labels.iter().enumerate() {
            let scores = scores.row(row);
            softmax(scores, factor as f32, &mut probabilities);
            let mean: f64 = probabilities.iter().zip(scores).map(|(p, s)| p * f64::from(*s)).sum();
            let square: f64 = probabilities.iter().zip(scores).map(|(p, s)| p * f64::from(*s).powi(2)).sum();
            slope += mean - f64::from(scores.get(*label as usize).copied().unwrap_or(0.0));
            bend += square - mean * mean;
        }
        if slope > 0.0 {
            high = factor;
        } else {
            low = factor;
        }
        let step = factor - slope / bend.max(1e-12);
        let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
        if (next - factor).abs() < 1e-4 * factor {
            return next as f32;
        }
        factor = next;
    }
    factor as f32
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "small numbers of a test")]

    use super::*;
    use mains_units::Chance;

    #[test]
    fn the_factor_that_made_the_labels_is_found() {
        let mut chance = Chance::from_seed(4);
        let mut scores = Scores::zero(4000, 3);
        let mut labels = Vec::new();
        let mut probabilities = Vec::new();
        for row in 0..4000 {
            let own: Vec<f32> = (0..3).map(|_| chance.unit() as f32).collect();
            scores.set(row, &own);
            softmax(&own, 5.0, &mut probabilities);
            let drawn = chance.unit();
            let class = if drawn < probabilities[0] {
                0
            } else {
                1 + u32::from(drawn > probabilities[0] + probabilities[1])
            };
            labels.push(class);
        }
        let found = fit(&scores, &labels);
        assert!((4.5..5.5).contains(&found), "{found}");
    }

    #[test]
    fn labels_that_are_always_right_give_the_highest_factor() {
        let mut scores = Scores::zero(50, 2);
        (0..50).for_each(|row| scores.set(row, &[1.0, -1.0]));
        assert!(fit(&scores, &[0; 50]) > 8.0);
        assert!(fit(&scores, &[1; 50]) < 0.1);
    }
}
