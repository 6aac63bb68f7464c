//! An Ollama server of one's own.

use super::{Auth, CHAT, EMBEDDINGS, MESSAGES, Provider, Quirk, RESPONSES};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static OLLAMA: Provider = Provider {
    name: Cow::Borrowed("ollama"),
    base_url: Cow::Borrowed("http://127.0.0.1:11434"),
    root: "/v1",
    key_variable: Cow::Borrowed(""),
    auth: Auth::None,
    endpoints: &[CHAT, MESSAGES, EMBEDDINGS, RESPONSES],
    queried: &[],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: true,
    quirks: &[
        Quirk {
            what: "responses are stateless, and come with version 0.13.3 or later",
            source: "docs.ollama.com/api/openai-compatibility",
            read: "2026-11-24",
        },
        Quirk {
            what: "messages are spoken beside the OpenAI dialects, and a key is taken but not looked at",
            source: "docs.ollama.com/api/anthropic-compatibility",
            read: "2026-11-24",
        },
    ],
    faults: &[FaultRule {
        status: Some(404),
        code: "",
        message: "not found, try pulling it first",
        fault: Fault::RetiredModel,
        source: "github.com/netease-youdao/QAnything/issues/555 (2024-10-23)",
        read: "2026-11-24",
    }],
    tried_live: false,
    network: true,
};
