//! From item to item until the verdict stands, the sample ends or the cap is reached.
//!
//! `order` is the order of the sample, `grading` chooses the grader, `asking` gets the answers.

pub(super) mod asking;
pub(super) mod grading;
pub(super) mod order;

use super::requests::Item;
use super::state::{Reading, Side};
use super::{ALPHA, outcome};
use crate::print::{self, Trouble};
use asking::{Asking, Go, Left};
use grading::Chosen;
use mains_swap::grade::schema::{self, Schema};
use mains_swap::grade::{FieldMark, Grade, Said};
use mains_swap::report::{Example, Outcome, Row};
use mains_swap::stats::{Counts, Tally};
use mains_swap::verdict::{Course, Question, Verdict, moments};
use std::collections::{BTreeMap, BTreeSet};

/// The old model's answers that tell the kind, where none are recorded.
const PILOT: usize = 40;

/// Worst examples that are kept.
pub(super) const WORST: usize = 10;

/// Characters of an answer in an example.
const SHOWN: usize = 200;

/// What a test found.
#[derive(Default)]
pub(super) struct Tested {
    pub(super) rows: Vec<Row>,
    pub(super) looks: Vec<u64>,
    pub(super) left_out: BTreeMap<String, u64>,
    pub(super) marks: Vec<FieldMark>,
    pub(super) worst: Vec<Example>,
    pub(super) grader: String,
}

/// The answers to one item.
struct Answers {
    reference: Said,
    again: Option<Said>,
    new: Said,
    /// The status of the candidate's reply.
    status: u16,
}

/// The grader that the user asks for, else the one that the recorded answers ask for; where too few are recorded, the
/// old model is asked first. `None` where nothing here can grade the answers.
pub(super) async fn grader(drawn: &[&Item], asking: &Asking<'_>) -> Result<Option<Chosen>, Trouble> {
    let flags = &asking.arguments.grader;
    if let Some(chosen) = grading::asked_for(flags)? {
        return Ok(Some(chosen));
    }
    let mut known: Vec<Said> = drawn.iter().filter_map(|item| item.reference.clone()).collect();
    let pilot = drawn.iter().filter(|item| item.reference.is_none()).copied();
    let pilot: Vec<&Item> = pilot.take(PILOT.saturating_sub(known.len())).collect();
    // What the pilot could not ask is counted when its item's turn comes.
    asking
        .each(
            &pilot,
            |item| asking.reference(item),
            |_, said| {
                known.extend(said.ok());
                Ok(Go::On)
            },
        )
        .await?;
    match grading::recognised(flags, &known) {
        Ok(chosen) => Ok(Some(chosen)),
        Err(because) => {
            print::data(&format!(
                "not decided: free text is not graded without people, and the candidate was not asked: {because}"
            ));
            print::say("hint: `--people N` asks people, and `--judge TARGET` a model beside them");
            Ok(None)
        }
    }
}

/// Runs the test. The order of items is that of the sample, so a test that goes on comes to what one in a single piece
/// comes to.
pub(super) async fn go(
    drawn: &[&Item],
    question: Question,
    chosen: &Chosen,
    asking: &Asking<'_>,
) -> Result<Tested, Trouble> {
    let others = asking.note(|state| state.reads(Reading { question, grader: chosen.words.clone() }))?;
    print::say(&format!("graded as {}", chosen.words));
    let drawn = counted_first(drawn, asking);
    let mut looks: BTreeSet<u64> = moments(drawn.len() as u64).into_iter().collect();
    looks.extend(asking.state(|state| state.looks.clone()));
    let mut tested = Tested { grader: read_before(&chosen.words, others), ..Tested::default() };
    let (mut course, mut tally) = (Course::new(question, ALPHA), Tally::default());
    let again = matches!(question, Question::AgreementBesideSelf { .. });
    asking
        .each(
            &drawn,
            |item| answers(item, again, asking),
            |item, answers| {
                let Some(row) = tested.row(item, answers, question, chosen) else { return Ok(Go::On) };
                let Some(row) = row else { return Ok(Go::Enough) };
                tally.add(place(row.outcome));
                tested.rows.push(row);
                if !looks.contains(&tally.n()) {
                    return Ok(Go::On);
                }
                tested.look(tally.n(), asking)?;
                let decided = course.look(Counts::Graded(tally)).verdict != Verdict::Undecided;
                Ok(if decided { Go::Enough } else { Go::On })
            },
        )
        .await?;
    tested.look(tally.n(), asking)?;
    Ok(tested)
}

/// The grader in words; whoever tries several until one pleases is told on.
pub(super) fn read_before(words: &str, others: usize) -> String {
    match others {
        0 => words.to_owned(),
        n => format!(
            "{words} (the same answers were read in {n} other way{} before)",
            if n == 1 { "" } else { "s" }
        ),
    }
}

/// What was looked at before stays in its order and at the beginning, though an item may be answered since that was
/// left out then.
pub(super) fn counted_first<'i>(drawn: &[&'i Item], asking: &Asking<'_>) -> Vec<&'i Item> {
    let rows = asking.state(|state| state.rows.clone());
    let places: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
    let mut ordered = drawn.to_vec();
    ordered.sort_by_key(|item| places.get(item.id.as_str()).copied().unwrap_or(usize::MAX));
    ordered
}

async fn answers(item: &Item, again: bool, asking: &Asking<'_>) -> Result<Answers, Left> {
    let reference = asking.reference(item).await?;
    let again = if again { Some(asking.says(item, Side::Again).await?.0) } else { None };
    let (new, status) = asking.says(item, Side::New).await?;
    Ok(Answers { reference, again, new, status })
}

fn place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Pair { old, new } => Question::place_of_pair(old, new),
        Outcome::Single { same } => Question::place_of_single(same),
        Outcome::Judged { judge, .. } => usize::from(judge),
    }
}

impl Tested {
    /// Grades one item. `None` where nothing can be said of it, `Some(None)` where nothing more comes.
    fn row(
        &mut self,
        item: &Item,
        answers: Result<Answers, Left>,
        question: Question,
        chosen: &Chosen,
    ) -> Option<Option<Row>> {
        let answers = match answers {
            Ok(answers) => answers,
            Err(Left::Stopped) => return Some(None),
            Err(Left::Out(why)) => {
                self.leave(&why);
                return None;
            }
        };
        // A schema that cannot be checked leaves the comparison by fields.
        let schema = schema::of_request(&item.body).and_then(|schema| Schema::parse(schema).ok());
        let with = schema.map(|schema| chosen.grader.clone().with_schema(schema));
        let grader = with.as_ref().unwrap_or(&chosen.grader);
        let graded = |said: &Said| grader.grade(&answers.reference, said);
        let old = match question {
            Question::Agreement { .. } => None,
            Question::AgreementBesideSelf { .. } => answers.again.as_ref().map(&graded),
            Question::Quality { .. } => Some(graded(&answers.reference)),
        };
        let (new, old) = match (graded(&answers.new), old.transpose()) {
            (Ok(new), Ok(old)) => (new, old),
            (Err(why), _) | (_, Err(why)) => {
                self.leave(why.to_string().lines().next().unwrap_or_default());
                return None;
            }
        };
        let outcome = match &old {
            None => Outcome::Single { same: new.same },
            Some(old) => Outcome::Pair { old: old.same, new: new.same },
        };
        if !new.same && old.is_none_or(|old| old.same) && self.worst.len() < WORST {
            self.worst.push(example(item, &answers, &new));
        }
        self.marks.extend(new.fields);
        Some(Some(Row { id: item.id.clone(), outcome, parts: outcome::parts(item) }))
    }

    pub(super) fn leave(&mut self, why: &str) {
        *self.left_out.entry(why.to_owned()).or_insert(0) += 1;
    }

    /// Notes a look after so many rows, unless it was the last one too.
    pub(super) fn look(&mut self, n: u64, asking: &Asking<'_>) -> Result<(), Trouble> {
        if n == 0 || self.looks.last() == Some(&n) {
            return Ok(());
        }
        self.looks.push(n);
        let known = asking.state(|state| state.rows.len());
        asking.note(|state| state.looked(self.rows.iter().skip(known).map(|row| row.id.clone()).collect()))
    }
}

fn example(item: &Item, answers: &Answers, grade: &Grade) -> Example {
    let refused = format!("HTTP {}", answers.status);
    let note = if answers.status == 200 { grade.note.unwrap_or("another answer") } else { &refused };
    let shown = |said: &Said| Some(outcome::shown(said).chars().take(SHOWN).collect());
    let (old, new) = (shown(&answers.reference), shown(&answers.new));
    Example { id: item.id.clone(), note: note.to_owned(), old, new }
}
