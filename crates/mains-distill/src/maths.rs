//! `exp` and `ln` that give the same bits on every machine.
//!
//! The standard library asks the platform's mathematics library, which differs from one system to the next in
//! the last bit. A labeller must be trained again, and its certificate computed again, by a stranger.

/// The natural logarithm of a positive, finite number, to about 1e-15 relative; zero and less give the
/// logarithm of the smallest normal number.
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.max(f64::MIN_POSITIVE).to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    let (mantissa, exponent) = if mantissa > std::f64::consts::SQRT_2 {
        (mantissa / 2.0, exponent + 1)
    } else {
        (mantissa, exponent)
    };
    // ln m = 2 artanh((m - 1) / (m + 1)), whose argument is at most 0.1716: eleven terms suffice.
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = (0..11).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    2.0 * t * series + f64::from(exponent) * std::f64::consts::LN_2
}

/// 1 / k! for k from 0 to 13.
const INVERSE_FACTORIALS: [f64; 14] = {
    let mut terms = [1.0; 14];
    let mut k = 1;
    while k < 14 {
        terms[k] = terms[k - 1] / k as f64;
        k += 1;
    }
    terms
};

/// e to the power of `x`, to about 1e-15 relative; what is below -700 gives zero, what is above 700 is cut.
pub(crate) fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let x = x.min(700.0);
    let whole = (x * std::f64::consts::LOG2_E).round();
    // The head of ln 2 has 21 zero bits at its end, so that its product with a whole number is exact.
    let rest = (x - whole * 0.693_147_180_369_123_8) - whole * 1.908_214_929_270_587_7e-10;
    let series = INVERSE_FACTORIALS.iter().rev().fold(0.0, |sum, term| sum * rest + term);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between -1011 and 1011")]
    let power = f64::from_bits(((whole as i64 + 1023) as u64) << 52);
    series * power
}

/// One plus the logarithm of a count: how much an n-gram that occurs so often counts.
#[expect(clippy::cast_possible_truncation, reason = "f32 is what rows hold")]
pub(crate) fn sublinear(count: u32) -> f32 {
    if count <= 1 { 1.0 } else { (1.0 + ln(f64::from(count))) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_standard_library() {
        for k in 1..4000 {
            let x = f64::from(k) * 0.37;
            assert!((ln(x) - x.ln()).abs() <= 2e-15 * x.ln().abs().max(1.0), "ln {x}");
            let y = f64::from(k - 2000) * 0.3;
            assert!((exp(y) - y.exp()).abs() <= 4e-15 * y.exp(), "exp {y}");
        }
        assert!(ln(0.0).is_finite() && exp(1e9).is_finite());
        assert!(exp(-1e9).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn their_bits_are_fixed() {
        assert_eq!(ln(3.0).to_bits(), 0x3FF1_93EA_7AAD_030A);
        assert_eq!(exp(1.0).to_bits(), 0x4005_BF0A_8B14_576A);
    }
}
