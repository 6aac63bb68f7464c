//! Messages and the typed blocks that they are made of.

use super::Json;
use crate::Dialect;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator, above the user.
    System,
    /// The developer of the application; some dialects know it as system.
    Developer,
    /// The user, and the results of tools.
    User,
    /// The model.
    Assistant,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// A name that tells speakers of one role apart.
    pub name: Option<String>,
    /// What is said, in order.
    pub blocks: Vec<Block>,
}

impl Message {
    /// A message of one text block.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, name: None, blocks: vec![Block::text(text)] }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is.
    pub content: Content,
    /// A mark: the prompt up to here is worth caching.
    pub cache: Option<CacheMark>,
}

impl Block {
    /// A block without a cache mark.
    pub fn new(content: Content) -> Self {
        Self { content, cache: None }
    }

    /// A block of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text { text: text.into(), citations: Vec::new() })
    }
}

/// A mark that asks the provider to cache the prompt up to this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheMark {
    /// How long it shall live, in minutes; `None` is the provider's default.
    pub minutes: Option<u32>,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text, with the sources that it cites.
    Text {
        /// The text.
        text: String,
        /// What it cites.
        citations: Vec<Citation>,
    },
    /// A picture.
    Image {
        /// Where it is; an address is passed on, never fetched.
        source: Source,
        /// How closely to look, in OpenAI's words (`low`, `high`, `auto`).
        detail: Option<String>,
    },
    /// Sound.
    Audio {
        /// The bytes in base64.
        data: String,
        /// `wav` or `mp3`.
        format: String,
    },
    /// A document.
    File {
        /// Where it is.
        source: Source,
        /// Its title or file name.
        name: Option<String>,
        /// What the model should know about it.
        context: Option<String>,
        /// Whether the answer shall cite it.
        citations: bool,
    },
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// What a tool returned.
    ToolResult(ToolResult),
    /// What the model thought. Never shown as text.
    Reasoning {
        /// The thought, or a summary of it.
        text: String,
        /// The provider's proof that the thought is its own; sent back unchanged.
        signature: Option<String>,
    },
    /// A thought that the provider encrypted.
    RedactedReasoning {
        /// The provider's bytes, sent back unchanged.
        data: String,
    },
    /// The model declines.
    Refusal {
        /// In its words.
        text: String,
    },
    /// A block that only its own dialect knows.
    Foreign {
        /// The dialect that knows it.
        dialect: Dialect,
        /// The whole block.
        raw: Json,
    },
}

/// Where bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// At an address.
    Url(String),
    /// Here.
    Base64 {
        /// Such as `image/png`.
        media_type: String,
        /// The bytes in base64.
        data: String,
    },
    /// Uploaded to the provider before.
    FileId(String),
    /// Here, as plain text.
    Text(String),
}

/// A tool that the model asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Names the call, so that its result can name it too.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them: for a function JSON text, never empty; else free text.
    pub arguments: String,
    /// Which sort of tool.
    pub kind: CallKind,
}

/// Which sort of tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallKind {
    /// A function with JSON arguments.
    #[default]
    Function,
    /// A tool that takes free text.
    Custom,
}

/// What a tool returned.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The call that this answers.
    pub call_id: String,
    /// What came back: text, pictures, documents.
    pub content: Vec<Block>,
    /// Whether the tool failed.
    pub is_error: bool,
}

/// A source that a text cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Citation {
    /// A page of the web.
    Url {
        /// Its address.
        url: String,
        /// Its title.
        title: Option<String>,
        /// First and last character in the text, where the provider says them.
        range: Option<(u64, u64)>,
        /// The words of the page that are cited.
        cited_text: Option<String>,
        /// The provider's own pointer, sent back unchanged.
        encrypted_index: Option<String>,
    },
    /// A place in a document of the question, as its own dialect says it.
    Foreign {
        /// The dialect that knows it.
        dialect: Dialect,
        /// The whole citation.
        raw: Json,
    },
}
