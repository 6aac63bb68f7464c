//! The capital of a sceptic who bets against "at most eps of the calls differ".
//!
//! One call that differs (`x = 1`) or does not (`x = 0`) multiplies a capital of which the share `c` is at stake by
//! `1 - c + c x / eps`: fair at eps, a loss below it. The capital is divided beforehand among stakes, and each
//! stake's part once more among the calls: a labeller that was fine for long has cost the first bets much, so a part
//! begins anew with every call. The parts of a stretch of calls twice as long as all before it are worth together
//! `1 / ((i + 1)(i + 2))`, which sums to one. A capital divided beforehand is as fair as its parts.

use serde::{Deserialize, Serialize};

/// The shares of the capital at stake. The best against a difference of `q` is `(q - eps) / (1 - eps)`.
pub(super) const STAKES: [f64; 10] = [0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8];

/// The logarithm of nothing, far below what any bet can lose.
const NOTHING_NANO: i64 = -1_000_000_000_000_000;
/// Logarithms stay within this, so that no sum runs over.
const LIMIT_NANO: f64 = 1e15;

/// The logarithms of each stake's capital in billionths. Every rounding goes down: that only takes from the sceptic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wealth {
    bets: u64,
    log_nano: [i64; STAKES.len()],
}

impl Wealth {
    pub(super) fn new() -> Self {
        Self { bets: 0, log_nano: [NOTHING_NANO; STAKES.len()] }
    }

    pub(super) fn bets(&self) -> u64 {
        self.bets
    }

    /// Bets on one call.
    pub(super) fn bet(&mut self, differs: bool, eps_ppm: u64) {
        let eps = (eps_ppm.clamp(1, 999_999)) as f64 / 1e6;
        self.bets = self.bets.saturating_add(1);
        let fresh = log_fresh(self.bets);
        for (log, stake) in self.log_nano.iter_mut().zip(STAKES) {
            let capital = log_add(*log as f64 / 1e9, fresh);
            *log = down(1e9 * (capital + log_factor(stake, differs, eps)));
        }
    }

    /// The logarithm of the whole capital, in billionths.
    pub(super) fn total_nano(&self) -> i64 {
        let sum = self.log_nano.iter().fold(f64::NEG_INFINITY, |sum, log| log_add(sum, *log as f64 / 1e9));
        down(1e9 * sum)
    }

    /// Whether the capital is `1 / alpha` or more.
    pub(super) fn reaches(&self, alpha_ppm: u64) -> bool {
        let needed = -(alpha_ppm as f64 / 1e6).ln();
        self.total_nano() as f64 >= 1e9 * needed
    }
}

/// The logarithm of what one call does to a stake.
pub(super) fn log_factor(stake: f64, differs: bool, eps: f64) -> f64 {
    if differs { (1.0 - stake + stake / eps).ln() } else { (-stake).ln_1p() }
}

/// The logarithm of what each stake gets anew at this call, counted from one.
pub(super) fn log_fresh(call: u64) -> f64 {
    let stretch = f64::from(call.max(1).ilog2());
    -(stretch * std::f64::consts::LN_2
        + ((stretch + 1.0) * (stretch + 2.0)).ln()
        + (STAKES.len() as f64).ln())
}

fn log_add(one: f64, other: f64) -> f64 {
    let (less, more) = if one < other { (one, other) } else { (other, one) };
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}

fn down(nano: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what is exact")]
    (nano.floor().clamp(-LIMIT_NANO, LIMIT_NANO) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bet_is_fair_at_eps_loses_below_and_wins_above() {
        for eps in [0.001, 0.02, 0.3] {
            for stake in STAKES {
                let expected = |q: f64| {
                    q * log_factor(stake, true, eps).exp() + (1.0 - q) * log_factor(stake, false, eps).exp()
                };
                assert!((expected(eps) - 1.0).abs() < 1e-12, "{eps} {stake}");
                assert!(expected(eps / 2.0) < 1.0 && expected(2.0 * eps) > 1.0, "{eps} {stake}");
            }
        }
    }

    #[test]
    fn the_parts_of_the_capital_never_sum_to_more_than_one() {
        let mut sum = 0.0;
        for call in 1..=100_000 {
            sum += log_fresh(call).exp() * STAKES.len() as f64;
        }
        assert!(sum < 1.0 && sum > 0.9, "{sum}");
    }

    #[test]
    fn a_long_good_time_costs_no_more_than_starting_anew() {
        let mut wealth = Wealth::new();
        for _ in 0..50_000 {
            wealth.bet(false, 20_000);
        }
        let floor = log_fresh(50_000);
        assert!(wealth.total_nano() as f64 / 1e9 > floor, "{} {floor}", wealth.total_nano());
    }
}
