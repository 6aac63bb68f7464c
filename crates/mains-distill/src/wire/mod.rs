//! Requests and answers as the wire's neutral forms have them, turned into what `task` looks at.
//!
//! Records that were kept and requests that are answered now go through the same functions, or a labeller would be
//! asked about other texts than it was taught with. What is not plain text (pictures, results of tools, several
//! answers) makes no exchange.

mod fixed;

pub use fixed::fixed;

use crate::task::{Answer, Call, Role, Turn};
use mains_wire::Dialect;
use mains_wire::neutral::{self, CallKind, Content, Question, StopReason};
use std::fmt;

/// A request as `task` looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Tools, the choice among them and the form of the answer, as one canonical text; see [`fixed`].
    pub fixed: String,
    /// The messages in order, instructions first.
    pub turns: Vec<Turn>,
}

/// Why a request or an answer is nothing that a task could hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPlain {
    /// It cannot be read, and why.
    Unreadable(String),
    /// It holds something that is not text; what.
    Holds(&'static str),
    /// There is not exactly one answer.
    Choices(usize),
    /// The answer did not come to its end by itself.
    Cut,
    /// The answer says nothing.
    Empty,
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Self::Holds(what) => write!(f, "it holds {what}"),
            Self::Choices(count) => write!(f, "it has {count} answers, not one"),
            Self::Cut => f.write_str("it was cut off"),
            Self::Empty => f.write_str("it is empty"),
        }
    }
}

impl std::error::Error for NotPlain {}

/// The question in a request's body, whatever its dialect.
pub fn read_question(dialect: Dialect, body: &[u8]) -> Result<Question, NotPlain> {
    let read = match dialect {
        Dialect::OpenaiResponses => mains_wire::dialects::openai_responses::read_plain_question(body),
        _ => dialect.read_question(body),
    };
    read.map_err(|error| NotPlain::Unreadable(error.to_string()))
}

/// The answer in a reply's body, whole or (`stream`) as a stream of events.
pub fn read_answer(dialect: Dialect, stream: bool, body: &[u8]) -> Result<neutral::Answer, NotPlain> {
    let read = match dialect {
        Dialect::OpenaiResponses => mains_wire::dialects::openai_responses::read_plain_answer(body, stream),
        _ if stream => dialect.read_streamed_answer(body),
        _ => dialect.read_answer(body),
    };
    read.map_err(|error| NotPlain::Unreadable(error.to_string()))
}

/// A question as `task` looks at it. Blocks of one message are lines of one text; cache marks, sampling and what only
/// names the caller say nothing about the task.
pub fn asked(question: &Question) -> Result<Asked, NotPlain> {
    let messages = question.instructions.iter().chain(&question.messages);
    let turns = messages.map(turn).collect::<Result<Vec<Turn>, NotPlain>>()?;
    Ok(Asked { fixed: fixed(question)?, turns })
}

fn turn(message: &neutral::Message) -> Result<Turn, NotPlain> {
    if message.name.is_some() {
        return Err(NotPlain::Holds("the name of a speaker"));
    }
    let role = match message.role {
        neutral::Role::System | neutral::Role::Developer => Role::System,
        neutral::Role::User => Role::User,
        neutral::Role::Assistant => Role::Assistant,
    };
    let mut text = String::new();
    for (place, block) in message.blocks.iter().enumerate() {
        let said = match &block.content {
            Content::Text { text, citations } if citations.is_empty() => text,
            other => return Err(NotPlain::Holds(what(other))),
        };
        if place > 0 {
            text.push('\n');
        }
        text.push_str(said);
    }
    Ok(Turn { role, text })
}

fn what(content: &Content) -> &'static str {
    match content {
        Content::Text { .. } => "a citation",
        Content::Image { .. } => "a picture",
        Content::Audio { .. } => "sound",
        Content::File { .. } => "a document",
        Content::ToolCall(_) => "a call of a tool",
        Content::ToolResult(_) => "the result of a tool",
        Content::Reasoning { .. } | Content::RedactedReasoning { .. } => "a thought",
        Content::Refusal { .. } => "a refusal",
        Content::Foreign { .. } => "a block that only its dialect knows",
    }
}

/// An answer as `task` looks at it. Thoughts are no part of what is said.
pub fn answered(answer: &neutral::Answer) -> Result<Answer, NotPlain> {
    let [choice] = answer.choices.as_slice() else { return Err(NotPlain::Choices(answer.choices.len())) };
    if !matches!(
        choice.stop,
        None | Some(StopReason::EndTurn | StopReason::ToolUse | StopReason::StopSequence(_))
    ) {
        return Err(NotPlain::Cut);
    }
    let mut said = Answer::default();
    for block in &choice.blocks {
        match &block.content {
            Content::Text { text, citations } if citations.is_empty() => said.text.push_str(text),
            Content::ToolCall(call) if call.kind == CallKind::Function => {
                said.calls.push(Call { name: call.name.clone(), arguments: call.arguments.clone() });
            }
            Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {}
            other => return Err(NotPlain::Holds(what(other))),
        }
    }
    if said == Answer::default() { Err(NotPlain::Empty) } else { Ok(said) }
}
