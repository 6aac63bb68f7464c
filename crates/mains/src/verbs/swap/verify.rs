//! Checks a report from its rows alone, and its signature.

use super::outcome::NOTE;
use crate::cli::Data;
use crate::print::{self, Ended, Trouble};
use mains_ledger::{Hash, VerifierKey, note};
use mains_swap::Report;
use mains_swap::report::{canonical, recheck};
use std::path::Path;

/// A report, and what a check of it found.
pub(super) struct Checked {
    pub(super) report: Report,
    /// SHA-256 of its text, in hex.
    pub(super) hash: String,
    /// The key that signed it.
    pub(super) signed: Option<String>,
    /// What is wrong; nothing where it holds.
    pub(super) wrong: Vec<String>,
}

/// Computes a report again, and checks the signature beside it: by this key, else by the one of the outlet in `data`.
pub(super) fn check(path: &Path, key: Option<&str>, data: &Path) -> Result<Checked, Trouble> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("failed to read `{shown}`: {}", print::lowered(&error))))?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| Trouble::new(format!("`{shown}` is no report of a swap test: {error}")))?;
    let mut wrong = recheck(&report);
    if canonical(&report)? != text {
        wrong.push("the text is not the canonical one".into());
    }
    let hash = Hash::of_bytes(text.as_bytes()).to_hex();
    let signature = path.with_file_name("report.sig");
    let mut signed = None;
    if signature.exists() {
        let key = match key {
            Some(text) => VerifierKey::parse(text)?,
            None => mains_store::log::key::load(&data.join("ledger.key"))
                .map_err(|error| {
                    Trouble::new(error.to_string()).hint("`--key` takes the public key as text")
                })?
                .verifier()
                .clone(),
        };
        match note::open(&std::fs::read(&signature)?, &key) {
            Ok(said) if said == format!("{NOTE}\n{hash}\n") => signed = Some(key.to_string()),
            Ok(_) => wrong.push("the signature is of another report".into()),
            Err(error) => wrong.push(error.to_string()),
        }
    } else if key.is_some() {
        wrong.push("no signature `report.sig` stands beside the report".into());
    }
    Ok(Checked { report, hash, signed, wrong })
}

/// Checks a report; anything wrong is exit code 1.
pub(super) fn run(path: &Path, key: Option<&str>, data: &Data) -> Result<Ended, Trouble> {
    let Checked { report, hash, signed, wrong } = check(path, key, &data.data)?;
    if data.json {
        let verdict = report.ruling.verdict;
        let document = serde_json::json!({"schema": "mains.swap.verify/1", "sha256": hash, "verdict": verdict,
            "signed_by": signed, "wrong": wrong});
        print::json(&document)?;
    } else {
        let verdict = report.ruling.verdict.name();
        let by = signed.map_or_else(|| "not signed".to_owned(), |key| format!("signed by {key}"));
        print::data(&format!("{} from {} rows, {by}\nsha256 {hash}", verdict, report.rows.len()));
        for wrong in &wrong {
            print::data(&format!("{} {wrong}", print::bad("wrong:")));
        }
    }
    Ok(if wrong.is_empty() { Ended::Clean } else { Ended::Findings })
}
