//! Reading the golden tables.

use std::collections::HashMap;

/// One row by column name.
pub(crate) type Row = HashMap<String, String>;

/// Every row of a table without quoted fields.
pub(crate) fn read(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| names.iter().map(|n| (*n).to_owned()).zip(line.split(',').map(str::to_owned)).collect())
        .collect()
}

/// A number, or `None` where the field is empty.
pub(crate) fn number(row: &Row, name: &str) -> Option<f64> {
    let text = row.get(name).unwrap_or_else(|| panic!("no column `{name}`"));
    (!text.is_empty()).then(|| text.parse().unwrap())
}

/// Fails unless `ours` is within 1e-9 of the golden value, relatively.
pub(crate) fn same(row: &Row, name: &str, ours: f64) {
    let golden = number(row, name).unwrap();
    let error = if golden == 0.0 { ours.abs() } else { (ours / golden - 1.0).abs() };
    assert!(error <= 1e-9, "{name}: ours {ours:e}, golden {golden:e}, row {row:?}");
}
