//! Classical tests for a sample whose size was fixed before: for comparison, never for a verdict.
//!
//! Checked in the tests against values computed by SciPy and by hand.

/// The logarithm of the gamma function for `x > 0`: Lanczos' series with g = 7 and nine terms, relative error
/// about 1e-15.
pub fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = TERMS
        .iter()
        .enumerate()
        .fold(0.999_999_999_999_809_9, |sum, (i, term)| sum + term / (x + 1.0 + i as f64));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The regularised incomplete beta function by Lentz' continued fraction (Numerical Recipes, section 6.4).
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    front * fraction(a, b, x)
}

/// The continued fraction of the incomplete beta function.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut lower = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let (mut upper, mut product) = (1.0, lower);
    for step in 1..10_000 {
        let step = f64::from(step);
        let even = step * (b - step) * x / ((a + 2.0 * step - 1.0) * (a + 2.0 * step));
        let odd = -(a + step) * (a + b + step) * x / ((a + 2.0 * step) * (a + 2.0 * step + 1.0));
        let mut last = 1.0;
        for term in [even, odd] {
            lower = 1.0 / away(1.0 + term * lower);
            upper = away(1.0 + term / upper);
            last = upper * lower;
            product *= last;
        }
        if (last - 1.0).abs() < 1e-15 {
            break;
        }
    }
    product
}

/// Exact bounds of a probability from `hits` of `n` (Clopper and Pearson 1934): each bound errs with chance at
/// most `alpha`, so that two bounds at `alpha / 2` make the usual interval.
pub fn clopper_pearson(hits: u64, n: u64, alpha: f64) -> (f64, f64) {
    let (k, n) = (hits.min(n) as f64, n as f64);
    let find = |goes_up: &dyn Fn(f64) -> f64, level: f64| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if goes_up(middle) < level { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    };
    let low = if k < 0.5 { 0.0 } else { find(&|p| incomplete_beta(k, n - k + 1.0, p), alpha) };
    let high = if k > n - 0.5 { 1.0 } else { find(&|p| incomplete_beta(k + 1.0, n - k, p), 1.0 - alpha) };
    (low, high)
}

/// The chance that a standard normal value lies below `z`: Taylor's series near zero, Laplace's continued
/// fraction in the tails.
pub fn normal_cdf(z: f64) -> f64 {
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z.abs() < 4.0 {
        let (mut term, mut sum) = (z, z);
        for step in 1..200 {
            term *= z * z / f64::from(2 * step + 1);
            sum += term;
        }
        return 0.5 + density * sum;
    }
    let tail = (1..=60).rev().fold(z.abs(), |rest, step| z.abs() + f64::from(step) / rest);
    let tail = density / tail;
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// The value below which a standard normal value lies with chance `p`, by halving in `[-40, 40]`.
pub fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if normal_cdf(middle) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Tango's score statistic for paired shares: how many standard errors the difference new - old lies above
/// `difference`, with `gained` items that only the new one passed, `lost` that only the old one passed, of `n`.
/// Large samples only (Tango, Statistics in Medicine 17 (1998), 891-908).
pub fn tango_z(gained: u64, lost: u64, n: u64, difference: f64) -> f64 {
    let (b, c, n, delta) = (gained as f64, lost as f64, n as f64, difference);
    let linear = -b - c + (2.0 * n - b + c) * delta;
    let constant = -c * delta * (1.0 - delta);
    let lost_share = ((linear * linear - 8.0 * n * constant).sqrt() - linear) / (4.0 * n);
    let variance = n * (2.0 * lost_share + delta * (1.0 - delta));
    if variance <= 0.0 { 0.0 } else { (b - c - n * delta) / variance.sqrt() }
}
