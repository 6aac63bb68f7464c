//! The example application that is scanned when no path is given; it is part of the binary.

use mains_catalog::Catalog;
use mains_scan::Detector;
use mains_scan::report::{Options, Report, Walked};
use mains_units::Day;

/// The files of `examples/app`.
const FILES: &[(&str, &str)] = &[
    (".env", include_str!("../../../../../examples/app/.env")),
    ("assistant.py", include_str!("../../../../../examples/app/assistant.py")),
    ("package.json", include_str!("../../../../../examples/app/package.json")),
    ("requirements.txt", include_str!("../../../../../examples/app/requirements.txt")),
    ("src/clips.ts", include_str!("../../../../../examples/app/src/clips.ts")),
];

/// Scans it from memory.
pub(super) fn scan(as_of: Day, horizon_days: i64, catalog: &Catalog) -> Report {
    let detector = Detector::new(catalog);
    let findings: Vec<_> =
        FILES.iter().map(|(path, text)| detector.scan_file(path, text.as_bytes())).collect();
    let walked = Walked {
        files: FILES.len() as u64,
        bytes: FILES.iter().map(|(_, text)| text.len() as u64).sum(),
        ..Walked::default()
    };
    let meter = mains_meter::Meter::new(catalog);
    let energy = |host: &str, id: &str| super::super::scan::energy(catalog, meter, host, id);
    Report::build(&findings, walked, catalog, &Options { as_of, horizon_days, energy: Some(&energy) })
}
