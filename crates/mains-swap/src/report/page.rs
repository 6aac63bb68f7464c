//! A report as a reader sees it: one file, no script, nothing from outside, light and dark.

use super::picture::{margin_shown, svg};
use super::{Costs, FieldCount, Outcome, Report};
use crate::stats::Counts;
use crate::verdict::{Evidence, Ppm, Question, Reason, Ruling, SliceRuling, Verdict};
use askama::Template;
use mains_units::NanoUsd;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'r> {
    report: &'r Report,
    class: &'static str,
    headline: String,
    why: String,
    scale: &'static str,
    estimate: String,
    interval: String,
    at_least: String,
    confidence: String,
    counts: Vec<(&'static str, u64)>,
    picture: String,
    slices: Vec<SliceLine<'r>>,
    fields: &'r [FieldCount],
    beside: Vec<(&'static str, String, String)>,
}

struct SliceLine<'r> {
    slice: &'r SliceRuling,
    class: &'static str,
    verdict: &'static str,
    estimate: String,
    interval: String,
    why: String,
}

/// The page. An error of the template is an error of this crate, told in place of the page's body.
pub fn html(report: &Report) -> String {
    page(report).render().unwrap_or_else(|error| format!("<!doctype html><title>error</title><p>{error}"))
}

fn page(report: &Report) -> Page<'_> {
    let evidence = &report.ruling.evidence;
    Page {
        class: class(report.ruling.verdict),
        headline: headline(report),
        why: why(&report.ruling),
        scale: if report.question.is_paired() { "points, new minus old" } else { "% of answers agree" },
        estimate: estimate(evidence),
        interval: interval(evidence),
        at_least: evidence.at_least.to_string(),
        confidence: Ppm(1_000_000 - report.alpha.0).to_string().trim_end_matches(".00").to_owned(),
        counts: counts(report),
        picture: svg(report),
        slices: report.slices.iter().map(slice_line).collect(),
        fields: &report.fields,
        beside: beside(report),
        report,
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NonInferior => "good",
        Verdict::Inferior => "bad",
        Verdict::Undecided => "open",
    }
}

fn headline(report: &Report) -> String {
    let (new, old) = (&report.about.new, &report.about.old);
    let margin = report.question.margin();
    match (report.ruling.verdict, report.question) {
        (Verdict::Undecided, _) => format!("Not decided: {new} in place of {old}"),
        (Verdict::NonInferior, Question::Agreement { .. }) => {
            format!("{new} differs from {old} in at most {margin} % of answers")
        }
        (Verdict::Inferior, Question::Agreement { .. }) => {
            format!("{new} differs from {old} in more than {margin} % of answers")
        }
        (Verdict::NonInferior, _) => format!("{new} is less than {margin} points worse than {old}"),
        (Verdict::Inferior, _) => {
            let shown = margin_shown(report).abs();
            format!("{new} is more than {shown:.2} points worse than {old}")
        }
    }
}

/// A ruling's reason in words.
fn why(ruling: &Ruling) -> String {
    let needed = |needed: Option<u64>| match needed {
        Some(needed) => format!("about {needed} are needed if the models are alike"),
        None => "no number of items would do with what was seen so far".to_owned(),
    };
    match ruling.reason {
        Reason::Decided => "decided".into(),
        Reason::TooFew { needed: n } => format!("too few: {} items, {}", ruling.evidence.n, needed(n)),
        Reason::NotYet { needed: n } => format!("not yet: {} items, {}", ruling.evidence.n, needed(n)),
        Reason::NoHumanVerdicts => "no human verdicts: a judge alone decides nothing".into(),
        Reason::Drift => "looks contradict each other: the traffic or a model changed during the test".into(),
    }
}

fn estimate(evidence: &Evidence) -> String {
    evidence.estimate.map_or_else(|| "unknown".into(), |estimate| estimate.to_string())
}

fn interval(evidence: &Evidence) -> String {
    format!("{} to {}", evidence.low, evidence.high)
}

fn slice_line(slice: &SliceRuling) -> SliceLine<'_> {
    SliceLine {
        slice,
        class: class(slice.ruling.verdict),
        verdict: slice.ruling.verdict.name(),
        estimate: estimate(&slice.ruling.evidence),
        interval: interval(&slice.ruling.evidence),
        why: why(&slice.ruling),
    }
}

fn counts(report: &Report) -> Vec<(&'static str, u64)> {
    let last = report.looks.last().map(|look| &look.counts);
    match (last, report.question) {
        (None, _) => Vec::new(),
        (Some(Counts::Graded(tally)), Question::Agreement { .. }) => {
            vec![("agree", tally.0[2]), ("differ", tally.0[0])]
        }
        (Some(Counts::Graded(tally)), _) => {
            let both = |outcome: &Outcome| matches!(outcome, Outcome::Pair { old: true, new: true });
            let both = report.rows.iter().filter(|row| both(&row.outcome)).count() as u64;
            vec![
                ("both pass", both),
                ("only the new one passes", tally.0[2]),
                ("only the old one passes", tally.0[0]),
                ("neither passes", tally.0[1].saturating_sub(both)),
            ]
        }
        (Some(Counts::Judged(judged)), _) => {
            let human = |place: usize| judged.both[place].iter().sum();
            let judge = |place: usize| {
                judged.judge_only[place] + judged.both.iter().map(|row| row[place]).sum::<u64>()
            };
            vec![
                ("judge: new better", judge(2)),
                ("judge: tie", judge(1)),
                ("judge: old better", judge(0)),
                ("people: new better", human(2)),
                ("people: tie", human(1)),
                ("people: old better", human(0)),
            ]
        }
    }
}

fn beside(report: &Report) -> Vec<(&'static str, String, String)> {
    let (old, new) = (&report.beside.old, &report.beside.new);
    let line = |name, show: &dyn Fn(&Costs) -> Option<String>| {
        let shown = |costs| show(costs).unwrap_or_else(|| "unknown".into());
        (name, shown(old), shown(new))
    };
    vec![
        line("cost of 1,000 requests", &|costs| costs.nano_usd_per_1000.map(|sum| NanoUsd(sum).to_string())),
        line("input tokens of 1,000 requests", &|costs| costs.input_per_1000.map(thousands)),
        line("output tokens of 1,000 requests", &|costs| costs.output_per_1000.map(thousands)),
        line("time to first token, median", &|costs| costs.first_ms_p50.map(|ms| format!("{ms} ms"))),
        line("time to whole answer, median", &|costs| costs.total_ms_p50.map(|ms| format!("{ms} ms"))),
        line("energy of 1,000 requests", &|costs| {
            let [low, _, high] = costs.mj_per_1000?;
            let grade =
                costs.energy_grade.as_ref().map(|grade| format!(" (grade {grade})")).unwrap_or_default();
            // In watt-hours once there are some: that is what energy is billed in.
            Some(if low >= 3_600_000 {
                format!("{} to {} Wh{grade}", thousands(low / 3_600_000), thousands(high.div_ceil(3_600_000)))
            } else {
                format!("{} to {} J{grade}", thousands(low / 1_000), thousands(high.div_ceil(1_000)))
            })
        }),
    ]
}

/// Groups of three digits.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}
