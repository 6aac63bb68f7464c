//! Wire formats: each reads and writes the neutral form, so there are as many codecs as dialects and not their
//! square.
//!
//! Read `openai_chat`, `anthropic_messages`, `openai_embeddings`, then [`StreamReader`] and [`StreamWriter`]
//! here, which put the event-stream framing around them.

pub mod anthropic_messages;
pub mod openai_chat;
pub mod openai_embeddings;
pub mod openai_responses;
mod stream;

pub(crate) use openai_chat::join_logprobs;
pub use stream::{StreamEnd, StreamReader, StreamWriter};

use crate::Dialect;
use crate::json::{Node, Object, ReadError};
use crate::loss::{Encoded, Losses};
use crate::neutral::{Answer, Extra, Question};

/// What a writer of questions must know about its target.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// The target's name for the model; `None` keeps the name in the question.
    pub model: Option<String>,
    /// The most output tokens where the dialect requires the number and the question has none.
    pub default_max_tokens: u64,
    /// The target speaks OpenAI's format but is not OpenAI: `max_tokens` and the role `system` are what such
    /// hosts know, `max_completion_tokens` and `developer` many do not.
    pub compatible_host: bool,
    /// Write cache marks to an OpenAI host that knows `prompt_cache_breakpoint`.
    pub cache_marks: bool,
    /// Ask for the usage at the end of a stream even if the caller did not.
    pub always_usage: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            model: None,
            default_max_tokens: 4_096,
            compatible_host: false,
            cache_marks: false,
            always_usage: true,
        }
    }
}

impl WriteOptions {
    /// For a model at a provider. `default_max_tokens` is the route's.
    pub fn of(provider: &crate::providers::Provider, model: &str, default_max_tokens: u64) -> Self {
        Self {
            model: Some(model.to_owned()),
            default_max_tokens,
            compatible_host: !matches!(&*provider.name, "openai" | "azure"),
            cache_marks: false,
            always_usage: provider.takes_stream_options,
        }
    }
}

impl Dialect {
    /// Whether questions of this dialect have a neutral form: a conversation. Embeddings have their own
    /// (see [`openai_embeddings`]); responses pass through only.
    pub const fn is_conversation(self) -> bool {
        matches!(self, Self::OpenaiChat | Self::AnthropicMessages)
    }

    /// Reads a request body into the neutral form.
    pub fn read_question(self, bytes: &[u8]) -> Result<Question, ReadError> {
        match self {
            Self::OpenaiChat => openai_chat::read_question(bytes),
            Self::AnthropicMessages => anthropic_messages::read_question(bytes),
            Self::OpenaiResponses | Self::OpenaiEmbeddings => Err(self.no_conversation()),
        }
    }

    /// Writes a request body. Fails only for a dialect without a neutral form.
    pub fn write_question(self, question: &Question, options: &WriteOptions) -> Result<Encoded, ReadError> {
        match self {
            Self::OpenaiChat => Ok(openai_chat::write_question(question, options)),
            Self::AnthropicMessages => Ok(anthropic_messages::write_question(question, options)),
            Self::OpenaiResponses | Self::OpenaiEmbeddings => Err(self.no_conversation()),
        }
    }

    /// Reads a whole answer.
    pub fn read_answer(self, bytes: &[u8]) -> Result<Answer, ReadError> {
        match self {
            Self::OpenaiChat => openai_chat::read_answer(bytes),
            Self::AnthropicMessages => anthropic_messages::read_answer(bytes),
            Self::OpenaiResponses | Self::OpenaiEmbeddings => Err(self.no_conversation()),
        }
    }

    /// Reads a streamed answer from its bytes as they went over the wire; one that broke off is an error.
    pub fn read_streamed_answer(self, bytes: &[u8]) -> Result<Answer, ReadError> {
        let mut reader = self.stream_reader().ok_or_else(|| self.no_conversation())?;
        let mut fold = crate::neutral::Fold::new();
        for event in reader.push(bytes).into_iter().chain(reader.finish()) {
            fold.push(event);
        }
        if let StreamEnd::Broken(why) = reader.end() {
            return Err(ReadError::new(format!("the stream is not whole: {why}")));
        }
        fold.finish().map_err(|error| ReadError::new(format!("the stream holds an error: {}", error.message)))
    }

    /// Writes a whole answer. Fails only for a dialect without a neutral form.
    pub fn write_answer(self, answer: &Answer) -> Result<Encoded, ReadError> {
        match self {
            Self::OpenaiChat => Ok(openai_chat::write_answer(answer)),
            Self::AnthropicMessages => Ok(anthropic_messages::write_answer(answer)),
            Self::OpenaiResponses | Self::OpenaiEmbeddings => Err(self.no_conversation()),
        }
    }

    fn no_conversation(self) -> ReadError {
        ReadError::new(format!("`{self}` is not translated to or from another dialect"))
            .hint("send it to a target that speaks the same dialect")
    }
}

/// Fields that a reader did not know, in order.
pub(crate) struct Extras {
    dialect: Dialect,
    list: Vec<Extra>,
}

/// How many deeper fields are kept by name; more are not told apart anyway.
const MOST_EXTRAS: usize = 256;

impl Extras {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, list: Vec::new() }
    }

    /// Keeps what is left of the body itself, with values.
    pub(crate) fn top(&mut self, body: Object<'_>) {
        for (key, node) in body.leftover() {
            let (path, value) = (key.into_owned(), Some(node.json()));
            self.list.push(Extra { dialect: self.dialect, path, value });
        }
    }

    /// Keeps the names of what is left of an object further in.
    pub(crate) fn rest(&mut self, object: Object<'_>, path: &str) {
        for (key, _) in object.leftover() {
            self.named(&format!("{path}.{key}"));
        }
    }

    /// Keeps the name of one field further in.
    pub(crate) fn named(&mut self, path: &str) {
        if self.list.len() < MOST_EXTRAS {
            self.list.push(Extra { dialect: self.dialect, path: path.to_owned(), value: None });
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Extra> {
        self.list
    }
}

/// Writes the extras of this dialect's own top back, and counts the rest as lost.
pub(crate) fn write_extras(
    writer: &mut crate::json::Writer,
    extras: &[Extra],
    here: Dialect,
    losses: &mut Losses,
) {
    for extra in extras {
        match &extra.value {
            Some(value) if extra.dialect == here => writer.raw_field(&extra.path, value.as_str()),
            _ if extra.dialect == here => losses.add(extra.path.as_str(), "not carried by the neutral form"),
            _ => losses.add(
                extra.path.as_str(),
                format!("a field of `{}`, which `{here}` does not share", extra.dialect),
            ),
        }
    }
}

/// The error for a word outside a closed list.
pub(crate) fn unknown_word(found: &str, known: &[&str]) -> ReadError {
    ReadError::new(format!("unknown value `{}`", crate::json::shortened(found)))
        .hint(format!("use one of `{}`", known.join("`, `")))
}

/// Minutes of a duration such as `5m` or `12h`.
pub(crate) fn minutes(text: &str) -> Option<u32> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    match unit {
        "m" => Some(number),
        "h" => number.checked_mul(60),
        _ => None,
    }
}

/// Text of all blocks that are text, joined with `between`.
pub(crate) fn joined_text(blocks: &[crate::neutral::Block], between: &str) -> String {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| match &block.content {
            crate::neutral::Content::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.join(between)
}

/// Reads the object of an error in either family: `message`, `type`, `code`.
pub(crate) fn read_stream_error(node: Node<'_>) -> crate::neutral::StreamError {
    stream::read_error(node)
}
