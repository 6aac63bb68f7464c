//! From item to item until the verdict stands, the sample ends or the cap is reached.

use super::requests::{Item, said};
use super::sender::{Asked, Sender};
use super::state::{Answered, Known, Side, State};
use super::{ALPHA, outcome};
use crate::cli::SwapTest;
use crate::print::{self, Trouble};
use mains_swap::grade::{
    Case, Fields, Grader, Kind, LabelRule, NumberAt, NumberRule, Order, Said, recognise,
};
use mains_swap::report::{Example, Outcome, Row};
use mains_swap::stats::{Counts, Tally};
use mains_swap::verdict::{Course, Question, Verdict, moments};
use std::collections::BTreeMap;

/// The old model's answers that tell the kind, where none are recorded.
const PILOT: usize = 40;

/// Failures in a row after which the test gives up for now.
const FAILURES_MAX: u32 = 5;

/// Worst examples that are kept.
const WORST: usize = 10;

/// What a test found.
#[derive(Default)]
pub(super) struct Tested {
    pub(super) rows: Vec<Row>,
    pub(super) looks: Vec<u64>,
    pub(super) left_out: BTreeMap<String, u64>,
    pub(super) worst: Vec<Example>,
    pub(super) grader: String,
    /// Whether the cap ended it.
    pub(super) capped: bool,
    pub(super) beside: mains_swap::report::Beside,
    pub(super) spent: u64,
}

/// Runs the test; `None` where nothing here can grade the answers. The order of items is that of the sample, so a test that goes on comes to what one in a single
/// piece comes to.
pub(super) async fn go(
    drawn: &[&Item],
    question: Question,
    arguments: &SwapTest,
    state: &mut State,
    sender: &Sender,
) -> Result<Option<Tested>, Trouble> {
    let mut asking = Asking {
        arguments,
        state,
        sender,
        failures: 0,
        left_out: BTreeMap::new(),
        capped: false,
        answered_by: BTreeMap::new(),
    };
    let Some((grader, because)) = asking.grader(drawn).await? else { return Ok(None) };
    let bar = print::watched().then(|| indicatif::ProgressBar::new(drawn.len() as u64));
    let mut tested = Tested { grader: because, ..Tested::default() };
    let (mut course, mut tally) = (Course::new(question, ALPHA), Tally::default());
    let looks = moments(drawn.len() as u64);
    for item in drawn {
        if let Some(bar) = &bar {
            bar.inc(1);
        }
        if let Some(row) = asking.row(item, &grader, &mut tested.worst).await? {
            tally.add(Question::place_of_single(row.outcome == Outcome::Single { same: true }));
            tested.rows.push(row);
            if looks.contains(&tally.n()) {
                tested.looks.push(tally.n());
                if course.look(Counts::Graded(tally)).verdict != Verdict::Undecided {
                    break;
                }
            }
        }
        if asking.capped {
            break;
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if tested.looks.last().copied().unwrap_or(0) < tally.n() {
        tested.looks.push(tally.n());
    }
    tested.capped = asking.capped;
    tested.left_out = asking.left_out;
    tested.spent = asking.state.spent();
    tested.beside = outcome::beside(asking.state);
    Ok(Some(tested))
}

struct Asking<'t> {
    arguments: &'t SwapTest,
    state: &'t mut State,
    sender: &'t Sender,
    failures: u32,
    left_out: BTreeMap<String, u64>,
    capped: bool,
    /// Who answered for each model first.
    answered_by: BTreeMap<Side, String>,
}

impl Asking<'_> {
    /// The grader that the recorded answers ask for; where too few are recorded, the old model is asked first.
    async fn grader(&mut self, drawn: &[&Item]) -> Result<Option<(Grader, String)>, Trouble> {
        let mut known: Vec<Said> = drawn.iter().filter_map(|item| item.reference.clone()).collect();
        for item in drawn.iter().filter(|item| item.reference.is_none()) {
            if known.len() >= PILOT || self.capped {
                break;
            }
            known.extend(self.reference(item).await?);
        }
        // What the pilot could not ask is counted when its item's turn comes.
        self.left_out.clear();
        let found = recognise(&known);
        let grader = match found.kind {
            Kind::Label => Grader::Label(LabelRule { case: Case::Kept, labels: found.labels }),
            Kind::Json => Grader::Json(Fields::default()),
            Kind::Tools => Grader::Tools(Order::Kept, Fields::default()),
            Kind::Number => Grader::Number(NumberAt::Whole, NumberRule::EXACT),
            Kind::FreeText => {
                print::data(&format!(
                    "not decided: free text is not graded without people, and the candidate was not asked: {}",
                    found.because
                ));
                return Ok(None);
            }
        };
        let words = format!("{:?}: {}", found.kind, found.because);
        print::say(&format!("graded as {words}"));
        Ok(Some((grader, words)))
    }

    async fn reference(&mut self, item: &Item) -> Result<Option<Said>, Trouble> {
        if let Some(recorded) = &item.reference {
            return Ok(Some(recorded.clone()));
        }
        let target = self.arguments.from.clone();
        let Some(answer) = self.answer(item, Side::Old, &target).await? else { return Ok(None) };
        if answer.status != 200 {
            self.leave("the old model refuses the request");
            return Ok(None);
        }
        Ok(said(item.dialect, &answer.body).ok())
    }

    /// Asks and grades one item; `None` where nothing can be said of it.
    async fn row(
        &mut self,
        item: &Item,
        grader: &Grader,
        worst: &mut Vec<Example>,
    ) -> Result<Option<Row>, Trouble> {
        let Some(reference) = self.reference(item).await? else { return Ok(None) };
        let target = self.arguments.to.clone();
        let Some(answer) = self.answer(item, Side::New, &target).await? else { return Ok(None) };
        let new = if answer.status == 200 { said(item.dialect, &answer.body) } else { Ok(Said::default()) };
        let new = new.unwrap_or_default();
        let grade = match grader.grade(&reference, &new) {
            Ok(grade) => grade,
            Err(why) => {
                self.leave(why.to_string().lines().next().unwrap_or_default());
                return Ok(None);
            }
        };
        if !grade.same && worst.len() < WORST {
            let refused = format!("HTTP {}", answer.status);
            let note = if answer.status == 200 { grade.note.unwrap_or("another answer") } else { &refused };
            let shown = |said: &Said| Some(said.text.chars().take(200).collect());
            let (old, new) = (shown(&reference), shown(&new));
            worst.push(Example { id: item.id.clone(), note: note.to_owned(), old, new });
        }
        let stratum = item.stratum();
        let parts = [
            ("language", stratum.language.to_owned()),
            ("length", stratum.length.to_string()),
            ("tools", if stratum.tools { "offered" } else { "none" }.to_owned()),
        ];
        let parts = parts.map(|(by, part)| (by.to_owned(), part)).into();
        Ok(Some(Row { id: item.id.clone(), outcome: Outcome::Single { same: grade.same }, parts }))
    }

    /// The answer of a target, from the state where it is there, else from the outlet.
    async fn answer(&mut self, item: &Item, side: Side, target: &str) -> Result<Option<Answered>, Trouble> {
        let answer = match self.state.get(&item.id, side) {
            Some(Known::Answer(answer)) => Some(answer.clone()),
            Some(Known::Lost) => {
                self.leave("asked when the test was killed, and not asked again");
                None
            }
            None if self.is_capped() => {
                self.capped = true;
                None
            }
            None => self.ask(item, side, target).await?,
        };
        let Some(answer) = answer else { return Ok(None) };
        // A route may fall back to another target, whose answers say nothing of this one.
        let first = self.answered_by.entry(side).or_insert_with(|| answer.target.clone());
        if *first == answer.target {
            return Ok(Some(answer));
        }
        self.leave("answered by another target than the first request");
        Ok(None)
    }

    async fn ask(&mut self, item: &Item, side: Side, target: &str) -> Result<Option<Answered>, Trouble> {
        self.state.asking(&item.id, side)?;
        let asked = tokio::select! {
            asked = self.sender.ask(item, target) => asked,
            _ = tokio::signal::ctrl_c() => Err(Trouble::new("interrupted").hint("the same command goes on")),
        };
        match asked? {
            Asked::Answer(answer) => {
                self.failures = 0;
                self.state.answer(&item.id, side, answer.clone())?;
                Ok(Some(answer))
            }
            Asked::Refused(status, trouble) => {
                self.state.failed(&item.id, side, status)?;
                Err(trouble)
            }
            Asked::Failed(status) => {
                self.failures += 1;
                self.state.failed(&item.id, side, status)?;
                self.leave(&format!("HTTP {status}"));
                if self.failures < FAILURES_MAX {
                    return Ok(None);
                }
                let why = format!("`{target}` failed {FAILURES_MAX} times in a row, HTTP {status} at last");
                Err(Trouble::new(why).hint("the same command goes on; what was answered is kept"))
            }
        }
    }

    /// Whether one more request like the dearest so far would pass the cap.
    fn is_capped(&self) -> bool {
        let Some(cap) = self.arguments.max_usd else { return false };
        let all = self.state.answers(Side::Old).chain(self.state.answers(Side::New));
        let dearest = all.filter_map(|answer| answer.nano_usd).max().unwrap_or(0);
        mains_units::NanoUsd(self.state.spent().saturating_add(dearest)).as_usd() > cap
    }

    fn leave(&mut self, why: &str) {
        *self.left_out.entry(why.to_owned()).or_insert(0) += 1;
    }
}
