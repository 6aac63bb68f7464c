//! Walks a folder, scans it and prints the report, with the time of each step on stderr: a stopwatch for
//! `bench/scan.sh` and a way to look at a scan without the whole binary.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch reads the clock")]

use mains_catalog::Catalog;
use mains_scan::Detector;
use mains_scan::report::{Options, Report, Style, Unread, Walked};
use mains_units::Day;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().unwrap_or_else(|| ".".to_owned());
    let format = arguments.next().unwrap_or_else(|| "text".to_owned());
    let as_of = arguments.next().and_then(|day| Day::parse(&day)).or(Day::parse("2026-11-24"));
    let as_of = as_of.ok_or("no day")?;
    let start = Instant::now();
    let catalog = Catalog::builtin();
    let read = start.elapsed();
    let detector = Detector::new(catalog);
    let built = start.elapsed();
    let walk = mains_host::walk::walk(root.as_ref(), |path, bytes| {
        let findings = detector.scan_file(path, bytes);
        (!findings.is_empty() || !findings.ignores.is_empty()).then_some(findings)
    })?;
    let walked_at = start.elapsed();
    let skipped = walk.skipped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
    let unread = walk.unread.into_iter().map(|(path, reason)| Unread { path, reason }).collect();
    let walked = Walked { files: walk.files, bytes: walk.bytes, skipped, unread };
    let findings: Vec<_> = walk.found.into_iter().map(|(_, findings)| findings).collect();
    let options = Options { as_of, horizon_days: 90, energy: None };
    let report = Report::build(&findings, walked, catalog, &options);
    let text = match format.as_str() {
        "json" => report.to_json(),
        "jsonl" => report.to_json_lines(),
        "sarif" => report.to_sarif(),
        "markdown" => report.to_markdown(),
        _ => report.to_text(&Style { width: 120, ..Style::default() }),
    };
    let done = start.elapsed();
    print!("{text}");
    let (words, size) = detector.size();
    eprintln!(
        "catalogue {read:?}, automaton {:?} ({words} words, {} KiB), walk and scan {:?}, report {:?}, all {done:?}",
        built.saturating_sub(read),
        size / 1024,
        walked_at.saturating_sub(built),
        done.saturating_sub(walked_at)
    );
    Ok(())
}
