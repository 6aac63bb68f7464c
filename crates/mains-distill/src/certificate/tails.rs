//! Exact binomial tails.

/// The chance of at most `hits` of `n` where each has the chance `p`.
///
/// Summed in logarithms from the recursion between neighbouring terms; the terms' relative error is below `hits`
/// times 1e-15.
pub fn at_most(hits: u64, n: u64, p: f64) -> f64 {
    if hits >= n || p <= 0.0 {
        // Of no row nothing is known, and the chance is 1 too.
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let odds = p.ln() - (-p).ln_1p();
    let mut term = n as f64 * (-p).ln_1p();
    // The sum is kept as a multiple of its greatest term so far, so that nothing runs out of range.
    let (mut greatest, mut sum) = (term, 1.0);
    for i in 0..hits {
        term += ((n - i) as f64 / (i + 1) as f64).ln() + odds;
        if term > greatest {
            sum = sum * (greatest - term).exp() + 1.0;
            greatest = term;
        } else {
            sum += (term - greatest).exp();
        }
    }
    (greatest + sum.ln()).exp().min(1.0)
}

/// The greatest chance that `hits` of `n` do not refute at the error level `alpha`, one-sided (Clopper and Pearson
/// 1934). 1 of nothing.
pub fn upper(hits: u64, n: u64, alpha: f64) -> f64 {
    if hits >= n {
        return 1.0;
    }
    let (mut low, mut high) = (hits as f64 / n as f64, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(hits, n, middle) > alpha { low = middle } else { high = middle }
    }
    high
}

/// The least chance that `hits` of `n` do not refute at the error level `alpha`, one-sided. 0 of nothing.
pub fn lower(hits: u64, n: u64, alpha: f64) -> f64 {
    let hits = hits.min(n);
    1.0 - upper(n - hits, n, alpha)
}

/// How many rows without one error show that at most `eps` differ: `ln(delta) / ln(1 - eps)`, rounded up. 299 for
/// 1 % at 95 % confidence; `None` where no number suffices.
pub fn least_rows(eps: f64, delta: f64) -> Option<u64> {
    if !(eps > 0.0 && eps < 1.0 && delta > 0.0 && delta < 1.0) {
        return None;
    }
    // The quotient may come out a hair beside a whole number, so its neighbour is tried too.
    let near = crate::figures::count_up(delta.ln() / (-eps).ln_1p());
    let before = near.saturating_sub(1);
    Some(if at_most(0, before, eps) <= delta { before } else { near })
}

/// How many errors `n` rows may hold and still show at most `eps`, at the error level `delta`; `None` where even
/// none is too many.
pub fn allowed(n: u64, eps: f64, delta: f64) -> Option<u64> {
    let passes = |hits: u64| hits < n && at_most(hits, n, eps) <= delta;
    if !passes(0) {
        return None;
    }
    let (mut good, mut bad) = (0, n);
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if passes(middle) { good = middle } else { bad = middle }
    }
    Some(good)
}
