//! Every answer on disk before the next request leaves, so that a test which was killed pays nothing twice.
//!
//! A file of JSON lines: first what is tested; then `asking` before a request is sent and `answer` or `failed` after
//! it, each appended and synced. A request that was being asked when the test was killed may have been paid, so it is
//! never asked again: its item is left out, and the report says so.

use crate::cli::SwapTest;
use crate::print::Trouble;
use mains_ledger::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

const FILE: &str = "state.jsonl";

/// Which of the two models is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Old,
    New,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line {
    Head(Head),
    Asking { item: String, side: Side },
    Answer { item: String, side: Side, answer: Answered },
    Failed { item: String, side: Side, status: u16 },
}

/// What is tested; another test does not go on in this folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    schema: String,
    requests_sha256: String,
    from: String,
    to: String,
    margin: u8,
    seed: u64,
}

/// An answer with what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// Who answered, `upstream/model`.
    pub(super) target: String,
    pub(super) body: Value,
    /// Absent where the outlet knows no price.
    pub(super) nano_usd: Option<u64>,
    /// Joules as the outlet's header says them, `low..high`; empty where it says none.
    pub(super) energy_j: String,
    pub(super) took_ms: u64,
}

/// What is known of one question to one model.
pub(super) enum Known {
    Answer(Answered),
    /// It was being asked when the test was killed.
    Lost,
}

pub(super) struct State {
    file: File,
    known: BTreeMap<(String, Side), Known>,
}

pub(super) fn head(arguments: &SwapTest, items: &[super::Item]) -> Head {
    let all: Vec<(&str, &Value)> = items.iter().map(|item| (item.id.as_str(), &item.body)).collect();
    let bodies = serde_json::json!(all).to_string();
    Head {
        schema: "mains.swap.state/1".into(),
        requests_sha256: Hash::of_bytes(bodies.as_bytes()).to_hex(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        margin: arguments.margin,
        seed: arguments.seed,
    }
}

impl State {
    /// Opens the folder's file, or begins it.
    pub(super) fn open(folder: &Path, head: &Head) -> Result<Self, Trouble> {
        mains_host::files::private_folder(folder)?;
        let path = folder.join(FILE);
        let text = if path.exists() { std::fs::read_to_string(&path)? } else { String::new() };
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.try_lock().map_err(|_| Trouble::new(format!("another test runs in `{}`", folder.display())))?;
        // A line without its end was cut off by a kill.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let mut state = Self { file, known: BTreeMap::new() };
        let mut lines = text[..whole].lines().enumerate();
        let Some((_, first)) = lines.next() else {
            state.append(&Line::Head(head.clone()))?;
            return Ok(state);
        };
        if serde_json::from_str::<Line>(first).ok() != Some(Line::Head(head.clone())) {
            return Err(Trouble::new(format!("`{}` holds another test", path.display()))
                .hint("`--out` names another folder; the requests, targets, margin and seed must be the same to go on"));
        }
        for (index, line) in lines {
            let line = serde_json::from_str(line)
                .map_err(|error| Trouble::new(format!("`{}` line {}: {error}", path.display(), index + 1)))?;
            state.learn(line);
        }
        Ok(state)
    }

    fn learn(&mut self, line: Line) {
        match line {
            Line::Head(_) => {}
            Line::Asking { item, side } => {
                self.known.insert((item, side), Known::Lost);
            }
            Line::Answer { item, side, answer } => {
                self.known.insert((item, side), Known::Answer(answer));
            }
            Line::Failed { item, side, .. } => {
                self.known.remove(&(item, side));
            }
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), Trouble> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        Ok(self.file.sync_data()?)
    }

    pub(super) fn get(&self, item: &str, side: Side) -> Option<&Known> {
        self.known.get(&(item.to_owned(), side))
    }

    pub(super) fn asking(&mut self, item: &str, side: Side) -> Result<(), Trouble> {
        self.append(&Line::Asking { item: item.to_owned(), side })
    }

    pub(super) fn answer(&mut self, item: &str, side: Side, answer: Answered) -> Result<(), Trouble> {
        let line = Line::Answer { item: item.to_owned(), side, answer };
        self.append(&line)?;
        self.learn(line);
        Ok(())
    }

    pub(super) fn failed(&mut self, item: &str, side: Side, status: u16) -> Result<(), Trouble> {
        self.append(&Line::Failed { item: item.to_owned(), side, status })
    }

    /// The answers of one model.
    pub(super) fn answers(&self, side: Side) -> impl Iterator<Item = &Answered> {
        self.known.iter().filter(move |((_, of), _)| *of == side).filter_map(|(_, known)| match known {
            Known::Answer(answer) => Some(answer),
            Known::Lost => None,
        })
    }

    pub(super) fn answered(&self) -> usize {
        self.answers(Side::Old).count() + self.answers(Side::New).count()
    }

    /// What was spent, in nano-USD.
    pub(super) fn spent(&self) -> u64 {
        let all = self.answers(Side::Old).chain(self.answers(Side::New));
        all.filter_map(|answer| answer.nano_usd).fold(0, u64::saturating_add)
    }
}
