//! IEEE 16-bit floats in plain code.

/// The float that these 16 bits stand for. Exact.
pub(crate) fn to_f32(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10) & 31;
    let fraction = u32::from(half) & 1023;
    match exponent {
        0 => {
            // A subnormal is the fraction in units of 2^-24.
            let magnitude = f32::from(half & 1023) / 16_777_216.0;
            f32::from_bits(sign | magnitude.to_bits())
        }
        31 => f32::from_bits(sign | 0x7F80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// The nearest 16-bit float, ties to even; too large becomes infinite.
pub(crate) fn from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) & 0x8000;
    let magnitude = bits & 0x7FFF_FFFF;
    let half = if magnitude > 0x7F80_0000 {
        0x7E00
    } else if magnitude >= 0x4780_0000 {
        0x7C00
    } else if magnitude >= 0x3880_0000 {
        // A normal half: round the 13 bits that fall away; a carry runs into the exponent, as it should.
        let rounded = magnitude + 0x0FFF + ((magnitude >> 13) & 1);
        (rounded - 0x3800_0000) >> 13
    } else {
        // A subnormal half: adding 0.5 leaves the fraction in units of 2^-24, rounded by the adder.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0x3F00_0000
    };
    u16::try_from(sign | half).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_way_to_f32_and_back() {
        for half in 0..=u16::MAX {
            let value = to_f32(half);
            if value.is_nan() {
                assert!(to_f32(from_f32(value)).is_nan());
            } else {
                assert_eq!(from_f32(value), half, "{value}");
            }
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_even() {
        assert_eq!(from_f32(1.0 + 1.0 / 2048.0), 0x3C00);
        assert_eq!(from_f32(1.0 + 3.0 / 2048.0), 0x3C02);
        assert_eq!(from_f32(65_519.0), 0x7BFF);
        assert_eq!(from_f32(65_520.0), 0x7C00);
        assert_eq!(from_f32(-2.0_f32.powi(-26)), 0x8000);
    }
}
