//! How sure we are: a range with a central value, and the grade of the evidence behind it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Low, central and high value of one estimate, in the unit named by the field that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Lower bound.
    pub low: f64,
    /// Best single value.
    pub central: f64,
    /// Upper bound.
    pub high: f64,
}

impl Range {
    /// Nothing, exactly.
    pub const ZERO: Self = Self { low: 0.0, central: 0.0, high: 0.0 };

    /// A measured or computed value widened by the factor of its grade: `value / f ..= value * f`.
    pub fn around(value: f64, grade: Grade) -> Self {
        let f = grade.factor();
        Self { low: value / f, central: value, high: value * f }
    }

    /// Where the method itself gives a minimum and a maximum: `min / f ..= max * f`, central value their
    /// geometric mean (DESIGN section 4).
    pub fn between(min: f64, max: f64, grade: Grade) -> Self {
        let f = grade.factor();
        Self { low: min / f, central: (min * max).sqrt(), high: max * f }
    }

    /// The same range in another unit.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        Self { low: self.low * by, central: self.central * by, high: self.high * by }
    }

    /// Sum of two ranges; bounds add, which is the cautious choice for estimates that share their errors.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            central: self.central + other.central,
            high: self.high + other.high,
        }
    }
}

/// The grade of the evidence behind a figure, best first (DESIGN section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Measured here: NVML, RAPL.
    A,
    /// Calibrated server: known power and throughput.
    B,
    /// Known model, accelerator and batch.
    C,
    /// A provider's closed model, by the EcoLogits method; or CPU time and a power model.
    D,
    /// Default of a whole class of models.
    E,
}

impl Grade {
    /// The factor by which a figure of this grade may be wrong either way.
    pub fn factor(self) -> f64 {
        match self {
            Self::A => 1.1,
            Self::B => 1.3,
            Self::C => 2.0,
            Self::D => 3.0,
            Self::E => 10.0,
        }
    }

    /// Its letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
        }
    }

    /// The worse of the two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_between_bounds_has_the_geometric_mean_at_its_centre() {
        let range = Range::between(1.0, 4.0, Grade::D);
        assert!((range.central - 2.0).abs() < 1e-12);
        assert!((range.low - 1.0 / 3.0).abs() < 1e-12 && (range.high - 12.0).abs() < 1e-12);
        assert_eq!(Grade::A.worse(Grade::D), Grade::D);
    }
}
