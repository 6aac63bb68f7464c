//! Why a request is not answered by the labeller.

use std::fmt;

/// Why a request goes on to the next target, in one word for a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    /// The certificate was withdrawn.
    Withdrawn,
    /// The request cannot be read here, or holds more than text.
    NotText,
    /// Several answers are wanted.
    Several,
    /// The probabilities of tokens are wanted.
    Logprobs,
    /// Thoughts are to be shown.
    Thinking,
    /// A field whose meaning for the answer is not known here; what is to be stored or said is the teacher's.
    Field,
    /// The request has another constant part than the task: other words, tools, format.
    OutOfScope,
    /// The labeller lacks what it needs for this text.
    Lacking,
    /// The labeller is not sure enough of this text.
    Unsure,
    /// A stop sequence would cut the answer.
    Stop,
    /// The most tokens that are allowed may not hold the answer.
    MaxTokens,
    /// The labeller is compared only, so far.
    Shadow,
    /// The coin of the canary fell to the teacher.
    Canary,
    /// The request belongs to the audited share.
    Audit,
}

impl Pass {
    /// All, in the order in which they are looked at.
    pub const ALL: [Self; 14] = [
        Self::Withdrawn,
        Self::NotText,
        Self::Several,
        Self::Logprobs,
        Self::Thinking,
        Self::Field,
        Self::OutOfScope,
        Self::Lacking,
        Self::Unsure,
        Self::Stop,
        Self::MaxTokens,
        Self::Shadow,
        Self::Canary,
        Self::Audit,
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::NotText => "not_text",
            Self::Several => "several_answers",
            Self::Logprobs => "logprobs",
            Self::Thinking => "thinking",
            Self::Field => "field",
            Self::OutOfScope => "out_of_scope",
            Self::Lacking => "lacking",
            Self::Unsure => "unsure",
            Self::Stop => "stop",
            Self::MaxTokens => "max_tokens",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
