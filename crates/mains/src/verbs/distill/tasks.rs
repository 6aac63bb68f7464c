//! Prints the labelling tasks that there are, and what is none.

use super::found::{self, All, Found, sum};
use crate::cli::Vault;
use crate::print::{self, Ended, Trouble};
use mains_distill::certificate::{Promise, Terms, progress};
use mains_units::NanoUsd;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Shares of answers that may differ, in millionths, for which rows are counted.
const DIFFER: [u64; 3] = [50_000, 20_000, 10_000];

/// Lists the tasks. None at all is a finding.
pub(super) fn run(vault: &Vault, as_json: bool) -> Result<Ended, Trouble> {
    let all = found::all(vault)?;
    if as_json {
        print::json(&json!({
            "schema": "mains.distill.tasks/1",
            "tasks": all.tasks.iter().map(line).collect::<Vec<_>>(),
            "refused": all.refused.iter().map(|refused| json!({
                "route": refused.route,
                "template": refused.template.as_ref().map(mains_distill::task::Template::hash),
                "requests": refused.requests, "why": refused.why.to_string(),
            })).collect::<Vec<_>>(),
            "left_out": all.left_out,
        }))?;
    } else {
        tell(&all);
    }
    Ok(if all.tasks.is_empty() { Ended::Findings } else { Ended::Clean })
}

/// `212 of 299 rows for 1 %`, for each share.
fn rows_for(task: &Found) -> Vec<(u64, String)> {
    let terms = |ppm| Terms::new(Promise::AllTraffic, ppm);
    DIFFER.map(|ppm| (ppm, progress(task.calibration_rows(), &terms(ppm)))).to_vec()
}

fn line(task: &Found) -> Value {
    let known = |(sum, count): (u64, u64)| (count > 0).then(|| json!({"sum": sum, "rows": count}));
    json!({
        "name": task.name, "origin": task.origin, "rows": task.rows.len(), "left_out": task.left_out,
        "labels": task.labels.labels.iter().map(|label| json!({"label": label.written, "rows": label.rows}))
            .collect::<Vec<_>>(),
        "shape": task.labels.shape, "template": task.template.hash(),
        "teachers": task.teachers(),
        "exact_repeats": task.exact_repeats, "near_repeats": task.near_repeats, "distinct": task.distinct,
        "nano_usd": known(sum(&task.rows, |row| row.nano_usd)),
        "mj": known(sum(&task.rows, |row| row.mj)),
        "ms": known(sum(&task.rows, |row| row.ms)),
        "calibration_rows": task.calibration_rows(),
        "suffices": rows_for(task).into_iter()
            .map(|(ppm, words)| json!({"differ_ppm": ppm, "words": words})).collect::<Vec<_>>(),
    })
}

fn tell(all: &All) {
    for task in &all.tasks {
        print::data(&block(task));
    }
    if all.tasks.is_empty() {
        print::say("no labelling task is known here");
        print::say(
            "hint: `mains distill import FILE --name NAME` takes a log; `content = \"keep\"` under `[record]` keeps records",
        );
    }
    for refused in &all.refused {
        print::say(&format!(
            "no task: {} of `{}`: {}",
            print::plural(refused.requests, "request"),
            refused.route,
            refused.why
        ));
    }
    for (why, count) in &all.left_out {
        print::say(&format!("not looked at: {}: {why}", print::plural(*count, "kept request")));
    }
}

fn block(task: &Found) -> String {
    let mut page = format!("{}\n", print::bold(&task.name));
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "{name:<10}{value}");
    };
    row("from", &task.origin.to_string());
    let left = if task.left_out > 0 {
        format!(", {} more whose answer is none of the labels", print::thousands(task.left_out))
    } else {
        String::new()
    };
    row("rows", &format!("{}{left}", print::thousands(task.rows.len() as u64)));
    row(
        "repeats",
        &format!(
            "{} to the letter, {} nearly; {} count",
            print::thousands(task.exact_repeats),
            print::thousands(task.near_repeats),
            print::thousands(task.distinct)
        ),
    );
    let names: Vec<&str> = task.labels.labels.iter().take(8).map(|label| label.written.as_str()).collect();
    let more = if task.labels.labels.len() > names.len() { ", …" } else { "" };
    row("labels", &format!("{}: {}{more}", task.labels.labels.len(), names.join(", ")));
    let teachers: Vec<String> = task
        .teachers()
        .into_iter()
        .map(|(name, rows)| {
            let name = if name.is_empty() { "unknown" } else { name };
            format!("{name} ({})", print::thousands(rows))
        })
        .collect();
    row("teacher", &teachers.join(", "));
    let partly = |count: u64| {
        if count == task.rows.len() as u64 {
            String::new()
        } else {
            format!(", known of {}", print::plural(count, "row"))
        }
    };
    row(
        "cost",
        &match sum(&task.rows, |row| row.nano_usd) {
            (_, 0) => "unknown".into(),
            (nano, count) => format!("{}{}", NanoUsd(nano), partly(count)),
        },
    );
    row(
        "energy",
        &match sum(&task.rows, |row| row.mj) {
            (_, 0) => "unknown".into(),
            (mj, count) => format!("{} J{}", print::short(mj as f64 / 1e3), partly(count)),
        },
    );
    let words: Vec<String> = rows_for(task).into_iter().map(|(_, words)| words).collect();
    row("suffices", &words.join("; "));
    page
}
