//! Puts a tested replacement into `mains.toml`, finishes the switch there, or takes it out; the running outlet then
//! reads its file again.
//!
//! `place` finds the route that a report is about, `file` writes and tells the outlet.
//!
//! Never: a switch without a report that was computed again and whose signature holds.

pub(in crate::verbs) mod file;
mod place;

use super::verify::{self, Checked};
use crate::cli::SwapSwitch;
use crate::print::{Ended, Trouble};
use crate::start;
use crate::verbs::now;
use file::File;
use mains_config::NewSwap;
use mains_serve::control::{Answer, Command, SwapLine, say};
use mains_swap::Report;
use mains_swap::verdict::Verdict;
use std::path::Path;

pub(super) fn run(arguments: &SwapSwitch) -> Result<Ended, Trouble> {
    let file = File::read(arguments.config.as_deref())?;
    match &arguments.report {
        Some(report) => begin(arguments, file, report),
        None if arguments.finish => finish(arguments, file),
        None => cancel(arguments, file),
    }
}

/// Writes `[route.swap]`.
fn begin(arguments: &SwapSwitch, mut file: File, report: &Path) -> Result<Ended, Trouble> {
    let report = if report.is_dir() { report.join("report.json") } else { report.to_owned() };
    let Checked { report, hash, signed, wrong } =
        verify::check(&report, arguments.key.as_deref(), &arguments.data)?;
    if let Some(wrong) = wrong.first() {
        return Err(
            Trouble::new(format!("the report does not hold: {wrong}")).hint("`mains swap verify` says all")
        );
    }
    if signed.is_none() {
        return Err(Trouble::new("the report is not signed, so nobody could prove what the switch rests on")
            .hint("`mains swap test --data FOLDER` signs with the key of the outlet in that folder"));
    }
    if arguments.by.is_some_and(|day| day <= now().day()) {
        return Err(Trouble::new("`--by` is no day to come").hint("`--steps 100` switches at once"));
    }
    let comment = comment(&report, arguments.despite_verdict.as_deref())?;
    let place = place::find(&file.settings, &report.about, arguments.route.as_deref())?;
    let swap = NewSwap {
        from: &place.from,
        to: &place.to,
        report: &hash,
        steps: (!arguments.steps.is_empty()).then_some(arguments.steps.as_slice()),
        hold: arguments.hold,
        requests_min: arguments.requests_min,
        whole_by: arguments.by,
        margin: None,
        dearer: None,
        longer: None,
        comment: &comment.iter().map(String::as_str).collect::<Vec<_>>(),
    };
    if !file.draft.set_route_swap(&place.route, &swap) {
        return Err(not_a_table(&place.route));
    }
    let title = format!("`{}`: {} in place of {}, {}", place.route, place.to, place.from, comment[0]);
    file.write(&title, arguments.yes)?;
    let told = Command::SwapTested {
        report: hash.clone(),
        from: place.from.to_string(),
        to: place.to.to_string(),
        route: place.route.clone(),
        verdict: serde_json::to_value(report.ruling.verdict)?.as_str().unwrap_or_default().to_owned(),
        figures: serde_json::to_value(&report.beside)?,
    };
    file.tell(&arguments.data, Some(&told), Some((&place.route, &hash)))
}

/// What the file says above the switch; refused where the verdict does not allow it and nobody says why it is
/// switched all the same.
fn comment(report: &Report, despite: Option<&str>) -> Result<Vec<String>, Trouble> {
    let verdict = report.ruling.verdict;
    let tested = format!(
        "tested on {}: {} from {} requests",
        report.about.day,
        verdict.name(),
        report.ruling.evidence.n
    );
    match (verdict, despite) {
        (Verdict::NonInferior, None) => Ok(vec![tested]),
        (Verdict::NonInferior, Some(_)) => Err(Trouble::new("the verdict is \"not worse\" already")
            .hint("leave `--despite-verdict` out, so that it means something where it stands")),
        (_, Some(reason)) if !reason.trim().is_empty() => {
            Ok(vec![tested, format!("switched despite that: {}", reason.trim())])
        }
        _ => Err(Trouble::new(format!("the verdict of the test is \"{}\"", verdict.name()))
            .hint("test with more requests or another candidate; `--despite-verdict \"REASON\"` switches all the same, and the file says why")),
    }
}

/// Makes a whole switch the usual state of its route.
fn finish(arguments: &SwapSwitch, mut file: File) -> Result<Ended, Trouble> {
    let (route, _) = place::switched(&file.settings, arguments.route.as_deref())?;
    let running = lines(&arguments.data).and_then(|lines| lines.into_iter().find(|line| line.route == route));
    if let Some(line) = running.filter(|line| line.stage != "whole") {
        let (stage, share) = (line.stage, line.share_percent);
        return Err(Trouble::new(format!("the switch of `{route}` is not whole: {stage}, {share} %")).hint(
            "`mains swap status` says what it waits for; `--cancel` takes the switch out of the file",
        ));
    }
    if !file.draft.finish_route_swap(&route) {
        return Err(not_a_table(&route));
    }
    file.write(&format!("`{route}`: the replacement takes the old target's place for good"), arguments.yes)?;
    file.tell(&arguments.data, None, None)
}

/// Takes a switch out.
fn cancel(arguments: &SwapSwitch, mut file: File) -> Result<Ended, Trouble> {
    let (route, from) = place::switched(&file.settings, arguments.route.as_deref())?;
    if !file.draft.remove_route_swap(&route) {
        return Err(not_a_table(&route));
    }
    file.write(&format!("`{route}`: {from} has all requests again"), arguments.yes)?;
    file.tell(&arguments.data, None, None)
}

fn not_a_table(route: &str) -> Trouble {
    Trouble::new(format!(
        "`{route}` does not stand under a `[[route]]` of its own, so it cannot be changed here"
    ))
    .hint("write the route as a `[[route]]` table, or change the file by hand and run `mains config reload`")
}

/// How the switches of the running outlet stand; `None` where none answers.
fn lines(data: &Path) -> Option<Vec<SwapLine>> {
    match start::runtime().ok()?.block_on(say(data, &Command::Swaps)) {
        Ok(Answer::Swaps(lines)) => Some(lines),
        _ => None,
    }
}
