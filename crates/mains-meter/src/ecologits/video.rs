//! Text-to-video: a latency regression per model (Jegham et al. 2026, arXiv 2607.04553) times the power of
//! the whole machine, one request at a time.

use super::{Bounds, Embodied, Impact, Mix, Site};

/// Coefficients of the latency regression, seconds. With `F` frames, area `A` in pixels and
/// `T = A * F / 1000`: `n F A² + m T + m1 F + m2 A² + n1 F² + n2 T² + g`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Regression {
    /// Weight of frames times squared area.
    pub n: f64,
    /// Weight of thousands of pixels.
    pub m: f64,
    /// Weight of frames.
    pub m1: f64,
    /// Weight of squared area.
    pub m2: f64,
    /// Weight of squared frames.
    pub n1: f64,
    /// Weight of squared thousands of pixels.
    pub n2: f64,
    /// Constant.
    pub g: f64,
    /// Factor where no sound is made.
    pub silent_weight: f64,
}

/// The machine that makes the video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Power of the whole machine, 2.5th and 97.5th percentile, watts.
    pub watts: Bounds,
    /// Accelerators in it.
    pub accelerators: f64,
    /// Making of the machine without accelerators.
    pub server: Embodied,
    /// Making of one accelerator.
    pub accelerator: Embodied,
}

/// One clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Pixels across.
    pub width: f64,
    /// Pixels down.
    pub height: f64,
    /// Seconds of video, at 24 frames a second.
    pub seconds: f64,
    /// Whether sound is made too.
    pub sound: bool,
}

/// Time to make the clip, seconds.
pub fn latency_s(regression: &Regression, clip: &Clip) -> f64 {
    let r = regression;
    let frames = (24.0 * clip.seconds + 1.0).trunc();
    let area = clip.width * clip.height;
    let kilopixels = area * frames / 1000.0;
    let silent = r.n * frames * area * area
        + r.m * kilopixels
        + r.m1 * frames
        + r.m2 * area * area
        + r.n1 * frames * frames
        + r.n2 * kilopixels * kilopixels
        + r.g;
    if clip.sound { silent } else { silent * r.silent_weight }
}

/// Runs the method at the low and at the high end of its inputs.
pub fn request(
    regression: &Regression,
    machine: &Machine,
    clip: &Clip,
    site: &Site,
    mix: &Mix,
) -> (Impact, Impact) {
    let latency_s = latency_s(regression, clip);
    let embodied =
        machine.server.machine(1.0, machine.accelerator, machine.accelerators).share(latency_s, 1.0);
    let at = |watts: f64, pue: f64, wue_l: f64| {
        Impact::of(latency_s / 3600.0 * watts / 1000.0, pue, wue_l, mix, embodied)
    };
    (at(machine.watts.min, site.pue.min, site.wue_l.min), at(machine.watts.max, site.pue.max, site.wue_l.max))
}
