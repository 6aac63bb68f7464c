//! The plan as one JSON document, `mains.swap.plan/1`.

use super::super::requests::Reasons;
use super::Plan;
use super::candidate::{Candidate, Measured};
use super::configured::Access;
use mains_catalog::Catalog;
use serde_json::{Map, Value, json};

pub(super) fn document(plan: &Plan<'_>) -> Value {
    let subject = &plan.subject;
    let (able, lacking): (Vec<&Candidate<'_>>, Vec<&Candidate<'_>>) =
        plan.candidates.iter().partition(|candidate| candidate.is_capable());
    let mean = plan.mix.mean();
    json!({
        "schema": "mains.swap.plan/1",
        "as_of": plan.as_of.to_string(),
        "catalogue": Catalog::builtin().hash(),
        "model": {
            "host": subject.host.id,
            "id": subject.model.id,
            "target": subject.target,
            "route": subject.route,
            "state": subject.lifecycle.word(),
            "ends_on": subject.lifecycle.ends_on().map(|day| day.to_string()),
            "days_left": subject.lifecycle.ends_on().map(|day| plan.as_of.days_until(day)),
            "per_1000_requests": measured(&plan.now),
        },
        "traffic": plan.traffic.as_ref().map(|traffic| json!({
            "form": traffic.form.name(),
            "source": traffic.source,
            "requests": traffic.items.len(),
            "answered": traffic.answered(),
            "left_out": reasons(&traffic.left_out),
            "without_answer": reasons(&traffic.without_answer),
            "needs": plan.needs,
        })),
        "tokens": {
            "basis": if plan.mix.standard { "standard" } else if plan.mix.guessed > 0 { "guessed" } else { "recorded" },
            "guessed": plan.mix.guessed,
            "input_mean": mean.input,
            "output_mean": mean.output,
        },
        "candidates": able.into_iter().map(candidate).collect::<Vec<_>>(),
        "lacking": lacking.into_iter().map(candidate).collect::<Vec<_>>(),
        "labels": plan.labels.as_ref().map(|found| json!({"count": found.labels.len(), "because": found.because})),
        "next": plan.next,
    })
}

fn reasons(reasons: &Reasons) -> Value {
    Value::Object(reasons.each().map(|(why, count)| (why.to_owned(), count.into())).collect::<Map<_, _>>())
}

/// Money as a decimal string of nano-USD; what is unknown is `null`.
fn measured(measured: &Measured) -> Value {
    json!({
        "cost_nano_usd": measured.cost.map(|cost| cost.0.to_string()),
        "footprint": measured.footprint,
    })
}

fn candidate(candidate: &Candidate<'_>) -> Value {
    let (configured, missing, region) = match &candidate.access {
        Access::Upstream(upstream) => (true, None, upstream.region.clone()),
        Access::Missing(lines) => (false, Some(lines.clone()), None),
        Access::Unreachable => (false, None, None),
    };
    let facts = candidate.met.facts.iter().map(|(fact, requests)| {
        json!({
            "parameter": fact.parameter,
            "effect": fact.effect.name(),
            "value": Some(fact.value).filter(|value| !value.is_empty()),
            "requests": requests,
            "source": fact.source,
            "read": fact.read,
        })
    });
    let facts: Vec<Value> = facts.collect();
    json!({
        "why": candidate.why.name(),
        "host": candidate.host.id,
        "id": candidate.model.id,
        "target": candidate.target,
        "configured": configured,
        "add_to_configuration": missing,
        "region": region,
        "state": candidate.lifecycle.word(),
        "ends_on": candidate.lifecycle.ends_on().map(|day| day.to_string()),
        "days_left": candidate.days_left,
        "named_by": candidate.fact.map(|fact| json!({"source": fact.source, "read": fact.source_read.to_string()})),
        "per_1000_requests": measured(&candidate.measured),
        "price_source": candidate.model.price.as_ref().map(|price| price.source.clone()),
        "lacks": candidate.missing.lacks,
        "unknown": candidate.missing.unknown,
        "parameters": facts,
        "losses": candidate.met.losses,
    })
}
