//! Whether a task's answers come from a closed set of labels.

use super::exchange::Answer;
use super::refusal::Refusal;
use super::shape::{self, Not, Said, Shape};
use super::template::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// By which answers are compared: in lower case, without quotes or full stop.
    pub name: String,
    /// As the model writes it most often.
    pub written: String,
    /// How many answers.
    pub rows: u64,
}

/// A closed set of labels and how answers carry them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSet {
    /// The shape of the answers.
    pub shape: Shape,
    /// The labels in the order of their names; a label's place is its number.
    pub labels: Vec<Label>,
}

/// This share of the answers must be of one shape.
const SHAPE_MIN: f64 = 0.9;
/// Fewer answers cannot show that a set is closed.
const ANSWERS_MIN: usize = 20;
/// The chance to meet a label that was never seen is about the share of answers that were seen once (Good, Biometrika
/// 40 (1953), 237-264, crediting Turing); a closed set keeps it at or below this.
const NEW_LABEL_MAX: f64 = 0.05;

impl LabelSet {
    /// The number of the label that an answer carries; none where it carries another, or none in this shape.
    pub fn number(&self, answer: &Answer) -> Option<u32> {
        let said = shape::read(answer).ok().filter(|said| is_like(&said.shape, &self.shape))?;
        let place = self.labels.binary_search_by(|label| label.name.cmp(&said.name)).ok()?;
        u32::try_from(place).ok()
    }

    /// The answer that carries a label, as the model writes it.
    pub fn write(&self, number: u32) -> Option<Answer> {
        self.labels.get(number as usize).map(|label| self.shape.write(&label.written))
    }

    /// The SHA-256 of the names, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for label in &self.labels {
            hash.update((label.name.len() as u64).to_le_bytes());
            hash.update(label.name.as_bytes());
        }
        hex(&hash.finalize())
    }

    /// The number of the label that is written so, quotes, case and a full stop aside.
    pub fn find(&self, written: &str) -> Option<u32> {
        let name = shape::bare(written);
        let place = self.labels.binary_search_by(|label| label.name.cmp(&name)).ok()?;
        u32::try_from(place).ok()
    }

    /// The set of labels that are known beforehand, each with its number of rows, for answers of this shape. The
    /// labels are plain texts; where the shape is JSON they are written as JSON texts.
    ///
    /// Those that differ only in case or quotes are one label, written as most rows write it. A label that an answer
    /// of this shape cannot carry, and a set of fewer than two, are refused.
    pub fn of_labels(written: &[(String, u64)], shape: Shape) -> Result<Self, Refusal> {
        let mut seen: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (label, rows) in written {
            let encoded = match shape {
                Shape::Word => label.trim().to_owned(),
                Shape::Field { .. } | Shape::Tool { .. } => {
                    serde_json::Value::String(label.trim().to_owned()).to_string()
                }
            };
            let sum = seen.entry(shape::bare(label)).or_default().entry(encoded).or_default();
            *sum = sum.saturating_add(*rows);
        }
        if seen.len() < 2 {
            let label = seen.into_keys().next().unwrap_or_default();
            return Err(Refusal::OneLabel { label });
        }
        let label = |(name, spellings): (String, BTreeMap<String, u64>)| {
            let rows = spellings.values().fold(0u64, |sum, rows| sum.saturating_add(*rows));
            let most = spellings.values().copied().max().unwrap_or(0);
            let written = spellings.into_iter().find(|(_, rows)| *rows == most).map(|(written, _)| written);
            Label { name, written: written.unwrap_or_default(), rows }
        };
        let set = Self { shape, labels: seen.into_iter().map(label).collect() };
        let comes_back =
            |number: u32| set.write(number).and_then(|answer| set.number(&answer)) == Some(number);
        match (0u32..).zip(&set.labels).find(|(number, _)| !comes_back(*number)) {
            Some((_, label)) => Err(Refusal::Unwritable { label: label.written.clone() }),
            None => Ok(set),
        }
    }

    /// Learns the set from answers, or says why there is none.
    pub fn learn(answers: &[&Answer]) -> Result<Self, Refusal> {
        let rows = answers.len();
        if rows < ANSWERS_MIN {
            return Err(Refusal::TooFew { rows: rows as u64, need: ANSWERS_MIN as u64 });
        }
        let read: Vec<Result<Said, Not>> = answers.iter().map(|answer| shape::read(answer)).collect();
        let said: Vec<&Said> = read.iter().filter_map(|said| said.as_ref().ok()).collect();
        let alike = of_one_shape(&said);
        if (alike.len() as f64) < SHAPE_MIN * rows as f64 {
            return Err(shapeless(&read, alike.len()));
        }
        let mut seen: BTreeMap<&str, Vec<&Said>> = BTreeMap::new();
        for said in &alike {
            seen.entry(&said.name).or_default().push(said);
        }
        let once = seen.values().filter(|rows| rows.len() == 1).count();
        if once as f64 > NEW_LABEL_MAX * alike.len() as f64 {
            let (labels, once, rows) = (seen.len() as u64, once as u64, alike.len() as u64);
            return Err(Refusal::Open { labels, once, rows });
        }
        // What was seen once is likelier a slip than a label.
        seen.retain(|_, rows| rows.len() > 1);
        if seen.len() < 2 {
            let label = seen.into_keys().next().unwrap_or_default().to_owned();
            return Err(Refusal::OneLabel { label });
        }
        let shape = most(alike.iter().map(|said| &said.shape)).cloned().unwrap_or(Shape::Word);
        let labels = seen
            .into_iter()
            .map(|(name, rows)| Label {
                name: name.to_owned(),
                written: most(rows.iter().map(|said| &said.written)).cloned().unwrap_or_default(),
                rows: rows.len() as u64,
            })
            .collect();
        Ok(Self { shape, labels })
    }
}

/// An answer in one word for comparing: its label, or its text in lower case.
pub(crate) fn folded(answer: &Answer) -> String {
    match shape::read(answer) {
        Ok(said) => said.name,
        Err(_) => answer.text.trim().to_lowercase(),
    }
}

fn is_like(one: &Shape, other: &Shape) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other) && one.kind() == other.kind()
}

/// Those of the commonest shape.
fn of_one_shape<'s>(said: &[&'s Said]) -> Vec<&'s Said> {
    let mut counts: Vec<(&Shape, usize)> = Vec::new();
    for one in said {
        let known = counts.iter().position(|(shape, _)| is_like(shape, &one.shape));
        match known {
            Some(place) => counts[place].1 += 1,
            // A free task has thousands of keys and no shape; a dozen are enough to see that.
            None if counts.len() < 12 => counts.push((&one.shape, 1)),
            None => {}
        }
    }
    let Some((shape, _)) = counts.into_iter().max_by_key(|(_, count)| *count) else { return Vec::new() };
    said.iter().filter(|one| is_like(&one.shape, shape)).copied().collect()
}

fn shapeless(read: &[Result<Said, Not>], alike: usize) -> Refusal {
    let count = |not: Not| read.iter().filter(|said| said.as_ref().err() == Some(&not)).count() as u64;
    let (fields, texts, rows) = (count(Not::Fields), count(Not::Text), read.len() as u64);
    let most = SHAPE_MIN * rows as f64;
    if fields as f64 >= most {
        Refusal::ManyFields { fields, rows }
    } else if texts as f64 > rows as f64 - most {
        Refusal::FreeText { texts, rows }
    } else {
        Refusal::MixedShapes { alike: alike as u64, rows }
    }
}

/// The most frequent; the least of those that are equally frequent.
fn most<'m, T: Ord>(items: impl Iterator<Item = &'m T>) -> Option<&'m T> {
    let mut counts: BTreeMap<&T, usize> = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    let best = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == best).map(|(item, _)| item)
}
