//! What a test costs, said before anything is sent.

use super::requests::Item;
use super::state::{Side, State};
use crate::cli::SwapTest;
use crate::print::{self, Trouble};
use mains_catalog::Catalog;
use mains_meter::{Meter, Rates};
use mains_swap::sample::{Price, Traffic, price};
use mains_units::{NanoUsd, Usage};

/// Tokens of an answer whose length nothing tells and no request bounds.
const OUTPUT_GUESS: u64 = 256;

/// Prints the size of the sample and its price, and refuses what may cost more than the cap.
pub(super) fn say(
    drawn: &[&Item],
    needed: u64,
    available: usize,
    arguments: &SwapTest,
    state: &State,
) -> Result<(), Trouble> {
    let items = print::plural(drawn.len() as u64, "request");
    let short = if needed > drawn.len() as u64 { "; there are fewer, so it may stay undecided" } else { "" };
    print::say(&format!(
        "{items} of {} drawn; about {} are needed to accept a candidate that differs a quarter as often as the margin of {} points allows{short}",
        print::thousands(available as u64),
        print::thousands(needed),
        arguments.margin,
    ));
    if state.answered() > 0 {
        let spent = NanoUsd(state.spent());
        print::say(&format!(
            "{} were answered before, for {spent}; they are not asked again",
            state.answered()
        ));
    }
    let (expected, unknown) = ahead(drawn, arguments, state);
    let total = NanoUsd(expected.expected.0.saturating_add(state.spent()));
    if !unknown.is_empty() {
        print::say(&format!("no list price is known for {}", unknown.join(" and ")));
        return match arguments.max_usd {
            None => Ok(()),
            Some(_) => Err(Trouble::new("`--max-usd` cannot be kept without a price; nothing was sent")
                .hint("leave it out and give the outlet a budget, or name a target whose price is known")),
        };
    }
    print::say(&format!(
        "expected {}, at most {}, tokens guessed from characters",
        expected.expected, expected.most
    ));
    match arguments.max_usd {
        Some(cap) if total.as_usd() > cap => Err(Trouble::new(format!(
            "the test is expected to cost {total} in all, more than `--max-usd {cap}`; nothing was sent{}",
            if state.answered() > 0 { ", and what was answered before is kept" } else { "" }
        ))
        .hint("raise the cap, or allow a wider `--margin`, which needs fewer requests")),
        _ => Ok(()),
    }
}

/// The price of what is still to be asked, and the targets without one.
fn ahead(drawn: &[&Item], arguments: &SwapTest, state: &State) -> (Price, Vec<String>) {
    let (mut sum, mut unknown) = (Price { expected: NanoUsd(0), most: NanoUsd(0) }, Vec::new());
    for (side, target) in [(Side::Old, &arguments.from), (Side::New, &arguments.to)] {
        let asked = |item: &&&Item| {
            (side == Side::New || item.reference.is_none()) && state.get(&item.id, side).is_none()
        };
        let open: Vec<&&Item> = drawn.iter().filter(asked).collect();
        let traffic = traffic(&open);
        match rates(target, traffic.usage.input / traffic.records.max(1)) {
            _ if open.is_empty() => {}
            None => unknown.push(format!("`{target}`")),
            Some(rates) => {
                let one = price(&traffic, traffic.records, &rates, None, None);
                sum.expected.0 = sum.expected.0.saturating_add(one.expected.0);
                sum.most.0 = sum.most.0.saturating_add(one.most.0);
            }
        }
    }
    (sum, unknown)
}

fn traffic(items: &[&&Item]) -> Traffic {
    let said = |item: &Item| {
        let recorded = item.reference.as_ref().map(|said| (said.text.len() as u64).div_ceil(4));
        recorded.unwrap_or(OUTPUT_GUESS).min(item.output_max.unwrap_or(u64::MAX))
    };
    let usage = Usage {
        input: items.iter().map(|item| item.input_guess()).sum(),
        output: items.iter().map(|item| said(item)).sum(),
        ..Usage::default()
    };
    let output_max = items.iter().map(|item| item.output_max.unwrap_or(4_096)).max().unwrap_or(0);
    Traffic { records: items.len() as u64, usage, output_max }
}

/// Rates of `upstream/model` at the catalogue's host of that name, else at the model's owner.
fn rates(target: &str, input_tokens: u64) -> Option<Rates> {
    let catalog = Catalog::builtin();
    let (upstream, model) = target.split_once('/').unwrap_or(("", target));
    let host = catalog.host(upstream).map(|host| host.id.as_ref());
    let found = catalog.lookup(host, model).into_first()?;
    Meter::new(catalog).rates(&found.host.id, &found.model.id, input_tokens)
}
