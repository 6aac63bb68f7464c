//! What is looked at: a request's turns and the answer.

use mains_units::Timestamp;
use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions, of system or developer.
    System,
    /// The caller.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One message of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said. A message with anything but text in it makes no exchange.
    pub text: String,
}

/// A tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// The arguments, as the model wrote them.
    pub arguments: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Its text; empty where it only calls tools.
    pub text: String,
    /// Its tool calls.
    pub calls: Vec<Call>,
}

/// A request with its answer, from kept records that policy releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The route that was asked for.
    pub route: String,
    /// Whatever else of the request must be the same for the task to be: tools, the response schema, as one text.
    pub fixed: String,
    /// The messages in order, instructions first.
    pub turns: Vec<Turn>,
    /// The answer.
    pub answer: Answer,
    /// When it was asked.
    pub at: Timestamp,
    /// The model that answered.
    pub teacher: String,
    /// What it cost in nano-USD, where it is known.
    pub nano_usd: Option<u64>,
    /// What it burnt in millijoules (central), where it is known.
    pub mj: Option<u64>,
}
