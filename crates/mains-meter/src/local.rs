//! What this machine used for an answer of a local model.
//!
//! With a sensor (RAPL, NVML) the joules are measured and shared by time on the processor: grade A. Without
//! one they follow from processor time and a power model: grade D.

use mains_units::{Grade, Range};

/// Watts per hardware thread where nothing is known of the processor (CodeCarbon 3.3.2's default for an
/// unknown CPU; read 2026-11-24).
pub const UNKNOWN_WATTS_PER_THREAD: f64 = 4.0;

/// Least share of the thermal design power that a busy process is charged (CodeCarbon 3.3.2, process mode).
const LEAST_SHARE: f64 = 0.1;

/// A processor as the power model sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Processor {
    /// Thermal design power of the whole package, watts.
    pub watts: f64,
    /// Hardware threads that share it.
    pub threads: f64,
}

impl Processor {
    /// A processor of which only the number of threads is known.
    pub fn unknown(threads: f64) -> Self {
        Self { watts: UNKNOWN_WATTS_PER_THREAD * threads, threads }
    }
}

/// Joules of an answer from processor time: `max(watts * load, 0.1 * watts) * wall`, where
/// `load = cpu / (wall * threads)` (CodeCarbon 3.3.2's formula for one process). Grade D.
pub fn from_processor_time(processor: Processor, cpu_s: f64, wall_s: f64) -> (Range, Grade) {
    let available = wall_s * processor.threads;
    let load = if available > 0.0 { (cpu_s / available).min(1.0) } else { 0.0 };
    let joules = (processor.watts * load).max(LEAST_SHARE * processor.watts) * wall_s;
    (Range::around(joules, Grade::D), Grade::D)
}

/// Joules of an answer from a sensor of the whole package: `package * cpu / all_cpu`, where `all_cpu` is the
/// processor time of everything that ran in the same window (the rule of Scaphandre 1.0.0). Grade A.
/// `None` where nothing ran, or the window is empty.
pub fn from_sensor(package_j: f64, cpu_s: f64, all_cpu_s: f64) -> Option<(Range, Grade)> {
    (all_cpu_s > 0.0 && package_j > 0.0)
        .then(|| (Range::around(package_j * (cpu_s / all_cpu_s).min(1.0), Grade::A), Grade::A))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_of_two_threads_half_busy_is_charged_half() {
        let (joules, grade) = from_processor_time(Processor { watts: 20.0, threads: 2.0 }, 3.0, 3.0);
        assert_eq!(grade, Grade::D);
        assert!((joules.central - 30.0).abs() < 1e-9);
        let (idle, _) = from_processor_time(Processor { watts: 20.0, threads: 2.0 }, 0.0, 3.0);
        assert!((idle.central - 6.0).abs() < 1e-9);
    }

    #[test]
    fn a_sensor_is_shared_by_processor_time() {
        let (joules, _) = from_sensor(90.0, 1.0, 3.0).unwrap();
        assert!((joules.central - 30.0).abs() < 1e-9);
        assert!(from_sensor(0.0, 1.0, 3.0).is_none() && from_sensor(1.0, 0.0, 0.0).is_none());
    }
}
