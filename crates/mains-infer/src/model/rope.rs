//! Rotary positions (Su et al. 2021). Pairs stand half a head apart, so that the rotation runs along whole vectors.
//! Where a file rotates neighbours `(2 i, 2 i + 1)`, the rows of queries and keys are reordered at load. Scores do not change, because both sides are reordered alike.

use super::Config;
use super::architecture::Pairs;

/// Frequencies of the pairs of a head.
pub(crate) struct Rope {
    frequencies: Vec<f64>,
    stored: Pairs,
}

impl Rope {
    /// The frequencies of a model; `factors` divide them, as files with long contexts ask.
    pub(crate) fn new(config: &Config, factors: Option<&[f32]>) -> Self {
        let dimensions = config.rope_dimensions;
        let frequencies = (0..dimensions / 2)
            .map(|pair| {
                let exponent = -2.0 * pair as f64 / dimensions as f64;
                let factor = factors.and_then(|f| f.get(pair)).map_or(1.0, |&f| f64::from(f));
                config.rope_base.powf(exponent) / config.rope_scale / factor
            })
            .collect();
        Self { frequencies, stored: config.architecture.pairs }
    }

    /// Cosines and sines of a position, one per pair.
    #[expect(clippy::cast_possible_truncation, reason = "the rotation is applied to 32-bit floats")]
    pub(crate) fn angles(&self, position: usize) -> impl Iterator<Item = (f32, f32)> {
        self.frequencies.iter().map(move |frequency| {
            let (sine, cosine) = (position as f64 * frequency).sin_cos();
            (cosine as f32, sine as f32)
        })
    }

    /// Pairs in a head.
    pub(crate) fn pairs(&self) -> usize {
        self.frequencies.len()
    }

    /// Where the number that a head has here at `place` stands in the file's head.
    pub(crate) fn source(&self, place: usize) -> usize {
        let pairs = self.pairs();
        match place {
            _ if self.stored == Pairs::Halves => place,
            _ if place < pairs => 2 * place,
            _ if place < 2 * pairs => 2 * (place - pairs) + 1,
            _ => place,
        }
    }
}

/// Rotates one reordered head in place.
pub(crate) fn rotate(head: &mut [f32], cosines: &[f32], sines: &[f32]) {
    let pairs = cosines.len();
    let (left, right) = head.split_at_mut(pairs);
    for (((a, b), &cosine), &sine) in left.iter_mut().zip(right).zip(cosines).zip(sines) {
        (*a, *b) = (*a * cosine - *b * sine, *a * sine + *b * cosine);
    }
}
