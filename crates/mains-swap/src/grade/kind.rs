//! Which kind a route's answers are, told from recorded ones.

use super::grader::{NumberAt, number, structured};
use super::{Case, Said};
use std::collections::BTreeMap;

/// The kind of a route's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One of a closed set of labels.
    Label,
    /// A JSON object or list.
    Json,
    /// Tool calls.
    Tools,
    /// A number.
    Number,
    /// Anything else.
    FreeText,
}

/// A kind and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The kind.
    pub kind: Kind,
    /// Why, in one clause with its counts.
    pub because: String,
    /// The labels, if they are labels, the most frequent first.
    pub labels: Vec<String>,
}

/// A kind is named when this share of the answers is of it; the rest will be refused or fail, and is told.
const SHARE_MIN: f64 = 0.9;
/// Labels are short.
const LABEL_BYTES_MAX: usize = 64;
/// Fewer answers cannot show that a set of labels is closed.
const LABEL_ANSWERS_MIN: usize = 20;
/// The most likely chance of meeting a label that was never seen is the share of answers seen only once (Good,
/// Biometrika 40 (1953), 237-264, crediting Turing); a closed set keeps it at or below this.
const NEW_LABEL_MAX: f64 = 0.05;

/// Tells the kind of recorded answers. Refusals are left aside.
pub fn recognise(answers: &[Said]) -> Recognised {
    let spoken: Vec<&Said> = answers.iter().filter(|said| !said.refused).collect();
    let n = spoken.len();
    let none = |because: String| Recognised { kind: Kind::FreeText, because, labels: Vec::new() };
    if n == 0 {
        return none("no recorded answer says anything".into());
    }
    let count = |is: &dyn Fn(&Said) -> bool| spoken.iter().filter(|said| is(said)).count();
    let of = [
        (Kind::Tools, "call tools", count(&|said| !said.calls.is_empty())),
        (Kind::Json, "are JSON", count(&|said| said.calls.is_empty() && structured(&said.text).is_some())),
    ];
    for (kind, words, found) in of {
        if found as f64 >= SHARE_MIN * n as f64 {
            return Recognised {
                kind,
                because: format!("{found} of {n} answers {words}"),
                labels: Vec::new(),
            };
        }
    }
    if let Some(labels) = labels(&spoken) {
        return labels;
    }
    let numbers = count(&|said| number(NumberAt::Whole, &said.text).is_some());
    if numbers as f64 >= SHARE_MIN * n as f64 {
        let because = format!("{numbers} of {n} answers are a number");
        return Recognised { kind: Kind::Number, because, labels: Vec::new() };
    }
    none(format!("{n} answers are neither calls, JSON, numbers nor a closed set of labels"))
}

fn labels(spoken: &[&Said]) -> Option<Recognised> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let short =
        |said: &&&Said| said.calls.is_empty() && (1..=LABEL_BYTES_MAX).contains(&said.text.trim().len());
    for said in spoken.iter().filter(short) {
        *seen.entry(Case::Kept.fold(&said.text)).or_default() += 1;
    }
    let n: usize = seen.values().sum();
    let once = seen.values().filter(|count| **count == 1).count();
    let closed = once as f64 <= NEW_LABEL_MAX * n as f64;
    if n < LABEL_ANSWERS_MIN || (n as f64) < SHARE_MIN * spoken.len() as f64 || !closed {
        return None;
    }
    let because =
        format!("{n} of {} answers are {} short texts, {once} of them seen once", spoken.len(), seen.len());
    let mut labels: Vec<(String, usize)> = seen.into_iter().collect();
    labels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let labels = labels.into_iter().filter(|(_, count)| *count > 1).map(|(label, _)| label).collect();
    Some(Recognised { kind: Kind::Label, because, labels })
}
