//! What a request came to, for the switch whose coin was thrown for it.

use super::step;
use crate::outlet::Outlet;
use crate::stops::relay::{Copied, Told};
use crate::stops::settle::Settled;
use crate::stops::{Asking, Coin};
use mains_relay::relay::Outcome;
use mains_relay::route::Drawn;
use mains_swap::canary::{Arm, Observation};
use mains_swap::grade::Said;
use mains_swap::grade::schema::{Schema, of_question};
use mains_swap::verdict::Ppm;
use mains_wire::neutral::Answer;

/// The counts are looked at after so many requests, and at once after a bad one.
const LOOK_EVERY: u32 = 16;

/// Counts a request that is settled. Where that decides something, it is written down and in force when this returns.
pub(crate) async fn observe(outlet: &Outlet, settled: &Settled) {
    let Some(coin) = &settled.relayed.held.routed.coin else { return };
    let Some(seen) = seen(settled, coin) else { return };
    let now = outlet.clock.now();
    let route = settled.relayed.held.routed.route.route.model.as_str();
    let leaves = {
        let mut inner = outlet.swaps.inner();
        let Some(running) = inner.running.get_mut(route).filter(|running| running.report == coin.report)
        else {
            // It ended while this request was under way.
            return;
        };
        running.canary.observe(&running.plan, arm(coin.drawn), share(coin.percent), &seen);
        running.unsaved = true;
        running.unseen += 1;
        let bad = seen.failed || seen.schema_failed == Some(true) || seen.refused == Some(true);
        if bad || running.unseen >= LOOK_EVERY { step::look(route, running, now) } else { Vec::new() }
    };
    if !leaves.is_empty() {
        super::reshape(outlet);
        step::write(outlet, &leaves);
        step::save(outlet).await;
    }
}

pub(super) fn arm(drawn: Drawn) -> Arm {
    match drawn {
        Drawn::Old => Arm::Old,
        Drawn::New => Arm::New,
    }
}

pub(super) fn share(percent: u8) -> Ppm {
    Ppm::points(i64::from(percent))
}

/// `None` where the request says nothing of the target that was drawn: it was never asked, or the caller left.
fn seen(settled: &Settled, coin: &Coin) -> Option<Observation> {
    let relayed = &settled.relayed;
    let summary = &relayed.summary;
    if matches!(summary.outcome, None | Some(Outcome::Cancelled)) {
        return None;
    }
    let Some(place) = coin.place else {
        return Some(Observation { failed: true, ..Observation::default() });
    };
    if !summary.attempts.iter().any(|attempt| attempt.candidate == place) {
        return None;
    }
    let drawn = relayed.held.routed.choice.candidates.get(place)?;
    let own = settled.answered.as_ref().is_some_and(|answered| answered.target == drawn.target.name.as_str());
    if !own || summary.outcome != Some(Outcome::Ok) {
        return Some(Observation { failed: true, ..Observation::default() });
    }
    let answer = answer(settled);
    let said = answer.as_ref().and_then(|answer| answer.choices.first()).map(Said::of);
    Some(Observation {
        failed: false,
        schema_failed: said.as_ref().and_then(|said| breaks(settled, said)),
        refused: said.as_ref().map(|said| said.refused),
        output_tokens: relayed.learnt.usage.map(|usage| usage.output),
        cost: settled.cost,
    })
}

/// The answer as the caller got it, where it can be read.
fn answer(settled: &Settled) -> Option<Answer> {
    let dialect = settled.who().dialect;
    match (&settled.relayed.told, &settled.relayed.copied) {
        (Told::Answer(bytes), _) => dialect.read_answer(bytes).ok(),
        (Told::Streamed, Copied::Bytes(bytes, _)) => dialect.read_streamed_answer(bytes).ok(),
        _ => None,
    }
}

/// Whether the answer breaks the form that the request asked for; `None` where it asked for none, or the model
/// declined or called a tool instead.
fn breaks(settled: &Settled, said: &Said) -> Option<bool> {
    let Asking::Conversation(Ok(question)) = &settled.relayed.held.asked().asking else { return None };
    if said.refused || !said.calls.is_empty() {
        return None;
    }
    let schema = Schema::parse(&of_question(question)?).ok()?;
    Some(schema.holds(&said.text).is_err())
}
