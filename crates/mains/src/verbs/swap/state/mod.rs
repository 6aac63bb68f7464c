//! Every answer on disk before the next look, so that a test which was killed pays nothing twice.
//!
//! A file of JSON lines: first what is tested; then the items drawn, how answers are read, `asking` before a request is
//! sent and `answer` or `failed` after it, the looks at the counts, and what people said; each appended and synced. A
//! request that was being asked when the test was killed may have been paid, so it is never asked again: its item is
//! left out, and the report says so.

mod line;

use crate::cli::SwapTest;
use crate::print::Trouble;
use line::Line;
pub(super) use line::{Answered, Batch, Drawn, Head, Judge, Reading, Seat, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

const FILE: &str = "state.jsonl";
const SCHEMA: &str = "mains.swap.state/2";

/// What is known of one question to one model.
pub(super) enum Known {
    Answer(Box<Answered>),
    /// It was being asked when the test was killed.
    Lost,
}

pub(super) struct State {
    file: File,
    pub(super) head: Head,
    known: BTreeMap<(String, Side), Known>,
    /// Who answered each side first.
    first: BTreeMap<Side, String>,
    /// What was spent, and the dearest answer, in nano-USD.
    spent: u64,
    dearest: u64,
    pub(super) drawn: Vec<Drawn>,
    judge: Option<Judge>,
    readings: Vec<Reading>,
    /// The rows that were looked at under the last reading, and after how many each look was.
    pub(super) rows: Vec<String>,
    pub(super) looks: Vec<u64>,
    pub(super) batches: Vec<Batch>,
    pub(super) verdicts: BTreeMap<String, u8>,
    /// The items whose verdicts count.
    pub(super) counted: BTreeSet<String>,
}

pub(super) fn head(arguments: &SwapTest) -> Head {
    Head {
        schema: SCHEMA.into(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        margin: arguments.margin,
        seed: arguments.seed,
    }
}

impl State {
    /// Opens the folder's file, or begins it where a head is given.
    pub(super) fn open(folder: &Path, head: Option<&Head>) -> Result<Self, Trouble> {
        let path = folder.join(FILE);
        if head.is_none() && !path.exists() {
            return Err(Trouble::new(format!("no test was run in `{}`", folder.display()))
                .hint("name the folder that `mains swap test --out` was given"));
        }
        mains_host::files::private_folder(folder)?;
        let text = if path.exists() { std::fs::read_to_string(&path)? } else { String::new() };
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.try_lock().map_err(|_| Trouble::new(format!("another test runs in `{}`", folder.display())))?;
        // A line without its end was cut off by a kill.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let mut lines = text[..whole].lines().enumerate();
        let found = lines.next().map(|(_, first)| serde_json::from_str::<Line>(first));
        let shown = path.display();
        let (found, fresh) = match (found, head) {
            (Some(Ok(Line::Head(found))), None) => (found, false),
            (Some(Ok(Line::Head(found))), Some(head)) if found == *head => (found, false),
            (None, Some(head)) => (head.clone(), true),
            _ => {
                return Err(Trouble::new(format!("`{shown}` holds another test"))
                    .hint("`--out` names another folder; the targets, the margin and the seed must be the same to go on"));
            }
        };
        let mut state = Self::empty(file, found);
        if fresh {
            state.append(&Line::Head(state.head.clone()))?;
        }
        for (index, line) in lines {
            let line = serde_json::from_str(line)
                .map_err(|error| Trouble::new(format!("`{shown}` line {}: {error}", index + 1)))?;
            state.learn(line);
        }
        Ok(state)
    }

    fn empty(file: File, head: Head) -> Self {
        Self {
            file,
            head,
            known: BTreeMap::new(),
            first: BTreeMap::new(),
            spent: 0,
            dearest: 0,
            drawn: Vec::new(),
            judge: None,
            readings: Vec::new(),
            rows: Vec::new(),
            looks: Vec::new(),
            batches: Vec::new(),
            verdicts: BTreeMap::new(),
            counted: BTreeSet::new(),
        }
    }

    fn learn(&mut self, line: Line) {
        match line {
            Line::Head(_) => {}
            Line::Drawn { items } => self.drawn.extend(items),
            Line::Judge(judge) => self.judge = Some(judge),
            Line::Reading(reading) => {
                (self.rows, self.looks) = (Vec::new(), Vec::new());
                self.readings.push(reading);
            }
            Line::Asking { item, side } => {
                self.known.insert((item, side), Known::Lost);
            }
            Line::Answer { item, side, answer } => {
                self.first.entry(side.like()).or_insert_with(|| answer.target.clone());
                let nano = answer.nano_usd.unwrap_or(0);
                self.spent = self.spent.saturating_add(nano);
                self.dearest = self.dearest.max(nano);
                self.known.insert((item, side), Known::Answer(Box::new(answer)));
            }
            Line::Failed { item, side, .. } => {
                self.known.remove(&(item, side));
            }
            Line::Looked { rows } => {
                self.rows.extend(rows);
                self.looks.push(self.rows.len() as u64);
            }
            Line::People(batch) => self.batches.push(batch),
            Line::Verdict { item, verdict } => {
                self.verdicts.insert(item, verdict);
            }
            Line::Closed { counted } => {
                self.counted.extend(counted);
                self.batches.iter_mut().for_each(|batch| batch.closed = true);
            }
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), Trouble> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        Ok(self.file.sync_data()?)
    }

    /// Appends and learns.
    fn note(&mut self, line: Line) -> Result<(), Trouble> {
        self.append(&line)?;
        self.learn(line);
        Ok(())
    }

    pub(super) fn get(&self, item: &str, side: Side) -> Option<&Known> {
        self.known.get(&(item.to_owned(), side))
    }

    /// Who answered this side first; a route may fall back to another target, whose answers say nothing of this one.
    pub(super) fn is_first(&self, side: Side, target: &str) -> bool {
        self.first.get(&side.like()).is_none_or(|first| first == target)
    }

    pub(super) fn asking(&mut self, item: &str, side: Side) -> Result<(), Trouble> {
        self.append(&Line::Asking { item: item.to_owned(), side })
    }

    pub(super) fn answer(&mut self, item: &str, side: Side, answer: Answered) -> Result<(), Trouble> {
        self.note(Line::Answer { item: item.to_owned(), side, answer })
    }

    pub(super) fn failed(&mut self, item: &str, side: Side, status: u16) -> Result<(), Trouble> {
        self.append(&Line::Failed { item: item.to_owned(), side, status })
    }

    /// Items join the sample.
    pub(super) fn draw(&mut self, items: Vec<Drawn>) -> Result<(), Trouble> {
        if items.is_empty() { Ok(()) } else { self.note(Line::Drawn { items }) }
    }

    /// The counts were looked at after these further rows.
    pub(super) fn looked(&mut self, rows: Vec<String>) -> Result<(), Trouble> {
        if rows.is_empty() { Ok(()) } else { self.note(Line::Looked { rows }) }
    }

    /// Answers are read in this way from here on; how many other ways were tried before.
    pub(super) fn reads(&mut self, reading: Reading) -> Result<usize, Trouble> {
        if self.readings.last() != Some(&reading) {
            self.note(Line::Reading(reading.clone()))?;
        }
        let mut others: Vec<&Reading> = Vec::new();
        for other in self.readings.iter().filter(|other| **other != reading) {
            if !others.contains(&other) {
                others.push(other);
            }
        }
        Ok(others.len())
    }

    /// The judge; another one does not go on in this folder.
    pub(super) fn judged_by(&mut self, judge: Judge) -> Result<(), Trouble> {
        match &self.judge {
            None => self.note(Line::Judge(judge)),
            Some(known) if *known == judge => Ok(()),
            Some(known) => {
                Err(Trouble::new(format!("`{}` judged here before, or by other criteria", known.target))
                    .hint("`--out` names another folder for another judge"))
            }
        }
    }

    /// Items for people.
    pub(super) fn people(&mut self, batch: Batch) -> Result<(), Trouble> {
        self.note(Line::People(batch))
    }

    /// What a person said.
    pub(super) fn verdict(&mut self, item: &str, verdict: u8) -> Result<(), Trouble> {
        self.note(Line::Verdict { item: item.to_owned(), verdict })
    }

    /// No further verdict is taken of what was shown so far; these count.
    pub(super) fn close(&mut self, counted: Vec<String>) -> Result<(), Trouble> {
        self.note(Line::Closed { counted })
    }

    /// The answers of one side.
    pub(super) fn answers(&self, side: Side) -> impl Iterator<Item = &Answered> {
        self.known.iter().filter(move |((_, of), _)| *of == side).filter_map(|(_, known)| match known {
            Known::Answer(answer) => Some(answer.as_ref()),
            Known::Lost => None,
        })
    }

    pub(super) fn answered(&self) -> usize {
        Side::ALL.into_iter().map(|side| self.answers(side).count()).sum()
    }

    /// What was spent, in nano-USD.
    pub(super) fn spent(&self) -> u64 {
        self.spent
    }

    /// The dearest answer, in nano-USD.
    pub(super) fn dearest(&self) -> u64 {
        self.dearest
    }
}
