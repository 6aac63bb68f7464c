//! What a scan says about files of every language, about the traps met in real code, and in every format.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod golden;
mod languages;
mod laws;
mod plan;
mod traps;

use mains_catalog::Catalog;
use mains_scan::report::{Options, Report, Walked};
use mains_scan::{Class, Detector, FileFindings, Signal};
use mains_units::Day;
use std::sync::OnceLock;

/// The day as of which the tests judge.
fn as_of() -> Day {
    Day::parse("2026-11-24").unwrap()
}

fn detector() -> &'static Detector<'static> {
    static DETECTOR: OnceLock<Detector<'static>> = OnceLock::new();
    DETECTOR.get_or_init(|| Detector::new(Catalog::builtin()))
}

fn scan(path: &str, text: &str) -> FileFindings {
    detector().scan_file(path, text.as_bytes())
}

/// The report over files given as (path, text).
fn report(files: &[(&str, &str)]) -> Report {
    let findings: Vec<FileFindings> = files.iter().map(|(path, text)| scan(path, text)).collect();
    let bytes = files.iter().map(|(_, text)| text.len() as u64).sum();
    let walked = Walked { files: files.len() as u64, bytes, ..Walked::default() };
    let options = Options { as_of: as_of(), horizon_days: 90, energy: None };
    Report::build(&findings, walked, Catalog::builtin(), &options)
}

/// Every model sighting as `class line:column text`, in order.
fn models(path: &str, text: &str) -> Vec<String> {
    let class = |class| match class {
        Class::Use => "use",
        Class::List => "list",
        Class::Mention => "mention",
    };
    let findings = scan(path, text);
    for sighting in &findings.sightings {
        let cut = &text.as_bytes()[sighting.place.start..sighting.place.end];
        assert_eq!(cut, sighting.text.as_bytes(), "the span holds the text");
    }
    let models = findings.sightings.iter().filter(|s| matches!(s.signal, Signal::Model { .. }));
    models.map(|s| format!("{} {}:{} {}", class(s.class), s.place.line, s.place.column, s.text)).collect()
}

/// Asserts the model sightings of one file.
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(models(path, text), expected, "{path}:\n{text}");
}
