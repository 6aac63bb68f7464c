//! Between stops 4 and 6: what the labeller of a route says of a request.

use super::file::Loaded;
use super::said::{self, Reply};
use super::{OUT_OF_SCOPE_TOLD, Running};
use crate::local::{LocalAsks, LocalEvent, LocalQuestion};
use crate::outlet::Outlet;
use crate::stops::{Asked, Asking};
use mains_distill::serving::{Pass, Stage, declines, fits};
use mains_distill::task::Answer;
use mains_distill::wire;
use mains_host::Used;
use mains_units::Span;
use mains_wire::Dialect;
use mains_wire::neutral::Question;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A sentence embedding that takes longer is not waited for: the teacher would have begun to answer.
const EMBED_WITHIN: Duration = Duration::from_millis(250);

/// A labeller was asked for a request.
#[derive(Debug)]
pub(crate) struct Call {
    /// The labeller.
    pub loaded: Arc<Loaded>,
    /// What it says, where the request is in its scope.
    pub verdict: Option<Verdict>,
    /// Its answer in the caller's dialect, or why the request goes on.
    pub decision: Result<Reply, Pass>,
    /// How long that took; what the request lost where it goes on.
    pub took: Span,
    /// What the worker used of this machine for a sentence embedding.
    pub used: Option<Used>,
}

/// The label of a request in scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    /// The label's number.
    pub label: u32,
    /// Its confidence.
    pub confidence: f32,
    /// Whether the labeller would answer it, whoever does.
    pub local: bool,
    /// Whether the coin gave the request to the teacher, so that it is compared.
    pub compared: bool,
}

impl Call {
    /// What the header says of a request that goes on.
    pub(crate) fn escalated(&self) -> Option<String> {
        let pass = self.decision.as_ref().err()?;
        Some(format!("escalated; reason={pass}; us={}", self.took.0 / 1_000))
    }

    /// The confidence of an answer that was given here.
    pub(crate) fn confidence(&self) -> Option<String> {
        let verdict = self.verdict.as_ref().filter(|_| self.decision.is_ok())?;
        Some(format!("{:.4}", verdict.confidence))
    }
}

/// Asks the labeller of the route that a request names; none where there is none, or the dialect is not its own.
pub(crate) async fn consider(outlet: &Outlet, asked: &Asked) -> Option<Call> {
    if asked.who.dialect == Dialect::OpenaiEmbeddings {
        return None;
    }
    let begun = outlet.clock.monotonic();
    let (loaded, withdrawn) = {
        let inner = outlet.labels.inner();
        let running = inner.get(&asked.model)?;
        (Arc::clone(&running.loaded), running.state.watch.withdrawn.is_some())
    };
    let seen = if withdrawn { Err(Pass::Withdrawn) } else { look(outlet, &loaded, asked).await };
    let mut used = None;
    let (verdict, decision) = match seen {
        Err(pass) => {
            count(outlet, asked, Some(pass));
            (None, Err(pass))
        }
        Ok(seen) => {
            used = seen.used;
            decide(outlet, &loaded, asked, &seen)
        }
    };
    let took = outlet.clock.monotonic().since(begun);
    Some(Call { loaded, verdict, decision, took, used })
}

/// A request in scope, labelled.
struct Seen<'a> {
    question: Cow<'a, Question>,
    label: u32,
    confidence: f32,
    /// Why the labeller would not answer it, if it would not.
    pass: Option<Pass>,
    answer: Answer,
    used: Option<Used>,
}

async fn look<'a>(outlet: &Outlet, loaded: &Loaded, asked: &'a Asked) -> Result<Seen<'a>, Pass> {
    let question = match &asked.asking {
        Asking::Conversation(Ok(question)) => Cow::Borrowed(question.as_ref()),
        Asking::Conversation(Err(_)) => return Err(Pass::NotText),
        Asking::Opaque => {
            Cow::Owned(wire::read_question(asked.who.dialect, &asked.bytes).map_err(|_| Pass::NotText)?)
        }
    };
    if let Some(pass) = declines(&question) {
        return Err(pass);
    }
    let plain = wire::asked(&question).map_err(|_| Pass::NotText)?;
    let text = loaded.task.template.extract(&plain.fixed, &plain.turns).ok_or(Pass::OutOfScope)?;
    let (embedding, used) = match &loaded.encoder {
        None => (None, None),
        Some(encoder) => {
            let made = tokio::time::timeout(EMBED_WITHIN, embed(outlet, encoder, text.clone())).await;
            let (embedding, used) = made.ok().flatten().ok_or(Pass::Lacking)?;
            (Some(embedding), used)
        }
    };
    let labelled = loaded.labeller.label(&text, embedding.as_deref()).map_err(|_| Pass::Lacking)?;
    let answer = loaded.task.labels.write(labelled.label).ok_or(Pass::Lacking)?;
    let unsure = (!labelled.local).then_some(Pass::Unsure);
    let pass = unsure.or_else(|| fits(&question, &answer));
    Ok(Seen { question, label: labelled.label, confidence: labelled.confidence, pass, answer, used })
}

/// The embedding of one text, from the worker; none where it cannot be had.
async fn embed(outlet: &Outlet, encoder: &str, text: String) -> Option<(Vec<f32>, Option<Used>)> {
    let question = LocalQuestion { model: encoder.to_owned(), asks: LocalAsks::Vectors(vec![text]) };
    let mut events = outlet.local.as_ref()?.ask(question);
    let (mut vector, mut used) = (None, None);
    while let Some(event) = events.recv().await {
        match event {
            LocalEvent::Embedded(told) => vector = told.vectors.into_iter().next(),
            LocalEvent::Used(told) => used = Some(told),
            LocalEvent::Done => break,
            LocalEvent::Failed(_) | LocalEvent::Refused { .. } => return None,
            LocalEvent::Begun | LocalEvent::Said(_) => {}
        }
    }
    Some((vector?, used))
}

/// Throws the coin, for every request in scope, and answers where it falls to the labeller.
fn decide(
    outlet: &Outlet,
    loaded: &Loaded,
    asked: &Asked,
    seen: &Seen<'_>,
) -> (Option<Verdict>, Result<Reply, Pass>) {
    let coin = outlet.shared().chance.below(100);
    let (share, stage) = {
        let inner = outlet.labels.inner();
        let running = inner.get(&asked.model).filter(|running| running.loaded.hash == loaded.hash);
        running.map_or((0, Stage::Shadow), |running| {
            (running.share_percent(), running.state.stage(running.terms))
        })
    };
    let own = coin < share;
    let verdict = Verdict {
        label: seen.label,
        confidence: seen.confidence,
        local: seen.pass.is_none(),
        compared: !own,
    };
    let by_coin = match stage {
        Stage::Shadow => Pass::Shadow,
        Stage::Canary => Pass::Canary,
        Stage::Serve => Pass::Audit,
    };
    let decision = match seen.pass {
        Some(pass) => Err(pass),
        None if !own => Err(by_coin),
        None => said::reply(&loaded.target(), asked, &seen.question, &seen.answer).ok_or(Pass::NotText),
    };
    count(outlet, asked, decision.as_ref().err().copied());
    (Some(verdict), decision)
}

/// Counts the request; a prompt that changed is said once.
fn count(outlet: &Outlet, asked: &Asked, pass: Option<Pass>) {
    let mut inner = outlet.labels.inner();
    let Some(Running { tallies, loaded, .. }) = inner.get_mut(&asked.model) else { return };
    tallies.requests += 1;
    if pass == Some(Pass::Withdrawn) {
        return;
    }
    if pass.is_some_and(|pass| pass <= Pass::OutOfScope) {
        tallies.out_of_scope_in_a_row += 1;
        if tallies.out_of_scope_in_a_row == OUT_OF_SCOPE_TOLD {
            tracing::warn!(
                labeller = loaded.target(),
                route = loaded.route,
                "the last {OUT_OF_SCOPE_TOLD} requests were out of scope: the prompt may have changed, and the labeller answers nothing"
            );
        }
        return;
    }
    tallies.out_of_scope_in_a_row = 0;
    tallies.in_scope += 1;
    tallies.answered += u64::from(pass.is_none());
}
