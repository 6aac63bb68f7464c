//! A request to a local model, what comes back, and the trait behind which models stand.
//!
//! Read this file, then `sample` (choosing a token), `stop` (ending at a text), `local` (the loop).

mod local;
mod sample;
mod stop;

pub use local::{LocalModel, Source};
pub use sample::Sampling;

use mains_units::Usage;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tokenizer::Message;

/// What a model is asked to continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A conversation, put into words by the model's own template. Names of control tokens that stand in
    /// messages are text.
    Chat(Vec<Message>),
    /// A text as it is, in which names of control tokens mean them.
    Raw(String),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generate {
    /// What to continue.
    pub question: Question,
    /// Tokens to make at most; without it, as many as the context holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// How tokens are chosen.
    #[serde(default)]
    pub sampling: Sampling,
    /// Texts that end the answer and are not part of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
}

/// Something that happens while an answer is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The prompt has been read: so many tokens.
    Prompt {
        /// Tokens of the prompt.
        tokens: u64,
    },
    /// More of the answer: whole characters, never part of a stop text.
    Text(String),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The model ended it, or a stop text came.
    Stop,
    /// The limit of tokens or the context was reached.
    Length,
    /// The caller wanted no more.
    Cancelled,
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// Why it ended.
    pub reason: Reason,
    /// Tokens read and made. `output` counts every token that the model chose, the one that ended the
    /// answer among them; a cancelled prompt counts what had been read of it.
    pub usage: Usage,
}

/// A model that generates text. One request at a time.
pub trait Backend {
    /// Answers a request. `cancel` is asked between tokens and between chunks of the prompt.
    fn generate(
        &mut self,
        request: &Generate,
        cancel: &dyn Fn() -> bool,
        emit: &mut dyn FnMut(Event),
    ) -> Result<Finish, Error>;

    /// How many tokens the prompt of this request has.
    fn count(&self, question: &Question) -> Result<u64, Error>;
}
