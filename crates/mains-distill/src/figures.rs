//! Fractions as whole numbers, rounded to the side that promises less.

/// One, in millionths.
pub(crate) const ONE_PPM: u64 = 1_000_000;
/// One, in billionths.
pub(crate) const ONE_PPB: u64 = 1_000_000_000;
/// The largest size that every JSON reader keeps exactly.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The least number of millionths that is not below `fraction`; within 0 and 1, and 1 for no number.
pub(crate) fn ppm_up(fraction: f64) -> u64 {
    part(fraction, ONE_PPM, f64::ceil)
}

/// The greatest number of millionths that is not above `fraction`.
pub(crate) fn ppm_down(fraction: f64) -> u64 {
    part(fraction, ONE_PPM, f64::floor)
}

/// The nearest number of millionths.
pub(crate) fn ppm_near(fraction: f64) -> u64 {
    part(fraction, ONE_PPM, f64::round)
}

/// The least number of billionths that is not below `fraction`.
pub(crate) fn ppb_up(fraction: f64) -> u64 {
    part(fraction, ONE_PPB, f64::ceil)
}

fn part(fraction: f64, one: u64, round: impl Fn(f64) -> f64) -> u64 {
    if fraction.is_nan() {
        return one;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number of 0 to a billion"
    )]
    (round(fraction.clamp(0.0, 1.0) * one as f64) as u64)
}

/// A count that was computed as a real number, rounded up; 0 of what is negative or no number.
pub(crate) fn count_up(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what is exact, and no number becomes 0"
    )]
    (value.ceil().clamp(0.0, WHOLE_MAX) as u64)
}

/// Millionths of any size, rounded down; `none` for no number.
pub(crate) fn micro(value: f32, none: i64) -> i64 {
    if value.is_nan() {
        return none;
    }
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what is exact")]
    ((f64::from(value) * 1e6).floor().clamp(-WHOLE_MAX, WHOLE_MAX) as i64)
}

/// A part of a whole in millionths; 0 of nothing.
pub(crate) fn share_ppm(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { ppm_near(part as f64 / whole as f64) }
}
