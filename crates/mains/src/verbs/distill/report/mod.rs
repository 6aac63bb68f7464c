//! What is told of a training: one document, one page of text, one page for a browser.

mod page;
mod picture;
mod words;

use super::found::{Found, Origin};
use mains_distill::training::{Certificates, Report, Trained};
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use page::html;
pub(super) use words::{percent, promise, text};

/// The form of [`Document`].
pub(super) const SCHEMA: &str = "mains.distill.trained/1";

/// Characters of a text that are shown.
const SHOWN: usize = 160;

/// What was trained, from what, by whose leave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) task: String,
    pub(super) origin: Origin,
    pub(super) teacher: String,
    /// Rows of other teachers, which were left out.
    pub(super) other_teachers: u64,
    /// What the user stated about the provider's terms.
    pub(super) terms_allow: String,
    pub(super) seed: u64,
    pub(super) at: Timestamp,
    /// Promises ruled on in this folder, and what they stake together in millionths.
    pub(super) looks: (u64, u64),
}

/// A row whose label looks wrong, with its text where the user brought it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Doubt {
    pub(super) row: String,
    pub(super) label: String,
    pub(super) says: String,
    pub(super) confidence_micro: i64,
    pub(super) text: Option<String>,
}

/// The whole of it: `NAME.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) schema: String,
    pub(super) about: About,
    /// By number.
    pub(super) labels: Vec<String>,
    /// The hash of the prompt's constant part.
    pub(super) template: String,
    pub(super) fingerprints: Vec<String>,
    /// Of the labeller's file.
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) signed_by: String,
    pub(super) suspicious: Vec<Doubt>,
    pub(super) certificates: Certificates,
    pub(super) report: Report,
}

/// The suspicious rows by name; kept content is not written here.
pub(super) fn suspicious(trained: &Trained, task: &Found) -> Vec<Doubt> {
    let label = |number: u32| {
        let label = task.labels.labels.get(number as usize);
        label.map_or_else(String::new, |label| label.written.clone())
    };
    let doubts = trained.report.suspicious.iter().filter_map(|row| {
        let at = task.rows.get(usize::try_from(row.example).ok()?)?;
        let text = task.origin.is_import().then(|| at.text.chars().take(SHOWN).collect());
        Some(Doubt {
            row: at.name.clone(),
            label: label(row.label),
            says: label(row.says),
            confidence_micro: row.confidence_micro,
            text,
        })
    });
    doubts.collect()
}
