//! What a finished test says of each request, for those who learn from it: how good both answers were, and their cost.

use super::course::order::order;
use super::requests;
use super::state::{Known, Side, State};
use super::verify;
use crate::cli::SwapRequests;
use crate::print::Trouble;
use mains_swap::report::Outcome;
use std::path::Path;

/// One request of a test.
pub(in crate::verbs) struct Scored {
    /// What the user wrote.
    pub(in crate::verbs) text: String,
    /// How good the candidate's answer was, 0 to 1, and the old model's.
    pub(in crate::verbs) quality: [f64; 2],
    /// What both cost, in nano-USD, where both are known.
    pub(in crate::verbs) nano_usd: Option<[u64; 2]>,
}

/// A test that stands, request by request.
pub(in crate::verbs) struct Scores {
    pub(in crate::verbs) rows: Vec<Scored>,
    /// By what the answers were graded.
    pub(in crate::verbs) grader: String,
    /// Rows that a judge model alone graded.
    pub(in crate::verbs) judged_alone: usize,
}

/// Reads the folder of a test, and the requests that it asked. A report that does not hold is an error.
pub(in crate::verbs) fn read(folder: &Path, from: &SwapRequests, data: &Path) -> Result<Scores, Trouble> {
    let path = folder.join("report.json");
    let checked = verify::check(&path, None, data)?;
    if let Some(wrong) = checked.wrong.first() {
        let why = format!("the report `{}` does not hold: {wrong}", path.display());
        return Err(Trouble::new(why).hint("`mains swap test` with the same flags writes it anew"));
    }
    let items = requests::read(from, data)?;
    let state = State::open(folder, None)?;
    let mut drawn = order(&items, state.head.seed, &state)?;
    drawn.truncate(state.drawn.len());
    let (mut rows, mut judged_alone) = (Vec::new(), 0);
    for row in &checked.report.rows {
        let item = drawn.iter().find(|item| item.id == row.id).ok_or_else(|| {
            Trouble::new(format!("`{}` stands in the report and was not drawn", row.id))
                .hint("the folder holds another test than its report; run the test again")
        })?;
        let number = |passed: bool| f64::from(u8::from(passed));
        let quality = match row.outcome {
            Outcome::Pair { old, new } => [number(new), number(old)],
            // The recorded answer is the measure: it is right, and the candidate's is where it is the same.
            Outcome::Single { same } => [number(same), 1.0],
            Outcome::Judged { judge, human } => {
                judged_alone += usize::from(human.is_none());
                let verdict = human.unwrap_or(judge);
                [number(verdict >= 1), number(verdict <= 1)]
            }
        };
        let asked = |side| match state.get(&item.id, side) {
            Some(Known::Answer(answer)) => answer.nano_usd,
            _ => None,
        };
        let old = item.recorded.nano_usd.or_else(|| asked(Side::Old));
        let nano_usd = asked(Side::New).zip(old).map(|(new, old)| [new, old]);
        rows.push(Scored { text: item.text().to_owned(), quality, nano_usd });
    }
    Ok(Scores { rows, grader: checked.report.about.grader, judged_alone })
}
