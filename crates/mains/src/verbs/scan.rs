//! `mains scan`: what a code base asks of AI, what of it dies when, and the backup plan.

use crate::cli::{ReportFormat, Scan};
use crate::print::{self, Ended, Trouble};
use mains_catalog::{Catalog, ModelKind};
use mains_host::files::{Access, write_atomic};
use mains_meter::ecologits::video::Clip;
use mains_meter::{Answer, Meter};
use mains_scan::report::{Energy, Options, Report, Style, Unread, Walked};
use mains_scan::{Detector, plan_toml};
use mains_units::{Day, Usage};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The answer by which models are compared: the sample size of the meter's method.
const ANSWER: Usage = Usage { input: 1_000, output: 400, cached_read: 0, cached_write: 0, reasoning: 0 };
/// The clip by which video models are compared: the shortest that most of them make.
const CLIP: Clip = Clip { width: 1280.0, height: 720.0, seconds: 8.0, sound: true };
/// Places of one model on the page; all of them with `--all`.
const PLACES: usize = 4;

pub(crate) fn run(arguments: &Scan) -> Result<Ended, Trouble> {
    let as_of = super::as_of(arguments.as_of.as_deref())?;
    if let Some(plan) = &arguments.write {
        // Said before the work, not after it.
        refuse_to_overwrite(plan, arguments.force)?;
    }
    let clock = mains_host::Clock::start();
    let start = clock.monotonic();
    let catalog = Catalog::builtin();
    let report = scan(&arguments.path, as_of, i64::from(arguments.horizon), catalog)?;
    let took = clock.monotonic().since(start);
    let format = if arguments.json { ReportFormat::Json } else { arguments.format };
    print::data(&rendered(&report, format, arguments.all));
    if let Some(plan) = &arguments.write {
        write_plan(plan, &report, catalog)?;
    }
    let walked = &report.walked;
    print::say(&format!(
        "{}, {:.1} MB in {:.2} s",
        print::plural(walked.files, "file"),
        walked.bytes as f64 / 1e6,
        took.as_s_f64()
    ));
    let findings = report.exit_code() != 0 && !arguments.exit_zero;
    Ok(if findings { Ended::Findings } else { Ended::Clean })
}

/// Walks, reads and judges a tree.
pub(crate) fn scan(path: &Path, as_of: Day, horizon_days: i64, catalog: &Catalog) -> Result<Report, Trouble> {
    let detector = Detector::new(catalog);
    let read = AtomicU64::new(0);
    let walk = print::while_watched(
        || format!("{} read", print::plural(read.load(Ordering::Relaxed), "file")),
        || {
            mains_host::walk::walk(path, |path, bytes| {
                read.fetch_add(1, Ordering::Relaxed);
                let findings = detector.scan_file(path, bytes);
                (!findings.is_empty() || !findings.ignores.is_empty()).then_some(findings)
            })
        },
    )?;
    let walked = Walked {
        files: walk.files,
        bytes: walk.bytes,
        skipped: walk.skipped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
        unread: walk.unread.into_iter().map(|(path, reason)| Unread { path, reason }).collect(),
    };
    let findings: Vec<_> = walk.found.into_iter().map(|(_, findings)| findings).collect();
    let meter = Meter::new(catalog);
    let energy = |host: &str, id: &str| energy(catalog, meter, host, id);
    let options = Options { as_of, horizon_days, energy: Some(&energy) };
    Ok(Report::build(&findings, walked, catalog, &options))
}

/// Energy of a thousand answers, or of a thousand clips. The meter's method is about text and video; of
/// other kinds it says nothing, and neither do we.
pub(super) fn energy(catalog: &Catalog, meter: Meter<'_>, host: &str, id: &str) -> Option<Energy> {
    let footprint = match catalog.model(host, id)?.kind {
        ModelKind::Chat | ModelKind::Completion => {
            let answer = Answer { host, model: id, usage: ANSWER, latency_s: None, zone: None };
            meter.footprint(&answer)
        }
        ModelKind::Video => meter.video(id, &CLIP, None),
        _ => None,
    }?;
    Some(Energy { joules_per_1000: footprint.energy_j.scaled(1_000.0), grade: footprint.grade })
}

fn rendered(report: &Report, format: ReportFormat, all: bool) -> String {
    match format {
        ReportFormat::Json => report.to_json(),
        ReportFormat::Sarif => report.to_sarif(),
        ReportFormat::Markdown => report.to_markdown(),
        ReportFormat::Text => {
            let places = if all { usize::MAX } else { PLACES };
            let style = Style { colour: print::stdout_has_color(), width: print::width(), places };
            let mut page = report.to_text(&style);
            if all {
                page.push_str(&aside(report));
            }
            page
        }
    }
}

/// What counts for nothing: models of tests and examples, ignored places, lists, names only spoken of.
fn aside(report: &Report) -> String {
    let mut page = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            page.extend(["\n", &print::bold(title), "\n  ", &lines.join("\n  "), "\n"]);
        }
    };
    let elsewhere = report.models.iter().filter(|group| !group.is_asked_for());
    let elsewhere = elsewhere.flat_map(|group| {
        let ends = group.ends_on.map_or_else(String::new, |day| format!(" {day}"));
        group.places.iter().map(move |at| {
            let ignored = at.ignored.as_ref().map_or_else(String::new, |why| format!(" [ignored: {why}]"));
            format!(
                "{} {}{ends}  {}:{}:{}  {}{ignored}",
                group.state,
                group.name(),
                at.file,
                at.line,
                at.column,
                at.why
            )
        })
    });
    section("asked for in tests, examples and ignored places", elsewhere.collect());
    let lists = report.lists.iter().flat_map(|list| {
        let of = |state: &'static str, ids: &[String]| {
            ids.iter().map(|id| format!("{state} {id}  {}:{}", list.file, list.line)).collect::<Vec<_>>()
        };
        [of("dead", &list.retired), of("dying", &list.retiring)].concat()
    });
    section("in lists", lists.collect());
    let mentions = report.mentions.iter().map(|mention| {
        format!(
            "{}  {}, first at {}",
            mention.id,
            print::plural(mention.places as u64, "place"),
            mention.first
        )
    });
    section("only spoken of", mentions.collect());
    page
}

fn refuse_to_overwrite(plan: &Path, force: bool) -> Result<(), Trouble> {
    if !force && plan.symlink_metadata().is_ok() {
        return Err(Trouble::new(format!("`{}` is there already", plan.display()))
            .hint("`--force` overwrites it, or name another file"));
    }
    Ok(())
}

fn write_plan(path: &Path, report: &Report, catalog: &Catalog) -> Result<(), Trouble> {
    let text = plan_toml(report, catalog);
    let shown = path.display();
    let settings = mains_config::parse(&text, &shown.to_string())
        .map_err(|errors| Trouble::rendered(format!("the plan does not read back:\n{errors}")))?;
    write_atomic(path, text.as_bytes(), Access::Usual)?;
    print::say(&format!(
        "wrote {shown}: {} to {}",
        print::plural(settings.routes.len() as u64, "route"),
        print::plural(settings.upstreams.len() as u64, "upstream"),
    ));
    Ok(())
}
