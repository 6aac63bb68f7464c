//! The labeller's answers on rows that it did not learn from.

use super::heads::Learned;
use super::lesson::{Embedded, Example};
use crate::certificate::Calibration;
use crate::figures::micro;
use crate::heads::average::Mixed;
use crate::labeller::{Labeller, Lacking, Scratch};

/// Rows to fit, each judged by the heads that did not see it, at these places of theirs.
pub(super) fn out_of_fold(learned: &Learned, labels: &[u32], places: &[usize]) -> Calibration {
    let mut judged = Calibration::default();
    let mut mixed = Mixed::default();
    for place in places.iter().copied() {
        let dense = learned.dense_scores.as_ref().map_or(&[][..], |scores| scores.row(place));
        let (class, confidence) =
            learned.choice.mapping.top(learned.ngram_scores.row(place), dense, &mut mixed);
        let class = u32::try_from(class).unwrap_or(u32::MAX);
        push(&mut judged, labels[place], class, confidence, learned.known[place]);
    }
    judged
}

/// Rows at these places among the examples, judged by the labeller as it is shipped.
pub(super) fn by_labeller(
    labeller: &Labeller,
    examples: &[Example],
    embedded: Option<Embedded<'_>>,
    places: &[usize],
) -> Result<Calibration, Lacking> {
    let mut judged = Calibration::default();
    let mut scratch = Scratch::default();
    for place in places.iter().copied() {
        let Some(example) = examples.get(place) else { continue };
        let embedding = embedded.and_then(|all| all.values.get(place * all.dim..(place + 1) * all.dim));
        let said = labeller.label_with(&example.text, embedding, &mut scratch)?;
        push(&mut judged, example.label, said.label, said.confidence, said.known);
    }
    Ok(judged)
}

/// A confidence of zero says that scores overflowed: it is never answered here, so it is no number.
fn push(judged: &mut Calibration, label: u32, class: u32, confidence: f32, known: f32) {
    judged.confidence.push(if confidence > 0.0 { confidence } else { f32::NAN });
    judged.differs.push(class != label);
    judged.class.push(class);
    judged.strangeness.push(strangeness(known));
}

/// How little a text is like what training saw.
pub(super) fn strangeness(known: f32) -> f32 {
    1.0 - known
}

/// The strangeness that this share of the rows does not exceed, in millionths.
pub(super) fn quantile(rows: &Calibration, ppm: u32) -> Option<i64> {
    let mut sorted: Vec<i64> = rows.strangeness.iter().map(|score| micro(*score, i64::MAX)).collect();
    sorted.sort_unstable();
    let upto = (sorted.len() as u64 * u64::from(ppm.min(1_000_000))).div_ceil(1_000_000);
    sorted.get(usize::try_from(upto).unwrap_or(usize::MAX).saturating_sub(1)).copied()
}
