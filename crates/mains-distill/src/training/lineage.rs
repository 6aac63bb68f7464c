//! Where a labeller comes from, as hashes.

use super::lesson::{Example, Lesson, Settings};
use crate::canonical;
use crate::heads::average::Heads;
use crate::labeller::Origin;
use sha2::{Digest, Sha256};

/// The names of the hashes, in the order in which they stand.
pub(super) const CALIBRATION: &str = "calibration rows";
pub(super) const AUDIT: &str = "audit rows";

/// The SHA-256 of rows, whatever their order and names: of the sorted hashes of each row's text, label and time.
pub fn rows_hash<'a>(examples: impl IntoIterator<Item = &'a Example>) -> [u8; 32] {
    let mut rows: Vec<[u8; 32]> = examples.into_iter().map(row_hash).collect();
    rows.sort_unstable();
    let mut hash = Sha256::new();
    for row in &rows {
        hash.update(row);
    }
    hash.finalize().into()
}

fn row_hash(example: &Example) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((example.text.len() as u64).to_le_bytes());
    hash.update(example.text.as_bytes());
    hash.update(example.label.to_le_bytes());
    hash.update(example.at.0.to_le_bytes());
    hash.finalize().into()
}

/// Rows by part, as places among the examples.
pub(super) struct Places<'p> {
    pub(super) fit: &'p [usize],
    pub(super) calibrate: &'p [usize],
    pub(super) audit: &'p [usize],
}

/// All hashes of a training.
pub(super) fn origins(
    lesson: &Lesson,
    settings: &Settings,
    places: &Places<'_>,
    model_sha256: Option<[u8; 32]>,
) -> Vec<Origin> {
    let task = &lesson.task;
    let rows = |places: &[usize]| rows_hash(places.iter().filter_map(|place| lesson.examples.get(*place)));
    let text = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    let origin = |name: &str, sha256| Origin { name: name.to_owned(), sha256 };
    let mut origins = vec![
        origin("rows", rows_hash(&lesson.examples)),
        origin("fit rows", rows(places.fit)),
        origin(CALIBRATION, rows(places.calibrate)),
        origin(AUDIT, rows(places.audit)),
        origin("prompt", text(&canonical::json(&task.template))),
        origin("teacher", text(&canonical::json(&(&task.bound.teacher, &task.bound.fingerprints)))),
        origin("labels", text(&canonical::json(&task.labels))),
        origin("settings and seed", text(&settled(settings))),
        origin("code", text(concat!("mains-distill ", env!("CARGO_PKG_VERSION")))),
    ];
    origins.extend(model_sha256.map(|sha256| origin("embedding model", sha256)));
    origins
}

/// All settings that a training hangs on, as one text. The seed is a text, for not every reader keeps 64 bits.
fn settled(settings: &Settings) -> String {
    let Settings { seed, shares, all, local, serve, heads, strangeness, .. } = settings;
    let heads = heads.map(|heads| match heads {
        Heads::Ngram => "ngram",
        Heads::Dense => "dense",
        Heads::Both => "both",
    });
    canonical::json(&serde_json::json!({
        "seed": seed.to_string(),
        "fit_ppm": shares.fit_ppm,
        "calibrate_ppm": shares.calibrate_ppm,
        "all": all,
        "local": local,
        "serve": serve,
        "heads": heads,
        "strangeness": strangeness,
    }))
}

/// A hash in hexadecimal.
pub(super) fn hex(hash: &[u8; 32]) -> String {
    crate::task::hex(hash)
}
