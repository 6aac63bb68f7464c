//! How switches stand at the running outlet, and the way back.

use crate::cli::Data;
use crate::print::{self, Ended, Trouble};
use crate::start;
use mains_serve::control::{Answer, Command, SwapLine, say};
use std::fmt::Write as _;

/// Prints every switch; one that was rolled back is a finding, exit code 1.
pub(super) fn run(data: &Data) -> Result<Ended, Trouble> {
    let lines = match start::runtime()?.block_on(say(&data.data, &Command::Swaps)) {
        Ok(Answer::Swaps(lines)) => lines,
        Ok(Answer::Refused(why)) | Err(why) => return Err(Trouble::rendered(why)),
        Ok(_) => return Err(Trouble::new("the outlet's answer is not one to this question")),
    };
    if data.json {
        print::json(&serde_json::json!({"schema": "mains.swap.status/1", "swaps": lines}))?;
    } else if lines.is_empty() {
        print::say("no route is in a switch");
    } else {
        print::data(&lines.iter().map(block).collect::<Vec<_>>().join("\n"));
    }
    let back = lines.iter().any(|line| line.stage == ROLLED_BACK);
    Ok(if back { Ended::Findings } else { Ended::Clean })
}

const ROLLED_BACK: &str = "rolled back";

/// Gives the old target all requests back.
pub(super) fn roll_back(route: &str, data: &Data) -> Result<Ended, Trouble> {
    let command = Command::RollBackSwap { route: route.to_owned() };
    match start::runtime()?.block_on(say(&data.data, &command)) {
        Ok(Answer::Refused(why)) | Err(why) => Err(Trouble::rendered(why)),
        Ok(_) => {
            if data.json {
                print::json(&serde_json::json!({"schema": "mains.swap.rollback/1", "route": route}))?;
            }
            print::say(&format!("`{route}`: the old target has all requests again"));
            print::say("`mains swap switch --cancel` takes the switch out of the file");
            Ok(Ended::Clean)
        }
    }
}

/// One switch on a few lines.
pub(super) fn block(line: &SwapLine) -> String {
    let mut page = format!("{}\n", print::bold(&format!("{}: {} -> {}", line.route, line.from, line.to)));
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "{name:<10} {value}");
    };
    let stage = if line.stage == ROLLED_BACK { print::bad(&line.stage) } else { line.stage.clone() };
    let why = line.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    row("stage", &format!("{stage}{why}"));
    row("share", &format!("{} % since {}", line.share_percent, minutes(&line.since)));
    for (name, value) in [("next step", &line.next_step), ("whole by", &line.whole_by)] {
        if let Some(value) = value {
            row(name, value);
        }
    }
    if let Some(day) = &line.old_ends {
        let left = line.days_left.map_or_else(String::new, |days| format!(", {}", days_in_words(days)));
        row("old ends", &format!("{day}{left}"));
    }
    row("report", &line.report);
    let rows = line.readings.iter().map(|reading| {
        let evidence = match &reading.unwatched {
            Some(why) => format!("not watched: {why}"),
            None => reading.evidence.clone(),
        };
        vec![reading.metric.clone(), reading.old.clone(), reading.new.clone(), evidence]
    });
    if !line.readings.is_empty() {
        page.push('\n');
        page.push_str(&print::table(&["compared", "old", "new", "evidence that the new is worse"], rows));
    }
    page
}

fn days_in_words(days: i64) -> String {
    match days {
        1.. => format!("in {}", print::plural(days.unsigned_abs(), "day")),
        0 => "today".into(),
        _ => format!("{} ago", print::plural(days.unsigned_abs(), "day")),
    }
}

/// `2026-11-28T07:00:12.345Z` to the minute, as people say it.
fn minutes(at: &str) -> String {
    at.get(..16).map_or_else(|| at.to_owned(), |short| short.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mains_serve::control::ReadingLine;

    #[test]
    fn a_switch_is_told_in_a_few_lines() {
        let reading = |metric: &str, unwatched: Option<&str>| ReadingLine {
            metric: metric.into(),
            unwatched: unwatched.map(str::to_owned),
            old: "3 of 900".into(),
            new: "1 of 48".into(),
            evidence: "0.2 of 4.8".into(),
        };
        let line = SwapLine {
            route: "chat".into(),
            from: "openai/gpt-4o".into(),
            to: "openai/gpt-4.1-mini".into(),
            report: "ab12".into(),
            stage: "canary".into(),
            why: None,
            share_percent: 5,
            since: "2026-11-28T07:00:12.345Z".into(),
            next_step: Some("from 2026-11-29 07:00 on, after 200 requests".into()),
            whole_by: Some("2026-12-10".into()),
            old_ends: Some("2026-12-31".into()),
            days_left: Some(33),
            readings: vec![
                reading("errors", None),
                reading("cost", Some("the test measured no figure to compare with")),
            ],
        };
        let page = anstream::adapter::strip_str(&block(&line)).to_string();
        insta::assert_snapshot!(page);
        let back = SwapLine {
            stage: ROLLED_BACK.into(),
            why: Some("more requests failed".into()),
            readings: Vec::new(),
            next_step: None,
            days_left: Some(-1),
            ..line
        };
        insta::assert_snapshot!("rolled_back", anstream::adapter::strip_str(&block(&back)).to_string());
    }
}
