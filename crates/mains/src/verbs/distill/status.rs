//! How every labeller in the folder stands.

use super::report::{Document, percent, promise};
use super::shelf::{self, Shelf};
use crate::cli::Data;
use crate::print::{self, Ended, Trouble};
use crate::start;
use crate::verbs::now;
use mains_distill::certificate::Ruling;
use mains_serve::control::{Answer, Command, LabelLine, say};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// What the running outlet says of its labellers, by name; nothing where none runs or none is served.
fn serving(data: &Path) -> Result<BTreeMap<String, Vec<LabelLine>>, Trouble> {
    let mut by_name: BTreeMap<String, Vec<LabelLine>> = BTreeMap::new();
    if let Ok(Answer::Labels(lines)) = start::runtime()?.block_on(say(data, &Command::Labels)) {
        for line in lines {
            by_name.entry(line.labeller.clone()).or_default().push(line);
        }
    }
    Ok(by_name)
}

/// How a labeller stands in a route, on one line.
fn words(line: &LabelLine) -> String {
    let stage = match &line.withdrawn {
        Some(why) => format!("withdrawn: {why}"),
        None => format!("{}, {} %", line.stage, line.share_percent),
    };
    let next = if line.withdrawn.is_none() && line.stage != "serve" {
        format!("; {} of {} compared calls to the next stage", line.stage_calls, line.stage_least)
    } else {
        String::new()
    };
    let lost = if line.scope_lost { "; no request is in scope any more" } else { "" };
    format!(
        "`{}`: {stage}; {} of {} requests in scope answered here since the start; {} of {} compared answers differ{next}{lost}",
        line.route,
        print::thousands(line.answered),
        print::thousands(line.in_scope),
        print::thousands(line.differs),
        print::thousands(line.calls),
    )
}

/// Withdraws the labeller of a route by hand, for good.
pub(super) fn withdraw(route: &str, data: &Data) -> Result<Ended, Trouble> {
    let command = Command::WithdrawLabel { route: route.to_owned() };
    match start::runtime()?.block_on(say(&data.data, &command)) {
        Ok(Answer::Refused(why)) | Err(why) => Err(Trouble::rendered(why)),
        Ok(_) => {
            if data.json {
                print::json(&json!({"schema": "mains.distill.withdraw/1", "route": route}))?;
            }
            print::say(&format!("`{route}`: the teacher has all requests again"));
            print::say("`mains distill use NAME --route MODEL --remove` takes the labeller out of the file");
            Ok(Ended::Clean)
        }
    }
}

/// Prints all; a refused or withdrawn labeller is a finding.
pub(super) fn run(data: &Data) -> Result<Ended, Trouble> {
    let shelf = Shelf::at(&data.data);
    let (key, serving) = (shelf.verifier(), serving(&data.data)?);
    let mut found = false;
    let mut lines = Vec::new();
    for name in shelf.labellers() {
        let (file, _) = shelf::labeller(&shelf.file(&name, "labeller"))?;
        let document: Document = shelf::json(&shelf.file(&name, "json"))?;
        let seal = match &key {
            Some(key) => shelf::check_seal(&file, key).err(),
            None => Some("there is no key here to check its signature".to_owned()),
        };
        let served = serving.get(&name).map_or(&[][..], Vec::as_slice);
        found |= document.certificates.served().threshold_micro().is_none() || seal.is_some();
        found |= served.iter().any(|line| line.withdrawn.is_some());
        if data.json {
            lines.push(line(&document, seal.as_deref(), served));
        } else {
            print::data(&block(&document, seal.as_deref(), served));
        }
    }
    if data.json {
        print::json(&json!({"schema": "mains.distill.status/1", "labellers": lines}))?;
    } else if shelf.labellers().is_empty() {
        print::say("no labeller is here");
        print::say("hint: `mains distill tasks` shows what could be trained");
    }
    Ok(if found { Ended::Findings } else { Ended::Clean })
}

fn days(document: &Document) -> i64 {
    document.about.at.day().days_until(now().day())
}

fn line(document: &Document, seal: Option<&str>, served: &[LabelLine]) -> Value {
    let certificate = document.certificates.served();
    json!({
        "name": document.about.name, "task": document.about.task, "teacher": document.about.teacher,
        "promise": certificate.terms, "ruling": certificate.ruling, "calibration_rows": certificate.rows,
        "realised": document.report.realised, "savings": document.report.savings,
        "sha256": document.sha256, "trained": document.about.at.to_string(), "days": days(document),
        "seal": seal.map_or(json!("holds"), |why| json!({"wrong": why})),
        "serving": served,
    })
}

fn block(document: &Document, seal: Option<&str>, served: &[LabelLine]) -> String {
    let certificate = document.certificates.served();
    let mut page = format!("{}\n", print::bold(&document.about.name));
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "{name:<10}{value}");
    };
    row("task", &format!("{}, {}", document.about.task, document.about.origin));
    row("promise", &promise(certificate));
    row(
        "ruling",
        &match &certificate.ruling {
            Ruling::Certified { .. } => print::good("certified"),
            Ruling::Refused { reason } => {
                let why = reason.to_string();
                print::bad(&format!("refused: {}", why.lines().next().unwrap_or_default()))
            }
        },
    );
    row("rows", &format!("{} to calibrate", print::thousands(certificate.rows)));
    if let Some(audit) = &document.report.realised {
        row(
            "realised",
            &format!(
                "{} answered here, {} of all answers differ, on {} audit rows",
                percent(audit.local.ppm),
                percent(audit.differs_of_all.ppm),
                print::thousands(audit.local.of)
            ),
        );
    }
    let days = u64::try_from(days(document)).unwrap_or(0);
    row("trained", &format!("{} ({} ago)", document.about.at.day(), print::plural(days, "day")));
    if let Some(why) = seal {
        row("signature", &print::bad(why));
    }
    if served.is_empty() {
        row("serving", "not served");
    }
    for line in served {
        row("serving", &words(line));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_labeller_is_told_on_one_line() {
        let mut line = LabelLine {
            labeller: "tickets".into(),
            route: "gpt-4o-mini".into(),
            teacher: "openai/gpt-4o-mini".into(),
            file: "ab".into(),
            stage: "canary".into(),
            share_percent: 10,
            audit_percent: 1,
            eps_ppm: 20_000,
            calls: 1_200,
            local: 1_100,
            differs: 3,
            stage_calls: 51,
            stage_least: 149,
            log_wealth_milli: -7,
            withdrawn: None,
            withdrawn_because: None,
            withdrawn_at: None,
            requests: 2_100,
            in_scope: 2_000,
            answered: 1_980,
            scope_lost: false,
        };
        assert_eq!(
            words(&line),
            "`gpt-4o-mini`: canary, 10 %; 1,980 of 2,000 requests in scope answered here since the start; 3 of 1,200 compared answers differ; 51 of 149 compared calls to the next stage"
        );
        (line.withdrawn, line.stage) = (Some("the teacher is another model".into()), "withdrawn".into());
        assert!(words(&line).starts_with("`gpt-4o-mini`: withdrawn: the teacher is another model; 1,980"));
    }
}
