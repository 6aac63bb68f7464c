//! Stop 6: which targets may answer, in which order, and why each.

use super::{Asking, Coin, Judged, Left, Routed};
use crate::labels::Call;
use crate::live::{Live, LiveRoute, TargetFacts};
use crate::outlet::Outlet;
use mains_relay::route::{
    Asked as Asks, Capabilities, Choice, Facts, Skip, Target, agree_first, choose as order, drawn,
};
use mains_units::Chance;
use mains_wire::Dialect;
use mains_wire::error::Refusal;
use std::sync::Arc;

/// How many names a refusal of an unknown model suggests.
const NEAREST: usize = 3;

/// Finds the route and orders its targets.
pub(crate) fn choose(outlet: &Outlet, judged: Judged, label: Option<Call>) -> Result<Routed, Box<Left>> {
    let live = Arc::clone(&judged.asked.who.live);
    let today = outlet.today();
    let Some((route, extra)) = live.route(&judged.asked.model, outlet.catalog, today) else {
        let refusal = unknown(&live, outlet, &judged.asked.model);
        return Err(judged.asked.leave(refusal));
    };
    // What cannot be read cannot be compared.
    let agree = route.route.agree.is_some() && matches!(judged.asked.asking, Asking::Conversation(Ok(_)));
    let (choice, coin) = {
        let mut shared = outlet.shared();
        let path = judged.asked.who.caller.path();
        let priced_only = shared.budgets.priced_only(&path);
        let asks = Asks { allowed: &judged.allowed, needs: judged.asked.needs, priced_only };
        let now = outlet.clock.monotonic();
        let shared = &mut *shared;
        let answers = label.as_ref().is_some_and(|call| call.decision.is_ok());
        let facts = |target: &Target| {
            let known = live.facts(&target.name, &extra);
            known.map_or_else(unheard_of, |known| Facts {
                // A labeller that passes this request on is no target of it.
                can: if known.upstream.is_labellers() && !answers {
                    Capabilities::NONE
                } else {
                    can(&known, judged.asked.who.dialect)
                },
                retired: known.retired(today),
                priced: known.rates(outlet.catalog, 0).is_some(),
                lamp: if outlet.drills.is_dead(&known, now) { &shared.drilled } else { &shared.breakers }
                    .lamp(&target.name, now),
            })
        };
        let mut choice = order(&route.route, &asks, facts, now, &mut shared.chance);
        if agree {
            agree_first(&route.route, &asks, facts, now, &mut choice);
        }
        let coin = coin(outlet, &live, &route, &choice, &mut shared.chance);
        (choice, coin)
    };
    if choice.candidates.is_empty() {
        let refusal = nobody(&choice, &judged.asked.model);
        return Err(judged.asked.leave(refusal));
    }
    // A question that could not be read can still pass through unread, if every target speaks its dialect.
    let translated = choice.candidates.iter().any(|candidate| {
        let known = live.facts(&candidate.target.name, &extra);
        known.is_none_or(|known| {
            known.upstream.dialect_for(judged.asked.who.dialect) != Some(judged.asked.who.dialect)
        })
    });
    if let Asking::Conversation(Err(refusal)) = &judged.asked.asking
        && translated
    {
        let refusal = refusal.clone();
        return Err(judged.asked.leave(refusal));
    }
    Ok(Routed { judged, route, extra, choice, coin, agree, label })
}

/// How the coin of a switch fell. A drill kills on purpose, which says nothing of a target.
fn coin(
    outlet: &Outlet,
    live: &Live,
    route: &LiveRoute,
    choice: &Choice,
    chance: &mut Chance,
) -> Option<Coin> {
    let shift = route.canary.as_ref()?;
    let (drawn, place) = drawn(choice, &shift.old, &shift.new, shift.percent, chance)?;
    let now = outlet.clock.monotonic();
    let drilled = [&shift.old, &shift.new]
        .into_iter()
        .any(|name| live.targets.get(name).is_some_and(|facts| outlet.drills.is_dead(facts, now)));
    let coin = Coin { drawn, place, percent: shift.percent, report: Arc::clone(&shift.report) };
    (!drilled).then_some(coin)
}

fn unheard_of() -> Facts {
    Facts { can: Capabilities::NONE, retired: false, priced: false, lamp: mains_relay::Lamp::Closed }
}

/// What a target can do for this dialect: nothing, where no dialect of its own can carry the question.
fn can(known: &TargetFacts, dialect: Dialect) -> Capabilities {
    if known.upstream.dialect_for(dialect).is_some() { known.can } else { Capabilities::NONE }
}

fn unknown(live: &Live, outlet: &Outlet, model: &str) -> Refusal {
    let mut nearest: Vec<String> = mains_config::closest(model, live.routes.keys().map(String::as_str))
        .map(str::to_owned)
        .into_iter()
        .collect();
    let mut rest: Vec<&String> = live.routes.keys().filter(|name| !nearest.contains(name)).collect();
    rest.sort();
    nearest.extend(rest.into_iter().take(NEAREST.saturating_sub(nearest.len())).cloned());
    if live.settings.serve.passthrough.value {
        nearest.extend(outlet.catalog.nearest(model, NEAREST).into_iter().map(str::to_owned));
    }
    Refusal::ModelUnknown { model: model.to_owned(), nearest }
}

/// Why no target is left, for the caller: what the question needs, or that all are down.
fn nobody(choice: &Choice, model: &str) -> Refusal {
    let lacking: Vec<String> = choice
        .skipped
        .iter()
        .filter(|skipped| matches!(skipped.why, Skip::Lacks(_) | Skip::Degraded | Skip::NoPrice))
        .map(|skipped| format!("`{}`: {}", skipped.target.name, skipped.why))
        .collect();
    if lacking.len() == choice.skipped.len() && !lacking.is_empty() {
        let message = format!("no target of `{model}` can answer this; {}", lacking.join("; "));
        return Refusal::BadRequest { message, param: None };
    }
    Refusal::NoHealthyTarget { attempts: Vec::new(), retry_after: None }
}
