//! The wealth of a fixed mixture of bets against a claimed mean.

/// Which way the mean is suspected to lie from the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Bets against "the mean is at most this".
    Above,
    /// Bets against "the mean is at least this".
    Below,
}

/// The shares of the wealth at stake, each held for ever, and the part of the first capital that it gets.
///
/// They grow by about two fifths, so that the best stake against any effect is missed by little; towards one they
/// close in, because outcomes that hardly ever lose want nearly everything staked. Stakes under 0.03 win against
/// effects of a fraction of the margin only, and get a quarter part; the whole stake gets two, because models that
/// never disagree are common and cheap to accept. A fixed mixture, unlike bets that follow the past, depends on
/// counts only, so that nothing can be gained by arranging the order of the outcomes.
pub const STAKES: [(f64, f64); 18] = [
    (0.003, 1.0 / 64.0),
    (0.006, 1.0 / 64.0),
    (0.012, 1.0 / 64.0),
    (0.024, 1.0 / 64.0),
    (0.04, 1.0 / 16.0),
    (0.06, 1.0 / 16.0),
    (0.09, 1.0 / 16.0),
    (0.13, 1.0 / 16.0),
    (0.19, 1.0 / 16.0),
    (0.27, 1.0 / 16.0),
    (0.37, 1.0 / 16.0),
    (0.48, 1.0 / 16.0),
    (0.6, 1.0 / 16.0),
    (0.72, 1.0 / 16.0),
    (0.82, 1.0 / 16.0),
    (0.9, 1.0 / 16.0),
    (0.96, 1.0 / 16.0),
    (1.0, 1.0 / 8.0),
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
    let mut logs = STAKES.map(|(_, part)| part.ln());
    add_bets(&mut logs, seen, claim, side);
    log_sum_exp(&logs)
}

/// Adds to each stake's logarithm what its bets on these outcomes win.
pub(crate) fn add_bets(logs: &mut [f64; STAKES.len()], seen: &[Seen], claim: f64, side: Side) {
    let claim = match side {
        Side::Above => claim,
        Side::Below => 1.0 - claim,
    };
    let claim = claim.clamp(1e-12, 1.0);
    for (log, (stake, _)) in logs.iter_mut().zip(STAKES) {
        for &(value, count) in seen.iter().filter(|(_, count)| *count > 0.0) {
            let value = match side {
                Side::Above => value,
                Side::Below => 1.0 - value,
            };
            *log += count * (1.0 - stake + stake * value / claim).ln();
        }
    }
}

/// The logarithm of the sum of exponentials, without overflow.
pub(crate) fn log_sum_exp(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
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
