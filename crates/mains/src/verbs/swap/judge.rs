//! Free text, compared by a judge model blind and in both orders; what people will read is laid out for them.

use super::course::asking::{Asking, Go, Left};
use super::course::{Tested, counted_first, read_before};
use super::people::sheet::{Laid, Sheet, SheetRow};
use super::requests::Item;
use super::setup::Setup;
use super::state::{Judge, Reading, Side};
use super::{outcome, people};
use crate::print::{self, Trouble};
use mains_swap::grade::judge::{Criteria, JudgeQuestion, question, read_vote};
use mains_swap::grade::{Said, Vote, blind};
use mains_swap::report::Test;
use mains_wire::Dialect;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Tokens that a judge may write, its thoughts included.
const VERDICT_TOKENS_MAX: u32 = 1_024;

/// Both answers, and what the judge says of them: 0 the old one is better, 1 neither, 2 the new one is.
struct Pair {
    old: Said,
    new: Said,
    judge: Option<u8>,
}

/// Gets the answers and the judge's verdicts, writes the sheet for people, and says what stands so far.
pub(super) async fn go(setup: &Setup<'_>, asking: &Asking<'_>) -> Result<Test, Trouble> {
    let grader = match &setup.judge {
        Some(judge) => format!("free text, by `{}` and by people: {}", judge.target, judge.criteria),
        None => format!("free text, by people alone: {}", setup.criteria),
    };
    if setup
        .judge
        .as_ref()
        .is_some_and(|judge| judge.target == setup.arguments.to || judge.target == setup.arguments.from)
    {
        print::say(
            "the judge is one of the two models, and models favour their own words; people correct it, at a price in certainty",
        );
    }
    let reading = Reading { question: setup.question, grader: grader.clone() };
    let others = asking.note(|state| state.reads(reading))?;
    let places: BTreeMap<&str, usize> =
        setup.drawn.iter().enumerate().map(|(place, item)| (item.id.as_str(), place)).collect();
    let shown: BTreeSet<String> = asking.state(people::items);
    let (mut tested, mut rows, mut laid) = (Tested::default(), Vec::new(), BTreeMap::new());
    let drawn = counted_first(&setup.drawn, asking);
    asking
        .each(
            &drawn,
            |item| pair(item, setup.judge.as_ref(), asking),
            |item, pair| {
                match pair {
                    Err(Left::Stopped) => return Ok(Go::Enough),
                    Err(Left::Out(why)) => tested.leave(&why),
                    Ok(pair) => {
                        let place = places.get(item.id.as_str()).copied().unwrap_or(usize::MAX);
                        rows.push(SheetRow {
                            place,
                            id: item.id.clone(),
                            parts: outcome::parts(item),
                            judge: pair.judge,
                        });
                        if shown.contains(&item.id) {
                            laid.insert(item.id.clone(), lay(item, &pair));
                        }
                    }
                }
                Ok(Go::On)
            },
        )
        .await?;
    let beside = asking.state(|state| outcome::beside(&setup.drawn, state));
    tested.grader = read_before(&grader, others);
    let head = outcome::assemble(setup.around(beside), tested);
    let sheet = Sheet::of(&head, outcome::route(&setup.drawn), setup.criteria.clone(), rows, laid);
    sheet.write(&setup.arguments.out)?;
    asking.note(|state| sheet.test(state))
}

async fn pair(item: &Item, judge: Option<&Judge>, asking: &Asking<'_>) -> Result<Pair, Left> {
    let old = asking.reference(item).await?;
    if old.other {
        return Err(Left::Out("the recorded answer holds more than text".into()));
    }
    let (new, _) = asking.says(item, Side::New).await?;
    let judge = match judge {
        None => None,
        Some(judge) => {
            let first = vote(item, judge, Side::JudgeOldFirst, (&old, &new), asking).await?;
            let second = vote(item, judge, Side::JudgeNewFirst, (&new, &old), asking).await?;
            Some(u8::try_from(blind(first, second)).unwrap_or(1))
        }
    };
    Ok(Pair { old, new, judge })
}

/// What the judge says of two answers in this order. An answer that is no verdict counts as none: what a judge says is
/// corrected by people, whatever it says.
async fn vote(
    item: &Item,
    judge: &Judge,
    side: Side,
    (first, second): (&Said, &Said),
    asking: &Asking<'_>,
) -> Result<Vote, Left> {
    let asked = || {
        let criteria = Criteria(judge.criteria.clone());
        body(question(&criteria, &people::prompt(item), &outcome::shown(first), &outcome::shown(second)))
    };
    let answer = asking.answer(item, side, Dialect::OpenaiChat, &judge.target, asked).await?;
    // One that was cut off may end in a quotation.
    let whole = answer.status == 200 && answer.body["choices"][0]["finish_reason"] == "stop";
    let text = answer.body["choices"][0]["message"]["content"].as_str().filter(|_| whole);
    Ok(text.and_then(read_vote).unwrap_or(Vote::Tie))
}

fn lay(item: &Item, pair: &Pair) -> Laid {
    Laid { prompt: people::prompt(item), old: outcome::shown(&pair.old), new: outcome::shown(&pair.new) }
}

/// A judge's question in the dialect in which it is asked.
fn body(asked: JudgeQuestion) -> Value {
    json!({"model": "", "max_completion_tokens": VERDICT_TOKENS_MAX,
        "messages": [{"role": "system", "content": asked.system}, {"role": "user", "content": asked.user}]})
}
