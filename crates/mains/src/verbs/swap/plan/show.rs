//! The plan for a terminal, and the command that comes next.

use super::Plan;
use super::candidate::{Candidate, Measured, Why};
use super::configured::Access;
use super::needs::Needs;
use super::subject::Subject;
use crate::cli::SwapPlan;
use crate::print;
use mains_catalog::{After, Catalog, Lifecycle};
use mains_meter::footprint::JOULES_PER_KWH;
use mains_units::{NanoUsd, Range, Timestamp};
use mains_wire::parameters::Effect;
use std::fmt::Write as _;

/// What stands in the table.
const LEGEND: &str = "list prices, where the configuration names no other; `no end`: none is announced; \
    `?`: the maker's day, which the platform may outlive";

/// Candidates that are shown without `--all`.
const SHOWN: usize = 8;

/// Candidates whose parameters are spelled out without `--all`.
const SPELLED: usize = 3;

pub(super) fn page(plan: &Plan<'_>, all: bool) -> String {
    let mut page = head(plan);
    let (able, lacking): (Vec<&Candidate<'_>>, Vec<&Candidate<'_>>) =
        plan.candidates.iter().partition(|candidate| candidate.is_capable());
    let shown = if all { able.len() } else { able.len().min(SHOWN) };
    if able.is_empty() {
        let _ = writeln!(
            page,
            "\n{}",
            print::bad("no candidate that the catalogue knows can do what these requests need")
        );
    } else {
        page.push('\n');
        page.push_str(&table(plan, &able[..shown]));
        let _ = writeln!(page, "\nper {}\n{LEGEND}", plan.mix.words());
        if shown < able.len() {
            let _ = writeln!(page, "{} more can do it; `--all` lists them", able.len() - shown);
        }
    }
    for candidate in able.iter().take(if all { able.len() } else { SPELLED }) {
        page.push_str(&notes(plan, candidate));
    }
    page.push_str(&without(&lacking, all));
    if let Some(labels) = &plan.labels {
        let _ = writeln!(page, "\na small labeller may do: {}", labels.because);
    }
    if let Some(next) = &plan.next {
        let _ = writeln!(page, "\n{}\n  {next}", print::bold("next"));
    }
    page
}

/// What is to be replaced, and what the requests need.
fn head(plan: &Plan<'_>) -> String {
    let subject = &plan.subject;
    let mut head = print::bold(&format!("{} at {}", subject.model.id, subject.host.id));
    let life = match &subject.lifecycle {
        Lifecycle::Dying { on, after, .. } => {
            let days = print::plural(plan.as_of.days_until(*on).unsigned_abs(), "day");
            print::bad(&format!("ends {on}, in {days}{}", afterwards(after)))
        }
        Lifecycle::Retired { since, after, .. } => print::bad(&format!("ended {since}{}", afterwards(after))),
        Lifecycle::MayEndAnyDay { not_sooner_than, .. } => {
            print::bad(&format!("may end any day since {not_sooner_than}"))
        }
        Lifecycle::Deprecated { .. } => print::bad("its end is announced without a day"),
        Lifecycle::Alive { .. } | Lifecycle::Unknown { .. } => "no end is announced".into(),
    };
    let _ = write!(head, ": {life}");
    if let Some(route) = &subject.route {
        let _ = write!(head, "; first target of the route `{route}`");
    }
    let _ = writeln!(head, "\n{}", needs(&plan.needs));
    head
}

fn afterwards(after: &After<'_>) -> String {
    match after {
        After::Fails => "; after that requests fail".into(),
        After::Redirects { to, .. } => format!("; after that `{to}` answers"),
        After::Unknown => String::new(),
    }
}

fn needs(needs: &Needs) -> String {
    if needs.requests == 0 {
        return "what is needed is not known without requests: `--route MODEL` or `--requests FILE`".into();
    }
    let named = [
        ("images", needs.images),
        ("sound", needs.audio),
        ("files", needs.files),
        ("tools", needs.tools),
        ("JSON schema", needs.json_schema),
        ("streaming", needs.streaming),
        ("reasoning", needs.reasoning),
    ];
    let mut parts: Vec<String> = named
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    let guessed = if needs.context_guessed { ", guessed from characters" } else { "" };
    parts.push(format!("a context of {} tokens{guessed}", print::thousands(needs.context_tokens)));
    format!("{} need {}", print::plural(needs.requests, "request"), parts.join(", "))
}

fn table(plan: &Plan<'_>, able: &[&Candidate<'_>]) -> String {
    let mut rows = vec![row(plan, &plan.subject.target, "now", "", &plan.now, "")];
    for candidate in able {
        let configured = match &candidate.access {
            Access::Upstream(upstream) => upstream.region.clone().unwrap_or_else(|| "yes".into()),
            Access::Missing(_) => "to add".into(),
            Access::Unreachable => "no".into(),
        };
        rows.push(row(
            plan,
            &candidate.target,
            candidate.why.name(),
            &life(candidate),
            &candidate.measured,
            &configured,
        ));
    }
    print::table(&["candidate", "why", "life left", "price", "energy, grade", "carbon", "set up"], rows)
}

fn row(plan: &Plan<'_>, name: &str, why: &str, life: &str, measured: &Measured, last: &str) -> Vec<String> {
    let footprint = measured.footprint.as_ref();
    let unknown = || "unknown".to_owned();
    vec![
        name.to_owned(),
        why.to_owned(),
        life.to_owned(),
        measured.cost.map_or_else(unknown, |cost| priced(cost, plan.now.cost)),
        footprint.map_or_else(unknown, |one| format!("{} {}", energy(one.energy_j), one.grade)),
        footprint.map_or_else(unknown, |one| carbon(one.co2_g)),
        last.to_owned(),
    ]
}

fn life(candidate: &Candidate<'_>) -> String {
    match (candidate.days_left, candidate.lifecycle.word()) {
        // The maker's day: the platform may serve it longer.
        (Some(days), _) if candidate.is_makers_day() => format!("{days} days?"),
        (Some(days), _) => print::plural(days.unsigned_abs(), "day"),
        (None, "alive") => "no end".into(),
        (None, "may-end-any-day") => "any day".into(),
        (None, word) => word.replace('-', " "),
    }
}

/// A price, with the difference from now in percent where there is one.
fn priced(cost: NanoUsd, now: Option<NanoUsd>) -> String {
    let text = format!("${}", print::short(cost.as_usd()));
    let Some(now) = now.filter(|now| now.0 > 0 && *now != cost) else { return text };
    let percent = (cost.as_usd() / now.as_usd() - 1.0) * 100.0;
    format!("{text} {percent:+.0}%")
}

fn energy(joules: Range) -> String {
    let (factor, unit) =
        if joules.central >= JOULES_PER_KWH { (JOULES_PER_KWH, "kWh") } else { (3_600.0, "Wh") };
    spread(joules, factor, unit)
}

fn carbon(grams: Range) -> String {
    let (factor, unit) = if grams.central >= 1_000.0 { (1_000.0, "kg") } else { (1.0, "g") };
    spread(grams, factor, unit)
}

fn spread(range: Range, factor: f64, unit: &str) -> String {
    format!("{}–{} {unit}", two_digits(range.low / factor), two_digits(range.high / factor))
}

/// A bound of a range that spans a factor of ten needs no third digit.
fn two_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    print::short(rounded)
}

/// What must be known of a candidate beyond its row.
fn notes(plan: &Plan<'_>, candidate: &Candidate<'_>) -> String {
    let mut lines = Vec::new();
    if let Some(fact) = candidate.fact.filter(|_| candidate.why == Why::Successor) {
        lines.push(format!(
            "named by {} [{}, read {}]",
            candidate.host.id,
            origin(&fact.source),
            fact.source_read
        ));
    }
    if !candidate.missing.unknown.is_empty() {
        lines.push(format!("no source says whether it has: {}", candidate.missing.unknown.join(", ")));
    }
    for (fact, count) in &candidate.met.facts {
        let who = match (plan.needs.requests, fact.effect) {
            (0, Effect::Required) => format!("`{}` must be set", fact.parameter),
            (0, _) => format!("`{}`{}", fact.parameter, effect(fact.effect, fact.value)),
            (all, Effect::Required) => format!(
                "{count} of {all} requests do not set `{}`, which it requires: the outlet writes the route's `default_max_tokens`",
                fact.parameter
            ),
            (all, _) => format!(
                "{count} of {all} requests set `{}`, which{}",
                fact.parameter,
                effect(fact.effect, fact.value)
            ),
        };
        lines.push(format!("{who} [{}, read {}]", fact.source, fact.read));
    }
    for (loss, count) in &candidate.met.losses {
        lines.push(format!("{count} of {} requests lose {loss}", plan.needs.requests));
    }
    if let Access::Missing(missing) = &candidate.access {
        lines.push(format!("to allow it, add to `mains.toml`: {}", missing.trim_end().replace('\n', "; ")));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{}\n  {}\n", print::bold(&candidate.target), lines.join("\n  "))
}

fn origin(code: &str) -> String {
    let source = Catalog::builtin().source(code).filter(|source| !source.origin.is_empty());
    source.map_or_else(|| code.to_owned(), |source| source.origin.to_string())
}

fn effect(effect: Effect, value: &str) -> String {
    match effect {
        Effect::Refused if value.is_empty() => " it refuses".into(),
        Effect::Refused => format!(" it refuses unless it is {value}"),
        Effect::Renamed => format!(" it takes as `{value}` only; the outlet renames it"),
        Effect::Ignored => " it ignores".into(),
        Effect::Most => format!(" it refuses above {value}"),
        Effect::Required => " it requires".into(),
    }
}

/// Those that lack something: with what, or counted.
fn without(lacking: &[&Candidate<'_>], all: bool) -> String {
    if lacking.is_empty() {
        return String::new();
    }
    let count = print::plural(lacking.len() as u64, "candidate");
    if !all {
        return format!("\n{count} left out because something is lacking; `--all` says what\n");
    }
    let mut text = format!("\n{}\n", print::bold(&format!("{count} left out")));
    for candidate in lacking {
        let _ = writeln!(text, "  {} lacks {}", candidate.target, candidate.missing.lacks.join(", "));
    }
    text
}

/// The command that tests the best candidate, whole.
///
/// Of kept records it names the end: a test that goes on must find the same requests, and new ones come meanwhile.
pub(super) fn next(
    arguments: &SwapPlan,
    subject: &Subject<'_>,
    kept_last: Option<Timestamp>,
    best: Option<&Candidate<'_>>,
) -> Option<String> {
    let best = best?;
    let from = &arguments.requests;
    let until = from.until.or(kept_last.map(|last| Timestamp(last.0.saturating_add(1))));
    let mut words = vec!["mains swap test".to_owned()];
    match (&from.requests, from.route.as_ref().or(subject.route.as_ref())) {
        (Some(path), _) => words.push(format!("--requests {}", quoted(&path.display().to_string()))),
        (None, Some(route)) => words.push(format!("--route {}", quoted(route))),
        (None, None) => words.push("--requests requests.jsonl".into()),
    }
    if let Some(path) = &from.answers {
        words.push(format!("--answers {}", quoted(&path.display().to_string())));
    }
    for (name, moment) in [("--since", from.since), ("--until", until)] {
        words.extend(moment.map(|moment| format!("{name} {moment}")));
    }
    words.push(format!("--from {} --to {}", quoted(&subject.target), quoted(&best.target)));
    if let Some(path) = &from.config {
        words.push(format!("--config {}", quoted(&path.display().to_string())));
    }
    if arguments.data != std::path::Path::new(".mains") {
        words.push(format!("--data {}", quoted(&arguments.data.display().to_string())));
    }
    Some(words.join(" "))
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
