//! `mains swap`: test a replacement on one's own requests, and prove the outcome.
//!
//! `requests` reads what is asked, `price` says what it costs beforehand, `state` keeps every answer on disk,
//! `sender` asks the running outlet, `course` goes from item to item until the verdict stands, `outcome` writes and
//! prints the report, `verify` checks one. `switch` puts a replacement into the settings, `status` says how that goes.
//!
//! Never: a request past the outlet, a request paid twice.

mod course;
mod outcome;
mod plan;
mod price;
mod requests;
mod sender;
mod state;
mod status;
mod switch;
mod verify;

use crate::cli::{Swap, SwapTest};
use crate::print::{self, Ended, Trouble};
use crate::start;
use mains_swap::sample::{Stratum, draw, need};
use mains_swap::verdict::{Ppm, Question};
use mains_units::Chance;
use requests::Item;
use std::io::{BufRead, IsTerminal, Write};

/// The error level: 95 % confidence.
const ALPHA: Ppm = Ppm(50_000);

/// The chance with which the sample shall suffice for a candidate that is as good as expected.
const POWER: Ppm = Ppm(800_000);

pub(crate) fn run(verb: &Swap) -> Result<Ended, Trouble> {
    match verb {
        Swap::Test(arguments) => start::runtime()?.block_on(test(arguments)),
        Swap::Plan(arguments) => plan::run(arguments),
        Swap::Verify { report, key, data } => verify::run(report, key.as_deref(), data),
        Swap::Switch(arguments) => switch::run(arguments),
        Swap::Status(data) => status::run(data),
        Swap::Rollback { route, data } => status::roll_back(route, data),
    }
}

async fn test(arguments: &SwapTest) -> Result<Ended, Trouble> {
    if arguments.max_usd.is_some_and(|cap| !cap.is_finite() || cap < 0.0) {
        return Err(Trouble::new("`--max-usd` is no amount of money").hint("write it as `--max-usd 2.50`"));
    }
    let items = requests::read(&arguments.requests, &arguments.data)?;
    let question = Question::Agreement { most: Ppm::points(i64::from(arguments.margin)) };
    // What is expected of a good candidate: it differs a quarter as often as is allowed.
    let expected = Ppm(question.margin().0 / 4);
    let needed = need(question, expected, ALPHA, POWER).anytime.unwrap_or(u64::MAX);
    let size = usize::try_from(needed).unwrap_or(usize::MAX).min(items.len());
    let strata: Vec<Stratum> = items.iter().map(Item::stratum).collect();
    let drawn = draw(&strata, size, &mut Chance::from_seed(arguments.seed));
    let drawn: Vec<&Item> = drawn.into_iter().filter_map(|place| items.get(place)).collect();
    let mut state = state::State::open(&arguments.out, &state::head(arguments, &items))?;
    let sender = sender::Sender::connect(arguments).await?;
    price::say(&drawn, needed, items.len(), arguments, &state)?;
    agree(arguments, &state)?;
    match course::go(&drawn, question, arguments, &mut state, &sender).await? {
        Some(tested) => outcome::finish(arguments, question, items.len() as u64, tested),
        None => Ok(Ended::Findings),
    }
}

/// Asks before money is spent.
fn agree(arguments: &SwapTest, state: &state::State) -> Result<(), Trouble> {
    if arguments.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Trouble::new("nobody is here to agree to the price").hint("`--yes` agrees beforehand"));
    }
    let again = if state.answered() > 0 { "Go on" } else { "Start" };
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{again}? [y/N] ")?;
    stderr.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim().eq_ignore_ascii_case("y") {
        return Ok(());
    }
    print::say("nothing was sent");
    Err(Trouble::new("the price was not agreed to"))
}
