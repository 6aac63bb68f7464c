//! Signs and writes: the labeller last, so that it never stands without what belongs to it.

use super::super::found::Found;
use super::super::report::{self, About, Document};
use super::super::shelf::{self, RowsOf, Shelf};
use super::Done;
use super::delta::Looks;
use crate::print::Trouble;
use mains_ledger::Hash;

/// Puts everything into the folder; what was put is the report.
pub(super) fn all(
    shelf: &Shelf,
    about: About,
    done: &Done,
    task: &Found,
    looks: &Looks,
) -> Result<Document, Trouble> {
    let Done { trained, lesson } = done;
    let signer = shelf.signer()?;
    let file = shelf::seal(&trained.labeller, &signer)?;
    let name = about.name.clone();
    let rows = RowsOf {
        schema: shelf::ROWS_SCHEMA.into(),
        task: task.name.clone(),
        rows: lesson.examples.iter().map(|example| example.name.clone()).zip(trained.parts.clone()).collect(),
    };
    let document = Document {
        schema: report::SCHEMA.into(),
        about,
        labels: lesson.task.labels.labels.iter().map(|label| label.written.clone()).collect(),
        template: lesson.task.bound.template.clone(),
        fingerprints: lesson.task.bound.fingerprints.iter().cloned().collect(),
        sha256: Hash::of_bytes(&file).to_hex(),
        bytes: file.len() as u64,
        signed_by: signer.verifier().to_string(),
        suspicious: report::suspicious(trained, task),
        certificates: trained.certificates.clone(),
        report: trained.report.clone(),
    };
    // Stakes first: what was looked at was looked at, even if nothing else is written.
    looks.write(shelf)?;
    shelf::write(&shelf.file(&name, "rows.json"), serde_json::to_string(&rows)?.as_bytes())?;
    shelf::write(&shelf.file(&name, "json"), serde_json::to_string_pretty(&document)?.as_bytes())?;
    shelf::write(&shelf.file(&name, "txt"), report::text(&document).as_bytes())?;
    shelf::write(&shelf.file(&name, "html"), report::html(&document).as_bytes())?;
    shelf::write(&shelf.file(&name, "labeller"), &file)?;
    Ok(document)
}
