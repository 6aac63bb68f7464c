//! Stop 10, after the record: the content, where the settings let it be kept.
//!
//! Kept is what was answered whole: the request's bytes as the client sent them, and the answer's as the client got
//! them, the very bytes to which the closing leaf commits (the footer of a stream is a comment of ours and no part of
//! them). What was refused, failed, broken off or cancelled is not kept, nor is what a stand-in said: there is no
//! answer in it that anything could be compared with.

use super::relay::{Copied, Told, bytes_max};
use super::settle::Settled;
use crate::outlet::Outlet;
use http::header::CONTENT_TYPE;
use mains_relay::relay::Outcome;
use mains_store::vault::{Body, Exchange};

/// Hands the exchange to the vault; never waits.
pub(crate) fn keep(outlet: &Outlet, settled: &mut Settled) {
    let copied = std::mem::take(&mut settled.relayed.copied);
    let relayed = &settled.relayed;
    let asked = relayed.held.asked();
    let record = &asked.who.live.settings.record;
    let project = asked.who.caller.project.as_deref();
    let answered = relayed.summary.outcome == Some(Outcome::Ok) && !settled.stand_in;
    if !answered || record.keep_days(project).is_none() {
        return;
    }
    let most = bytes_max(record);
    let (content_type, bytes) = match (&relayed.told, copied) {
        (Told::Answer(bytes), _) if bytes.len() <= most => ("application/json", bytes.to_vec()),
        (Told::Streamed, Copied::Bytes(bytes, _)) => (super::deliver::STREAM_TYPE, bytes),
        (Told::Answer(_) | Told::Streamed, _) => return outlet.keeping.too_large(),
        (Told::Error(_) | Told::Nothing, _) => return,
    };
    if asked.bytes.len() > most {
        return outlet.keeping.too_large();
    }
    let asked_type = asked.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let exchange = Exchange {
        request: asked.who.id,
        at: asked.who.at,
        route: Some(relayed.held.routed.route.route.model.to_string()),
        project: project.map(str::to_owned),
        target: settled.answered.as_ref().map(|answered| answered.target.clone()),
        model: relayed.learnt.model.clone(),
        dialect: asked.who.dialect.name().into(),
        status: relayed.status(),
        asked: Body { content_type: asked_type.unwrap_or_default().into(), bytes: asked.bytes.to_vec() },
        answer: Body { content_type: content_type.into(), bytes },
    };
    outlet.keeping.keep(exchange, &outlet.entropy);
}
