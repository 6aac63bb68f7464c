//! One request with what is recorded of it.

use super::answer;
use mains_swap::grade::Said;
use mains_swap::sample::Stratum;
use mains_units::Timestamp;
use mains_wire::Dialect;
use mains_wire::neutral::{Content, Question};
use serde_json::Value;

/// One request, with the answer of the old model where it is recorded.
pub(in crate::verbs::swap) struct Item {
    /// `line 3`, or the name of the recorded request.
    pub(in crate::verbs::swap) id: String,
    pub(in crate::verbs::swap) dialect: Dialect,
    pub(in crate::verbs::swap) body: Value,
    pub(in crate::verbs::swap) reference: Option<Said>,
    /// What the user wrote.
    text: String,
    tools: bool,
    pub(in crate::verbs::swap) output_max: Option<u64>,
    /// When it was asked first, where the record tells.
    pub(in crate::verbs::swap) at: Option<Timestamp>,
    /// What the recorded answer took, as far as the record tells.
    pub(in crate::verbs::swap) recorded: Recorded,
}

/// What a recorded answer took; what the record does not tell is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::verbs::swap) struct Recorded {
    pub(in crate::verbs::swap) nano_usd: Option<u64>,
    /// To the first token, in milliseconds.
    pub(in crate::verbs::swap) first_ms: Option<u64>,
    /// To the whole answer, in milliseconds.
    pub(in crate::verbs::swap) took_ms: Option<u64>,
    pub(in crate::verbs::swap) input_tokens: Option<u64>,
    pub(in crate::verbs::swap) output_tokens: Option<u64>,
}

impl Item {
    /// An item without an answer; says what is wrong with a body that is no request of the dialect.
    pub(super) fn new(id: String, dialect: Dialect, body: Value) -> Result<Self, String> {
        let question = question(dialect, &body)?;
        let (text, tools, output_max) =
            (text_of(&question), !question.tools.is_empty(), question.max_output_tokens);
        let (reference, at, recorded) = (None, None, Recorded::default());
        Ok(Self { id, dialect, body, reference, text, tools, output_max, at, recorded })
    }

    /// The same in the dialect that the body seems to be in.
    pub(super) fn guessed(id: String, body: Value) -> Result<Self, String> {
        let dialect = dialect_of(&body).ok_or("it has no `messages`")?;
        Self::new(id, dialect, body)
    }

    /// The request in the neutral form.
    pub(in crate::verbs::swap) fn question(&self) -> Result<Question, String> {
        question(self.dialect, &self.body)
    }

    /// What the user wrote.
    pub(in crate::verbs::swap) fn text(&self) -> &str {
        &self.text
    }

    /// The model that was asked, as the record names it.
    pub(in crate::verbs::swap) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }

    pub(in crate::verbs::swap) fn stratum(&self) -> Stratum {
        Stratum::of(&self.text, self.tools, self.at.unwrap_or(Timestamp(0)))
    }

    /// Tokens in, guessed as one for four characters of the body.
    pub(in crate::verbs::swap) fn input_guess(&self) -> u64 {
        (self.body.to_string().len() as u64).div_ceil(4)
    }

    /// Takes tokens from a whole answer's own account of its use.
    pub(super) fn count_tokens(&mut self, dialect: Dialect, answer: &Value) {
        let read = dialect.read_answer(answer.to_string().as_bytes()).ok();
        if let Some(usage) = read.and_then(|answer| answer.usage) {
            self.recorded.input_tokens = Some(usage.input_total());
            self.recorded.output_tokens = Some(usage.output);
        }
    }

    /// Takes a whole answer in the item's own dialect: what it says, and its tokens.
    pub(super) fn answered(&mut self, answer: &Value) -> Result<(), String> {
        self.count_tokens(self.dialect, answer);
        self.reference = Some(answer::said(self.dialect, answer)?);
        Ok(())
    }
}

fn question(dialect: Dialect, body: &Value) -> Result<Question, String> {
    dialect.read_question(body.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// Anthropic's messages have their instructions beside them, or their tools without a `function` around them.
pub(super) fn dialect_of(body: &Value) -> Option<Dialect> {
    body["messages"].as_array()?;
    let anthropic = body.get("system").is_some()
        || body.get("stop_sequences").is_some()
        || body["tools"].get(0).is_some_and(|tool| tool.get("input_schema").is_some());
    Some(if anthropic { Dialect::AnthropicMessages } else { Dialect::OpenaiChat })
}

fn text_of(question: &Question) -> String {
    let mut all = String::new();
    for block in question.messages.iter().flat_map(|message| &message.blocks) {
        if let Content::Text { text, .. } = &block.content {
            all.push_str(text);
            all.push('\n');
        }
    }
    all
}
