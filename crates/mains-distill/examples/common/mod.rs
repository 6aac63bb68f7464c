//! The data sets that lie beside the repository, as texts and labels, and a labeller trained on one.

use mains_distill::heads::average::Heads;
use mains_distill::labeller::{Labeller, Scratch, Thresholds};
use mains_distill::split::Shares;
use mains_distill::task::{LabelSet, Role, Served, Shape, Template, Turn};
use mains_distill::training::{Chosen, Crew, Embedded, Example, Job, Lesson, Settings, train};
use mains_distill::watch::Bound;
use mains_units::Timestamp;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Mutex;

/// Numbers in an embedding.
pub(crate) const DIM: usize = 384;

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

/// Texts and labels as a lesson: the labels are named by their numbers, all rows are of one moment.
pub(crate) fn lesson(name: &str, rows: &[(String, u32)], classes: usize) -> Result<Lesson, Box<dyn Error>> {
    let names: Vec<(String, u64)> = (0..classes).map(|class| (format!("class {class:04}"), 1)).collect();
    let turn = Turn { role: Role::User, text: "{text}".to_owned() };
    let template = Template::of_prompt("", &[turn])?;
    let labels = LabelSet::of_labels(&names, Shape::Word).map_err(|refusal| refusal.to_string())?;
    let bound = Bound { teacher: "recorded".to_owned(), ..Bound::default() };
    let name = name.replace('_', "-");
    let examples = rows.iter().enumerate().map(|(row, (text, label))| Example {
        name: format!("{name}:{row}"),
        text: text.clone(),
        label: *label,
        at: Timestamp(0),
    });
    let examples = examples.collect();
    Ok(Lesson { task: Served::new(&name, template, labels, bound), examples, costs: None })
}

/// So many threads, each taking the next job.
pub(crate) struct Threads(pub(crate) usize);

impl Crew for Threads {
    fn all(&self, jobs: Vec<Job<'_>>) {
        let jobs = Mutex::new(jobs.into_iter());
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    while let Some(job) = jobs.lock().ok().and_then(|mut jobs| jobs.next()) {
                        job();
                    }
                });
            }
        });
    }
}

/// A labeller of all train rows, with its choice, and its thresholds wide open.
pub(crate) struct Fitted {
    /// What the file gives.
    pub(crate) labeller: Labeller,
    /// How long the file is.
    pub(crate) bytes: u64,
    /// Which heads speak, and what spoke for them out of fold.
    pub(crate) chosen: Chosen,
}

impl Fitted {
    /// Trains on all rows by the way that is shipped: none is left to calibrate, so its certificate refuses.
    pub(crate) fn on(
        task: &Task,
        embeddings: Option<&[f32]>,
        heads: Option<Heads>,
    ) -> Result<Self, Box<dyn Error>> {
        let lesson = lesson(task.name, &task.train, task.classes)?;
        let embedded = embeddings.map(|values| Embedded { model_sha256: [0; 32], values, dim: DIM });
        let shares = Shares { fit_ppm: 1_000_000, calibrate_ppm: 0 };
        let settings = Settings { shares, heads, ..Settings::new(0, Timestamp(0)) };
        let made = train(&lesson, embedded, &settings, &Threads(2), &|_| ())?;
        let mut labeller = made.labeller;
        labeller.thresholds =
            Thresholds { confidence_min: 0.0, known_min: 0.0, escalates: vec![false; task.classes] };
        Ok(Self { labeller, bytes: made.report.file_bytes, chosen: made.report.chosen })
    }

    /// The heads that can speak.
    pub(crate) fn speakers(&self) -> &'static [Heads] {
        if self.labeller.dense.is_some() {
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
