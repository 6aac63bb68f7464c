//! The report on the terminal.

use super::harmless;
use crate::print;
use mains_swap::Report;
use mains_swap::report::{Costs, Outcome};
use mains_swap::stats::Counts;
use mains_swap::verdict::{Ppm, Question, Reason, Verdict};
use mains_units::NanoUsd;
use std::fmt::Write as _;

/// What stands around a report.
pub(super) struct Marks<'m> {
    pub(super) hash: &'m str,
    pub(super) signed: &'m str,
    pub(super) ledger: &'m str,
    /// In nano-USD.
    pub(super) spent: u64,
}

pub(super) fn page(report: &Report, marks: &Marks<'_>) -> String {
    let (word, about) = (report.ruling.verdict.name(), &report.about);
    let shown = match report.ruling.verdict {
        Verdict::NonInferior => print::good(word),
        _ => print::bad(word),
    };
    let mut page = format!("{shown}: {} in place of {}\n\n", about.new, about.old);
    let mut rows = result(report);
    rows.push(("requests", format!("{} graded of {}", report.ruling.evidence.n, report.available)));
    rows.push(("spent", NanoUsd(marks.spent).to_string()));
    for (name, costs) in [("old model", &report.beside.old), ("new model", &report.beside.new)] {
        rows.extend(figures(costs).map(|figures| (name, figures)));
    }
    rows.extend(report.left_out.iter().map(|(why, count)| ("left out", format!("{count}: {why}"))));
    for (name, mark) in [("sha256", marks.hash), ("signed", marks.signed), ("ledger", marks.ledger)] {
        rows.push((name, mark.to_owned()));
    }
    for (name, text) in rows {
        let _ = writeln!(page, "{name:<10} {text}");
    }
    for example in report.worst.iter().take(3) {
        let text = |text: &Option<String>| harmless(&text.clone().unwrap_or_default()).replace('\n', " ");
        let (old, new) = (text(&example.old), text(&example.new));
        let _ = writeln!(page, "{:<10} {}: `{old}` became `{new}`", "differs", example.id);
    }
    page
}

fn result(report: &Report) -> Vec<(&'static str, String)> {
    let evidence = &report.ruling.evidence;
    let estimate = evidence.estimate.map_or_else(|| "unknown".into(), |share| share.to_string());
    let margin = report.question.margin();
    let (low, high) = (evidence.low, evidence.high);
    let mut rows = match report.question {
        Question::Agreement { .. } => vec![
            ("agree", format!("{estimate} %, 95 % interval {low} to {high} %")),
            ("asked for", format!("at most {margin} % may differ")),
        ],
        Question::AgreementBesideSelf { .. } => vec![
            ("agree", format!("{} % with the old model", share(report, |_, new| new))),
            ("ceiling", format!("{} %, the old model with itself, asked twice", share(report, |old, _| old))),
            ("difference", format!("{estimate} points, 95 % interval {low} to {high}")),
            ("asked for", format!("at most {margin} points less than the old model")),
        ],
        Question::Quality { .. } => vec![
            ("difference", format!("{estimate} points, 95 % interval {low} to {high}")),
            ("asked for", format!("at most {margin} points worse")),
        ],
    };
    if let Some(Counts::Judged(judged)) = report.looks.last().map(|look| &look.counts) {
        let words = |[old, tie, new]: [u64; 3]| {
            format!("{new} for the new answer, {old} for the old one, {tie} for neither")
        };
        let judge =
            |place: usize| judged.judge_only[place] + judged.both.iter().map(|row| row[place]).sum::<u64>();
        rows.push(("judge", words([0, 1, 2].map(judge))));
        rows.push(("people", words(judged.both.map(|row| row.iter().sum()))));
    }
    if report.ruling.reason == Reason::NoHumanVerdicts {
        rows.push(("why", "no human verdicts: a judge alone decides nothing".into()));
    }
    rows
}

/// The share of pairs of which this holds.
fn share(report: &Report, of: impl Fn(bool, bool) -> bool) -> Ppm {
    let holds = |outcome: Outcome| matches!(outcome, Outcome::Pair { old, new } if of(old, new));
    let count = report.rows.iter().filter(|row| holds(row.outcome)).count();
    Ppm::near(count as f64 / report.rows.len().max(1) as f64)
}

/// What 1,000 requests take; `None` where nothing is known.
fn figures(costs: &Costs) -> Option<String> {
    let money = costs.nano_usd_per_1000.map(|nano| NanoUsd(nano).to_string());
    let energy = costs.mj_per_1000.map(|[low, _, high]| {
        let grade = costs.energy_grade.as_deref().unwrap_or("?");
        let kj = |mj: u64| print::short(mj as f64 / 1e6);
        format!("{} to {} kJ (grade {grade})", kj(low), kj(high))
    });
    let per: Vec<String> = money.into_iter().chain(energy).collect();
    let tokens = match (costs.input_per_1000, costs.output_per_1000) {
        (Some(input), Some(output)) => {
            Some(format!("{} tokens in and {} out each", input / 1_000, output / 1_000))
        }
        _ => None,
    };
    let first = costs.first_ms_p50.map(|ms| format!("median {ms} ms to the first token"));
    let whole = costs.total_ms_p50.map(|ms| format!("median {ms} ms to the whole answer"));
    let per =
        Some(per.join(" and ")).filter(|per| !per.is_empty()).map(|per| format!("{per} per 1,000 requests"));
    let all: Vec<String> = per.into_iter().chain(tokens).chain(first).chain(whole).collect();
    Some(all.join(", ")).filter(|all| !all.is_empty())
}
