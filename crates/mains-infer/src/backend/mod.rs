//! A request to a local model, what comes back, and the trait behind which models stand.
//!
//! Read this file, then `sample` (choosing a token), `guide` (the form of an answer), `stop` (ending at a text),
//! `prefix` (beginnings that are kept), `batch` (answers made together), `local` (the model and its tokenizer).

mod batch;
mod guide;
mod local;
mod prefix;
mod sample;
mod stop;

pub use batch::{SEQUENCES_MAX, Told};
pub use guide::Constraint;
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
    /// The form that the answer must have; without it, any. An answer that ends by its limit of tokens may be cut
    /// off in the middle of the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
    /// Whose prompt this is: beginnings are taken over from prompts of the same reader only, because the tokens that
    /// were not computed again tell what an earlier prompt began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
}

impl Generate {
    /// Continues this with the likeliest tokens, as many as the context holds.
    pub fn new(question: Question) -> Self {
        Self {
            question,
            max_tokens: None,
            sampling: Sampling::default(),
            stop: Vec::new(),
            constraint: None,
            reader: None,
        }
    }
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
    /// Tokens read and made. `input` counts tokens of the prompt that were computed, `cached_read` those that an
    /// earlier prompt began with and that were not; a cancelled prompt counts what had been read of it. `output`
    /// counts every token of the answer, the one that ended it among them.
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
