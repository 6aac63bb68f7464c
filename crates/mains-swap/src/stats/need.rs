//! How many outcomes a verdict will take, before any is paid for.

use super::bet::{Seen, Side, log_wealth};
use super::fixed::normal_quantile;

/// What is expected of the outcomes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The mean on the unit scale.
    pub mean: f64,
    /// The variance on the unit scale.
    pub variance: f64,
    /// The share of outcomes that are exactly ½ (0 for single comparisons).
    pub even: f64,
}

impl Expected {
    /// Pairs of which the share `discordance` disagree, and whose difference new - old is `difference`.
    pub fn pairs(discordance: f64, difference: f64) -> Self {
        let discordance = discordance.clamp(difference.abs(), 1.0);
        Self {
            mean: f64::midpoint(1.0, difference),
            variance: (discordance - difference * difference).max(0.0) / 4.0,
            even: 1.0 - discordance,
        }
    }

    /// Single comparisons of which the share `differs` differ.
    pub fn singles(differs: f64) -> Self {
        let differs = differs.clamp(0.0, 1.0);
        Self { mean: 1.0 - differs, variance: differs * (1.0 - differs), even: 0.0 }
    }

    /// The counts after `n` outcomes whose mean is `mean`.
    fn seen(&self, n: f64, mean: f64) -> [Seen; 3] {
        let mean = mean.clamp(self.even / 2.0, 1.0 - self.even / 2.0);
        let top = mean - self.even / 2.0;
        [(0.0, n * (1.0 - self.even - top)), (0.5, n * self.even), (1.0, n * top)]
    }
}

/// No plan goes beyond this many outcomes.
pub const MOST: u64 = 10_000_000;

/// Outcomes after which "the mean is at most `claim`" is refuted with chance `power` at error level `alpha`, valid
/// at any time: the wealth must reach `1 / alpha` even where the observed mean lies at the unlucky end (normal
/// approximation of the mean; the wealth itself is exact). `None` beyond [`MOST`].
pub fn anytime(expected: &Expected, claim: f64, alpha: f64, power: f64) -> Option<u64> {
    let z = normal_quantile(power);
    least(|n| {
        let unlucky = expected.mean - z * (expected.variance / n).sqrt();
        log_wealth(&expected.seen(n, unlucky), claim, Side::Above) >= -alpha.ln()
    })
}

/// The same for one look at a sample of fixed size: the normal approximation
/// `n = ((z_alpha + z_power) sd / effect)^2`, and never fewer than an exact test needs where nothing is lost
/// (`ln alpha / ln claim` for shares). `None` beyond [`MOST`] or without an effect.
pub fn fixed(expected: &Expected, claim: f64, alpha: f64, power: f64) -> Option<u64> {
    let effect = expected.mean - claim;
    if effect <= 0.0 {
        return None;
    }
    let z = normal_quantile(1.0 - alpha) + normal_quantile(power);
    let floor = if expected.even > 0.0 {
        alpha.ln() / (2.0 * claim).min(0.999_999).ln()
    } else {
        alpha.ln() / claim.ln()
    };
    whole((z * z * expected.variance / (effect * effect)).max(floor).ceil())
}

/// The fewest outcomes that can refute the claim at all: every one at its best (`best`: 1 for single comparisons,
/// ½ for pairs that never disagree).
pub fn floor(best: f64, claim: f64, alpha: f64) -> Option<u64> {
    least(|n| log_wealth(&[(best, n)], claim, Side::Above) >= -alpha.ln())
}

/// The least whole number with a property that, once true, stays so.
fn least(holds: impl Fn(f64) -> bool) -> Option<u64> {
    let mut high = 1u64;
    while !holds(high as f64) {
        high *= 2;
        if high > MOST {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if holds(middle as f64) { high = middle } else { low = middle }
    }
    Some(high)
}

fn whole(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie in 0 ..= MOST"
    )]
    (0.0..=MOST as f64).contains(&value).then_some(value as u64)
}
