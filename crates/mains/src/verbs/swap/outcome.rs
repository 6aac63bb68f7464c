//! The report: on the terminal, as one canonical document with its signature, as a page.

use super::ALPHA;
use super::course::Tested;
use super::state::{Answered, Side, State};
use crate::cli::SwapTest;
use crate::print::{self, Ended, Trouble};
use crate::verbs::now;
use mains_host::files::{Access, write_atomic};
use mains_ledger::{Hash, note};
use mains_swap::report::{About, Beside, Costs, Report, Test, canonical, html};
use mains_swap::verdict::{Question, Verdict};
use mains_units::NanoUsd;
use std::fmt::Write as _;
use std::path::Path;

/// The first line of the signed note.
pub(super) const NOTE: &str = "mains.swap.report/1";

/// Writes and prints the report.
pub(super) fn finish(
    arguments: &SwapTest,
    question: Question,
    available: u64,
    tested: Tested,
) -> Result<Ended, Trouble> {
    let (capped, spent) = (tested.capped, tested.spent);
    let about = About {
        old: arguments.from.clone(),
        new: arguments.to.clone(),
        route: arguments.requests.display().to_string(),
        grader: tested.grader,
        day: now().day().to_string(),
        seed: arguments.seed.to_string(),
    };
    let report = Report::build(Test {
        about,
        question,
        alpha: ALPHA,
        available,
        rows: tested.rows,
        looks: tested.looks,
        left_out: tested.left_out,
        marks: Vec::new(),
        worst: tested.worst,
        beside: tested.beside,
    })
    .ok_or_else(|| Trouble::new("the outcomes do not fit the question"))?;
    let text = canonical(&report)?;
    let hash = Hash::of_bytes(text.as_bytes()).to_hex();
    let folder = &arguments.out;
    write_atomic(&folder.join("report.json"), text.as_bytes(), Access::Private)?;
    write_atomic(&folder.join("report.html"), html(&report).as_bytes(), Access::Private)?;
    let signed = sign(&arguments.data, folder, &hash)?;
    print::data(&page(&report, &hash, &signed, spent));
    if capped {
        print::say(
            "`--max-usd` ended the test; the result holds for what was asked, and a higher cap goes on",
        );
    }
    Ok(if report.ruling.verdict == Verdict::NonInferior { Ended::Clean } else { Ended::Findings })
}

/// Signs the hash with the outlet's key; says why not where that key is not here.
fn sign(data: &Path, folder: &Path, hash: &str) -> Result<String, Trouble> {
    let path = folder.join("report.sig");
    match mains_store::log::key::load(&data.join("ledger.key")) {
        Ok(signer) => {
            let note = note::sign(&format!("{NOTE}\n{hash}\n"), &signer)?;
            write_atomic(&path, note.as_bytes(), Access::Private)?;
            Ok(format!("by {}", signer.verifier()))
        }
        Err(error) => {
            // A signature of an earlier report would be false now.
            if path.exists() {
                std::fs::remove_file(&path)?;
            }
            Ok(format!("no: {error}"))
        }
    }
}

fn page(report: &Report, hash: &str, signed: &str, spent: u64) -> String {
    let evidence = &report.ruling.evidence;
    let (word, about) = (report.ruling.verdict.name(), &report.about);
    let shown = match report.ruling.verdict {
        Verdict::NonInferior => print::good(word),
        _ => print::bad(word),
    };
    let mut page = format!("{}: {} in place of {}\n\n", shown, about.new, about.old);
    let estimate = evidence.estimate.map_or_else(|| "unknown".into(), |share| format!("{share} %"));
    let mut rows = vec![
        vec!["agree".into(), format!("{estimate}, 95 % interval {} to {} %", evidence.low, evidence.high)],
        vec!["asked for".into(), format!("at most {} % may differ", report.question.margin())],
        vec!["requests".into(), format!("{} graded of {}", evidence.n, report.available)],
        vec!["spent".into(), NanoUsd(spent).to_string()],
    ];
    for (name, costs) in [("old model", &report.beside.old), ("new model", &report.beside.new)] {
        if let (Some(nano), Some(ms)) = (costs.nano_usd_per_1000, costs.total_ms_p50) {
            rows.push(vec![name.into(), format!("{} per 1,000 requests, median {ms} ms", NanoUsd(nano))]);
        }
    }
    for (why, count) in &report.left_out {
        rows.push(vec!["left out".into(), format!("{count}: {why}")]);
    }
    rows.push(vec!["sha256".into(), hash.to_owned()]);
    rows.push(vec!["signed".into(), signed.to_owned()]);
    for row in rows {
        let _ = writeln!(page, "{:<10} {}", row[0], row[1]);
    }
    for example in report.worst.iter().take(3) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default().replace('\n', " ");
        let (old, new) = (text(&example.old), text(&example.new));
        let _ = writeln!(page, "{:<10} {}: `{old}` became `{new}`", "differs", example.id);
    }
    page
}

/// What both models cost, as far as they were asked.
pub(super) fn beside(state: &State) -> Beside {
    Beside { old: costs(state.answers(Side::Old)), new: costs(state.answers(Side::New)) }
}

fn costs<'a>(answers: impl Iterator<Item = &'a Answered>) -> Costs {
    let answers: Vec<&Answered> = answers.filter(|answer| answer.status == 200).collect();
    let money: Option<Vec<u64>> = answers.iter().map(|answer| answer.nano_usd).collect();
    let money = money.filter(|money| !money.is_empty());
    let mut took: Vec<u64> = answers.iter().map(|answer| answer.took_ms).collect();
    took.sort_unstable();
    Costs {
        nano_usd_per_1000: money.map(|all| all.iter().sum::<u64>().saturating_mul(1_000) / all.len() as u64),
        total_ms_p50: took.get(took.len() / 2).copied(),
        ..Costs::default()
    }
}
