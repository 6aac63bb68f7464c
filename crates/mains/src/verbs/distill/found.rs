//! Tasks with their rows, from imports and from kept records, in one form.

use super::import::{self, Import};
use super::shelf::{self, Shelf};
use super::vault;
use crate::cli::Vault;
use crate::print::{self, Trouble};
use mains_config::closest;
use mains_distill::certificate::Costs;
use mains_distill::group::group;
use mains_distill::split::Shares;
use mains_distill::task::{LabelSet, Refused, Served, Template, discover};
use mains_distill::training::Example;
use mains_distill::watch::Bound;
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a task's rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub(crate) enum Origin {
    /// A file of the user.
    Import {
        /// Its name.
        file: String,
        /// Its hash.
        sha256: String,
    },
    /// Kept records.
    Records {
        /// Of this route.
        route: String,
    },
}

impl Origin {
    /// Whether what is in the rows may be shown in reports.
    pub(crate) fn is_import(&self) -> bool {
        matches!(self, Self::Import { .. })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Import { file, .. } => write!(f, "import of {file}"),
            Self::Records { route } => write!(f, "kept records of {route}"),
        }
    }
}

/// One row; its label by number.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) label: u32,
    pub(crate) at: Timestamp,
    pub(crate) nano_usd: Option<u64>,
    pub(crate) mj: Option<u64>,
    pub(crate) ms: Option<u64>,
    pub(crate) teacher: String,
    pub(crate) fingerprint: Option<String>,
}

/// A task with its rows.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) template: Template,
    pub(crate) labels: LabelSet,
    pub(crate) rows: Vec<Row>,
    /// Requests of the template whose answer is none of the labels.
    pub(crate) left_out: u64,
    pub(crate) exact_repeats: u64,
    pub(crate) near_repeats: u64,
    pub(crate) distinct: u64,
}

/// Everything found.
pub(crate) struct All {
    pub(crate) tasks: Vec<Found>,
    pub(crate) refused: Vec<Refused>,
    /// Why kept requests are in no task, with how many.
    pub(crate) left_out: BTreeMap<String, u64>,
}

/// All tasks of a data folder: imports first, then what is discovered in the kept records.
pub(crate) fn all(from: &Vault) -> Result<All, Trouble> {
    let shelf = Shelf::at(&from.data);
    let imports: Result<Vec<Found>, Trouble> =
        shelf.imports().iter().map(|name| imported(&shelf, name)).collect();
    let mut tasks = imports?;
    let vault::Read { kept, left_out } = vault::read(from)?;
    let (exchanges, beside): (Vec<_>, Vec<_>) =
        kept.into_iter().map(|kept| (kept.exchange, (kept.request, kept.fingerprint, kept.ms))).unzip();
    let discovery = discover(&exchanges);
    for task in discovery.tasks {
        let name = label_name(&task.name());
        let rows = task.rows.iter().map(|row| {
            let (exchange, (request, fingerprint, ms)) = (&exchanges[row.exchange], &beside[row.exchange]);
            Row {
                name: request.clone(),
                text: row.text.clone(),
                label: row.label,
                at: row.at,
                nano_usd: exchange.nano_usd,
                mj: exchange.mj,
                ms: *ms,
                teacher: exchange.teacher.clone(),
                fingerprint: fingerprint.clone(),
            }
        });
        tasks.push(Found {
            name,
            rows: rows.collect(),
            origin: Origin::Records { route: task.route },
            template: task.template,
            labels: task.labels,
            left_out: task.left_out,
            exact_repeats: task.volume.exact_repeats,
            near_repeats: task.volume.near_repeats,
            distinct: task.volume.distinct,
        });
    }
    Ok(All { tasks, refused: discovery.refused, left_out })
}

/// One task by its name; an import is found without a look at the records.
pub(crate) fn one(from: &Vault, name: &str) -> Result<Found, Trouble> {
    let shelf = Shelf::at(&from.data);
    if shelf.imports().iter().any(|known| known == name) {
        return imported(&shelf, name);
    }
    let all = all(from)?;
    let names: Vec<String> = all.tasks.iter().map(|task| task.name.clone()).collect();
    all.tasks.into_iter().find(|task| task.name == name).ok_or_else(|| {
        let trouble = Trouble::new(format!("no task is called `{name}`"));
        match closest(name, names.iter().map(String::as_str)) {
            Some(near) => trouble.hint(format!("did you mean `{near}`?")),
            None => trouble.hint(
                "`mains distill tasks` lists them, `mains distill import FILE --name NAME` takes a log from elsewhere",
            ),
        }
    })
}

/// A discovered task's name as labellers are named.
fn label_name(name: &str) -> String {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let clean: String =
        name.to_lowercase().chars().map(|letter| if fits(letter) { letter } else { '-' }).collect();
    // The hash stands at the end and tells tasks of one route apart.
    clean.get(clean.len().saturating_sub(64)..).unwrap_or(&clean).to_owned()
}

fn imported(shelf: &Shelf, name: &str) -> Result<Found, Trouble> {
    let import: Import = shelf::json(&shelf.import(name, "json"))?;
    if import.schema != import::SCHEMA {
        return Err(Trouble::new(format!("the import `{name}` is of another version"))
            .hint("import the file again with `--replace`"));
    }
    let path = shelf.import(name, "jsonl");
    let bytes = shelf::bytes(&path)?;
    let mut read: Vec<import::Row> = Vec::new();
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, bytes)| !bytes.is_empty())
    {
        read.push(serde_json::from_slice(bytes).map_err(|error: serde_json::Error| {
            Trouble::new(format!("`{}` line {line}: {error}", path.display()))
        })?);
    }
    drop(bytes);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &read {
        *counts.entry(&row.label).or_default() += 1;
    }
    let counts: Vec<(String, u64)> =
        counts.into_iter().map(|(label, rows)| (label.to_owned(), rows)).collect();
    let labels = LabelSet::of_labels(&counts, import.shape.clone())
        .map_err(|refusal| Trouble::new(format!("the import `{name}` is no task: {refusal}")))?;
    let template = Template::of_prompt(&import.asked.fixed, &import.asked.turns())?;
    let teacher = import.teacher.clone().unwrap_or_default();
    let total = read.len() as u64;
    let rows: Vec<Row> = read
        .into_iter()
        .filter_map(|row| {
            Some(Row {
                label: labels.find(&row.label)?,
                name: row.row,
                text: row.text,
                at: row.at.unwrap_or_default(),
                nano_usd: row.nano_usd,
                mj: None,
                ms: row.ms,
                teacher: row.teacher.unwrap_or_else(|| teacher.clone()),
                fingerprint: None,
            })
        })
        .collect();
    let groups = group(&rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>());
    Ok(Found {
        name: name.to_owned(),
        origin: Origin::Import { file: import.file, sha256: import.sha256 },
        template,
        labels,
        left_out: total - rows.len() as u64,
        exact_repeats: groups.exact_repeats() as u64,
        near_repeats: groups.near_repeats().into(),
        distinct: groups.near_groups.into(),
        rows,
    })
}

/// A sum over the rows where something is known, and how many those are.
pub(crate) fn sum(rows: &[Row], known: impl Fn(&Row) -> Option<u64>) -> (u64, u64) {
    rows.iter().filter_map(known).fold((0, 0), |(sum, count), one| (one.saturating_add(sum), count + 1))
}

impl Found {
    /// Calibration rows that a split gives.
    pub(crate) fn calibration_rows(&self) -> u64 {
        self.distinct * u64::from(Shares::default().calibrate_ppm) / 1_000_000
    }

    /// Rows by teacher.
    pub(crate) fn teachers(&self) -> BTreeMap<&str, u64> {
        let mut teachers = BTreeMap::new();
        for row in &self.rows {
            *teachers.entry(row.teacher.as_str()).or_default() += 1;
        }
        teachers
    }

    /// Leaves only the rows of the teacher with most of them, for two teachers are two tasks; how many went.
    pub(crate) fn of_one_teacher(&mut self) -> (String, u64) {
        let most = self.teachers().into_iter().max_by_key(|(name, rows)| (*rows, std::cmp::Reverse(*name)));
        let teacher = most.map_or_else(String::new, |(name, _)| name.to_owned());
        let before = self.rows.len();
        self.rows.retain(|row| row.teacher == teacher);
        let gone = (before - self.rows.len()) as u64;
        if gone > 0 {
            print::say(&format!(
                "{} of other teachers are left out; the teacher is {teacher}",
                print::plural(gone, "row")
            ));
        }
        (teacher, gone)
    }

    /// The task as a labeller of this name serves it. Labels stay as they are, whatever rows went.
    pub(crate) fn served(&self, name: &str, teacher: &str, tokenizer: Option<String>) -> Served {
        let fingerprints: BTreeSet<String> =
            self.rows.iter().filter_map(|row| row.fingerprint.clone()).collect();
        let bound = Bound { teacher: teacher.to_owned(), fingerprints, tokenizer, ..Bound::default() };
        Served::new(name, self.template.clone(), self.labels.clone(), bound)
    }

    /// The rows as training takes them.
    pub(crate) fn examples(&self) -> Vec<Example> {
        let example = |row: &Row| Example {
            name: row.name.clone(),
            text: row.text.clone(),
            label: row.label,
            at: row.at,
        };
        self.rows.iter().map(example).collect()
    }

    /// What 1,000 of the teacher's answers cost, over the rows where it is known.
    pub(crate) fn teacher_costs(&self) -> Costs {
        let mean = |known: &dyn Fn(&Row) -> Option<u64>| {
            let (sum, count) = sum(&self.rows, known);
            let per_1000 = (u128::from(sum) * 1_000).checked_div(u128::from(count))?;
            u64::try_from(per_1000).ok()
        };
        Costs {
            nano_usd_per_1000: mean(&|row| row.nano_usd),
            // One figure stands for the range: records keep the central one.
            mj_per_1000: mean(&|row| row.mj).map(|mj| [mj, mj, mj]),
            ms_per_1000: mean(&|row| row.ms),
        }
    }
}
