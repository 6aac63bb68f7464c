//! What is answered, whole.

use super::{Block, Json};
use mains_units::Usage;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The provider's name for it.
    pub id: String,
    /// The model that answered, as the provider says it.
    pub model: String,
    /// When, in seconds since 1970; not every dialect says it.
    pub created: Option<u64>,
    /// The answers; one unless more were asked for.
    pub choices: Vec<Choice>,
    /// What it used; `None` is unknown, never zero.
    pub usage: Option<Usage>,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    /// Its number, from 0.
    pub index: u32,
    /// What is said, in order.
    pub blocks: Vec<Block>,
    /// Why it ended; `None` if the provider does not say.
    pub stop: Option<StopReason>,
    /// The probabilities of the tokens, as the dialect says them.
    pub logprobs: Option<Json>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The model was done.
    EndTurn,
    /// The most tokens were reached.
    MaxTokens,
    /// A stop sequence was reached.
    StopSequence(Option<String>),
    /// Tools are asked for.
    ToolUse,
    /// The model or a filter declined.
    Refusal {
        /// The provider's category.
        category: Option<String>,
        /// The provider's words.
        explanation: Option<String>,
    },
    /// A long turn paused; send it back to go on.
    PauseTurn,
    /// The context window is full.
    ContextWindow,
    /// A word that we do not know.
    Other(String),
}
