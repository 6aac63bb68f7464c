//! A table of recorded answers: CSV with a header, or JSON objects a line.

use crate::print::{self, Trouble};
use serde_json::{Map, Value};
use std::path::Path;

/// All cells as text.
pub(super) struct Sheet {
    file: String,
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, Trouble> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| Trouble::new(format!("failed to read `{file}`: {}", print::lowered(&error))))?;
        let lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
        let (names, rows) = if lines { objects(&file, &bytes)? } else { table(&file, &bytes)? };
        Self::filled(file, names, rows)
    }

    /// One of cells that are here.
    pub(super) fn of(file: String, names: &[&str], rows: Vec<Vec<String>>) -> Result<Self, Trouble> {
        Self::filled(file, names.iter().map(|name| (*name).to_owned()).collect(), rows)
    }

    fn filled(file: String, names: Vec<String>, rows: Vec<Vec<String>>) -> Result<Self, Trouble> {
        if rows.is_empty() {
            return Err(Trouble::new(format!("`{file}` holds no row")));
        }
        Ok(Self { file, names, rows })
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// A column.
    pub(super) fn column(&self, name: &str) -> Result<Vec<&str>, Trouble> {
        let Some(place) = self.names.iter().position(|known| known == name) else {
            let near = mains_config::closest(name, self.names.iter().map(String::as_str));
            let hint = near.map_or_else(
                || format!("its columns are {}", self.names.join(", ")),
                |near| format!("did you mean `{near}`? its columns are {}", self.names.join(", ")),
            );
            return Err(Trouble::new(format!("`{}` has no column `{name}`", self.file)).hint(hint));
        };
        Ok(self.rows.iter().map(|row| row.get(place).map_or("", String::as_str)).collect())
    }

    /// A column of numbers; true is 1 and false is 0.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, Trouble> {
        let number = |(row, cell): (usize, &str)| {
            let cell = cell.trim();
            if cell.eq_ignore_ascii_case("true") {
                return Ok(1.0);
            }
            if cell.eq_ignore_ascii_case("false") {
                return Ok(0.0);
            }
            cell.parse().map_err(|_| {
                Trouble::new(format!(
                    "`{}` row {}: `{name}` is `{cell}`, which is no number",
                    self.file,
                    row + 1
                ))
                .hint("write a number, or true or false")
            })
        };
        self.column(name)?.into_iter().enumerate().map(number).collect()
    }

    /// So many columns of costs, if any are named.
    pub(super) fn costs<const N: usize>(&self, names: &[String]) -> Result<Option<[Vec<f64>; N]>, Trouble> {
        if names.is_empty() {
            return Ok(None);
        }
        let columns: Vec<Vec<f64>> = names.iter().map(|name| self.numbers(name)).collect::<Result<_, _>>()?;
        let found = columns.len();
        let negative = columns.iter().flatten().position(|cost| !cost.is_finite() || *cost < 0.0);
        if let Some(place) = negative {
            let row = place % self.rows.len() + 1;
            return Err(Trouble::new(format!(
                "`{}` row {row}: a cost that is negative or no number",
                self.file
            )));
        }
        columns.try_into().map(Some).map_err(|_| {
            Trouble::new(format!("`--costs` names {found} columns"))
                .hint(format!("name {N}, with commas between"))
        })
    }
}

type Cells = (Vec<String>, Vec<Vec<String>>);

fn table(file: &str, bytes: &[u8]) -> Result<Cells, Trouble> {
    let broken = |error: csv::Error| {
        Trouble::new(format!("`{file}`: {error}"))
            .hint("write CSV with a header, or JSON objects a line in a `.jsonl`")
    };
    let mut reader = csv::Reader::from_reader(bytes);
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<String>>();
    let names = cells(reader.headers().map_err(broken)?);
    let rows = reader.records().map(|record| Ok(cells(&record.map_err(broken)?)));
    Ok((names, rows.collect::<Result<_, Trouble>>()?))
}

fn objects(file: &str, bytes: &[u8]) -> Result<Cells, Trouble> {
    let mut names: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (line, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_slice(text).map_err(|error| {
            Trouble::new(format!("`{file}` line {}: {error}", line + 1)).hint("write one JSON object a line")
        })?;
        let mut row = vec![String::new(); names.len()];
        for (name, value) in object {
            let cell = match value {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            };
            if let Some(place) = names.iter().position(|known| *known == name) {
                row[place] = cell;
            } else {
                names.push(name);
                row.push(cell);
            }
        }
        rows.push(row);
    }
    Ok((names, rows))
}
