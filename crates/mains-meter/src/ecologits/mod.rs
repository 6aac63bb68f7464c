//! The EcoLogits method, version 0.11.3: energy, carbon and water of one request to a closed model.
//!
//! It is a conformance method, not a measurement: against measured H100 text runs it is within a factor of
//! two only about half of the time, so its figures carry grade D and are never printed without a range.
//! Formulas and constants were read from the Python package `ecologits` 0.11.3 (methodology CC BY-SA 4.0) on
//! 2026-11-24 and are checked row by row against figures computed with that package (`tests/data`).
//!
//! `text` answers for language models, `video` for text-to-video models.

pub mod text;
pub mod video;

/// Lower and upper end of an input or a result of the method, before any grade widens it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Lower end.
    pub min: f64,
    /// Upper end.
    pub max: f64,
}

impl Bounds {
    /// A value known exactly.
    pub fn exactly(value: f64) -> Self {
        Self { min: value, max: value }
    }
}

/// What one kilowatt-hour from the grid brings with it. Average mix, for accounting (never for shifting).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// kgCO2e per kWh.
    pub gwp_kg: f64,
    /// Abiotic resource depletion, kgSbeq per kWh.
    pub adpe_kg: f64,
    /// Primary energy, MJ per kWh.
    pub primary_mj: f64,
    /// Water used off site to make the electricity, litres per kWh of facility energy.
    pub water_l: f64,
}

/// The building: how much energy and water it adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// Power usage effectiveness.
    pub pue: Bounds,
    /// Water used on site, litres per kWh of IT energy.
    pub wue_l: Bounds,
}

/// Lifetime over which the making of the hardware is spread, seconds (three years).
const HARDWARE_LIFETIME_S: f64 = 3.0 * 365.0 * 24.0 * 3600.0;

/// What making the hardware cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Embodied {
    /// kgCO2e.
    pub gwp_kg: f64,
    /// Abiotic resource depletion, kgSbeq.
    pub adpe_kg: f64,
    /// Primary energy, MJ.
    pub primary_mj: f64,
}

impl Embodied {
    /// `servers` of `self` and `accelerators` of another.
    fn machine(self, servers: f64, accelerator: Self, accelerators: f64) -> Self {
        let sum = |server: f64, each: f64| servers * server + accelerators * each;
        Self {
            gwp_kg: sum(self.gwp_kg, accelerator.gwp_kg),
            adpe_kg: sum(self.adpe_kg, accelerator.adpe_kg),
            primary_mj: sum(self.primary_mj, accelerator.primary_mj),
        }
    }

    /// The share of a request that occupied the hardware for so many seconds, one of `batch`.
    fn share(self, seconds: f64, batch: f64) -> Self {
        let of = |whole: f64| seconds * whole / (HARDWARE_LIFETIME_S * batch);
        Self { gwp_kg: of(self.gwp_kg), adpe_kg: of(self.adpe_kg), primary_mj: of(self.primary_mj) }
    }
}

/// Result of the method at one end of its inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impact {
    /// Energy at the plug of the data centre, kWh.
    pub energy_kwh: f64,
    /// Energy of the machines alone, kWh.
    pub it_energy_kwh: f64,
    /// kgCO2e of use.
    pub use_gwp_kg: f64,
    /// kgSbeq of use.
    pub use_adpe_kg: f64,
    /// Primary energy of use, MJ.
    pub use_primary_mj: f64,
    /// Water on and off site, litres.
    pub water_l: f64,
    /// Making of the hardware, this request's share.
    pub embodied: Embodied,
}

impl Impact {
    /// kgCO2e of use and of making together.
    pub fn gwp_kg(&self) -> f64 {
        self.use_gwp_kg + self.embodied.gwp_kg
    }

    /// Use phase from IT energy.
    fn of(it_energy_kwh: f64, pue: f64, wue_l: f64, mix: &Mix, embodied: Embodied) -> Self {
        let energy_kwh = pue * it_energy_kwh;
        Self {
            energy_kwh,
            it_energy_kwh,
            use_gwp_kg: energy_kwh * mix.gwp_kg,
            use_adpe_kg: energy_kwh * mix.adpe_kg,
            use_primary_mj: energy_kwh * mix.primary_mj,
            // On-site water multiplies IT energy, off-site water multiplies facility energy.
            water_l: it_energy_kwh * (wue_l + pue * mix.water_l),
            embodied,
        }
    }
}
