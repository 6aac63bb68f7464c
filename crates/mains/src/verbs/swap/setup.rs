//! How many items, in which order, and in which way their answers are compared; all before anything is sent.

use super::course::order::{drawn, order};
use super::requests::Item;
use super::state::{Judge, State};
use super::{ALPHA, outcome, people};
use crate::cli::SwapTest;
use crate::print::{self, Trouble};
use mains_swap::grade::judge::Criteria;
use mains_swap::report::Beside;
use mains_swap::sample::need;
use mains_swap::verdict::{Ppm, Question};

/// The chance with which the sample shall suffice for a candidate that is as good as expected.
const POWER: Ppm = Ppm(800_000);

/// Items for people beside a judge, where the user names no number.
const PEOPLE: usize = 50;

/// How answers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The new answer with the recorded one.
    Recorded,
    /// As above, and the old model with itself.
    BesideSelf,
    /// Both by a check of the user.
    Checked,
    /// By people, perhaps with a judge.
    Judged,
}

/// A test before anything is sent.
pub(super) struct Setup<'t> {
    pub(super) arguments: &'t SwapTest,
    pub(super) way: Way,
    pub(super) question: Question,
    /// The sample, in the order of the test.
    pub(super) drawn: Vec<&'t Item>,
    pub(super) available: usize,
    /// About how many items a verdict takes.
    needed: u64,
    pub(super) judge: Option<Judge>,
    pub(super) criteria: String,
    /// Items for people.
    people: usize,
}

pub(super) fn make<'t>(
    arguments: &'t SwapTest,
    items: &'t [Item],
    state: &State,
) -> Result<Setup<'t>, Trouble> {
    let way = way(arguments, items);
    let margin = Ppm::points(i64::from(arguments.margin));
    let question = match way {
        Way::Recorded => Question::Agreement { most: margin },
        Way::BesideSelf => Question::AgreementBesideSelf { margin },
        Way::Checked | Way::Judged => Question::Quality { margin },
    };
    let needed = need(question, expected(way, margin), ALPHA, POWER).anytime.unwrap_or(u64::MAX);
    let people = arguments.people.unwrap_or(if way == Way::Judged { PEOPLE } else { 0 });
    let mut size = arguments.at_most.unwrap_or(usize::MAX);
    if way == Way::BesideSelf {
        size = size.min(arguments.again.unwrap_or(usize::MAX));
    }
    if way == Way::Judged && arguments.judge.is_none() {
        // What no person sees is not compared at all.
        size = size.min(people);
    } else {
        size = size.min(usize::try_from(needed).unwrap_or(usize::MAX));
    }
    let mut drawn = order(items, arguments.seed, state)?;
    // What was asked before stays in the sample.
    drawn.truncate(size.max(state.drawn.len()));
    let criteria = arguments.criteria.clone().unwrap_or_else(|| Criteria::default().0);
    let judge = arguments.judge.clone().map(|target| Judge { target, criteria: criteria.clone() });
    Ok(Setup { arguments, way, question, drawn, available: items.len(), needed, judge, criteria, people })
}

fn way(arguments: &SwapTest, items: &[Item]) -> Way {
    let unrecorded = || items.iter().all(|item| item.reference.is_none());
    if arguments.judge.is_some() || arguments.people.is_some() {
        Way::Judged
    } else if arguments.grader.check.is_some() {
        Way::Checked
    } else if arguments.again.map_or_else(unrecorded, |most| most > 0) {
        Way::BesideSelf
    } else {
        Way::Recorded
    }
}

/// What is expected of a good candidate: it differs a quarter as often as is allowed; beside the old model, which
/// differs from itself as often, one alone of both agrees twice as often as that; by a check as often as the margin;
/// and people prefer one of two answers every second time.
fn expected(way: Way, margin: Ppm) -> Ppm {
    match way {
        Way::Recorded => Ppm(margin.0 / 4),
        Way::BesideSelf => Ppm(margin.0 / 2),
        Way::Checked => margin,
        Way::Judged => Ppm(500_000),
    }
}

impl<'t> Setup<'t> {
    /// The size of the sample in words.
    pub(super) fn words(&self) -> String {
        let margin = self.question.margin();
        let good = match self.way {
            Way::Recorded => format!("that differs a quarter as often as the margin of {margin} % allows"),
            Way::BesideSelf => {
                format!("that agrees as often as the old model with itself, to within {margin} points")
            }
            Way::Checked => format!("that passes as often, to within {margin} points"),
            Way::Judged => format!("that is as good, to within {margin} points, if people judge all of them"),
        };
        let short = if self.needed > self.drawn.len() as u64 {
            "; fewer are drawn, so it may stay undecided"
        } else {
            ""
        };
        let drawn = print::plural(self.drawn.len() as u64, "item");
        let (available, needed) = (print::thousands(self.available as u64), print::thousands(self.needed));
        format!("{drawn} of {available} drawn; about {needed} are needed to accept a candidate {good}{short}")
    }

    /// Notes the sample, the judge and the items for people, before any answer to the new ones is known.
    pub(super) fn note(&self, state: &mut State) -> Result<(), Trouble> {
        if let Some(judge) = &self.judge {
            state.judged_by(judge.clone())?;
        }
        state.draw(self.drawn.iter().skip(state.drawn.len()).map(|item| drawn(item)).collect())?;
        if self.way == Way::Judged {
            people::choose(&self.drawn, self.people, self.arguments.seed, state)?;
        }
        Ok(())
    }

    /// What stands around the rows in the report.
    pub(super) fn around(&self, beside: Beside) -> outcome::Around<'t> {
        outcome::Around {
            old: &self.arguments.from,
            new: &self.arguments.to,
            route: self.arguments.requests.display().into_owned(),
            seed: self.arguments.seed,
            question: self.question,
            available: self.available as u64,
            beside,
        }
    }
}
