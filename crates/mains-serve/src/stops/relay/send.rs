//! The question in the upstream's words, and the way its answer will take back.

use super::line::Line;
use super::translate::{Translate, tap};
use crate::live::TargetFacts;
use crate::local::{LocalAsks, LocalQuestion};
use crate::outlet::Outlet;
use crate::stops::{Asked, Asking, Held};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Full;
use mains_infer::models::{self, Purpose};
use mains_infer::worker::TEXTS_MAX;
use mains_wire::Dialect;
use mains_wire::dialects::{WriteOptions, openai_embeddings};
use mains_wire::edit::{Edits, apply};
use mains_wire::neutral::EmbeddingsInput;
use mains_wire::providers::forwards;

/// A question on its way, and how its answer comes back.
pub(super) struct Sent {
    pub(super) line: Line,
    pub(super) translate: Translate,
    pub(super) losses: Vec<String>,
}

/// Sends the question to a target. The error says why it cannot be put in the target's words.
pub(super) fn send(outlet: &Outlet, held: &Held, facts: &TargetFacts) -> Result<Sent, String> {
    let asked = held.asked();
    if facts.upstream.is_labellers() {
        let reply = held.routed.label.as_ref().and_then(|call| call.decision.as_ref().ok());
        let reply = reply.ok_or("the labeller does not answer this")?;
        let translate = Translate::labelled(reply);
        return Ok(Sent { line: Line::labelled(), translate, losses: Vec::new() });
    }
    if facts.upstream.is_local() {
        return ask_local(outlet, held, facts);
    }
    let to = asked.who.dialect;
    let from = facts
        .upstream
        .dialect_for(to)
        .ok_or("the target does not speak a dialect that carries this question")?;
    let (body, losses) = body(held, facts, from)?;
    let target = facts.upstream.request(from, &facts.model).map_err(|error| error.to_string())?;
    let mut request = Request::post(&target.url);
    for (name, value) in &target.headers {
        request = request.header(*name, value);
    }
    if let Some((name, secret)) = &target.auth {
        request = request.header(*name, secret.expose());
    }
    request = forwarded(request, &asked.headers, from);
    let request =
        request.body(Full::new(body)).map_err(|error| format!("the request cannot be built: {error}"))?;
    let mut options = facts.upstream.provider.tap_options(from);
    options.withhold_usage = asked_for_usage(asked, facts, from);
    let created = created(asked);
    let translate = Translate::between(
        from,
        to,
        asked.peek.stream,
        include_usage(asked),
        created,
        tap(from, asked.peek.stream, options),
    )
    .ok_or("there is no way between the two dialects")?;
    Ok(Sent { line: Line::send(&outlet.network, &facts.upstream.way, request), translate, losses })
}

fn created(asked: &Asked) -> u64 {
    u64::try_from(asked.who.at.0 / 1_000).unwrap_or(0)
}

/// Whether the caller wants the usage in the stream. Only OpenAI's callers can say no.
fn include_usage(asked: &Asked) -> bool {
    asked.peek.include_usage
}

/// Whether Mains asks for a usage chunk that the caller did not ask for.
fn asked_for_usage(asked: &Asked, facts: &TargetFacts, from: Dialect) -> bool {
    from == Dialect::OpenaiChat
        && asked.peek.stream
        && !asked.peek.include_usage
        && facts.upstream.provider.takes_stream_options
}

/// The original bytes with the closed list of edits, or the question written anew.
fn body(held: &Held, facts: &TargetFacts, from: Dialect) -> Result<(Bytes, Vec<String>), String> {
    let asked = held.asked();
    if from == asked.who.dialect {
        let renames = if from == Dialect::OpenaiChat { facts.renames.as_slice() } else { &[] };
        let include_usage = asked_for_usage(asked, facts, from);
        let edits = Edits { model: Some(&facts.model), include_usage, renames };
        let bytes = apply(&asked.bytes, &edits).map_err(|error| error.to_string())?;
        return Ok((bytes.into(), Vec::new()));
    }
    let Asking::Conversation(Ok(question)) = &asked.asking else {
        return Err("the question could not be read, so it cannot be translated".into());
    };
    let fallback = held.routed.route.route.default_max_tokens;
    let options = WriteOptions::of(&facts.upstream.provider, &facts.model, fallback);
    let encoded = from.write_question(question, &options).map_err(|error| error.to_string())?;
    Ok((encoded.bytes.into(), encoded.losses.iter().map(ToString::to_string).collect()))
}

/// The client's headers that providers know; everything else stays here.
fn forwarded(
    mut request: http::request::Builder,
    headers: &HeaderMap,
    dialect: Dialect,
) -> http::request::Builder {
    for (name, value) in headers {
        if forwards(name.as_str(), dialect)
            && let Some(all) = request.headers_mut()
        {
            all.insert(name.clone(), value.clone());
        }
    }
    request
}

fn ask_local(outlet: &Outlet, held: &Held, facts: &TargetFacts) -> Result<Sent, String> {
    let asked = held.asked();
    let local = outlet.local.as_ref().ok_or("this outlet runs no local models")?;
    if asked.who.dialect == Dialect::OpenaiEmbeddings {
        let (asks, translate) = vectors(asked, &facts.model)?;
        let question = LocalQuestion { model: facts.model.clone(), asks };
        return Ok(Sent { line: Line::ask(local, question), translate, losses: Vec::new() });
    }
    let Asking::Conversation(Ok(question)) = &asked.asking else {
        return Err("a local model takes conversations only".into());
    };
    let max_tokens = asked.peek.max_output_tokens.unwrap_or(held.routed.route.route.default_max_tokens);
    let translate =
        Translate::local(asked.who.dialect, asked.peek.stream, include_usage(asked), created(asked))
            .ok_or("this dialect cannot be answered by a local model")?;
    let asks = LocalAsks::Answer {
        project: asked.who.caller.project.clone(),
        question: question.clone(),
        max_tokens,
    };
    let question = LocalQuestion { model: facts.model.clone(), asks };
    Ok(Sent { line: Line::ask(local, question), translate, losses: Vec::new() })
}

/// The texts of a question for vectors. What the encoder cannot do is refused: token numbers are of another
/// tokenizer, and a vector that was not trained to be cut means less when it is.
fn vectors(asked: &Asked, model: &str) -> Result<(LocalAsks, Translate), String> {
    let question = openai_embeddings::read_question(&asked.bytes).map_err(|error| error.to_string())?;
    let width = match models::find(model).map(|known| known.purpose) {
        Some(Purpose::Embeds(config)) => config.width,
        _ => return Err(format!("the local model `{model}` makes no vectors")),
    };
    if let Some(dimensions) = question.dimensions
        && dimensions as usize != width
    {
        return Err(format!(
            "`dimensions` is {dimensions}; the vectors of `{model}` have {width} numbers and were not trained to be \
             cut\nhint: leave `dimensions` out"
        ));
    }
    let texts = match question.input {
        EmbeddingsInput::Text(text) => vec![text],
        EmbeddingsInput::Texts(texts) => texts,
        EmbeddingsInput::Tokens(_) | EmbeddingsInput::TokenLists(_) => {
            return Err(format!(
                "`input` holds token numbers, which are of another tokenizer than that of `{model}`\nhint: send text"
            ));
        }
    };
    if texts.len() > TEXTS_MAX {
        return Err(format!("`input` holds {} texts; at most {TEXTS_MAX} are taken at once", texts.len()));
    }
    let translate = Translate::vectors(&asked.model, question.encoding.unwrap_or_default());
    Ok((LocalAsks::Vectors(texts), translate))
}
