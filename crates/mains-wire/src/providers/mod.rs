//! Who answers: each provider is a record of its own file, named once in [`ALL`].
//!
//! Read [`Provider`], then one record (`openai`), then [`compatible`](Provider::compatible), which makes
//! records from the catalogue's data, and `target`, which builds the address of a request. Adding a
//! provider touches this list and its own file, and fixtures beside the others in `tests/data/providers`.

mod anthropic;
mod azure;
mod compatible;
mod google;
mod llama_cpp;
mod local;
mod ollama;
mod openai;
mod target;
mod vllm;

pub use target::{Target, TargetError, forwards};

use crate::Dialect;
use crate::error::ProviderError;
use crate::fault::{Fault, FaultRule, classify};
use crate::tap::{CachedTokens, Options};
use std::borrow::Cow;

/// Every provider that is described by hand.
pub static ALL: &[&Provider] = &[
    &openai::OPENAI,
    &anthropic::ANTHROPIC,
    &azure::AZURE,
    &google::GOOGLE,
    &ollama::OLLAMA,
    &vllm::VLLM,
    &llama_cpp::LLAMA_CPP,
    &local::LOCAL,
];

/// The provider of that name.
pub fn by_name(name: &str) -> Option<&'static Provider> {
    ALL.iter().copied().find(|provider| provider.name == name)
}

/// How a provider wants the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// No key; one that is given is sent as a bearer token, for servers behind a guard.
    None,
    /// `authorization: Bearer …`.
    Bearer,
    /// A header of that name with nothing but the key.
    Header(&'static str),
}

/// Where a dialect is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The dialect.
    pub dialect: Dialect,
    /// The path after the base address and root; `{model}` stands for the model's name.
    pub path: &'static str,
}

/// Something that a provider does otherwise than its dialect says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirk {
    /// What it does, in a sentence.
    pub what: &'static str,
    /// Where that is said.
    pub source: &'static str,
    /// The day it was read there, `YYYY-MM-DD`.
    pub read: &'static str,
}

/// What has to be known of a provider in order to send it a request and to read its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The name in settings.
    pub name: Cow<'static, str>,
    /// The address, without the root; empty if each account has its own.
    pub base_url: Cow<'static, str>,
    /// What follows a base address that has no path of its own: `/v1`.
    pub root: &'static str,
    /// The environment variable in which its key is kept by custom; empty if it needs none.
    pub key_variable: Cow<'static, str>,
    /// How it wants the key.
    pub auth: Auth,
    /// The dialects it speaks, the best first.
    pub endpoints: &'static [Endpoint],
    /// The same for base addresses with a query, which is put behind the path (Azure's `api-version`).
    pub queried: &'static [Endpoint],
    /// Headers that every request has unless the client's own is passed on, names in lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// Where it counts cached tokens in the OpenAI dialects.
    pub cached: CachedTokens,
    /// Whether it takes `stream_options.include_usage` in chat streams.
    pub takes_stream_options: bool,
    /// What it does otherwise.
    pub quirks: &'static [Quirk],
    /// How it spells its faults.
    pub faults: &'static [FaultRule],
    /// Whether we have sent it a request and read the answer.
    pub tried_live: bool,
    /// Whether it is reached over a network; else it is the worker of this outlet.
    pub network: bool,
}

impl Provider {
    /// Whether it speaks a dialect.
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.dialect == dialect)
    }

    /// The dialect in which to ask it, if a client asked in `asked`: the same where it can, so that the
    /// bytes pass unchanged, else its best for the same purpose. `None` if it cannot serve the purpose.
    pub fn dialect_for(&self, asked: Dialect) -> Option<Dialect> {
        if self.speaks(asked) {
            return Some(asked);
        }
        // Responses and embeddings have no neutral form to another dialect.
        if matches!(asked, Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings) {
            return None;
        }
        let converse = [Dialect::OpenaiChat, Dialect::AnthropicMessages];
        self.endpoints.iter().map(|endpoint| endpoint.dialect).find(|dialect| converse.contains(dialect))
    }

    /// How to read its replies in a dialect.
    pub fn tap_options(&self, dialect: Dialect) -> Options {
        let cached = if dialect.is_anthropic() { CachedTokens::BesideInput } else { self.cached };
        Options { cached, faults: self.faults, ..Options::of(dialect) }
    }

    /// The fault behind an error of this provider.
    pub fn classify(&self, error: &ProviderError) -> Fault {
        classify(self.faults, error)
    }
}

const fn endpoint(dialect: Dialect, path: &'static str) -> Endpoint {
    Endpoint { dialect, path }
}

/// The paths that OpenAI gave to its dialects, after `/v1`.
const CHAT: Endpoint = endpoint(Dialect::OpenaiChat, "/chat/completions");
const RESPONSES: Endpoint = endpoint(Dialect::OpenaiResponses, "/responses");
const EMBEDDINGS: Endpoint = endpoint(Dialect::OpenaiEmbeddings, "/embeddings");
/// The path that Anthropic gave to its dialect, after `/v1`.
const MESSAGES: Endpoint = endpoint(Dialect::AnthropicMessages, "/messages");
