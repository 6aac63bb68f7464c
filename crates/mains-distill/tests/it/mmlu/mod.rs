//! Recorded outcomes of MMLU: `routellm_mmlu` of the data sets (from lm-sys/RouteLLM, Apache-2.0).

use mains_distill::routing::Row;
use std::path::PathBuf;

/// One question, and whether each model was right.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    prompt: String,
    weak: bool,
    strong: bool,
    subject: String,
}

impl Question {
    /// As a router sees it.
    pub(crate) fn row(&self) -> Row<'_> {
        let quality = |right: bool| f64::from(u8::from(right));
        Row {
            text: &self.prompt,
            weak: quality(self.weak),
            strong: quality(self.strong),
            costs: None,
            group: Some(&self.subject),
        }
    }
}

/// The folder of the data sets: `MAINS_DATASETS`, or beside the repository.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("MAINS_DATASETS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/datasets")),
        PathBuf::from,
    )
}

/// All questions, in the order of the file.
pub(crate) fn questions() -> Result<Vec<Question>, String> {
    let path = folder().join("routellm_mmlu/dev_60pct.csv");
    let mut reader = csv::Reader::from_path(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let question = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| error.to_string())?;
        let cell = |place: usize| record.get(place).ok_or_else(|| format!("a row without column {place}"));
        let right = |place: usize| match cell(place)? {
            "True" => Ok(true),
            "False" => Ok(false),
            other => Err(format!("`{other}` is neither True nor False")),
        };
        Ok(Question {
            prompt: cell(0)?.to_owned(),
            weak: right(1)?,
            strong: right(2)?,
            subject: cell(3)?.to_owned(),
        })
    };
    reader.records().map(question).collect()
}
