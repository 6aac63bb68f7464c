//! Stop 10: one store row and its closing leaf, for every identified request; and the intent of every attempt.

use super::settle::Settled;
use super::{Held, Left, Who};
use crate::live::TargetFacts;
use crate::outlet::Outlet;
use crate::tasks::Place;
use mains_ledger::leaf::{
    Deny, Ending, Estimate, Head, Intent, Label, Leaf, Outcome, Policy, Refusal as LeafRefusal, Verdict,
};
use mains_relay::Target;
use mains_relay::relay::{AttemptNumber, Outcome as Ended};
use mains_relay::route::Drawn;
use mains_store::db::{Canary, DbError, Pending, RequestRow};
use mains_store::log::{LogError, Ticket};
use mains_units::{Range, Span};
use mains_wire::error::Refusal;

/// The policy set so far.
const POLICY_SET: &str = "allow-all";

/// Writes the intent of an attempt, before its body leaves this machine.
pub(crate) fn intent(
    outlet: &Outlet,
    held: &Held,
    attempt: AttemptNumber,
    target: &Target,
    facts: Option<&TargetFacts>,
) -> Result<Ticket, LogError> {
    let asked = held.asked();
    let provider = facts.map_or(target.upstream.as_ref(), |facts| facts.upstream.provider.name.as_ref());
    append(
        outlet,
        &asked.who,
        &Leaf::Intent(Intent {
            request: asked.who.id,
            key: label(asked.who.caller.key.as_deref()),
            project: label(asked.who.caller.project.as_deref()),
            attempt: u64::from(attempt.0),
            request_commit: asked.commit,
            data_classes: Vec::new(),
            policy: allowed(),
            target: sure(target.name.as_str()),
            provider: sure(provider),
            vendor: label(Some(provider)),
            region: facts.and_then(|facts| label(facts.upstream.region.as_deref())),
            model: sure(target.model.as_str()),
            config: asked.who.live.hash,
        }),
    )
}

/// Records how a request that was relayed ended. The row is queued when this returns.
pub(crate) fn outcome(outlet: &Outlet, settled: &Settled) -> Written {
    let relayed = &settled.relayed;
    let asked = relayed.held.asked();
    let answered = settled.answered.as_ref();
    let provider = answered.map(|answered| answered.facts.upstream.provider.name.as_ref());
    let ended = relayed.summary.outcome.unwrap_or(Ended::Cancelled);
    let leaf = Leaf::Outcome(Outcome {
        request: asked.who.id,
        key: label(asked.who.caller.key.as_deref()),
        project: label(asked.who.caller.project.as_deref()),
        tags_hash: None,
        intents: relayed.intents.clone(),
        request_commit: asked.commit,
        response_commit: relayed.commit,
        data_classes: Vec::new(),
        policy: allowed(),
        targets_tried: relayed.summary.attempts.iter().map(|attempt| sure(attempt.target.as_str())).collect(),
        target: answered.map(|answered| sure(&answered.target)),
        provider: provider.map(sure),
        vendor: provider.map(sure),
        region: answered.and_then(|answered| label(answered.facts.upstream.region.as_deref())),
        model: answered.map(|answered| sure(&answered.facts.model)),
        weights: answered.and_then(|answered| weights(outlet, &relayed.held, &answered.facts)),
        result: ending(ended),
        usage: settled.usage,
        cost: settled.cost,
        energy_j: settled.footprint.map(|footprint| estimate(footprint.energy_j, footprint.grade)),
        co2_g: settled.footprint.map(|footprint| estimate(footprint.co2_g, footprint.grade)),
        water_l: settled.footprint.map(|footprint| estimate(footprint.water_l, footprint.grade)),
        catalogue: outlet.catalog_hash,
        config: asked.who.live.hash,
    });
    let index = closing(outlet, &asked.who, &leaf);
    let who_key = asked.who.commit_key;
    let row = RequestRow {
        streamed: asked.peek.stream,
        asked: asked.model.clone(),
        route: Some(relayed.held.routed.route.route.model.to_string()),
        target: answered.map(|answered| answered.target.clone()),
        provider: provider.map(str::to_owned),
        model: relayed.learnt.model.clone().or_else(|| answered.map(|answered| answered.facts.model.clone())),
        result: ended.name().into(),
        succeeded: ended == Ended::Ok,
        status: relayed.status(),
        attempts: attempts(settled),
        usage: settled.usage,
        cost: settled.cost,
        footprint: settled.footprint.map(|footprint| mains_store::db::Footprint {
            energy_j: footprint.energy_j,
            co2_g: footprint.co2_g,
            water_l: footprint.water_l,
            grade: footprint.grade,
        }),
        duration: settled.duration,
        first_token: settled.first_content,
        intents: relayed.intents.clone(),
        outcome: index,
        losses: relayed.losses.clone(),
        degraded: answered.is_some_and(|answered| answered.degraded),
        stand_in: answered.is_some_and(|answered| outlet.is_stand_in(&answered.facts.upstream.name)),
        canary: relayed.held.routed.coin.as_ref().map(|coin| Canary {
            new: coin.drawn == Drawn::New,
            share_ppm: u32::from(coin.percent) * 10_000,
            report: coin.report.to_string(),
        }),
        ..row(&asked.who)
    };
    outlet.counts.ended(&row);
    store(outlet, row, who_key)
}

/// The hash of what answered, where it ran here: a labeller's file, or a local model's weights.
fn weights(outlet: &Outlet, held: &Held, facts: &TargetFacts) -> Option<mains_ledger::Hash> {
    let label = held.routed.label.as_ref().filter(|_| facts.upstream.is_labellers());
    label.map(|call| call.loaded.hash).or_else(|| outlet.weights(facts))
}

/// Records a request that left before it was relayed. The row is queued when this returns.
pub(crate) fn deny(outlet: &Outlet, left: &Left) -> Written {
    let leaf = Leaf::Deny(Deny {
        request: left.who.id,
        key: label(left.who.caller.key.as_deref()),
        project: label(left.who.caller.project.as_deref()),
        tags_hash: None,
        intents: Vec::new(),
        // Without a body that could be read there is nothing to commit to but the empty text.
        request_commit: left
            .commit
            .unwrap_or_else(|| mains_ledger::commitment::Commitment::of(&left.who.commit_key, b"")),
        data_classes: Vec::new(),
        policy: None,
        model: label(left.model.as_deref()),
        result: leaf_refusal(&left.refusal),
        config: left.who.live.hash,
    });
    let index = closing(outlet, &left.who, &leaf);
    let body = left.refusal.body();
    let who_key = left.who.commit_key;
    let row = RequestRow {
        streamed: left.stream,
        asked: left.model.clone().unwrap_or_default(),
        result: leaf_refusal(&left.refusal).as_str().into(),
        status: body.status_in(left.who.dialect),
        outcome: index,
        duration: outlet.clock.monotonic().since(left.who.started),
        ..row(&left.who)
    };
    outlet.counts.ended(&row);
    store(outlet, row, who_key)
}

/// A row of which only the caller is known.
fn row(who: &Who) -> RequestRow {
    RequestRow {
        id: who.id,
        at: who.at,
        key_id: who.caller.key.as_deref().map(str::to_owned),
        project: who.caller.project.as_deref().map(str::to_owned),
        dialect: who.dialect.name().into(),
        streamed: false,
        asked: String::new(),
        route: None,
        target: None,
        provider: None,
        model: None,
        result: String::new(),
        succeeded: false,
        status: 0,
        attempts: serde_json::Value::Array(Vec::new()),
        usage: None,
        // Nothing was sent, so nothing was spent.
        cost: Some(mains_units::NanoUsd(0)),
        footprint: None,
        duration: Span::default(),
        first_token: None,
        intents: Vec::new(),
        outcome: None,
        losses: Vec::new(),
        degraded: false,
        stand_in: false,
        canary: None,
    }
}

/// A row and its commitment key on their way into the store.
pub(crate) struct Written {
    id: mains_units::RequestId,
    row: Pending<bool>,
}

impl Written {
    /// Gives the request's place back when it is committed. The client does not wait for this; but only so many
    /// requests have a place, so a flood of them is slowed down by the store and cannot fill the memory.
    pub(crate) async fn release(self, place: Place) {
        let id = self.id;
        let committed = move |result: Result<bool, DbError>| {
            if let Err(error) = result {
                tracing::error!(request = %id, %error, "the request's row could not be written; its leaf is in the ledger");
            }
            drop(place);
        };
        self.row.then(committed).await;
    }
}

fn store(outlet: &Outlet, row: RequestRow, key: [u8; 32]) -> Written {
    Written { id: row.id, row: outlet.db.record_request(row, key) }
}

/// Appends the closing leaf; a ledger that cannot be written is an operator's alarm.
fn closing(outlet: &Outlet, who: &Who, leaf: &Leaf) -> Option<u64> {
    match append(outlet, who, leaf) {
        Ok(ticket) => Some(ticket.index()),
        Err(error) => {
            tracing::error!(request = %who.id, %error, "the ledger cannot be written");
            None
        }
    }
}

fn append(outlet: &Outlet, who: &Who, leaf: &Leaf) -> Result<Ticket, LogError> {
    // A leaf is written at the moment of its writing, not of the request.
    let head = Head { at: outlet.clock.now(), instance: outlet.instance.clone() };
    match leaf.encode(&head) {
        Ok(bytes) => outlet.ledger.append(&bytes),
        Err(error) => {
            tracing::error!(request = %who.id, %error, "a leaf could not be written");
            Err(LogError::Broken { why: error.to_string() })
        }
    }
}

fn attempts(settled: &Settled) -> serde_json::Value {
    let summary = &settled.relayed.summary;
    let started = settled.who().started;
    let made = summary.attempts.iter().map(|attempt| {
        serde_json::json!({
            "number": attempt.number.0,
            "target": attempt.target.as_str(),
            "why": settled.relayed.held.routed.choice.candidates.get(attempt.candidate).map(|c| c.why.to_string()),
            "fault": attempt.fault.map(mains_relay::Fault::name),
            "started_ms": attempt.started.since(started).as_ms(),
            "duration_ms": attempt.ended.map(|ended| ended.since(attempt.started).as_ms()),
            "bytes": attempt.bytes_received,
        })
    });
    made.collect()
}

fn estimate(range: Range, grade: mains_units::Grade) -> Estimate {
    Estimate { range, grade }
}

fn allowed() -> Policy {
    Policy { set: sure(POLICY_SET), ids: Vec::new(), verdict: Verdict::Allow }
}

fn ending(ended: Ended) -> Ending {
    match ended {
        Ended::Ok => Ending::Complete,
        Ended::Broken => Ending::Broken,
        Ended::Exhausted => Ending::Exhausted,
        Ended::TimedOut => Ending::TimedOut,
        Ended::Cancelled => Ending::Cancelled,
        Ended::Rejected | Ended::Refused => Ending::Refused,
    }
}

fn leaf_refusal(refusal: &Refusal) -> LeafRefusal {
    match refusal {
        Refusal::PolicyDenied { .. } | Refusal::PlaceForbidden { .. } | Refusal::KeyUnknown { .. } => {
            LeafRefusal::Policy
        }
        Refusal::BudgetSpent { .. } => LeafRefusal::Budget,
        Refusal::RateLimited { .. } => LeafRefusal::Rate,
        Refusal::ModelUnknown { .. } | Refusal::PathUnknown { .. } => LeafRefusal::UnknownModel,
        Refusal::Shed { .. } => LeafRefusal::Shed,
        Refusal::BadRequest { .. } | Refusal::BodyTooLarge { .. } => LeafRefusal::BadRequest,
        Refusal::NoHealthyTarget { .. }
        | Refusal::TimedOut { .. }
        | Refusal::StreamBroken { .. }
        | Refusal::Internal { .. } => LeafRefusal::Unavailable,
    }
}

/// A name as it is, or its digest where it could be something else than a name.
fn label(text: Option<&str>) -> Option<Label> {
    text.filter(|text| !text.is_empty()).map(sure)
}

fn sure(text: &str) -> Label {
    Label::new(text).unwrap_or_else(|_| Label::digest_of(text))
}
