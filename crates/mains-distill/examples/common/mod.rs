//! The data sets that lie beside the repository, as texts and labels.

use std::path::PathBuf;

/// Texts with their labels, train and official test part.
pub struct Task {
    /// The data set's name.
    pub name: &'static str,
    /// How many classes there are.
    pub classes: usize,
    /// What may be learned from.
    pub train: Vec<(String, u32)>,
}

/// Where the data sets lie: `MAINS_DATASETS`, or beside the repository.
pub fn folder() -> PathBuf {
    std::env::var_os("MAINS_DATASETS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/datasets")),
        PathBuf::from,
    )
}

/// The four tasks; what is absent is left out and named.
pub fn tasks() -> (Vec<Task>, Vec<&'static str>) {
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for name in ["banking77", "ag_news", "sst2", "trec6"] {
        match rows(name, "train") {
            Some(mut train) => {
                if name == "ag_news" {
                    // The file is ordered by nothing in particular; every second row gives the 4,000.
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
pub fn rows(name: &str, part: &str) -> Option<Vec<(String, u32)>> {
    let folder = folder().join(name);
    match name {
        "banking77" => {
            let list = std::fs::read_to_string(folder.join("categories.json")).ok()?;
            let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
            let class = |name: &str| names.iter().position(|known| *known == name);
            table(folder.join(format!("{part}.csv")), |row| Some((row.get(0)?.to_owned(), class(row.get(1)?)?)))
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
