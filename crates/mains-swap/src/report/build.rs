//! From rows to verdicts.

use super::row::count;
use super::{About, Beside, Example, FieldCount, Report, Row, SCHEMA};
use crate::grade::{FieldMark, Mark};
use crate::stats::{Counts, Tally};
use crate::verdict::{Course, Ppm, Question, Slice, moments, slices};
use std::collections::{BTreeMap, BTreeSet};

/// What a finished or stopped test hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What was tested.
    pub about: About,
    /// What was asked.
    pub question: Question,
    /// The error level.
    pub alpha: Ppm,
    /// How many records there were to draw from.
    pub available: u64,
    /// Every graded item, in the order of the test.
    pub rows: Vec<Row>,
    /// After how many rows the counts were looked at; empty for [`moments`].
    pub looks: Vec<u64>,
    /// Records that could not be graded, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// The marks of all answers, where there are fields.
    pub marks: Vec<FieldMark>,
    /// Items where the new model did worst.
    pub worst: Vec<Example>,
    /// What both models cost.
    pub beside: Beside,
}

impl Report {
    /// Looks, rules and slices. `None` if outcomes of different sorts are mixed, or do not fit the question.
    pub fn build(test: Test) -> Option<Self> {
        let looks = if test.looks.is_empty() { moments(test.rows.len() as u64) } else { test.looks };
        let course = course(test.question, test.alpha, &test.rows, &looks)?;
        Some(Self {
            schema: SCHEMA.into(),
            slices: slice_rulings(test.question, test.alpha, &test.rows)?,
            looks: course.looks().to_vec(),
            ruling: course.ruling(),
            fields: fields(&test.marks),
            about: test.about,
            question: test.question,
            alpha: test.alpha,
            available: test.available,
            left_out: test.left_out,
            rows: test.rows,
            worst: test.worst,
            beside: test.beside,
        })
    }
}

/// The course of a test whose counts are looked at after these numbers of rows.
pub(super) fn course(question: Question, alpha: Ppm, rows: &[Row], looks: &[u64]) -> Option<Course> {
    let mut course = Course::new(question, alpha);
    for n in looks {
        let n = usize::try_from(*n).ok()?;
        course.look(count(question, rows.get(..n)?)?);
    }
    Some(course)
}

/// The rulings on every part under every division with more than one part.
pub(super) fn slice_rulings(
    question: Question,
    alpha: Ppm,
    rows: &[Row],
) -> Option<Vec<crate::verdict::SliceRuling>> {
    let mut parts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (by, part) in rows.iter().flat_map(|row| &row.parts) {
        parts.entry(by).or_default().insert(part);
    }
    let mut all = Vec::new();
    for (by, parts) in parts.iter().filter(|(_, parts)| parts.len() > 1) {
        for part in parts {
            let inside = rows.iter().filter(|row| row.parts.get(*by).is_some_and(|own| own == part));
            let counts = count(question, inside)?;
            all.push(Slice { by: (*by).to_owned(), part: (*part).to_owned(), counts });
        }
    }
    let like = match count(question, rows)? {
        Counts::Graded(tally) => tally,
        Counts::Judged(judged) => Tally(judged.both.map(|row| row.iter().sum())),
    };
    Some(slices(question, alpha.fraction(), &like, all))
}

fn fields(marks: &[FieldMark]) -> Vec<FieldCount> {
    let mut counts: BTreeMap<&str, FieldCount> = BTreeMap::new();
    for mark in marks {
        let count = counts.entry(&mark.path).or_default();
        match mark.mark {
            Mark::Same => count.same += 1,
            Mark::Differs => count.differs += 1,
            Mark::Missing => count.missing += 1,
            Mark::Extra => count.extra += 1,
        }
    }
    counts.into_iter().map(|(path, count)| FieldCount { path: path.to_owned(), ..count }).collect()
}
