//! A task's rows in the clear, for other programs: JSON lines, or Parquet.

mod parquet;

use super::found::{self, Found, Row};
use super::shelf::{self, RowsOf, Shelf};
use crate::cli::{DistillExport, RowFormat};
use crate::print::{self, Ended, Trouble};
use mains_distill::training::Part;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A row as it is printed; `mains label --verify --rows` reads it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::verbs) struct Line {
    pub(in crate::verbs) row: String,
    pub(in crate::verbs) text: String,
    /// The label as the teacher writes it; in a task whose answers are JSON, a JSON value.
    pub(in crate::verbs) label: String,
    /// Its number.
    pub(in crate::verbs) class: u32,
    /// Milliseconds since 1970; 0 where no time is known.
    pub(in crate::verbs) at_ms: i64,
    pub(in crate::verbs) teacher: String,
    pub(in crate::verbs) nano_usd: Option<u64>,
    pub(in crate::verbs) mj: Option<u64>,
    pub(in crate::verbs) ms: Option<u64>,
    /// `fit`, `calibrate`, `audit` or `repeat`, where a labeller of the task's name was trained.
    pub(in crate::verbs) part: Option<Part>,
}

pub(super) fn run(arguments: &DistillExport) -> Result<Ended, Trouble> {
    let task = found::one(&arguments.vault, &arguments.task)?;
    let shelf = Shelf::at(&arguments.vault.data);
    let parts =
        shelf.file(&task.name, "rows.json").exists().then(|| shelf.rows_of(&task.name)).transpose()?;
    let wanted = arguments.part.as_deref();
    if wanted.is_some() && parts.is_none() {
        return Err(Trouble::new(format!(
            "no labeller was trained on `{}`, so its rows are in no parts",
            task.name
        ))
        .hint("`mains distill train` divides them"));
    }
    let lines = lines(&task, parts.as_ref());
    let lines: Vec<Line> = lines
        .into_iter()
        .filter(|line| wanted.is_none_or(|wanted| line.part.is_some_and(|part| name(part) == wanted)))
        .collect();
    let count = print::plural(lines.len() as u64, "row");
    match (arguments.format, &arguments.out) {
        (RowFormat::Parquet, None) => {
            return Err(Trouble::new("Parquet is no text").hint("`--out FILE` says where it goes"));
        }
        (RowFormat::Parquet, Some(path)) => shelf::write(path, &parquet::bytes(&lines)?)?,
        (RowFormat::Jsonl, Some(path)) => {
            let mut text = String::new();
            for line in &lines {
                text.push_str(&serde_json::to_string(line)?);
                text.push('\n');
            }
            shelf::write(path, text.as_bytes())?;
        }
        (RowFormat::Jsonl, None) => {
            for line in &lines {
                if !print::piece(&(serde_json::to_string(line)? + "\n")) {
                    // Nobody reads any more.
                    return Ok(Ended::Clean);
                }
            }
        }
    }
    let warning =
        if task.origin.is_import() { "" } else { "; they are no longer sealed, and no erasure reaches them" };
    print::say(&format!("{count}{warning}"));
    Ok(Ended::Clean)
}

/// All rows as lines.
fn lines(task: &Found, parts: Option<&RowsOf>) -> Vec<Line> {
    let parts: BTreeMap<&str, Part> =
        parts.iter().flat_map(|parts| &parts.rows).map(|(name, part)| (name.as_str(), *part)).collect();
    let line = |row: &Row| Line {
        row: row.name.clone(),
        text: row.text.clone(),
        label: task
            .labels
            .labels
            .get(row.label as usize)
            .map_or_else(String::new, |label| label.written.clone()),
        class: row.label,
        at_ms: row.at.0,
        teacher: row.teacher.clone(),
        nano_usd: row.nano_usd,
        mj: row.mj,
        ms: row.ms,
        part: parts.get(row.name.as_str()).copied(),
    };
    task.rows.iter().map(line).collect()
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Fit => "fit",
        Part::Calibrate => "calibrate",
        Part::Audit => "audit",
        Part::Repeat => "repeat",
    }
}
