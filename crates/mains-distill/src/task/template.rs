//! The constant part of a task's requests.

use super::cluster::Ends;
use super::exchange::Turn;
use super::tokens::{Book, TURN, joined, masked};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};

/// Where the varying part of a prompt stands.
pub const MARK: &str = "{text}";

/// Why a prompt gives no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTemplate {
    /// The mark does not stand in it once.
    Marks(usize),
    /// A turn holds the character by which turns are told apart.
    Turn,
}

impl fmt::Display for NoTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marks(count) => write!(
                f,
                "the prompt holds `{MARK}` {count} times\nhint: write it once, where the text to be labelled stands"
            ),
            Self::Turn => f.write_str("the prompt holds the control character U+001E, which no template can"),
        }
    }
}

impl std::error::Error for NoTemplate {}

/// What is the same in all requests of a task: what stands before the part that varies, and after it. Turns are
/// written one after the other, each begun by a mark and its role; dates and times in figures are zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Tools, response schema, as the exchanges name them.
    pub fixed: String,
    /// Before.
    pub prefix: String,
    /// After.
    pub suffix: String,
}

impl Template {
    pub(super) fn new(fixed: &str, ends: &Ends, book: &Book<'_>) -> Self {
        let suffix = book.text(&ends.suffix);
        Self { fixed: fixed.to_owned(), prefix: book.text(&ends.prefix), suffix: own(&suffix).to_owned() }
    }

    /// The template of a prompt whose turns hold [`MARK`] once, where the text to be labelled stands.
    pub fn of_prompt(fixed: &str, turns: &[Turn]) -> Result<Self, NoTemplate> {
        if turns.iter().any(|turn| turn.text.contains(TURN)) {
            return Err(NoTemplate::Turn);
        }
        let prompt = joined(turns);
        let (Some((prefix, suffix)), 1) = (prompt.split_once(MARK), prompt.matches(MARK).count()) else {
            return Err(NoTemplate::Marks(prompt.matches(MARK).count()));
        };
        Ok(Self { fixed: fixed.to_owned(), prefix: masked(prefix), suffix: masked(suffix) })
    }

    /// The SHA-256 of the constant part, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.fixed, &self.prefix, &self.suffix] {
            // With its length before it no part can pass for another.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize())
    }

    /// How much of the text is constant, in bytes: the more, the surer.
    pub(super) fn size(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// The part that varies, if the rest of the request is this template's.
    pub fn extract(&self, fixed: &str, turns: &[Turn]) -> Option<String> {
        if fixed != self.fixed || turns.iter().any(|turn| turn.text.contains(TURN)) {
            return None;
        }
        // A part that spans turns is a conversation, and no text of this task.
        self.cut(&joined(turns)).filter(|part| !part.contains(TURN))
    }

    /// The same of a request that is one text already.
    pub(super) fn cut(&self, text: &str) -> Option<String> {
        let hidden = masked(text);
        let inner = hidden.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())?;
        // Hiding figures changes no length, so the same bytes are the part's own.
        text.get(self.prefix.len()..self.prefix.len() + inner.len()).map(str::to_owned)
    }
}

/// The end without the mark that closes the sentence before it: that is the part's own, though all of them have it.
fn own(suffix: &str) -> &str {
    let after = suffix.trim_start_matches(['.', '?', '!']);
    if after.is_empty() || after.starts_with(char::is_whitespace) { after } else { suffix }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
