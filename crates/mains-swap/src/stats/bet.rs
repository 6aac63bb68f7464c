//! The wealth of a fixed mixture of bets against a claimed mean.

/// Which way the mean is suspected to lie from the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Bets against "the mean is at most this".
    Above,
    /// Bets against "the mean is at least this".
    Below,
}

/// The shares of the wealth at stake, each held for ever with an equal part of the first capital.
///
/// Below one half they grow by a third: the best stake against a small effect is small, and is missed by at
/// most a factor of 1.16. Towards one they close in, because outcomes that hardly ever lose want nearly
/// everything staked. A fixed mixture, unlike bets that follow the past, depends on counts only, so that the
/// order of the outcomes cannot be arranged.
pub const STAKES: [f64; 28] = [
    0.002, 0.0027, 0.0036, 0.0048, 0.0064, 0.0085, 0.0114, 0.0152, 0.0203, 0.027, 0.036, 0.048, 0.064, 0.085,
    0.114, 0.152, 0.203, 0.27, 0.36, 0.48, 0.6, 0.7, 0.8, 0.86, 0.9, 0.94, 0.97, 1.0,
];

/// How many times each value in `[0, 1]` was seen. Counts are real so that plans may use expected ones.
pub type Seen = (f64, f64);

/// The natural logarithm of the wealth, from a capital of 1, of betting against `claim` with the mixture
/// [`STAKES`] on outcomes seen.
///
/// With a stake `c` of the most that can never bankrupt, one outcome `x` multiplies the wealth by
/// `1 + (c / m)(x - m) = 1 - c + c x / m`. That falls in `m` for every `x`, so the claims that are not refuted
/// always form an interval.
pub fn log_wealth(seen: &[Seen], claim: f64, side: Side) -> f64 {
    let claim = match side {
        Side::Above => claim,
        Side::Below => 1.0 - claim,
    };
    let claim = claim.clamp(1e-12, 1.0);
    let mut logs = [0.0; STAKES.len()];
    for (log, stake) in logs.iter_mut().zip(STAKES) {
        for &(value, count) in seen.iter().filter(|(_, count)| *count > 0.0) {
            let value = match side {
                Side::Above => value,
                Side::Below => 1.0 - value,
            };
            *log += count * (1.0 - stake + stake * value / claim).ln();
        }
    }
    log_mean_exp(&logs)
}

/// The logarithm of the mean of exponentials, without overflow.
pub(crate) fn log_mean_exp(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + (sum / logs.len() as f64).ln()
}

/// Finds where a function that falls crosses `level` in `[0, 1]`; the answer errs to the left by less than 1e-9,
/// where the function is still at or above the level (0 if it is nowhere).
pub(crate) fn crossing(level: f64, falls: impl Fn(f64) -> f64) -> f64 {
    if falls(1.0) >= level {
        return 1.0;
    }
    let (mut above, mut below) = (0.0, 1.0);
    while below - above > 1e-9 {
        let middle = f64::midpoint(above, below);
        if falls(middle) >= level {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}
