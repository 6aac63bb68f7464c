//! Whether a labeller's file is whole, whose it is, and whether its promise follows from its rows.

use crate::cli::Label;
use crate::print::{self, Ended, Trouble};
use crate::verbs::distill::crew::cores;
use crate::verbs::distill::export::Line;
use crate::verbs::distill::shelf::{self, Shelf};
use crate::verbs::distill::{found, judged};
use mains_distill::labeller::Labeller;
use mains_distill::training::{Embedded, Example, Given, Part, Verified, verify};
use mains_ledger::{Hash, VerifierKey};
use mains_units::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

/// Rows by part.
type Rows = (Vec<Example>, Vec<Example>);

pub(super) fn run(arguments: &Label) -> Result<Ended, Trouble> {
    let file = shelf::bytes(&arguments.file)?;
    let mut wrong = Vec::new();
    let labeller = match Labeller::parse(&file) {
        Ok(labeller) => labeller,
        Err(error) => {
            wrong.push(error.to_string());
            return tell(arguments, &file, None, None, &wrong);
        }
    };
    let shelf = Shelf::at(&arguments.vault.data);
    let key = match &arguments.key {
        Some(text) => Some(VerifierKey::parse(text)?),
        None => shelf.verifier(),
    };
    let none = || "there is no key here to check its signature; `--key` takes one as text".to_owned();
    let sealed = key.as_ref().ok_or_else(none).and_then(|key| {
        shelf::check_seal(&file, key)?;
        Ok(key.to_string())
    });
    let signed = sealed.map_err(|why| wrong.push(why)).ok();
    let rows = rows(arguments, &shelf, &labeller)?;
    let verified = checked(&labeller, rows.as_ref());
    match verified {
        Ok(verified) => {
            if rows.is_none() {
                print::say(
                    "the rows are not here, so the promise was not computed again: `--rows FILE` brings them",
                );
            }
            tell(arguments, &file, signed.as_deref(), Some(&verified), &wrong)
        }
        Err(trouble) => {
            wrong.push(trouble.text());
            tell(arguments, &file, signed.as_deref(), None, &wrong)
        }
    }
}

fn checked(labeller: &Labeller, rows: Option<&Rows>) -> Result<Verified, Trouble> {
    let Some((calibration, audit)) = rows else { return Ok(verify(labeller, None, None)?) };
    let embed = |examples: &[Example]| {
        let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();
        judged::embeddings(labeller, &texts, cores())
    };
    let (of_calibration, of_audit) = (embed(calibration)?, embed(audit)?);
    let calibration = given(labeller, calibration, of_calibration.as_ref());
    let audit = given(labeller, audit, of_audit.as_ref());
    Ok(verify(labeller, Some(calibration), Some(audit))?)
}

fn given<'g>(
    labeller: &Labeller,
    examples: &'g [Example],
    embedded: Option<&'g (Vec<f32>, usize)>,
) -> Given<'g> {
    let model_sha256 = labeller.dense.as_ref().map_or([0; 32], |dense| dense.model_sha256);
    let embedded = embedded.map(|(values, dim)| Embedded { model_sha256, values, dim: *dim });
    Given { examples, embedded }
}

/// The rows of the file that was named, else the task's, where they are here.
fn rows(arguments: &Label, shelf: &Shelf, labeller: &Labeller) -> Result<Option<Rows>, Trouble> {
    let (mut calibration, mut audit) = (Vec::new(), Vec::new());
    let mut take = |part: Option<Part>, example: Example| match part {
        Some(Part::Calibrate) => calibration.push(example),
        Some(Part::Audit) => audit.push(example),
        Some(Part::Fit | Part::Repeat) | None => {}
    };
    if let Some(path) = &arguments.rows {
        let bytes = shelf::bytes(path)?;
        for (line, bytes) in
            (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, bytes)| !bytes.is_empty())
        {
            let row: Line = serde_json::from_slice(bytes).map_err(|error| {
                Trouble::new(format!("`{}` line {line}: {error}", path.display()))
                    .hint("`mains distill export TASK` prints such rows")
            })?;
            let (part, at) = (row.part, Timestamp(row.at_ms));
            take(part, Example { name: row.row, text: row.text, label: row.class, at });
        }
        return Ok(Some((calibration, audit)));
    }
    let Some(task) = &labeller.task else { return Ok(None) };
    if !shelf.file(&task.name, "rows.json").exists() {
        return Ok(None);
    }
    let known = shelf.rows_of(&task.name)?;
    let parts: BTreeMap<&str, Part> = known.rows.iter().map(|(name, part)| (name.as_str(), *part)).collect();
    let mut found = found::one(&arguments.vault, &known.task)?;
    found.rows.retain(|row| row.teacher == task.bound.teacher);
    for example in found.examples() {
        take(parts.get(example.name.as_str()).copied(), example);
    }
    Ok(Some((calibration, audit)))
}

fn tell(
    arguments: &Label,
    file: &[u8],
    signed: Option<&str>,
    verified: Option<&Verified>,
    wrong: &[String],
) -> Result<Ended, Trouble> {
    let hash = Hash::of_bytes(file).to_hex();
    if arguments.json {
        print::json(&json!({
            "schema": "mains.label.verify/1", "sha256": hash, "signed_by": signed,
            "ruling": verified.map(|verified| &verified.certificates.served().ruling),
            "terms": verified.map(|verified| &verified.certificates.served().terms),
            "calibration_rows": verified.map(|verified| verified.calibration_rows),
            "audit_rows": verified.map(|verified| verified.audit_rows), "wrong": wrong,
        }))?;
    } else {
        print::data(&format!("sha256 {hash}"));
        if let Some(key) = signed {
            print::data(&format!("signed by {key}"));
        }
        if let Some(verified) = verified {
            print::data("the thresholds follow from the certificates");
            if verified.calibration_rows > 0 {
                print::data(&format!(
                    "both promises computed again from {} and {}: they come out as the file says",
                    print::plural(verified.calibration_rows, "calibration row"),
                    print::plural(verified.audit_rows, "audit row")
                ));
            }
            print::data("");
            print::data(&mains_distill::certificate::page(verified.certificates.served()));
        }
        for wrong in wrong {
            print::data(&format!("{} {wrong}", print::bad("wrong:")));
        }
    }
    Ok(if wrong.is_empty() { Ended::Clean } else { Ended::Findings })
}
