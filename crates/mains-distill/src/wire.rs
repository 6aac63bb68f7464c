//! Requests and answers in the neutral form as a labelling task sees them.
//!
//! One reading for what was recorded and for what is being served: a labeller answers only where both come out alike.
//! How an answer is drawn (temperature, seed, its greatest length) is no part of the task; its tools and its format
//! are.

use crate::task::{Answer, Call, Role, Turn};
use mains_wire::neutral::{self, AnswerFormat, Choice, Content, Question, StopReason, ToolChoice, ToolKind};
use serde_json::{Value, json};

/// A request: what must be the same in all requests of its task, and its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Tools, tool choice and answer format as one canonical text; empty where there are none.
    pub fixed: String,
    /// Its messages in order, instructions first.
    pub turns: Vec<Turn>,
}

/// Reads a request; `None` where it holds anything but text, or wants what a label cannot be (several answers, the
/// probabilities of tokens).
pub fn asked(question: &Question) -> Option<Asked> {
    let sampling = &question.sampling;
    if sampling.n.is_some_and(|n| n != 1) || sampling.logprobs == Some(true) {
        return None;
    }
    let messages = question.instructions.iter().chain(&question.messages);
    let turns: Option<Vec<Turn>> = messages.map(turn).collect();
    Some(Asked { fixed: fixed(question), turns: turns.filter(|turns| !turns.is_empty())? })
}

/// Reads an answer; `None` where it was cut off or declined, or holds anything but text and tool calls.
pub fn answered(choice: &Choice) -> Option<Answer> {
    let cut = matches!(
        choice.stop,
        Some(StopReason::MaxTokens | StopReason::ContextWindow | StopReason::Refusal { .. })
    );
    if cut {
        return None;
    }
    let mut answer = Answer::default();
    for block in &choice.blocks {
        match &block.content {
            Content::Text { text, .. } => answer.text.push_str(text),
            Content::ToolCall(call) => {
                answer.calls.push(Call { name: call.name.clone(), arguments: call.arguments.clone() });
            }
            Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {}
            _ => return None,
        }
    }
    Some(answer)
}

fn turn(message: &neutral::Message) -> Option<Turn> {
    let role = match message.role {
        neutral::Role::System | neutral::Role::Developer => Role::System,
        neutral::Role::User => Role::User,
        neutral::Role::Assistant => Role::Assistant,
    };
    let mut all = String::new();
    for block in &message.blocks {
        let Content::Text { text, .. } = &block.content else { return None };
        all.push_str(text);
    }
    Some(Turn { role, text: all })
}

fn fixed(question: &Question) -> String {
    let mut parts = serde_json::Map::new();
    if !question.tools.is_empty() {
        parts.insert("tools".into(), question.tools.iter().map(tool).collect());
    }
    let choice = match &question.tool_choice {
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => Some(json!("none")),
        Some(ToolChoice::Required) => Some(json!("required")),
        Some(ToolChoice::Named { name, .. }) => Some(json!({ "named": name })),
        Some(ToolChoice::Allowed { required, names }) => {
            Some(json!({ "allowed": names, "required": required }))
        }
    };
    parts.extend(choice.map(|choice| ("tool_choice".to_owned(), choice)));
    let format = match &question.format {
        None | Some(AnswerFormat::Text) => None,
        Some(AnswerFormat::JsonObject) => Some(json!("json")),
        Some(AnswerFormat::JsonSchema { schema, .. }) => Some(schema_of(schema)),
    };
    parts.extend(format.map(|format| ("format".to_owned(), format)));
    // Members stand in the order of their names, whatever order a client wrote them in.
    if parts.is_empty() { String::new() } else { Value::Object(parts).to_string() }
}

fn tool(tool: &neutral::Tool) -> Value {
    let (kind, schema) = match &tool.kind {
        ToolKind::Function { schema, .. } => ("function", schema.as_ref().map(schema_of)),
        ToolKind::Custom { format } => ("custom", format.as_ref().map(schema_of)),
        ToolKind::Foreign { raw, .. } => ("foreign", Some(schema_of(raw))),
    };
    json!({ "name": tool.name, "description": tool.description, "kind": kind, "schema": schema })
}

fn schema_of(schema: &neutral::Json) -> Value {
    serde_json::from_str(schema.as_str()).unwrap_or_else(|_| Value::String(schema.as_str().to_owned()))
}
