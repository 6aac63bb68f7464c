//! What a judged test leaves for people: the judge's verdicts, and both answers to the items that people read. With the
//! verdicts of people in the state it makes the report, and nothing is asked again.

use crate::print::Trouble;
use crate::verbs::swap::ALPHA;
use crate::verbs::swap::course::WORST;
use crate::verbs::swap::state::{Seat, State};
use mains_host::files::{Access, write_atomic};
use mains_swap::report::{About, Beside, Example, Outcome, Row, Test};
use mains_swap::verdict::{Question, moments};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FILE: &str = "sheet.json";
const SCHEMA: &str = "mains.swap.sheet/1";

/// Characters of an answer in an example.
const SHOWN: usize = 400;

/// An item that was compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct SheetRow {
    /// Its place in the sample.
    pub(in super::super) place: usize,
    pub(in super::super) id: String,
    pub(in super::super) parts: BTreeMap<String, String>,
    /// The judge's verdict, where there is a judge.
    pub(in super::super) judge: Option<u8>,
}

/// What a person reads of an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Laid {
    pub(in super::super) prompt: String,
    pub(in super::super) old: String,
    pub(in super::super) new: String,
}

#[derive(Serialize, Deserialize)]
pub(in super::super) struct Sheet {
    schema: String,
    about: About,
    /// The model that all requests ask for, where it is one.
    pub(super) route: Option<String>,
    question: Question,
    available: u64,
    left_out: BTreeMap<String, u64>,
    beside: Beside,
    pub(in super::super) criteria: String,
    rows: Vec<SheetRow>,
    pub(in super::super) laid: BTreeMap<String, Laid>,
}

impl Sheet {
    /// A sheet, with the head of a test that has no rows yet.
    pub(in super::super) fn of(
        head: &Test,
        route: Option<&str>,
        criteria: String,
        rows: Vec<SheetRow>,
        laid: BTreeMap<String, Laid>,
    ) -> Self {
        Self {
            schema: SCHEMA.into(),
            about: head.about.clone(),
            route: route.map(str::to_owned),
            question: head.question,
            available: head.available,
            left_out: head.left_out.clone(),
            beside: head.beside.clone(),
            criteria,
            rows,
            laid,
        }
    }

    pub(in super::super) fn write(&self, folder: &Path) -> Result<(), Trouble> {
        Ok(write_atomic(&folder.join(FILE), serde_json::to_string(self)?.as_bytes(), Access::Private)?)
    }

    pub(super) fn read(folder: &Path) -> Result<Self, Trouble> {
        let path = folder.join(FILE);
        let shown = path.display();
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Trouble::new(format!("nothing in `{}` waits for people", folder.display()))
                .hint("`mains swap test --people N`, with `--judge TARGET` or without, picks items for them")
        })?;
        let sheet: Self = serde_json::from_str(&text)
            .map_err(|error| Trouble::new(format!("`{shown}` is no sheet: {error}")))?;
        if sheet.schema == SCHEMA {
            Ok(sheet)
        } else {
            Err(Trouble::new(format!("`{shown}` is of another version")))
        }
    }

    /// The seats whose items were compared, of the batches that still take verdicts, in the order of the state.
    pub(super) fn open<'s>(&self, state: &'s State) -> Vec<&'s Seat> {
        let open = state.batches.iter().filter(|batch| !batch.closed);
        open.flat_map(|batch| &batch.seats).filter(|seat| self.laid.contains_key(&seat.item)).collect()
    }

    /// The test with the verdicts that count; notes the look at it.
    pub(in super::super) fn test(&self, state: &mut State) -> Result<Test, Trouble> {
        let rows = self.rows(state);
        let n = rows.len() as u64;
        let looks: BTreeSet<u64> = moments(n).into_iter().chain(state.looks.iter().copied()).collect();
        let looks: Vec<u64> = looks.into_iter().filter(|look| *look <= n).collect();
        let known = state.rows.len();
        state.looked(rows.iter().skip(known).map(|row| row.id.clone()).collect())?;
        Ok(Test {
            about: self.about.clone(),
            question: self.question,
            alpha: ALPHA,
            available: self.available,
            looks,
            left_out: self.left_out.clone(),
            marks: Vec::new(),
            worst: self.worst(&rows),
            rows,
            beside: self.beside.clone(),
        })
    }

    /// The rows so far. While people have not finished a later batch, the rows behind the last finished one wait: what
    /// they say must not be looked at before and after.
    fn rows(&self, state: &State) -> Vec<Row> {
        let waits = !self.open(state).is_empty();
        let finished = state.batches.iter().rev().find(|batch| batch.closed).map(|batch| batch.until);
        let until = finished.filter(|_| waits).unwrap_or(usize::MAX);
        let outcome = |row: &SheetRow| {
            let human = state.verdicts.get(&row.id).filter(|_| state.counted.contains(&row.id)).copied();
            match (row.judge, human) {
                (Some(judge), human) => Some(Outcome::Judged { judge, human }),
                // Without a judge an answer passes where the person does not prefer the other.
                (None, Some(human)) => Some(Outcome::Pair { old: human < 2, new: human > 0 }),
                (None, None) => None,
            }
        };
        let rows = self.rows.iter().filter(|row| row.place < until);
        rows.filter_map(|row| {
            Some(Row { id: row.id.clone(), outcome: outcome(row)?, parts: row.parts.clone() })
        })
        .collect()
    }

    fn worst(&self, rows: &[Row]) -> Vec<Example> {
        let prefers_old = |row: &&Row| {
            matches!(
                row.outcome,
                Outcome::Judged { human: Some(0), .. } | Outcome::Pair { old: true, new: false }
            )
        };
        let example = |row: &Row| {
            let laid = self.laid.get(&row.id)?;
            let shown = |text: &str| Some(text.chars().take(SHOWN).collect());
            let note = "a person prefers the old answer".to_owned();
            Some(Example { id: row.id.clone(), note, old: shown(&laid.old), new: shown(&laid.new) })
        };
        rows.iter().filter(prefers_old).filter_map(example).take(WORST).collect()
    }
}
