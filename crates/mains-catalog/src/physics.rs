//! How big models are, what the grid emits, and where providers run: inputs of the meter.

use crate::host::list;
use crate::table::{Fields, Text};
use serde::Serialize;

/// A least and a greatest value; equal where the source gives one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// The size of a text model, by EcoLogits; in billions of parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameters {
    /// The provider, by our host ids where it is one (`openai`), else as the source has it.
    pub provider: Text,
    /// The model id.
    pub id: Text,
    /// Parameters used for each token, in billions.
    pub active: Bounds,
    /// All parameters, in billions.
    pub total: Bounds,
    /// Whether the maker published these counts; else they are the source's estimate.
    pub published: bool,
    /// Output tokens per second, as observed at the provider.
    pub tokens_per_second: Option<f64>,
    /// Time to first token in seconds, as observed at the provider.
    pub time_to_first_token_s: Option<f64>,
    /// The code of the source.
    pub source: Text,
}

/// A grid zone's average electricity mix, per kilowatt-hour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GridMix {
    /// The zone: an ISO 3166-1 alpha-3 country, or `WOR` for the world.
    pub zone: Text,
    /// Climate: kilograms of CO2 equivalent.
    pub gwp_kg: f64,
    /// Minerals and metals: kilograms of antimony equivalent.
    pub adpe_kg_sb: f64,
    /// Primary energy in megajoules.
    pub pe_mj: f64,
    /// Water used off site to generate it, in litres.
    pub wue_l: f64,
    /// Which of `adpe`, `pe`, `wue` are the world's average instead of the zone's.
    pub world_average: Vec<Text>,
    /// The code of the source.
    pub source: Text,
}

/// Where a provider's machines are assumed to stand, and how well they are run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SiteDefaults {
    /// The host.
    pub host: Text,
    /// The grid zone.
    pub zone: Text,
    /// Power usage effectiveness.
    pub pue: Bounds,
    /// Water used on site, litres per kilowatt-hour of IT energy.
    pub wue_l: Bounds,
    /// The code of the source.
    pub source: Text,
}

/// A machine that serves video models, by EcoLogits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hardware {
    /// Its name there.
    pub id: Text,
    /// Accelerators in it.
    pub accelerators: u32,
    /// Power of the whole machine in watts: 2.5th and 97.5th percentile.
    pub power_w: Bounds,
    /// Mean power of the whole machine in watts.
    pub power_mean_w: f64,
    /// Embodied in the server: kg CO2e, kg Sb eq, MJ.
    pub server_embodied: [f64; 3],
    /// Embodied in one accelerator: kg CO2e, kg Sb eq, MJ.
    pub accelerator_embodied: [f64; 3],
    /// The code of the source.
    pub source: Text,
}

/// A video model's latency regression, by EcoLogits (`notes/limits.md` section 1.2 has the formula).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VideoModel {
    /// The provider.
    pub provider: Text,
    /// The id there, with the provider in front.
    pub id: Text,
    /// The factors `n, m, m1, m2, n1, n2, g` in this order.
    pub regression: [f64; 7],
    /// The factor for clips without sound.
    pub non_audio_weight: f64,
    /// Whether it makes sound.
    pub audio: bool,
    /// The resolutions it makes: width and height.
    pub resolutions: Vec<(u32, u32)>,
    /// The clip lengths it makes, in frames.
    pub frames: Vec<u32>,
    /// The [`Hardware`] it is assumed to run on.
    pub hardware: Text,
    /// The code of the source.
    pub source: Text,
}

fn float(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// `4.2` or `1.09..1.14`.
pub(crate) fn bounds(text: &str) -> Bounds {
    match text.split_once("..") {
        Some((min, max)) => Bounds { min: float(min), max: float(max) },
        None => Bounds { min: float(text), max: float(text) },
    }
}

/// The columns of `parameters.csv`.
pub(crate) fn read_parameters(line: &'static str) -> Parameters {
    let mut fields = Fields::of(line);
    Parameters {
        provider: fields.text(),
        id: fields.text(),
        active: bounds(&fields.text()),
        total: bounds(&fields.text()),
        published: fields.text() == "yes",
        tokens_per_second: fields.text().parse().ok(),
        time_to_first_token_s: fields.text().parse().ok(),
        source: fields.text(),
    }
}

/// The columns of `mpl/grid.csv`.
pub(crate) fn read_grid(line: &'static str) -> GridMix {
    let mut fields = Fields::of(line);
    GridMix {
        zone: fields.text(),
        gwp_kg: float(&fields.text()),
        adpe_kg_sb: float(&fields.text()),
        pe_mj: float(&fields.text()),
        wue_l: float(&fields.text()),
        world_average: list(fields.text()),
        source: fields.text(),
    }
}

/// The columns of `sites.csv`.
pub(crate) fn read_site(line: &'static str) -> SiteDefaults {
    let mut fields = Fields::of(line);
    SiteDefaults {
        host: fields.text(),
        zone: fields.text(),
        pue: bounds(&fields.text()),
        wue_l: bounds(&fields.text()),
        source: fields.text(),
    }
}

/// The columns of `mpl/hardware.csv`.
pub(crate) fn read_hardware(line: &'static str) -> Hardware {
    let mut fields = Fields::of(line);
    let id = fields.text();
    let accelerators = fields.text().parse().unwrap_or(0);
    let power_w = bounds(&fields.text());
    let power_mean_w = float(&fields.text());
    let mut three = || [float(&fields.text()), float(&fields.text()), float(&fields.text())];
    let (server_embodied, accelerator_embodied) = (three(), three());
    let source = fields.text();
    Hardware { id, accelerators, power_w, power_mean_w, server_embodied, accelerator_embodied, source }
}

/// The columns of `mpl/video.csv`.
pub(crate) fn read_video(line: &'static str) -> VideoModel {
    let mut fields = Fields::of(line);
    let (provider, id) = (fields.text(), fields.text());
    let regression = std::array::from_fn(|_| float(&fields.text()));
    let non_audio_weight = float(&fields.text());
    let audio = fields.text() == "yes";
    let size = |text: &Text| {
        let (width, height) = text.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    };
    let resolutions = list(fields.text()).iter().filter_map(size).collect();
    let frames = list(fields.text()).iter().filter_map(|text| text.parse().ok()).collect();
    let (hardware, source) = (fields.text(), fields.text());
    VideoModel { provider, id, regression, non_audio_weight, audio, resolutions, frames, hardware, source }
}
