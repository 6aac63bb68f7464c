//! Stop 3: what is asked.

use super::deliver::Reply;
use super::{Asked, Asking, Known, Left};
use crate::http::read::{Unreadable, whole};
use crate::outlet::Outlet;
use crate::worker::forced_tool;
use mains_ledger::commitment::Commitment;
use mains_relay::route::Capabilities;
use mains_wire::Dialect;
use mains_wire::edit::{Peek, peek};
use mains_wire::error::Refusal;
use mains_wire::neutral::{AnswerFormat, Content, Question, ToolChoice};

/// Reads the body and the question in it.
pub(crate) async fn read(outlet: &Outlet, known: Known, reply: &mut Reply) -> Result<Asked, Box<Left>> {
    let Known { who, headers, body } = known;
    let (bytes_max, within) = outlet.body_limits();
    let read = tokio::select! {
        read = whole(body, bytes_max, within) => read,
        () = reply.gone() => Err(Unreadable::Gone),
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(unreadable) => return Err(who.leave(unread(unreadable))),
    };
    let commit = Commitment::of(&who.commit_key, &bytes);
    let peek = match peek(who.dialect, &bytes) {
        Ok(peek) => peek,
        Err(error) => return Err(Box::new(Left { commit: Some(commit), ..*who.leave(error.into()) })),
    };
    let asking = asking(who.dialect, &bytes);
    let needs = needs(who.dialect, &peek, &asking);
    let model = peek.model.clone().unwrap_or_default();
    let asked = Asked { who, headers, bytes, model, peek, asking, needs, commit };
    match mistake(&asked) {
        Some(refusal) => Err(asked.leave(refusal)),
        None => Ok(asked),
    }
}

fn unread(why: Unreadable) -> Refusal {
    match why {
        Unreadable::TooLarge(limit) => Refusal::BodyTooLarge { limit: limit as u64 },
        Unreadable::TooSlow => {
            bad("the body did not arrive in time; send it faster, or raise `body` under [limits]", None)
        }
        Unreadable::Gone => bad("the body broke off", None),
    }
}

fn bad(message: impl Into<String>, param: Option<&str>) -> Refusal {
    Refusal::BadRequest { message: message.into(), param: param.map(str::to_owned) }
}

fn asking(dialect: Dialect, bytes: &[u8]) -> Asking {
    if !dialect.is_conversation() {
        return Asking::Opaque;
    }
    Asking::Conversation(dialect.read_question(bytes).map(Box::new).map_err(|error| {
        let path = error.path();
        bad(error.to_string(), (!path.is_empty()).then_some(path))
    }))
}

/// What no target could mend.
fn mistake(asked: &Asked) -> Option<Refusal> {
    if asked.model.is_empty() {
        return Some(bad("`model` is missing; name the model as a string", Some("model")));
    }
    let peek = &asked.peek;
    if asked.who.dialect == Dialect::OpenaiResponses {
        // The outlet keeps no conversation: what a provider stores, another provider cannot continue.
        for (given, field) in [
            (peek.previous_response_id.is_some(), "previous_response_id"),
            (peek.conversation, "conversation"),
            (peek.background, "background"),
        ] {
            if given {
                let message = format!(
                    "`{field}` needs state that the outlet does not keep; send the whole conversation in `input`"
                );
                return Some(bad(message, Some(field)));
            }
        }
    }
    None
}

fn needs(dialect: Dialect, peek: &Peek, asking: &Asking) -> Capabilities {
    let mut needs = match dialect {
        Dialect::OpenaiEmbeddings => Capabilities::EMBEDDINGS,
        _ => Capabilities::GENERATION,
    };
    if peek.stream {
        needs = needs.and(Capabilities::STREAM);
    }
    match asking {
        Asking::Conversation(Ok(question)) => needs.and(of_question(question)),
        _ => needs,
    }
}

fn of_question(question: &Question) -> Capabilities {
    let mut needs = Capabilities::NONE;
    let mut add = |wanted: bool, what: Capabilities| {
        if wanted {
            needs = needs.and(what);
        }
    };
    let tools = !question.tools.is_empty();
    let calls = |block: &mains_wire::neutral::Block| {
        matches!(block.content, Content::ToolCall(_) | Content::ToolResult(_))
    };
    let open = tools && question.tool_choice != Some(ToolChoice::None) && forced_tool(question).is_none();
    add(tools, Capabilities::TOOLS);
    add(
        open || question.messages.iter().flat_map(|message| &message.blocks).any(calls),
        Capabilities::OPEN_TOOLS,
    );
    add(matches!(question.format, Some(AnswerFormat::JsonSchema { .. })), Capabilities::SCHEMA);
    add(question.sampling.logprobs == Some(true), Capabilities::LOGPROBS);
    add(question.sampling.n.is_some_and(|n| n > 1), Capabilities::CHOICES);
    for block in question.messages.iter().flat_map(|message| &message.blocks) {
        match &block.content {
            Content::Image { .. } => add(true, Capabilities::IMAGES),
            Content::Audio { .. } => add(true, Capabilities::AUDIO),
            Content::File { .. } => add(true, Capabilities::FILES),
            _ => {}
        }
    }
    needs
}
