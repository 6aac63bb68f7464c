//! From a report back to certainty.

use super::build::{course, slice_rulings};
use super::{Report, SCHEMA};
use crate::verdict::{Evidence, Ppm};

/// Bounds and wealths may differ by this much between machines, whose logarithms round differently.
const ROUNDING: i64 = 2;

/// Computes looks, verdict and slices of a report again from its rows, and says where they differ; nothing if they
/// do not. It needs nothing but the report.
pub fn recheck(report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    if report.schema != SCHEMA {
        return vec![format!(
            "the report is of the form `{}`, and only `{SCHEMA}` can be checked",
            report.schema
        )];
    }
    let at: Vec<u64> = report.looks.iter().map(|look| look.counts.n()).collect();
    let Some(course) = course(report.question, report.alpha, &report.rows, &at) else {
        return vec![
            "the rows do not fit the question, or there are fewer of them than a look counted".into(),
        ];
    };
    if at.windows(2).any(|pair| pair[0] > pair[1]) {
        wrong.push("the looks are out of order".into());
    }
    if at.last().copied().unwrap_or(0) != report.rows.len() as u64 {
        wrong.push("the last look does not count every row".into());
    }
    for (said, found) in report.looks.iter().zip(course.looks()) {
        if said.counts != found.counts || !alike(&said.evidence, &found.evidence) {
            wrong.push(format!("the look after {} rows says other than its rows", said.counts.n()));
        }
    }
    let (said, found) = (&report.ruling, course.ruling());
    if said.verdict != found.verdict {
        let (said, found) = (said.verdict.name(), found.verdict.name());
        wrong.push(format!("the verdict is said to be `{said}`, and the rows say `{found}`"));
    } else if said.reason != found.reason || !alike(&said.evidence, &found.evidence) {
        wrong.push("the evidence beside the verdict is not that of the rows".into());
    }
    match slice_rulings(report.question, report.alpha, &report.rows) {
        Some(found) if found.len() == report.slices.len() => {
            for (said, found) in report.slices.iter().zip(&found) {
                let same = (&said.by, &said.part, &said.counts) == (&found.by, &found.part, &found.counts)
                    && said.ruling.verdict == found.ruling.verdict
                    && said.ruling.reason == found.ruling.reason
                    && alike(&said.ruling.evidence, &found.ruling.evidence);
                if !same {
                    wrong.push(format!("the slice {} `{}` says other than its rows", said.by, said.part));
                }
            }
        }
        _ => wrong.push("the slices are not those of the rows".into()),
    }
    wrong
}

fn alike(one: &Evidence, other: &Evidence) -> bool {
    let near = |one: i64, other: i64| one.abs_diff(other) <= ROUNDING.unsigned_abs();
    let ppm = |one: Ppm, other: Ppm| near(one.0, other.0);
    let estimate = match (one.estimate, other.estimate) {
        (Some(one), Some(other)) => ppm(one, other),
        (one, other) => one == other,
    };
    one.n == other.n
        && estimate
        && ppm(one.low, other.low)
        && ppm(one.high, other.high)
        && ppm(one.at_least, other.at_least)
        && near(one.log_e_not_worse_milli, other.log_e_not_worse_milli)
        && near(one.log_e_worse_milli, other.log_e_worse_milli)
}
