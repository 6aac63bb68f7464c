//! What a test costs, said before anything is sent.

use super::requests::Item;
use super::setup::{Setup, Way};
use super::state::{Side, State};
use crate::print::{self, Trouble};
use mains_catalog::Catalog;
use mains_meter::{Meter, Rates};
use mains_swap::sample::{JudgeCost, Price, Traffic, price};
use mains_units::{NanoUsd, Usage};

/// Tokens of an answer whose length nothing tells and no request bounds.
const OUTPUT_GUESS: u64 = 256;

/// Tokens of a judge's verdict with its reasons; judges that think write more, and the cap holds what was seen.
const VERDICT_TOKENS: u64 = 120;

/// Prints the size of the sample and its price, and refuses what may cost more than the cap. Returns what one request
/// is expected to cost, in nano-USD; 0 where that is not known.
pub(super) fn say(setup: &Setup<'_>, state: &State) -> Result<u64, Trouble> {
    print::say(&setup.words());
    let arguments = setup.arguments;
    if state.answered() > 0 {
        let spent = NanoUsd(state.spent());
        print::say(&format!(
            "{} were answered before, for {spent}; they are not asked again",
            state.answered()
        ));
    }
    let ahead = ahead(setup, state);
    let total = NanoUsd(ahead.price.expected.0.saturating_add(state.spent()));
    if !ahead.unknown.is_empty() {
        print::say(&format!("no list price is known for {}", ahead.unknown.join(" and ")));
        return match arguments.max_usd {
            None => Ok(0),
            Some(_) => Err(Trouble::new("`--max-usd` cannot be kept without a price; nothing was sent")
                .hint("leave it out and give the outlet a budget, or name a target whose price is known")),
        };
    }
    print::say(&format!(
        "{}: expected {}, at most {}, tokens guessed from characters",
        print::plural(ahead.requests, "request"),
        ahead.price.expected,
        ahead.price.most
    ));
    match arguments.max_usd {
        Some(cap) if total.as_usd() > cap => Err(Trouble::new(format!(
            "the test is expected to cost {total} in all, more than `--max-usd {cap}`; nothing was sent{}",
            if state.answered() > 0 { ", and what was answered before is kept" } else { "" }
        ))
        .hint("raise the cap, lower `--at-most`, or allow a wider `--margin`, which needs fewer requests")),
        _ => Ok(ahead.price.expected.0 / ahead.requests.max(1)),
    }
}

/// What is still to be asked.
struct Ahead {
    requests: u64,
    price: Price,
    /// Targets without a price.
    unknown: Vec<String>,
}

fn ahead(setup: &Setup<'_>, state: &State) -> Ahead {
    let none = Price { expected: NanoUsd(0), most: NanoUsd(0) };
    let mut ahead = Ahead { requests: 0, price: none, unknown: Vec::new() };
    let arguments = setup.arguments;
    let mut sides = vec![(Side::Old, &arguments.from), (Side::New, &arguments.to)];
    if matches!(setup.way, Way::BesideSelf) {
        sides.push((Side::Again, &arguments.from));
    }
    sides.extend(setup.judge.iter().map(|judge| (Side::JudgeOldFirst, &judge.target)));
    for (side, target) in sides {
        let asked = |item: &&&Item| {
            (side != Side::Old || item.reference.is_none()) && state.get(&item.id, side).is_none()
        };
        let open: Vec<&&Item> = setup.drawn.iter().filter(asked).collect();
        if open.is_empty() {
            continue;
        }
        let traffic = traffic(&open);
        let is_judge = side == Side::JudgeOldFirst;
        ahead.requests += traffic.records * if is_judge { 2 } else { 1 };
        let Some(rates) = rates(target, traffic.usage.input / traffic.records.max(1)) else {
            ahead.unknown.push(format!("`{target}`"));
            continue;
        };
        let one = if is_judge {
            judged(&traffic, rates, setup)
        } else {
            price(&traffic, traffic.records, &rates, None, None)
        };
        ahead.price.expected.0 = ahead.price.expected.0.saturating_add(one.expected.0);
        ahead.price.most.0 = ahead.price.most.0.saturating_add(one.most.0);
    }
    ahead
}

/// The judge's part alone: with it less without it.
fn judged(traffic: &Traffic, rates: Rates, setup: &Setup<'_>) -> Price {
    let criteria = setup.judge.as_ref().map_or(0, |judge| judge.criteria.len() as u64);
    let cost = JudgeCost { rates, instructions: 250 + criteria.div_ceil(4), verdict: VERDICT_TOKENS };
    let with = price(traffic, traffic.records, &rates, None, Some(&cost));
    let without = price(traffic, traffic.records, &rates, None, None);
    let less = |with: NanoUsd, without: NanoUsd| NanoUsd(with.0.saturating_sub(without.0));
    Price { expected: less(with.expected, without.expected), most: less(with.most, without.most) }
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
