//! Recorded answers of many models to one task: OVERRULING.

use crate::common;
use mains_distill::training::Lesson;
use std::error::Error;

/// One text with a model's answer.
pub(crate) struct Row {
    /// The text.
    pub(crate) text: String,
    /// The model's label: 0 no, 1 yes.
    pub(crate) label: u32,
    /// The gold label.
    pub(crate) gold: u32,
    /// What the answer cost, in dollars.
    pub(crate) usd: f64,
    /// What each other model says, in the order of `others`; none where it gave no label.
    pub(crate) others: Vec<Option<u32>>,
    /// The row of the file.
    line: usize,
}

/// The rows that have a label.
pub(crate) struct Recorded {
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// Rows whose answer is no label.
    pub(crate) left_out: usize,
    /// The names of the other models.
    pub(crate) others: Vec<String>,
}

fn label(answer: &str) -> Option<u32> {
    match answer.trim().trim_end_matches('.').to_lowercase().as_str() {
        "no" => Some(0),
        "yes" => Some(1),
        _ => None,
    }
}

impl Recorded {
    /// The answers of one model; nothing where the data set is not there.
    pub(crate) fn read(model: &str) -> Result<Option<Self>, Box<dyn Error>> {
        let file = common::folder().join("overruling_12llm/dev_half.csv");
        if !file.exists() {
            return Ok(None);
        }
        let mut reader = csv::Reader::from_path(file)?;
        let heads = reader.headers()?.clone();
        let column = |name: &str| heads.iter().position(|head| head == name).ok_or(name.to_owned());
        let answer = |model: &str| column(&format!("{model}_answer"));
        let others: Vec<String> = heads
            .iter()
            .filter_map(|head| head.strip_suffix("_answer"))
            .filter(|name| *name != model && *name != "ref")
            .map(str::to_owned)
            .collect();
        let places = others.iter().map(|name| answer(name)).collect::<Result<Vec<usize>, String>>()?;
        let (text, gold, own) = (column("text")?, column("ref_answer")?, answer(model)?);
        let cost = column(&format!("{model}_cost"))?;
        let (mut rows, mut left_out) = (Vec::new(), 0);
        for (line, record) in reader.records().enumerate() {
            let record = record?;
            match (label(&record[own]), label(&record[gold])) {
                (Some(label_of), Some(gold)) => rows.push(Row {
                    text: record[text].to_owned(),
                    label: label_of,
                    gold,
                    usd: record[cost].parse()?,
                    others: places.iter().map(|place| label(&record[*place])).collect(),
                    line,
                }),
                _ => left_out += 1,
            }
        }
        Ok(Some(Self { rows, left_out, others }))
    }

    /// The rows as a lesson.
    pub(crate) fn lesson(&self) -> Result<Lesson, Box<dyn Error>> {
        let rows: Vec<(String, u32)> = self.rows.iter().map(|row| (row.text.clone(), row.label)).collect();
        common::lesson("overruling", &rows, 2)
    }

    /// Embeddings of the rows, if there are any.
    pub(crate) fn embeddings(&self) -> Option<Vec<f32>> {
        let all = common::embeddings("overruling_12llm", "train")?;
        let row = |row: &Row| all.get(row.line * common::DIM..(row.line + 1) * common::DIM);
        Some(self.rows.iter().filter_map(row).flatten().copied().collect())
    }
}
