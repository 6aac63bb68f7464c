//! What is asked.

use super::{CacheMark, Json, Message};
use crate::Dialect;

/// A conversation with a model, and how to go on with it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Question {
    /// The name that the caller asks for.
    pub model: String,
    /// What system and developer say before the conversation starts.
    pub instructions: Vec<Message>,
    /// The conversation; system and developer may speak in its middle.
    pub messages: Vec<Message>,
    /// Tools that the model may ask for.
    pub tools: Vec<Tool>,
    /// Which of them it should or must use.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may ask for several at once.
    pub parallel_tools: Option<bool>,
    /// The form of the answer.
    pub format: Option<AnswerFormat>,
    /// How the next token is drawn.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// The most tokens to answer with, reasoning included.
    pub max_output_tokens: Option<u64>,
    /// How hard to think.
    pub effort: Option<Effort>,
    /// How thinking is switched on, where a dialect says it apart from the effort.
    pub thinking: Option<Thinking>,
    /// A cache mark on the whole prompt.
    pub cache: Option<CacheMark>,
    /// The end user, as the application names them.
    pub user: Option<String>,
    /// Pairs that the application attaches.
    pub metadata: Vec<(String, String)>,
    /// Whether the answer shall come as a stream.
    pub stream: bool,
    /// Whether a stream shall end with the usage, where that is a choice.
    pub include_usage: bool,
    /// What the dialect said beyond this form.
    pub extras: Vec<Extra>,
}

/// A field that the neutral form does not know. Written back to the same dialect if it stood at the top,
/// said as a loss otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Where it came from.
    pub dialect: Dialect,
    /// Its path; a single key is a field at the top.
    pub path: String,
    /// Its value, for a field at the top; deeper ones keep the path only.
    pub value: Option<Json>,
}

/// How the next token is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: Option<f64>,
    /// The smallest set of tokens whose probabilities sum to this.
    pub top_p: Option<f64>,
    /// Only this many likeliest tokens.
    pub top_k: Option<u64>,
    /// For answers that can be had again.
    pub seed: Option<i64>,
    /// Less of what was said often, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Less of what was said at all, -2 to 2.
    pub presence_penalty: Option<f64>,
    /// How many answers; absent is one.
    pub n: Option<u32>,
    /// Whether to return the probabilities of the tokens.
    pub logprobs: Option<bool>,
    /// How many alternatives per token.
    pub top_logprobs: Option<u32>,
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFormat {
    /// Free text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// The schema's name, where the dialect has one.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Json,
        /// Whether the fit is guaranteed; absent is the dialect's default.
        strict: Option<bool>,
    },
}

/// A tool that the model may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Which sort.
    pub kind: ToolKind,
    /// A cache mark: the tools up to here.
    pub cache: Option<CacheMark>,
}

/// Which sort of tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolKind {
    /// A function of the application.
    Function {
        /// Its arguments; absent is none.
        schema: Option<Json>,
        /// Whether the fit is guaranteed.
        strict: Option<bool>,
    },
    /// A tool of the application that takes free text.
    Custom {
        /// The grammar of the text.
        format: Option<Json>,
    },
    /// A tool that the provider runs.
    Foreign {
        /// The dialect that knows it.
        dialect: Dialect,
        /// The whole tool.
        raw: Json,
    },
}

/// Which tools the model should or must use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named {
        /// The tool.
        name: String,
        /// Which sort.
        kind: super::CallKind,
    },
    /// Only some of them.
    Allowed {
        /// Whether at least one must be used.
        required: bool,
        /// The tools.
        names: Vec<String>,
    },
}

/// How hard to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Hard.
    High,
    /// Harder.
    XHigh,
    /// As hard as it can.
    Max,
}

impl Effort {
    /// All, from least to most.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// The word that both OpenAI and Anthropic use.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.word() == word)
    }

    /// A budget in tokens for models that take no effort. A convention of gateways, not a published rule:
    /// a quarter of the usual 4,096 for the least, then steps of about two.
    pub fn budget_tokens(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => 1_024,
            Self::Low => 2_048,
            Self::Medium => 8_192,
            Self::High => 16_384,
            Self::XHigh => 24_576,
            Self::Max => 32_768,
        }
    }

    /// The least effort whose budget covers `tokens`; the most for anything beyond.
    pub fn covering(tokens: u64) -> Self {
        Self::ALL.into_iter().skip(2).find(|effort| effort.budget_tokens() >= tokens).unwrap_or(Self::Max)
    }
}

/// How thinking is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// Off.
    Disabled,
    /// The model decides when and how much.
    Adaptive {
        /// Whether the thoughts shall be left out of the answer; absent is the model's default.
        omitted: Option<bool>,
    },
    /// Up to so many tokens.
    Budget {
        /// At least 1,024 and below the most output tokens.
        tokens: u64,
        /// Whether the thoughts shall be left out of the answer.
        omitted: Option<bool>,
    },
    /// Only between tools.
    BetweenTools,
}
