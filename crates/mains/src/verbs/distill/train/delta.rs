//! What promises have staked: `delta.json`.
//!
//! A promise is wrong with a chance of delta. Whoever asks again of the same rows, with another seed or another head,
//! until a promise is shown, is wrong more often than that; so all looks at one set of rows share a bound, and the
//! same look again is no new one. Looks at different rows stand beside each other, and their sum is told.

use super::super::shelf::{self, Shelf};
use crate::print::Trouble;
use mains_distill::certificate::{DeltaLedger, Spent};
use mains_distill::training::{Certificates, Lesson, Settings, rows_hash};
use mains_ledger::Hash;
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

const SCHEMA: &str = "mains.distill.delta/1";

/// One training: which rows were looked at, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    task: String,
    /// The hash of all rows.
    rows: String,
    /// The hash of everything that decides what comes of them.
    way: String,
    spent: Vec<Spent>,
}

/// All of them in a folder.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Looks {
    schema: String,
    looks: Vec<Look>,
}

impl Look {
    /// The look that a training will be; it has staked nothing yet.
    pub(super) fn of(lesson: &Lesson, settings: &Settings, model: Option<[u8; 32]>) -> Self {
        let way = json!([
            settings.seed.to_string(),
            settings.shares.fit_ppm,
            settings.shares.calibrate_ppm,
            settings.all,
            settings.local,
            settings.serve,
            format!("{:?}", settings.heads),
            settings.strangeness,
            model.map(|model| Hash(model).to_hex()),
            lesson.task,
            env!("CARGO_PKG_VERSION"),
        ]);
        Self {
            task: lesson.task.name.clone(),
            rows: Hash(rows_hash(&lesson.examples)).to_hex(),
            way: Hash::of_bytes(way.to_string().as_bytes()).to_hex(),
            spent: Vec::new(),
        }
    }
}

impl Looks {
    pub(super) fn read(shelf: &Shelf) -> Result<Self, Trouble> {
        let path = shelf.delta();
        if !path.exists() {
            return Ok(Self { schema: SCHEMA.into(), looks: Vec::new() });
        }
        let read: Self = shelf::json(&path)?;
        if read.schema == SCHEMA {
            Ok(read)
        } else {
            Err(Trouble::new(format!("`{}` is of another version", path.display())))
        }
    }

    /// What earlier and other looks at these rows have staked. Those after the first time of this very look count
    /// nothing, so that it comes out as it did then.
    pub(super) fn ledger(&self, look: &Look, most_ppm: u64) -> DeltaLedger {
        let before = self.looks.iter().take_while(|known| !known.is_same(look));
        let spent = before.filter(|known| known.rows == look.rows).flat_map(|known| known.spent.clone());
        DeltaLedger { spent: spent.collect(), delta_ppm_most: most_ppm }
    }

    /// When this very look was taken first: the same rows in the same way are no new look, and give the same file.
    pub(super) fn first(&self, look: &Look) -> Option<Timestamp> {
        let known = self.looks.iter().find(|known| known.is_same(look))?;
        known.spent.first().map(|spent| spent.at)
    }

    /// Notes a look with what it staked; one that was there before stays as it was.
    pub(super) fn note(&mut self, mut look: Look, certificates: &Certificates) {
        if self.looks.iter().any(|known| known.is_same(&look)) {
            return;
        }
        look.spent = vec![certificates.all.spent(), certificates.local.spent()];
        self.looks.push(look);
    }

    pub(super) fn write(&self, shelf: &Shelf) -> Result<(), Trouble> {
        shelf::write(&shelf.delta(), serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// How many promises were ruled on in this folder, and what they stake together in millionths.
    pub(super) fn count(&self) -> (u64, u64) {
        let spent = || self.looks.iter().flat_map(|look| &look.spent);
        (spent().count() as u64, spent().map(|spent| spent.delta_ppm).sum())
    }
}

impl Look {
    fn is_same(&self, other: &Self) -> bool {
        (&self.rows, &self.way) == (&other.rows, &other.way)
    }
}
