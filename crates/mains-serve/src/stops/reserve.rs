//! Stop 7: the worst case, held in every budget on the caller's path.
//!
//! The hold is the dearest single attempt in prospect: at most one input token a byte of text, output at the
//! caller's limit, else the route's. Of two models that are asked first it is both together. It is extended before each
//! further attempt.

use super::{Held, Left, Routed};
use crate::live::TargetFacts;
use crate::outlet::Outlet;
use mains_meter::{Answer, Meter};
use mains_relay::budget::{Class, Draw, Refusal as Spent};
use mains_relay::route::Why;
use mains_units::{Amounts, Quantity, Span, Timestamp, Usage};
use mains_wire::error::Refusal;

/// Input tokens held for one image, sound or file, whose size in tokens is not known before it is sent. A
/// bound of our own choice: nothing measured stands behind it.
const MEDIA_TOKENS: u64 = 8_192;

/// Holds the dearest candidate's worst case.
pub(crate) fn reserve(outlet: &Outlet, routed: Routed) -> Result<Held, Box<Left>> {
    let draws = |first: bool| {
        let candidates = routed.choice.candidates.iter();
        let chosen = candidates.filter(move |candidate| (candidate.why == Why::Agree) == first);
        let facts = chosen.filter_map(|candidate| outlet_facts(&routed, candidate.target.as_ref()));
        facts.map(|facts| worst_case(outlet, &routed, &facts))
    };
    let both = draws(true).reduce(|one, other| one.plus(&other).exactly(Quantity::Requests, 1));
    let worst = both
        .or_else(|| draws(false).reduce(|dearest, next| dearest.dearest(&next)))
        .unwrap_or_else(Draw::one_request);
    let path = routed.asked().who.caller.path();
    let now = outlet.clock.now();
    let held = outlet.shared().budgets.reserve(path, &worst, now);
    match held {
        Ok(hold) => Ok(Held { routed, hold: Some(hold) }),
        Err(spent) => {
            let refusal = refusal(
                &spent,
                now,
                routed.asked().who.live.settings.serve.budget_status.value.code() == 429,
            );
            Err(routed.judged.asked.leave(refusal))
        }
    }
}

fn outlet_facts(routed: &Routed, target: &mains_relay::Target) -> Option<std::sync::Arc<TargetFacts>> {
    routed.asked().who.live.facts(&target.name, &routed.extra)
}

/// The most that one attempt at this target can use.
pub(crate) fn worst_case(outlet: &Outlet, routed: &Routed, facts: &TargetFacts) -> Draw {
    let peek = &routed.asked().peek;
    let input = peek.text_bytes.saturating_add(u64::from(peek.media).saturating_mul(MEDIA_TOKENS));
    let output = peek.max_output_tokens.unwrap_or(routed.route.route.default_max_tokens);
    let mut draw = Draw::one_request().exactly(Quantity::Tokens, input.saturating_add(output));
    if let Some(rates) = facts.rates(outlet.catalog, input) {
        draw = draw.exactly(Quantity::Money, rates.worst_case(input, output).0);
    }
    let (Some(host), Some(model)) = (facts.upstream.host.as_deref(), facts.catalog_id.as_deref()) else {
        return draw;
    };
    let usage = Usage { input, output, ..Usage::default() };
    let answer = Answer { host, model, usage, latency_s: None, zone: facts.upstream.zone.as_deref() };
    let Some(footprint) = Meter::new(outlet.catalog).footprint(&answer) else { return draw };
    let upper = footprint.upper(Amounts::ZERO);
    for quantity in [Quantity::Energy, Quantity::Carbon, Quantity::Water] {
        draw = draw.estimated(quantity, upper.get(quantity), footprint.grade);
    }
    draw
}

/// What the caller reads when a budget is spent: 402 and no second try, unless the cap is a rate that renews soon.
pub(crate) fn refusal(spent: &Spent, now: Timestamp, as_429: bool) -> Refusal {
    let wait = Span::from_ms(u64::try_from(spent.renews_at.0.saturating_sub(now.0)).unwrap_or(0));
    match spent.class() {
        Class::Rate => Refusal::RateLimited {
            limit: format!("{} {} per {}", spent.limit, spent.quantity.unit(), spent.per),
            scope: spent.scope.to_string(),
            retry_after: wait,
        },
        Class::Budget => Refusal::BudgetSpent {
            unit: amounts(spent),
            scope: spent.scope.to_string(),
            renews_at: Some(spent.renews_at),
            renews_in: Some(wait),
            as_429,
        },
    }
}

/// `$200 per month: $199 used, $0.5 held, this request needs up to $1`.
fn amounts(spent: &Spent) -> String {
    let text = spent.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split_once("allows ").map_or(line, |(_, rest)| rest);
    line.split_once("; it renews").map_or(line, |(rest, _)| rest).to_owned()
}
