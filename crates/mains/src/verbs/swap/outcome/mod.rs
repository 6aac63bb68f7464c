//! The report: on the terminal, as one canonical document with its signature, as a page.

mod figures;
mod words;

use super::ALPHA;
use super::course::Tested;
use super::requests::Item;
use crate::print::{self, Ended, Trouble};
use crate::verbs::now;
pub(super) use figures::beside;
use mains_host::files::{Access, write_atomic};
use mains_ledger::{Hash, note};
use mains_serve::control::{Answer, Command, say};
use mains_swap::grade::Said;
use mains_swap::report::{About, Beside, Report, Test, canonical, html};
use mains_swap::verdict::{Question, Verdict};
use std::collections::BTreeMap;
use std::path::Path;

/// The first line of the signed note.
pub(super) const NOTE: &str = "mains.swap.report/1";

/// What is beside the rows in a report.
pub(super) struct Around<'a> {
    pub(super) old: &'a str,
    pub(super) new: &'a str,
    pub(super) route: String,
    pub(super) seed: u64,
    pub(super) question: Question,
    pub(super) available: u64,
    pub(super) beside: Beside,
}

/// What a report is built from.
pub(super) fn assemble(around: Around<'_>, tested: Tested) -> Test {
    Test {
        about: About {
            old: around.old.into(),
            new: around.new.into(),
            route: around.route,
            grader: tested.grader,
            day: now().day().to_string(),
            seed: around.seed.to_string(),
        },
        question: around.question,
        alpha: ALPHA,
        available: around.available,
        rows: tested.rows,
        looks: tested.looks,
        left_out: tested.left_out,
        marks: tested.marks,
        worst: tested.worst,
        beside: around.beside,
    }
}

/// Writes, signs and prints the report, and tells the running outlet.
pub(super) async fn finish(
    test: Test,
    route: Option<&str>,
    (folder, data): (&Path, &Path),
    spent: u64,
) -> Result<Report, Trouble> {
    let report = Report::build(test).ok_or_else(|| Trouble::new("the outcomes do not fit the question"))?;
    let text = canonical(&report)?;
    let hash = Hash::of_bytes(text.as_bytes()).to_hex();
    write_atomic(&folder.join("report.json"), text.as_bytes(), Access::Private)?;
    write_atomic(&folder.join("report.html"), html(&report).as_bytes(), Access::Private)?;
    let signed = sign(data, folder, &hash)?;
    let ledger = tell(data, &report, &hash, route).await?;
    let marks = words::Marks { hash: &hash, signed: &signed, ledger: &ledger, spent };
    print::data(&words::page(&report, &marks));
    Ok(report)
}

/// Tells the outlet that a test has ended, so that its ledger names the report and it knows the replacement.
async fn tell(data: &Path, report: &Report, hash: &str, route: Option<&str>) -> Result<String, Trouble> {
    let verdict = serde_json::to_value(report.ruling.verdict)?;
    let tested = Command::SwapTested {
        report: hash.to_owned(),
        from: report.about.old.clone(),
        to: report.about.new.clone(),
        route: route.unwrap_or_default().to_owned(),
        verdict: verdict.as_str().unwrap_or_default().to_owned(),
        figures: serde_json::to_value(&report.beside)?,
    };
    Ok(match say(data, &tested).await {
        Ok(Answer::Leaf(Some(leaf))) => format!("leaf {leaf}"),
        Ok(Answer::Leaf(None)) => "this very report is there already".into(),
        Ok(Answer::Refused(why)) | Err(why) => {
            format!("not told: {}", why.lines().next().unwrap_or_default())
        }
        Ok(_) => "not told: the outlet did not understand".into(),
    })
}

/// How the verb ends.
pub(super) fn ended(report: &Report) -> Ended {
    if report.ruling.verdict == Verdict::NonInferior { Ended::Clean } else { Ended::Findings }
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

/// The parts of the traffic that an item belongs to.
pub(super) fn parts(item: &Item) -> BTreeMap<String, String> {
    let stratum = item.stratum();
    let tools = if stratum.tools { "offered" } else { "none" };
    [
        ("language", stratum.language.to_owned()),
        ("length", stratum.length.to_string()),
        ("tools", tools.to_owned()),
    ]
    .map(|(by, part)| (by.to_owned(), part))
    .into()
}

/// An answer as people and judges read it: its text, then its calls.
pub(super) fn shown(said: &Said) -> String {
    let calls = said.calls.iter().map(|call| format!("{}({})", call.name, call.arguments));
    let text = Some(said.text.clone()).filter(|text| !text.trim().is_empty());
    let all: Vec<String> = text.into_iter().chain(calls).collect();
    if all.is_empty() { "(no answer)".into() } else { all.join("\n") }
}

/// Text of strangers for a terminal: without the characters that steer one.
pub(super) fn harmless(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect()
}

/// The model that all these requests ask for: their route.
pub(super) fn route<'i>(items: &[&'i Item]) -> Option<&'i str> {
    let mut asked = items.iter().map(|item| item.body["model"].as_str());
    let first = asked.next()??;
    asked.all(|other| other == Some(first)).then_some(first)
}
