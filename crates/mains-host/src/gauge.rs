//! What one process used between two moments: processor time beside everyone's, and the energy of the packages
//! where RAPL shows it. An accelerator is not asked: the local engine runs on the processor alone.

use crate::sensors::{Rapl, RaplReading};
use std::path::{Path, PathBuf};

/// Reads the counters of one process and of the machine.
#[derive(Debug, Clone)]
pub struct Gauge {
    /// Where the system shows processes.
    processes: PathBuf,
    rapl: Option<Rapl>,
    ticks_per_s: f64,
}

/// What the counters showed at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    process_ticks: u64,
    all_ticks: u64,
    packages: Option<RaplReading>,
}

/// What was used between two moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// Processor seconds of the process.
    pub cpu_s: f64,
    /// Processor seconds of everything that ran.
    pub all_cpu_s: f64,
    /// Joules of all processor packages; `None` without a sensor that may be read.
    pub packages_j: Option<f64>,
}

impl Gauge {
    /// The counters of this machine.
    pub fn find() -> Self {
        #[cfg(unix)]
        let ticks_per_s = rustix::param::clock_ticks_per_second() as f64;
        #[cfg(not(unix))]
        let ticks_per_s = 100.0;
        Self { processes: PathBuf::from("/proc"), rapl: Rapl::find(), ticks_per_s }
    }

    /// Reads them for one process; `None` where the system does not show them, or the process is gone.
    pub fn mark(&self, process: u32) -> Option<Mark> {
        let text = |path: &Path| std::fs::read_to_string(path).ok();
        let own = text(&self.processes.join(process.to_string()).join("stat"))?;
        let all = text(&self.processes.join("stat"))?;
        Some(Mark {
            process_ticks: process_ticks(&own)?,
            all_ticks: all_ticks(&all)?,
            packages: self.rapl.as_ref().and_then(Rapl::read),
        })
    }

    /// What was used from one mark to the next.
    pub fn between(&self, earlier: &Mark, later: &Mark) -> Used {
        let seconds = |before: u64, after: u64| after.saturating_sub(before) as f64 / self.ticks_per_s;
        let packages = (self.rapl.as_ref(), earlier.packages.as_ref(), later.packages.as_ref());
        Used {
            cpu_s: seconds(earlier.process_ticks, later.process_ticks),
            all_cpu_s: seconds(earlier.all_ticks, later.all_ticks),
            packages_j: match packages {
                (Some(rapl), Some(before), Some(after)) => Some(rapl.between(before, after).0),
                _ => None,
            },
        }
    }
}

/// User and system time of a process, fields 14 and 15 of `/proc/PID/stat` (proc(5)); the name in field 2 may hold
/// spaces and brackets, so counting begins behind its last bracket.
fn process_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Time of all processors that was neither idle nor waiting: user, nice, system, irq and softirq of the first line
/// of `/proc/stat` (proc(5)). Guests are counted within user and nice; stolen time was somebody else's.
fn all_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_ascii_whitespace().map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, irq, softirq, ..] = fields.as_slice() else { return None };
    Some(user + nice + system + irq + softirq)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(root: &Path, own: (u64, u64), all: &str) {
        let folder = root.join("7");
        std::fs::create_dir_all(&folder).unwrap();
        let (user, system) = own;
        let line =
            format!("7 (a (b) c) S 1 7 7 0 -1 4194560 101 0 0 0 {user} {system} 0 0 20 0 4 0 55 9 9\n");
        std::fs::write(folder.join("stat"), line).unwrap();
        std::fs::write(root.join("stat"), format!("cpu  {all}\ncpu0 1 1 1 1\n")).unwrap();
    }

    #[test]
    fn a_process_is_charged_its_own_time_beside_everyones() {
        let root = tempfile::tempdir().unwrap();
        let gauge = Gauge { processes: root.path().into(), rapl: None, ticks_per_s: 100.0 };
        show(root.path(), (100, 20), "1000 5 200 90000 30 1 2 400 0 0");
        let earlier = gauge.mark(7).unwrap();
        show(root.path(), (250, 30), "1300 5 300 99999 99 1 2 999 0 0");
        let later = gauge.mark(7).unwrap();
        let used = gauge.between(&earlier, &later);
        assert_eq!(used, Used { cpu_s: 1.6, all_cpu_s: 4.0, packages_j: None });
        assert_eq!(gauge.mark(8), None);
    }

    #[test]
    fn this_process_can_be_marked_where_the_system_shows_it() {
        let gauge = Gauge::find();
        let mark = gauge.mark(std::process::id());
        assert_eq!(mark.is_some(), Path::new("/proc/self/stat").exists());
    }

    #[test]
    fn nonsense_is_no_mark() {
        for text in ["", "7 (x", "7 (x) S 1 2", "cpu x", "cpu  1 2 3"] {
            assert_eq!((process_ticks(text), all_ticks(text)), (None, None), "{text}");
        }
    }
}
