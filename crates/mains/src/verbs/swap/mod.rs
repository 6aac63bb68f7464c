//! `mains swap`: test a replacement on one's own requests, and prove the outcome.
//!
//! `requests` reads what is asked, `setup` says how many and in which way, `price` what it costs beforehand, `state` keeps
//! every answer on disk, `sender` asks the running outlet, `course` goes from item to item until the verdict stands,
//! `judge` compares free text, `people` collects the verdicts of people, `outcome` writes and prints the report, `verify`
//! checks one, `scored` gives its verdicts request by request to `distill route`; `switch` puts a replacement into the
//! settings, `status` says how that goes.
//!
//! Never: a request past the outlet, a request paid twice, a verdict on free text without people.

mod course;
mod judge;
mod outcome;
mod people;
mod plan;
mod price;
pub(super) mod requests;
pub(super) mod scored;
mod sender;
mod setup;
mod state;
mod status;
pub(super) mod switch;
mod verify;

use crate::cli::{Swap, SwapTest};
use crate::print::{self, Ended, Trouble};
use crate::start;
use course::asking::Asking;
use mains_swap::verdict::Ppm;
use setup::Way;
use state::State;
use std::io::{BufRead, IsTerminal, Write};

/// The error level: 95 % confidence.
const ALPHA: Ppm = Ppm(50_000);

pub(crate) fn run(verb: &Swap) -> Result<Ended, Trouble> {
    match verb {
        Swap::Test(arguments) => start::runtime()?.block_on(test(arguments)),
        Swap::Plan(arguments) => plan::run(arguments),
        Swap::Verify { report, key, data } => verify::run(report, key.as_deref(), data),
        Swap::Grade(arguments) => people::run(arguments),
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
    let mut state = State::open(&arguments.out, Some(&state::head(arguments)))?;
    let setup = setup::make(arguments, &items, &state)?;
    let sender = sender::Sender::connect(arguments).await?;
    let expected = price::say(&setup, &state)?;
    agree(arguments, &state)?;
    let asking = Asking::new(arguments, &mut state, &sender, expected);
    let tested = if setup.way == Way::Judged {
        asking.note(|state| setup.note(state))?;
        judge::go(&setup, &asking).await?
    } else {
        let Some(chosen) = course::grader(&setup.drawn, &asking).await? else { return Ok(Ended::Findings) };
        asking.note(|state| setup.note(state))?;
        let tested = course::go(&setup.drawn, setup.question, &chosen, &asking).await?;
        let beside = asking.state(|state| outcome::beside(&setup.drawn, state));
        outcome::assemble(setup.around(beside), tested)
    };
    let (capped, spent) = (asking.is_capped(), asking.state(State::spent));
    drop(asking);
    let (route, folders) =
        (outcome::route(&setup.drawn), (arguments.out.as_path(), arguments.data.as_path()));
    let report = outcome::finish(tested, route, folders, spent).await?;
    if capped {
        print::say(
            "`--max-usd` ended the test; the result holds for what was asked, and a higher cap goes on",
        );
    }
    people::remind(&arguments.out, &state);
    Ok(outcome::ended(&report))
}

/// Asks before money is spent.
fn agree(arguments: &SwapTest, state: &State) -> Result<(), Trouble> {
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
