//! The data sets that lie beside the repository, as texts and labels, and a labeller trained on one.

use mains_distill::features::Rows;
use mains_distill::heads::average::{self, Heads};
use mains_distill::heads::dense::{self, Embeddings};
use mains_distill::heads::folds::Folds;
use mains_distill::heads::{Scores, ngram};
use mains_distill::labeller::{Dense, Draft, Labeller, Scratch, Thresholds};
use std::error::Error;
use std::path::PathBuf;

/// Numbers in an embedding.
const DIM: usize = 384;

/// Texts with their labels: the train part.
pub(crate) struct Task {
    /// The data set's name.
    pub(crate) name: &'static str,
    /// How many classes there are.
    pub(crate) classes: usize,
    /// What may be learned from.
    pub(crate) train: Vec<(String, u32)>,
}

/// Where the data sets lie: `MAINS_DATASETS`, or beside the repository.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("MAINS_DATASETS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/datasets")),
        PathBuf::from,
    )
}

/// The four tasks; what is absent is left out and named.
pub(crate) fn tasks() -> (Vec<Task>, Vec<&'static str>) {
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for name in ["banking77", "ag_news", "sst2", "trec6"] {
        match rows(name, "train") {
            Some(mut train) => {
                if name == "ag_news" {
                    // Every second of the 8,000 rows.
                    train = train.into_iter().step_by(2).collect();
                }
                let classes = train.iter().map(|(_, label)| *label as usize + 1).max().unwrap_or(0);
                found.push(Task { name, classes, train });
            }
            None => absent.push(name),
        }
    }
    (found, absent)
}

/// The rows of one file: `part` is `train` or `test`.
pub(crate) fn rows(name: &str, part: &str) -> Option<Vec<(String, u32)>> {
    let folder = folder().join(name);
    match name {
        "banking77" => {
            let list = std::fs::read_to_string(folder.join("categories.json")).ok()?;
            let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
            let class = |name: &str| names.iter().position(|known| *known == name);
            table(folder.join(format!("{part}.csv")), |row| {
                Some((row.get(0)?.to_owned(), class(row.get(1)?)?))
            })
        }
        "ag_news" => {
            let file = if part == "train" { "train8k.csv" } else { "test.csv" };
            let class = |name: &str| name.parse::<usize>().ok()?.checked_sub(1);
            table(folder.join(file), |row| Some((row.get(1)?.to_owned(), class(row.get(0)?)?)))
        }
        _ => {
            let bytes = std::fs::read(folder.join(format!("{part}.txt"))).ok()?;
            let text: String = bytes.into_iter().map(char::from).collect();
            let line = |line: &str| {
                let (label, text) = line.split_once(' ')?;
                Some((text.to_owned(), label.parse().ok()?))
            };
            text.lines().map(line).collect()
        }
    }
}

fn table(
    path: PathBuf,
    read: impl Fn(&csv::StringRecord) -> Option<(String, usize)>,
) -> Option<Vec<(String, u32)>> {
    let mut reader = csv::Reader::from_path(path).ok()?;
    let records = reader.records().map(|record| {
        let (text, class) = read(&record.ok()?)?;
        Some((text, u32::try_from(class).ok()?))
    });
    records.collect()
}

/// Embeddings of one file, if there are any: row after row.
pub(crate) fn embeddings(name: &str, part: &str) -> Option<Vec<f32>> {
    let folder = PathBuf::from(std::env::var_os("MAINS_EMBEDDINGS")?);
    let bytes = std::fs::read(folder.join(format!("{name}_{part}.f32"))).ok()?;
    let numbers = bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
    if (name, part) == ("ag_news", "train") {
        // The same rows as `tasks` takes.
        let all: Vec<f32> = numbers.collect();
        return Some(all.chunks(DIM).step_by(2).flatten().copied().collect());
    }
    Some(numbers.collect())
}

/// A labeller as it would be shipped: through its file and back.
pub(crate) struct Fitted {
    /// What the file gives.
    pub(crate) labeller: Labeller,
    /// How long the file is.
    pub(crate) bytes: usize,
    choice: average::Choice,
}

impl Fitted {
    /// Trains on all rows; the choice and the mapping are made from scores out of five folds.
    pub(crate) fn on(task: &Task, embeddings: Option<&[f32]>) -> Result<Self, Box<dyn Error>> {
        let rows = Rows::of(task.train.iter().map(|(text, _)| text.as_str()));
        let labels: Vec<u32> = task.train.iter().map(|(_, label)| *label).collect();
        let embeddings = embeddings.map(|values| Embeddings { values, dim: DIM });
        let groups: Vec<u32> = (0..).take(labels.len()).collect();
        let folds = Folds::by_group(&groups, 5, 0);
        let (mut ngrams, mut denses) = (Vec::new(), Vec::new());
        for fold in 0..folds.count() {
            let (fit, held) = (folds.others(fold), folds.held(fold));
            let problem =
                ngram::Problem::new(&rows, &labels, task.classes, &fit, ngram::Settings::default())?;
            ngrams.push(problem.fit().score_rows(&rows, &held));
            if let Some(embeddings) = embeddings {
                let head = dense::fit(embeddings, &labels, task.classes, &fit, dense::Settings::default())?;
                denses.push(head.score_rows(embeddings, &held));
            }
        }
        let ngrams = folds.gather(&ngrams, task.classes);
        let denses: Option<Scores> = embeddings.map(|_| folds.gather(&denses, task.classes));
        let choice = average::choose(&ngrams, denses.as_ref(), &labels, None);
        let all: Vec<usize> = (0..labels.len()).collect();
        let problem = ngram::Problem::new(&rows, &labels, task.classes, &all, ngram::Settings::default())?;
        let head = embeddings
            .map(|embeddings| dense::fit(embeddings, &labels, task.classes, &all, dense::Settings::default()))
            .transpose()?;
        let labeller = Labeller {
            labels: (0..task.classes).map(|class| format!("class {class}")).collect(),
            ngram: Some(problem.fit()),
            dense: head.map(|head| Dense { model_sha256: [0; 32], head }),
            mapping: choice.mapping,
            thresholds: Thresholds {
                confidence_min: 0.0,
                known_min: 0.0,
                escalates: vec![false; task.classes],
            },
            certificate: Vec::new(),
            lineage: Vec::new(),
            task: None,
        };
        let file = Draft::of(&labeller).finish(None);
        Ok(Self { labeller: Labeller::parse(&file)?, bytes: file.len(), choice })
    }

    /// The heads that can speak.
    pub(crate) fn speakers(&self) -> &'static [Heads] {
        if self.choice.dense_right.is_some() {
            &[Heads::Ngram, Heads::Dense, Heads::Both]
        } else {
            &[Heads::Ngram]
        }
    }

    /// The same labeller with these heads.
    pub(crate) fn with(&self, heads: Heads) -> Labeller {
        let mut labeller = self.labeller.clone();
        labeller.mapping.heads = heads;
        labeller
    }
}

/// How many of a hundred texts get their label.
pub(crate) fn percent(labeller: &Labeller, rows: &[(String, u32)], embeddings: Option<&[f32]>) -> f64 {
    let mut scratch = Scratch::default();
    let right = rows.iter().enumerate().filter(|(at, (text, label))| {
        let embedding = embeddings.and_then(|values| values.get(at * DIM..(at + 1) * DIM));
        labeller.label_with(text, embedding, &mut scratch).is_ok_and(|answer| answer.label == *label)
    });
    100.0 * right.count() as f64 / rows.len() as f64
}
