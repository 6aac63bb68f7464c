//! The names of the wire formats.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A wire format: how a request, a reply, a stream and an error are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI chat completions, `POST /v1/chat/completions`.
    OpenaiChat,
    /// Anthropic messages, `POST /v1/messages`.
    AnthropicMessages,
    /// OpenAI responses, `POST /v1/responses`; stateless, in and out of the same dialect only.
    OpenaiResponses,
    /// OpenAI embeddings, `POST /v1/embeddings`.
    OpenaiEmbeddings,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] =
        [Self::OpenaiChat, Self::AnthropicMessages, Self::OpenaiResponses, Self::OpenaiEmbeddings];

    /// The name in settings, records and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::AnthropicMessages => "anthropic_messages",
            Self::OpenaiResponses => "openai_responses",
            Self::OpenaiEmbeddings => "openai_embeddings",
        }
    }

    /// The dialect of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// The path that clients post to, without the version.
    pub const fn path(self) -> &'static str {
        match self {
            Self::OpenaiChat => "/chat/completions",
            Self::AnthropicMessages => "/messages",
            Self::OpenaiResponses => "/responses",
            Self::OpenaiEmbeddings => "/embeddings",
        }
    }

    /// The dialect spoken at a path of ours, with or without `/v1` (some clients leave it out), without
    /// the query.
    pub fn at_path(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/v1").unwrap_or(path);
        Self::ALL.into_iter().find(|dialect| dialect.path() == path)
    }

    /// Whether errors, headers and keys are those of Anthropic; else they are those of OpenAI.
    pub const fn is_anthropic(self) -> bool {
        matches!(self, Self::AnthropicMessages)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_found_by_its_name_and_its_path() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.name()), Some(dialect));
            assert_eq!(Dialect::at_path(&format!("/v1{}", dialect.path())), Some(dialect));
            assert_eq!(Dialect::at_path(dialect.path()), Some(dialect));
        }
        assert_eq!(Dialect::at_path("/v1/messages/count_tokens"), None);
    }
}
