//! Populations whose truth is known: every row of them is.

use super::scorer::{Said, features, judge};
use mains_distill::certificate::Calibration;
use mains_units::Chance;
use std::path::Path;

/// Rows to draw from.
pub struct Population {
    /// What it is.
    pub name: String,
    /// The labeller's training rows, judged out of fold.
    pub training: Calibration,
    /// The rows that calibration rows are drawn from, with replacement.
    pub rows: Calibration,
}

/// A planted one: the chance to differ falls with confidence, and is a hump where `hump` says so: a labeller that is
/// sure of a kind of text that it gets wrong.
pub fn planted(name: &str, often: f64, hump: f64, seed: u64) -> Population {
    let mut chance = Chance::from_seed(seed);
    let mut rows = |n: usize| {
        let mut rows = Calibration::default();
        for _ in 0..n {
            let step = u16::try_from(chance.below(1 << 16)).unwrap_or(0);
            let confidence = f32::from(step) / 65_536.0;
            let sure = f64::from(confidence);
            let differs =
                often * (1.0 - sure) * (1.0 - sure) + if (0.85..0.95).contains(&sure) { hump } else { 0.0 };
            rows.confidence.push(confidence);
            rows.differs.push(chance.hits(differs));
            rows.class.push(u32::try_from(chance.below(5)).unwrap_or(0));
        }
        rows
    };
    Population { name: name.to_owned(), training: rows(2_000), rows: rows(20_000) }
}

/// The recorded tasks under a folder of data sets; none where it is not there. No official test file is touched.
pub fn recorded(folder: &Path, seed: u64) -> Result<Vec<Population>, String> {
    let mut populations = Vec::new();
    let overruling = folder.join("overruling_12llm/dev_half.csv");
    if overruling.exists() {
        let rows = labelled(&overruling, "text", &["gpt-4_answer".to_owned()])?;
        populations.push(made("overruling, GPT-4's answers", rows, 400, seed));
    }
    let trec = folder.join("trec6/train.txt");
    if trec.exists() {
        let text = std::fs::read(&trec).map_err(|error| format!("{}: {error}", trec.display()))?;
        let text = String::from_utf8_lossy(&text);
        let rows = text.lines().filter_map(|line| line.split_once(' '));
        let rows: Vec<_> = rows.map(|(label, text)| (text.to_owned(), vec![label.to_owned()])).collect();
        let rows = numbered(&rows);
        populations.push(made("TREC-6, the training file", rows, 2_500, seed));
    }
    Ok(populations)
}

/// Texts of a table with the labels of one teacher or more.
pub(super) fn labelled(path: &Path, text: &str, labels: &[String]) -> Result<Vec<Said>, String> {
    let wrong = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(wrong)?;
    let heads = reader.headers().map_err(wrong)?.clone();
    let column = |name: &str| {
        heads
            .iter()
            .position(|head| head == name)
            .ok_or_else(|| format!("{}: no column `{name}`", path.display()))
    };
    let text = column(text)?;
    let labels = labels.iter().map(|label| column(label)).collect::<Result<Vec<usize>, String>>()?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let said = labels.iter().map(|label| record[*label].trim().to_owned()).collect();
        rows.push((record[text].to_owned(), said));
    }
    Ok(numbered(&rows))
}

/// Labels as numbers in the order of their names.
fn numbered(rows: &[(String, Vec<String>)]) -> Vec<Said> {
    let mut names: Vec<String> = rows.iter().flat_map(|(_, labels)| labels.iter().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let number = |label: &String| u32::try_from(names.partition_point(|known| known < label)).unwrap_or(0);
    rows.iter()
        .map(|(text, labels)| Said {
            places: features(text),
            label: labels.first().map_or(0, number),
            others: labels.iter().skip(1).map(number).collect(),
        })
        .collect()
}

pub(super) fn shuffled(mut rows: Vec<Said>, seed: u64) -> Vec<Said> {
    let mut chance = Chance::from_seed(seed);
    for last in (1..rows.len()).rev() {
        let other = usize::try_from(chance.below(last as u64 + 1)).unwrap_or(0);
        rows.swap(last, other);
    }
    rows
}

/// Trains on the first of the shuffled rows, and keeps the rest as the population.
fn made(name: &str, rows: Vec<Said>, training: usize, seed: u64) -> Population {
    let (own, fresh) = judge(&shuffled(rows, seed), training);
    Population { name: name.to_owned(), training: own, rows: fresh }
}
