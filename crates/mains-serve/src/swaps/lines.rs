//! How switches stand, in words: for the operator and for the page.

use super::{Inner, Running};
use crate::control::{ReadingLine, SwapLine};
use crate::outlet::Outlet;
use mains_relay::route::TargetName;
use mains_swap::canary::{ArmReading, Metric, Reading, Reason, Stage, Watched};
use mains_units::{NanoUsd, Timestamp};

/// Every switch, by route.
pub(crate) fn all(outlet: &Outlet) -> Vec<SwapLine> {
    let inner = outlet.swaps.inner();
    inner.running.iter().map(|(route, running)| line(outlet, route, running)).collect()
}

/// One line for the page on the switch of a route, if it is in one.
pub(crate) fn of_route(outlet: &Outlet, route: &str) -> Option<String> {
    let inner = outlet.swaps.inner();
    let running = inner.running.get(route)?;
    let (from, to) = (&running.from, &running.to);
    Some(match running.canary.stage() {
        Stage::Canary => {
            let next = next_step(running).map_or_else(String::new, |next| format!(", next step {next}"));
            let by = by(running).map_or_else(String::new, |by| format!(", whole by {by}"));
            format!("switching from {from} to {to}: {} %{next}{by}", running.shift().percent)
        }
        Stage::Whole => format!("switched from {from} to {to} on {}", running.canary.since().day()),
        Stage::RolledBack { reason, at } => {
            format!("went back from {to} to {from} on {}: {}", at.day(), words(reason))
        }
    })
}

/// The replacement that a target has passed its test with, as the page says it beside the days that are left.
pub(crate) fn replacement(outlet: &Outlet, target: &TargetName) -> Option<String> {
    replacement_of(&outlet.swaps.inner(), target)
}

fn replacement_of(inner: &Inner, target: &TargetName) -> Option<String> {
    let passed = |test: &&mains_store::db::SwapTest| {
        test.from == target.as_str() && test.to != test.from && test.verdict == super::PASSED
    };
    inner.tests.iter().find(passed).map(|test| test.to.clone())
}

fn line(outlet: &Outlet, route: &str, running: &Running) -> SwapLine {
    let ends = outlet.live().targets.get(&running.from).and_then(|facts| facts.ends_on);
    let (stage, why) = match running.canary.stage() {
        Stage::Canary => ("canary", None),
        Stage::Whole => ("whole", None),
        Stage::RolledBack { reason, .. } => ("rolled back", Some(words(reason).to_owned())),
    };
    SwapLine {
        route: route.to_owned(),
        from: running.from.to_string(),
        to: running.to.to_string(),
        report: running.report.to_string(),
        stage: stage.into(),
        why,
        share_percent: running.shift().percent,
        since: running.canary.since().to_string(),
        next_step: next_step(running),
        whole_by: by(running),
        old_ends: ends.map(|day| day.to_string()),
        days_left: ends.map(|day| outlet.today().days_until(day)),
        readings: running.canary.readings(&running.plan).iter().map(reading).collect(),
    }
}

/// The moment of the next step, and what it waits for beside that.
fn next_step(running: &Running) -> Option<String> {
    if running.canary.stage() != Stage::Canary {
        return None;
    }
    let hold = i64::try_from(running.plan.hold.as_ms()).unwrap_or(i64::MAX);
    let at = Timestamp(running.canary.since().0.saturating_add(hold));
    let requests = running.plan.requests_min;
    Some(format!("from {} on, after {requests} requests", at.to_string().get(..16)?.replace('T', " ")))
}

fn by(running: &Running) -> Option<String> {
    running.plan.whole_by.map(|at| at.day().to_string())
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Operator => "the operator said so",
        Reason::Metric(Metric::Errors) => "more requests failed",
        Reason::Metric(Metric::Schema) => "more answers broke their schema",
        Reason::Metric(Metric::Refusals) => "more answers declined",
        Reason::Metric(Metric::Length) => "answers were longer than the test found",
        Reason::Metric(Metric::Cost) => "answers cost more than the test found",
        Reason::Metric(Metric::Feedback) => "more verdicts were bad",
    }
}

fn reading(reading: &Reading) -> ReadingLine {
    let unwatched = match reading.watched {
        Watched::Yes => None,
        Watched::NoRatio | Watched::NoScale => Some("the test measured no figure to compare with".to_owned()),
    };
    ReadingLine {
        metric: reading.metric.name().into(),
        unwatched,
        old: figure(reading.metric, &reading.old),
        new: figure(reading.metric, &reading.new),
        evidence: format!("{} of {}", thousandths(reading.log_e_milli), thousandths(reading.needed_milli)),
    }
}

/// A rate for events, a mean for amounts, with how many requests it rests on.
fn figure(metric: Metric, arm: &ArmReading) -> String {
    let Some(per_1000) = arm.per_1000 else { return "unknown".into() };
    match metric {
        Metric::Length => format!("{} tokens in the mean of {}", per_1000 / 1_000, arm.requests),
        Metric::Cost => format!("{} for 1,000, from {}", NanoUsd(per_1000), arm.requests),
        _ => format!("{} of {}", arm.total, arm.requests),
    }
}

fn thousandths(milli: i64) -> String {
    format!("{:.1}", milli as f64 / 1e3)
}
