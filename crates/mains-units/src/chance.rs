//! Seeded chance: the same seed gives the same world. Never a source of keys.

/// A small deterministic generator (SplitMix64; Steele, Lea, Flood 2014). It can never become a key:
/// secrets come from `mains_host::Entropy`, another type.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// A generator for this seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; zero when `bound` is zero. Multiply-shift: the bias is below 2^-32 for
    /// bounds below 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub fn hits(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An independent generator for a part of the world.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_world_and_bounds_hold() {
        let (mut a, mut b) = (Chance::from_seed(7), Chance::from_seed(7));
        for _ in 0..1000 {
            let drawn = a.below(10);
            assert_eq!(drawn, b.below(10));
            assert!(drawn < 10);
            let unit = a.unit();
            assert!((0.0..1.0).contains(&unit));
            b.unit();
        }
        assert_eq!(a.below(0), 0);
    }
}
