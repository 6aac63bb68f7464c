//! A log from elsewhere becomes a task of ours.
//!
//! `table` reads rows out of CSV and JSON lines, `columns` says which column is what, `prompt` makes the requests'
//! constant part; here a task is made of them and put down. A row that cannot be taken is named with its line; columns
//! that are not known stay beside their row.

mod columns;
mod prompt;
mod table;

pub(super) use prompt::Asked;

use super::shelf::{self, Shelf};
use crate::cli::DistillImport;
use crate::print::{self, Ended, Trouble};
use crate::verbs::now;
use columns::Columns;
use mains_distill::task::{LabelSet, Shape, Template};
use mains_ledger::Hash;
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use table::Wrong;

/// The form of an imported task.
pub(super) const SCHEMA: &str = "mains.distill.import/1";

/// So many wrong rows are named; the others are counted.
const NAMED_MAX: usize = 20;

/// An imported task: `imports/NAME.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Import {
    pub(super) schema: String,
    pub(super) name: String,
    /// The file that it came from, without its folder, and its hash.
    pub(super) file: String,
    pub(super) sha256: String,
    /// The request that the labels answered.
    pub(super) asked: Asked,
    pub(super) shape: Shape,
    pub(super) teacher: Option<String>,
    pub(super) rows: u64,
    pub(super) at: Timestamp,
}

/// One row of it: a line of `imports/NAME.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the file's members")]
pub(super) struct Row {
    /// `tickets.csv:17`, or what the file calls it.
    pub(super) row: String,
    pub(super) text: String,
    pub(super) label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nano_usd: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) teacher: Option<String>,
    /// Columns that are not known here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) more: BTreeMap<String, String>,
}

pub(super) fn run(arguments: &DistillImport) -> Result<Ended, Trouble> {
    shelf::check_name(&arguments.name)?;
    let shelf = Shelf::at(&arguments.data.data);
    let place = shelf.import(&arguments.name, "json");
    if place.exists() && !arguments.replace {
        return Err(Trouble::new(format!("there is an import `{}` already", arguments.name))
            .hint("`--replace` takes its place, another `--name` stands beside it"));
    }
    let asked = prompt::of(arguments)?;
    Template::of_prompt(&asked.fixed, &asked.turns())?;
    let shape = prompt::shape(&arguments.answer)?;
    let bytes = shelf::bytes(&arguments.file)?;
    let file =
        arguments.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let table = table::read(&bytes, &file)?;
    let columns = Columns::find(&table.head, arguments)?;
    print::say(&columns.to_string());
    let (rows, wrong) = taken(&table, &columns, &file);
    say_wrong(&wrong);
    let labels = labels(&rows, shape.clone())?;
    let import = Import {
        schema: SCHEMA.into(),
        name: arguments.name.clone(),
        sha256: Hash::of_bytes(&bytes).to_hex(),
        file,
        asked,
        shape,
        teacher: arguments.teacher.clone(),
        rows: rows.len() as u64,
        at: now(),
    };
    shelf.make()?;
    let mut lines = Vec::new();
    for row in &rows {
        serde_json::to_writer(&mut lines, row)?;
        lines.push(b'\n');
    }
    // The rows first: an import whose rows are missing would be trouble later.
    shelf::write(&shelf.import(&arguments.name, "jsonl"), &lines)?;
    shelf::write(&place, serde_json::to_string_pretty(&import)?.as_bytes())?;
    tell(arguments, &import, &labels, &wrong)?;
    Ok(if wrong.is_empty() { Ended::Clean } else { Ended::Findings })
}

fn taken(table: &table::Table, columns: &Columns, file: &str) -> (Vec<Row>, Vec<Wrong>) {
    let (mut rows, mut wrong) = (Vec::new(), table.wrong.clone());
    for record in &table.records {
        match columns.row(&table.head, record, file) {
            Ok(row) => rows.push(row),
            Err(why) => wrong.push(Wrong { line: record.line, why }),
        }
    }
    wrong.sort_by_key(|wrong| wrong.line);
    (rows, wrong)
}

/// The set of labels, so that what cannot be one is told now and not at training.
fn labels(rows: &[Row], shape: Shape) -> Result<LabelSet, Trouble> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        *counts.entry(&row.label).or_default() += 1;
    }
    let counts: Vec<(String, u64)> =
        counts.into_iter().map(|(label, rows)| (label.to_owned(), rows)).collect();
    LabelSet::of_labels(&counts, shape).map_err(|refusal| {
        Trouble::new(format!("the labels make no task: {refusal}"))
            .hint("`--label-column` names the column of labels")
    })
}

fn say_wrong(wrong: &[Wrong]) {
    for Wrong { line, why } in wrong.iter().take(NAMED_MAX) {
        print::say(&format!("line {line}: {why}"));
    }
    if wrong.len() > NAMED_MAX {
        print::say(&format!("and {} more such lines", print::thousands((wrong.len() - NAMED_MAX) as u64)));
    }
}

fn tell(
    arguments: &DistillImport,
    import: &Import,
    labels: &LabelSet,
    wrong: &[Wrong],
) -> Result<(), Trouble> {
    if arguments.data.json {
        let wrong: Vec<_> = wrong.iter().map(|wrong| json!({"line": wrong.line, "why": wrong.why})).collect();
        return print::json(&json!({
            "schema": "mains.distill.imported/1", "name": import.name, "file": import.file, "sha256": import.sha256,
            "rows": import.rows, "labels": labels.labels.len(), "not_taken": wrong,
        }));
    }
    print::data(&format!(
        "{}: {} with {}",
        import.name,
        print::plural(import.rows, "row"),
        print::plural(labels.labels.len() as u64, "label")
    ));
    if !wrong.is_empty() {
        print::say(&format!("{} not taken", print::plural(wrong.len() as u64, "line")));
    }
    print::say(&format!("next: `mains distill train {}`", import.name));
    Ok(())
}
