//! The verdicts of people: blind, in random order, each a synced line of the state.
//!
//! Items are picked before anything is known of their answers, and which answer is shown on which side is drawn by
//! lot. What people say counts only when a batch is finished, because whoever could see the verdict first could stop
//! when it pleases. Read `sheet` (what is compared, and the report from it), `desk` (what comes next), then `terminal`
//! and `page`, the two ways to be asked.

mod desk;
mod page;
pub(super) mod sheet;
mod terminal;

use super::outcome;
use super::requests::Item;
use super::state::{Batch, Seat, State};
use crate::cli::SwapGrade;
use crate::print::{self, Ended, Trouble};
use crate::start;
use desk::Desk;
use mains_swap::sample::for_humans;
use mains_units::Chance;
use mains_wire::neutral::{Content, Message, Role};
use sheet::Sheet;
use std::collections::BTreeSet;
use std::path::Path;

/// Parts the draw for people from the draw of the sample.
const SALT: u64 = 0x70_656f_706c_65;

/// Picks items for people among those that were not drawn before, so that there are `people` in all.
pub(super) fn choose(drawn: &[&Item], people: usize, seed: u64, state: &mut State) -> Result<(), Trouble> {
    let from = state.batches.last().map_or(0, |batch| batch.until);
    let missing = people.saturating_sub(items(state).len());
    if drawn.len() <= from {
        if missing > 0 && from > 0 {
            print::say("more items for people are picked only among new ones: `--at-most` widens the sample");
        }
        return Ok(());
    }
    let mut chance = Chance::from_seed(seed ^ SALT ^ from as u64);
    let picked = for_humans(drawn.len() - from, missing, &mut chance);
    let seat = |pick: &mains_swap::sample::HumanItem| {
        let item = drawn.get(from + pick.item)?;
        Some(Seat { item: item.id.clone(), new_left: pick.new_left })
    };
    let seats = picked.iter().filter_map(seat).collect();
    state.people(Batch { until: drawn.len(), seats, closed: false })
}

/// The items that people read.
pub(super) fn items(state: &State) -> BTreeSet<String> {
    state.batches.iter().flat_map(|batch| &batch.seats).map(|seat| seat.item.clone()).collect()
}

/// Says that people are waited for.
pub(super) fn remind(folder: &Path, state: &State) {
    let Ok(sheet) = Sheet::read(folder) else { return };
    let open = sheet.open(state);
    let waiting = open.iter().filter(|seat| !state.verdicts.contains_key(&seat.item)).count();
    if waiting > 0 {
        let items = print::plural(waiting as u64, "item");
        print::say(&format!("{items} for people: `mains swap grade {}`", folder.display()));
    }
}

/// `mains swap grade`.
pub(super) fn run(arguments: &SwapGrade) -> Result<Ended, Trouble> {
    let folder = &arguments.folder;
    let mut desk = Desk::open(State::open(folder, None)?, Sheet::read(folder)?)?;
    if !desk.is_done() && !arguments.finish {
        desk = if arguments.page {
            start::runtime()?.block_on(page::serve(desk))?
        } else {
            terminal::grade(desk)?
        };
        if !desk.is_done() {
            let (graded, all) = desk.progress();
            print::say(&format!(
                "{graded} of {all} graded; the same command goes on, and the verdict comes with the last"
            ));
            print::say("hint: `--finish` takes the verdicts that are there, and no further ones");
            return Ok(Ended::Findings);
        }
    }
    report(desk, arguments)
}

fn report(mut desk: Desk, arguments: &SwapGrade) -> Result<Ended, Trouble> {
    let (graded, counted) = desk.close()?;
    if counted < graded {
        let dropped = print::plural((graded - counted) as u64, "verdict");
        print::say(&format!("{dropped} behind an item that was skipped and never answered do not count"));
    }
    let (mut state, sheet) = desk.parts();
    let test = sheet.test(&mut state)?;
    let folders = (arguments.folder.as_path(), arguments.data.as_path());
    let finished = outcome::finish(test, sheet.route.as_deref(), folders, state.spent());
    let report = start::runtime()?.block_on(finished)?;
    Ok(outcome::ended(&report))
}

/// What was asked, as people and judges read it.
pub(super) fn prompt(item: &Item) -> String {
    let Ok(question) = item.dialect.read_question(item.body.to_string().as_bytes()) else {
        return item.body.to_string();
    };
    let all: Vec<String> = question.instructions.iter().chain(&question.messages).map(spoken).collect();
    all.join("\n\n")
}

fn spoken(message: &Message) -> String {
    let who = match message.role {
        Role::System | Role::Developer => "Instructions",
        Role::User => "User",
        Role::Assistant => "Assistant",
    };
    let said = message.blocks.iter().map(|block| match &block.content {
        Content::Text { text, .. } | Content::Refusal { text } => text.clone(),
        Content::ToolCall(call) => format!("{}({})", call.name, call.arguments),
        Content::Reasoning { .. } | Content::RedactedReasoning { .. } => String::new(),
        Content::ToolResult(_) => "(the result of a tool)".into(),
        Content::Image { .. } | Content::Audio { .. } | Content::File { .. } | Content::Foreign { .. } => {
            "(a picture, sound or file)".into()
        }
    });
    format!("{who}: {}", said.collect::<Vec<_>>().join("\n"))
}
