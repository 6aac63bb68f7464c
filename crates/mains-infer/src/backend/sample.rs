//! Choosing the next token from logits: the most likely one, or by chance with a seed.

use llguidance::toktrie::SimpleVob;
use mains_units::Chance;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Zero: always the most likely token. Larger: flatter odds.
    pub temperature: f32,
    /// Only the most likely tokens that together have this probability.
    pub top_p: f32,
    /// Only this many tokens; zero for all.
    pub top_k: u32,
    /// The same seed makes the same choices.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.0, top_p: 1.0, top_k: 0, seed: 0 }
    }
}

/// A chooser for one answer.
pub(super) struct Sampler {
    sampling: Sampling,
    chance: Chance,
    candidates: Vec<(f32, u32)>,
    /// The logits under a mask.
    masked: Vec<f32>,
}

impl Sampler {
    pub(super) fn new(sampling: Sampling) -> Result<Self, Error> {
        let Sampling { temperature, top_p, .. } = sampling;
        if !(0.0..=100.0).contains(&temperature) {
            return Err(Error::request(format!("temperature {temperature} is not between 0 and 100")));
        }
        if !(0.0..=1.0).contains(&top_p) {
            return Err(Error::request(format!("top_p {top_p} is not between 0 and 1")));
        }
        Ok(Self {
            sampling,
            chance: Chance::from_seed(sampling.seed),
            candidates: Vec::new(),
            masked: Vec::new(),
        })
    }

    /// The next token among those that are allowed: logits of the others count as minus infinity.
    pub(super) fn choose_allowed(&mut self, logits: &[f32], allowed: &SimpleVob) -> Result<u32, Error> {
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        masked.resize(logits.len(), f32::NEG_INFINITY);
        allowed.iter_set_entries(|token| {
            if let (Some(to), Some(&logit)) = (masked.get_mut(token), logits.get(token)) {
                *to = logit;
            }
        });
        let token = self.choose(&masked);
        self.masked = masked;
        token
    }

    /// The next token.
    pub(super) fn choose(&mut self, logits: &[f32]) -> Result<u32, Error> {
        let (best, largest) = most_likely(logits)?;
        if self.sampling.temperature == 0.0 || self.sampling.top_k == 1 {
            return Ok(best);
        }
        let inverse = 1.0 / self.sampling.temperature;
        self.candidates.clear();
        self.candidates.extend(logits.iter().map(|logit| (logit - largest) * inverse).zip(0..));
        self.keep_most_likely();
        for (odds, _) in &mut self.candidates {
            *odds = odds.exp();
        }
        self.keep_probable();
        let total: f64 = self.candidates.iter().map(|(odds, _)| f64::from(*odds)).sum();
        let mut left = self.chance.unit() * total;
        for &(odds, token) in &self.candidates {
            left -= f64::from(odds);
            if left < 0.0 {
                return Ok(token);
            }
        }
        Ok(best)
    }

    /// Cuts to `top_k`, or to what `top_p` can reach; ties go to the smaller number, so the order is one.
    fn keep_most_likely(&mut self) {
        let keep = self.sampling.top_k as usize;
        if keep > 0 && keep < self.candidates.len() {
            self.candidates.select_nth_unstable_by(keep, more_likely);
            self.candidates.truncate(keep);
        }
        if keep > 0 || self.sampling.top_p < 1.0 {
            // Odds below e^-30 of the best change no probability that 32 bits can hold.
            self.candidates.retain(|(odds, _)| *odds > -30.0);
            self.candidates.sort_unstable_by(more_likely);
        }
    }

    /// Cuts to the shortest head of the sorted candidates that has `top_p` of the odds.
    fn keep_probable(&mut self) {
        if self.sampling.top_p >= 1.0 {
            return;
        }
        let total: f64 = self.candidates.iter().map(|(odds, _)| f64::from(*odds)).sum();
        let wanted = total * f64::from(self.sampling.top_p);
        let mut sum = 0.0;
        let within = self.candidates.iter().take_while(|(odds, _)| {
            let before = sum;
            sum += f64::from(*odds);
            before < wanted
        });
        let keep = within.count().max(1);
        self.candidates.truncate(keep);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that sorting wants")]
fn more_likely(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// The most likely token, the first of equals, and its logit.
fn most_likely(logits: &[f32]) -> Result<(u32, f32), Error> {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, &logit) in (0..).zip(logits) {
        if logit > best.1 {
            best = (token, logit);
        }
    }
    if best.1.is_finite() {
        Ok(best)
    } else {
        Err(Error::file("the model gave logits that are not numbers").hint("its weights are damaged"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f32, top_p: f32, top_k: u32, seed: u64) -> Sampler {
        Sampler::new(Sampling { temperature, top_p, top_k, seed }).unwrap()
    }

    #[test]
    fn without_temperature_the_first_of_the_largest_is_chosen() {
        assert_eq!(sampler(0.0, 1.0, 0, 1).choose(&[0.0, 3.0, 3.0, -1.0]).unwrap(), 1);
    }

    #[test]
    fn logits_that_are_not_numbers_are_an_error() {
        assert!(sampler(0.0, 1.0, 0, 1).choose(&[f32::NAN, f32::NAN]).is_err());
        assert!(sampler(1.0, 0.9, 0, 1).choose(&[f32::INFINITY, 0.0]).is_err());
        assert!(Sampler::new(Sampling { temperature: f32::NAN, ..Sampling::default() }).is_err());
        assert!(Sampler::new(Sampling { top_p: -0.1, ..Sampling::default() }).is_err());
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let logits = [0.0_f32, 1.0, 2.0];
        let mut counts = [0u32; 3];
        let mut sampler = sampler(1.0, 1.0, 0, 11);
        for _ in 0..30_000 {
            counts[sampler.choose(&logits).unwrap() as usize] += 1;
        }
        let total: f32 = logits.iter().map(|l| l.exp()).sum();
        for (count, logit) in counts.iter().zip(logits) {
            let expected = f64::from(logit.exp() / total) * 30_000.0;
            assert!((f64::from(*count) - expected).abs() < 5.0 * expected.sqrt(), "{counts:?}");
        }
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail_and_seeds_repeat() {
        let logits: Vec<f32> = (0..50u8).map(|i| f32::from(i) * 0.2).collect();
        let draw = |top_p, top_k, seed| {
            let mut sampler = sampler(1.0, top_p, top_k, seed);
            (0..200).map(|_| sampler.choose(&logits).unwrap()).collect::<Vec<u32>>()
        };
        assert!(draw(1.0, 3, 5).iter().all(|token| *token >= 47));
        // The best has 1 - e^-0.2 = 18 % of the odds, the best two 33 %.
        assert!(draw(0.30, 0, 5).iter().all(|token| *token >= 48));
        assert!(draw(0.10, 0, 5).iter().all(|token| *token == 49));
        assert_eq!(draw(0.9, 40, 5), draw(0.9, 40, 5));
        assert_ne!(draw(0.9, 40, 5), draw(0.9, 40, 6));
    }
}
