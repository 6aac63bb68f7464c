//! What this machine draws, where it can be measured: RAPL for processors, NVML's figures for accelerators.
//!
//! A sensor that is missing, or that the user may not read, is no sensor: nothing is guessed here.

use mains_units::Joules;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Linux shows RAPL.
const POWERCAP: &str = "/sys/class/powercap";

/// The energy counters of all processor packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rapl {
    packages: Vec<Package>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    counter: PathBuf,
    /// The counter begins again from zero after this many microjoules.
    range_uj: u64,
}

/// What all counters showed at one moment, in microjoules, package by package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaplReading(Vec<u64>);

impl Rapl {
    /// The counters of this machine; `None` where there are none or the user may not read them (since
    /// 2020 most systems let only root, because they tell too much about other programs).
    pub fn find() -> Option<Self> {
        Self::below(Path::new(POWERCAP))
    }

    fn below(root: &Path) -> Option<Self> {
        let mut packages = Vec::new();
        for entry in std::fs::read_dir(root).ok()?.flatten() {
            let zone = entry.path();
            // Sub-zones (cores, memory) are counted within their package; `psys` counts it once more.
            let is_package = std::fs::read_to_string(zone.join("name"))
                .is_ok_and(|name| name.trim().starts_with("package-"));
            if !is_package {
                continue;
            }
            let counter = zone.join("energy_uj");
            number(&counter)?;
            let range_uj = number(&zone.join("max_energy_range_uj"))?;
            packages.push(Package { counter, range_uj });
        }
        packages.sort_by(|a, b| a.counter.cmp(&b.counter));
        (!packages.is_empty()).then_some(Self { packages })
    }

    /// How many packages are counted.
    pub fn packages(&self) -> usize {
        self.packages.len()
    }

    /// Reads all counters.
    pub fn read(&self) -> Option<RaplReading> {
        self.packages.iter().map(|package| number(&package.counter)).collect::<Option<_>>().map(RaplReading)
    }

    /// The energy between two readings. A counter that began again in between is taken to have done so once:
    /// at 200 watts one lap takes more than twenty minutes.
    pub fn between(&self, earlier: &RaplReading, later: &RaplReading) -> Joules {
        let laps = self.packages.iter().zip(earlier.0.iter().zip(&later.0));
        let microjoules: u64 = laps
            .map(|(package, (before, after))| match after.checked_sub(*before) {
                Some(used) => used,
                None => package.range_uj.saturating_sub(*before).saturating_add(*after),
            })
            .sum();
        Joules(microjoules as f64 / 1e6)
    }
}

fn number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// An accelerator and what it draws now.
#[derive(Debug, Clone, PartialEq)]
pub struct Accelerator {
    /// Its name, as the driver says it.
    pub name: String,
    /// Watts of the whole board now; `None` where it has no sensor.
    pub watts: Option<f64>,
}

/// The NVIDIA accelerators of this machine, asked through `nvidia-smi`, the driver's own reader of NVML: calling
/// NVML itself needs code that this room may not have. None where there is no driver.
pub fn accelerators() -> Vec<Accelerator> {
    let asked = Command::new("nvidia-smi")
        .args(["--query-gpu=name,power.draw.instant", "--format=csv,noheader,nounits"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match asked {
        Ok(output) if output.status.success() => read_accelerators(&String::from_utf8_lossy(&output.stdout)),
        _ => Vec::new(),
    }
}

fn read_accelerators(text: &str) -> Vec<Accelerator> {
    let lines = text.lines().filter_map(|line| line.rsplit_once(','));
    lines
        .map(|(name, watts)| Accelerator {
            name: name.trim().to_owned(),
            watts: watts.trim().parse().ok().filter(|watts: &f64| watts.is_finite()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(root: &Path, folder: &str, name: &str, energy: &str) {
        let zone = root.join(folder);
        std::fs::create_dir_all(&zone).unwrap();
        std::fs::write(zone.join("name"), format!("{name}\n")).unwrap();
        std::fs::write(zone.join("energy_uj"), energy).unwrap();
        std::fs::write(zone.join("max_energy_range_uj"), "1000000000\n").unwrap();
    }

    #[test]
    fn packages_are_counted_once_and_a_lap_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        zone(root.path(), "intel-rapl:0", "package-0", "999000000\n");
        zone(root.path(), "intel-rapl:0:0", "core", "5\n");
        zone(root.path(), "intel-rapl:1", "package-1", "10\n");
        zone(root.path(), "intel-rapl:2", "psys", "7\n");
        let rapl = Rapl::below(root.path()).unwrap();
        assert_eq!(rapl.packages(), 2);
        let earlier = rapl.read().unwrap();
        zone(root.path(), "intel-rapl:0", "package-0", "2000000\n");
        zone(root.path(), "intel-rapl:1", "package-1", "500010\n");
        let later = rapl.read().unwrap();
        assert!((rapl.between(&earlier, &later).0 - 3.5).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_read_is_no_sensor() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Rapl::below(root.path()), None);
        assert_eq!(Rapl::below(&root.path().join("absent")), None);
        zone(root.path(), "intel-rapl:0", "package-0", "");
        assert_eq!(Rapl::below(root.path()), None);
    }

    #[test]
    fn a_board_without_a_sensor_is_unknown_not_zero() {
        let read = read_accelerators("NVIDIA H100 80GB HBM3, 69.12\nTesla, Model K, [N/A]\nnonsense\n");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].watts, Some(69.12));
        assert_eq!((read[1].name.as_str(), read[1].watts), ("Tesla, Model K", None));
    }
}
