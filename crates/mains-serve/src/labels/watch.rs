//! Stop 10: what the teacher said of a request in scope, beside what the labeller says.

use super::step;
use crate::outlet::Outlet;
use crate::stops::relay::{Copied, Told};
use crate::stops::settle::Settled;
use mains_distill::serving::{Compared, Heard, is_same_model, other_label};
use mains_distill::watch::Reason;
use mains_distill::wire;
use mains_relay::relay::Outcome;
use mains_wire::Dialect;
use mains_wire::sse;

/// Compares an answer of the teacher. What that ends is written down and in force when this returns.
pub(crate) async fn observe(outlet: &Outlet, settled: &Settled) {
    let routed = &settled.relayed.held.routed;
    let Some(call) = &routed.label else { return };
    let Some(verdict) = call.verdict.filter(|_| call.decision.is_err()) else { return };
    let teacher = settled.answered.as_ref().is_some_and(|answered| answered.target == call.loaded.teacher);
    if !teacher || settled.relayed.summary.outcome != Some(Outcome::Ok) {
        return;
    }
    let Some(heard) = heard(settled) else { return };
    let labels = &call.loaded.task.labels;
    let number = heard.answer.as_ref().and_then(|answer| labels.number(answer));
    let new_label =
        number.is_none() && heard.answer.as_ref().is_some_and(|answer| other_label(&labels.shape, answer));
    let mut stop = Vec::new();
    let leaves = {
        let mut inner = outlet.labels.inner();
        let of = inner.get_mut(routed.route.route.model.as_str());
        let Some(running) = of.filter(|running| running.loaded.hash == call.loaded.hash) else {
            return;
        };
        if running.state.watch.withdrawn.is_some() {
            return;
        }
        let bound = &call.loaded.task.bound;
        if let Some(said) = &heard.model {
            let pinned = running.state.answers_as.get_or_insert_with(|| said.clone());
            if !is_same_model(&bound.teacher, said) || pinned != said {
                stop.push(Reason::Teacher);
            }
        }
        if let Some(fingerprint) = &heard.fingerprint
            && !bound.fingerprints.is_empty()
            && !bound.fingerprints.contains(fingerprint)
        {
            stop.push(Reason::Fingerprint);
        }
        if let Some(answer) = heard.answer.as_ref().filter(|_| new_label) {
            running.unsaved = true;
            if running.state.saw_other(answer) {
                stop.push(Reason::Labels);
            }
        }
        if let Some(reason) = stop.into_iter().next() {
            step::end(outlet, running, reason).into_iter().collect()
        } else if verdict.compared && heard.answer.is_some() {
            let differs = number != Some(verdict.label);
            running.unsaved = true;
            running.state.compare(Compared { local: verdict.local, differs }, outlet.clock.now());
            step::look(running)
        } else {
            Vec::new()
        }
    };
    if !leaves.is_empty() {
        step::write(outlet, &leaves);
        step::save(outlet).await;
    }
}

/// What the caller got, as far as it can be read.
fn heard(settled: &Settled) -> Option<Heard> {
    let dialect = settled.who().dialect;
    let (bytes, stream): (&[u8], bool) = match (&settled.relayed.told, &settled.relayed.copied) {
        (Told::Answer(bytes), _) => (bytes, false),
        (Told::Streamed, Copied::Bytes(bytes, _)) => (bytes, true),
        _ => return None,
    };
    let read = wire::read_answer(dialect, stream, bytes);
    let named = read.as_ref().ok().map(|answer| answer.model.clone()).filter(|model| !model.is_empty());
    Some(Heard {
        model: settled.relayed.learnt.model.clone().or(named),
        fingerprint: (dialect == Dialect::OpenaiChat).then(|| fingerprint(bytes, stream)).flatten(),
        answer: read.ok().and_then(|answer| wire::answered(&answer).ok()),
    })
}

/// `system_fingerprint` of a chat completion, or of the first chunk that has one.
fn fingerprint(bytes: &[u8], stream: bool) -> Option<String> {
    let of = |data: &[u8]| {
        let value: serde_json::Value = serde_json::from_slice(data).ok()?;
        value["system_fingerprint"].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if !stream {
        return of(bytes);
    }
    let mut frames = sse::Decoder::new();
    frames.push(bytes);
    while let Ok(Some(frame)) = frames.next_frame() {
        if let Some(found) = frame.data.as_ref().and_then(|data| of(data)) {
            return Some(found);
        }
    }
    None
}
