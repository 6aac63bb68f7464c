//! JSON read by hand, so that an error says its place, and key order and number text survive.
//!
//! Read `check` (what is refused before reading), then `read` (nodes over the original text), then `write`
//! (text without a tree). [`ReadError`] is what a reader says when it cannot go on.

mod check;
mod read;
mod write;

pub(crate) use read::{Node, Object, shortened};
pub(crate) use write::Writer;

use std::fmt;

/// How deep arrays and objects may stand inside each other; the limit that serde_json has too.
pub const DEPTH_LIMIT: usize = 128;

/// Why a body cannot be read: where, what is wrong, and what to do. It becomes a 400 in the caller's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    path: String,
    what: String,
    hint: Option<String>,
}

impl ReadError {
    /// An error at the place being read; callers above add their steps with [`within`](Self::within).
    pub fn new(what: impl Into<String>) -> Self {
        Self { path: String::new(), what: what.into(), hint: None }
    }

    /// The same error with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, one object key further out.
    #[must_use]
    pub fn within(mut self, key: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{key}{dot}{}", self.path);
        self
    }

    /// The same error, one array index further out.
    #[must_use]
    pub fn within_index(mut self, index: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }

    /// The place, such as `messages[3].content[0].type`; empty for the whole body.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, in one clause.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it, if there is advice.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ReadError {}

/// A piece of JSON kept as its text, so that key order and the spelling of numbers survive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(Box<str>);

impl Json {
    /// Takes text that must be one JSON value; `None` if it is not, or if it is deeper than [`DEPTH_LIMIT`].
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        Node::whole(text.as_bytes()).ok().map(|node| Self(node.text().into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    pub(crate) fn of(node: Node<'_>) -> Self {
        Self(node.text().into())
    }

    pub(crate) fn object(write: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::new();
        writer.object(write);
        Self(String::from_utf8_lossy(&writer.finish()).into())
    }
}
