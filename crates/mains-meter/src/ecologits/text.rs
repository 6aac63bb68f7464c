//! Text: tokens generated on 80 GB accelerators in servers of eight, a fixed batch, FP16 weights.
//!
//! The method ignores input tokens (prefill is free), which every explanation of a figure says.

use super::{Bounds, Embodied, Impact, Mix, Site};

/// The batch that the method assumes when it is not told, requests.
pub const DEFAULT_BATCH: f64 = 64.0;

/// A language model as the method sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// Active parameters, billions.
    pub active_b: Bounds,
    /// Total parameters, billions.
    pub total_b: Bounds,
    /// Output tokens per second where a measurement is known.
    pub tokens_per_s: Option<f64>,
    /// Time to first token where a measurement is known, seconds.
    pub first_token_s: Option<f64>,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Output tokens.
    pub output_tokens: f64,
    /// Measured time of the whole request, seconds; infinity where unknown.
    pub latency_s: f64,
    /// Requests served together.
    pub batch: f64,
}

/// Every intermediate value of the method at one end of its inputs, in the order of computation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// kWh per output token and accelerator.
    pub energy_per_token_kwh: f64,
    /// Time of generation, seconds.
    pub generation_s: f64,
    /// Memory for weights, GB.
    pub memory_gb: f64,
    /// Accelerators of 80 GB.
    pub accelerators: f64,
    /// Energy of the server without accelerators, this request's share, kWh.
    pub server_kwh: f64,
    /// Making of server and accelerators, whole, not this request's share.
    pub hardware: Embodied,
    /// The result.
    pub impact: Impact,
}

/// kWh·1000 per output token: `ALPHA * exp(BETA * batch) * active + GAMMA`.
const ALPHA: f64 = 1.166_527_317_045_191_4e-06;
const BETA: f64 = -0.011_205_921_025_579_175;
const GAMMA: f64 = 4.052_928_146_734_005e-05;
/// Seconds per output token: linear in active parameters and batch.
const LATENCY_PER_BILLION: f64 = 0.000_678_508_809_435_366_3;
const LATENCY_PER_REQUEST: f64 = 0.000_311_931_031_168_825_9;
const LATENCY_BASE: f64 = 0.019_473_717_579_473_387;
const ACCELERATOR_MEMORY_GB: f64 = 80.0;
const ACCELERATORS_PER_SERVER: f64 = 8.0;
const SERVER_KW: f64 = 1.2;
const WEIGHT_BITS: f64 = 16.0;
const MEMORY_OVERHEAD: f64 = 1.2;
/// Making of a server without accelerators.
const SERVER: Embodied = Embodied { gwp_kg: 5_700.0, adpe_kg: 0.37, primary_mj: 70_000.0 };
/// Making of one accelerator.
const ACCELERATOR: Embodied = Embodied { gwp_kg: 273.0, adpe_kg: 0.008_95, primary_mj: 3_721.0 };

/// Runs the method at the low and at the high end of its inputs.
pub fn request(model: &Model, request: &Request, site: &Site, mix: &Mix) -> (Steps, Steps) {
    (
        steps(model, model.active_b.min, model.total_b.min, request, (site.pue.min, site.wue_l.min), mix),
        steps(model, model.active_b.max, model.total_b.max, request, (site.pue.max, site.wue_l.max), mix),
    )
}

fn steps(
    model: &Model,
    active_b: f64,
    total_b: f64,
    request: &Request,
    (pue, wue_l): (f64, f64),
    mix: &Mix,
) -> Steps {
    let batch = request.batch;
    let energy_per_token_kwh = (ALPHA * (BETA * batch).exp() * active_b + GAMMA) / 1000.0;
    let token_s = model.tokens_per_s.map_or_else(
        || LATENCY_PER_BILLION * active_b + LATENCY_PER_REQUEST * batch + LATENCY_BASE,
        |tokens_per_s| 1.0 / tokens_per_s,
    );
    let modelled_s = request.output_tokens * token_s + model.first_token_s.unwrap_or(0.0);
    let generation_s = modelled_s.min(request.latency_s);
    let memory_gb = MEMORY_OVERHEAD * total_b * WEIGHT_BITS / 8.0;
    let accelerators = (memory_gb / ACCELERATOR_MEMORY_GB).ceil().log2().ceil().exp2();
    let share = accelerators / ACCELERATORS_PER_SERVER;
    let server_kwh = generation_s / 3600.0 * SERVER_KW * share / batch;
    let it_energy_kwh = server_kwh + accelerators * request.output_tokens * energy_per_token_kwh;
    let hardware = SERVER.machine(share, ACCELERATOR, accelerators);
    let embodied = hardware.share(generation_s, batch);
    let impact = Impact::of(it_energy_kwh, pue, wue_l, mix, embodied);
    Steps { energy_per_token_kwh, generation_s, memory_gb, accelerators, server_kwh, hardware, impact }
}

impl Model {
    /// A dense model whose parameter count is known exactly, billions.
    pub fn dense(parameters_b: f64) -> Self {
        let exactly = Bounds::exactly(parameters_b);
        Self { active_b: exactly, total_b: exactly, tokens_per_s: None, first_token_s: None }
    }
}
