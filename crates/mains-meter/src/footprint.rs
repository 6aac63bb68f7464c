//! Energy, carbon and water of one answer, as ranges with one grade.

use crate::ecologits::{Impact, Mix, Site};
use mains_units::{Amounts, Grade, Quantity, Range};
use serde::{Deserialize, Serialize};

/// Joules in a kilowatt-hour.
pub const JOULES_PER_KWH: f64 = 3.6e6;

/// What one answer burned, with the grade of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Footprint {
    /// Energy at the plug, joules.
    pub energy_j: Range,
    /// Greenhouse gases, use and making of the hardware together, grams of CO2 equivalent.
    pub co2_g: Range,
    /// Water on and off site, litres.
    pub water_l: Range,
    /// Grade of the evidence; the ranges are already widened by its factor.
    pub grade: Grade,
}

impl Footprint {
    /// From the low and the high end of the EcoLogits method.
    pub fn from_impacts(low: &Impact, high: &Impact, grade: Grade) -> Self {
        Self {
            energy_j: Range::between(low.energy_kwh, high.energy_kwh, grade).scaled(JOULES_PER_KWH),
            co2_g: Range::between(low.gwp_kg(), high.gwp_kg(), grade).scaled(1_000.0),
            water_l: Range::between(low.water_l, high.water_l, grade),
            grade,
        }
    }

    /// From energy that this machine used: carbon and water follow from grid and site. The making of the
    /// hardware is not in it, since nothing is known of it.
    pub fn from_it_energy(it_joules: Range, site: &Site, mix: &Mix, grade: Grade) -> Self {
        let kwh = it_joules.scaled(1.0 / JOULES_PER_KWH);
        let pue = (site.pue.min * site.pue.max).sqrt();
        let wue = f64::midpoint(site.wue_l.min, site.wue_l.max);
        Self {
            energy_j: it_joules.scaled(pue),
            co2_g: kwh.scaled(pue * mix.gwp_kg * 1_000.0),
            water_l: kwh.scaled(wue + pue * mix.water_l),
            grade,
        }
    }

    /// The upper ends as integers for a budget: mJ, µgCO2e, µL, rounded up.
    pub fn upper(&self, amounts: Amounts) -> Amounts {
        amounts
            .with(Quantity::Energy, up(self.energy_j.high * 1e3))
            .with(Quantity::Carbon, up(self.co2_g.high * 1e6))
            .with(Quantity::Water, up(self.water_l.high * 1e6))
    }

    /// The central values as integers for a budget: mJ, µgCO2e, µL, rounded up.
    pub fn central(&self, amounts: Amounts) -> Amounts {
        amounts
            .with(Quantity::Energy, up(self.energy_j.central * 1e3))
            .with(Quantity::Carbon, up(self.co2_g.central * 1e6))
            .with(Quantity::Water, up(self.water_l.central * 1e6))
    }

    /// Sum of two footprints; the grade is the worse of the two.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            energy_j: self.energy_j.plus(other.energy_j),
            co2_g: self.co2_g.plus(other.co2_g),
            water_l: self.water_l.plus(other.water_l),
            grade: self.grade.worse(other.grade),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer cast saturates, and amounts are not negative"
)]
fn up(value: f64) -> u64 {
    value.ceil() as u64
}
