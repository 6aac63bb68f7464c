//! A llama.cpp server of one's own (`llama-server`).

use super::{Auth, CHAT, EMBEDDINGS, MESSAGES, Provider, Quirk};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static LLAMA_CPP: Provider = Provider {
    name: Cow::Borrowed("llama_cpp"),
    base_url: Cow::Borrowed("http://127.0.0.1:8080"),
    root: "/v1",
    key_variable: Cow::Borrowed("LLAMA_API_KEY"),
    auth: Auth::None,
    endpoints: &[CHAT, MESSAGES, EMBEDDINGS],
    queried: &[],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: true,
    quirks: &[Quirk {
        what: "messages are turned into chat inside the server, since January 2026",
        source: "github.com/ggml-org/llama.cpp/pull/17570",
        read: "2026-11-24",
    }],
    faults: &[
        FaultRule {
            status: None,
            code: "exceed_context_size_error",
            message: "",
            fault: Fault::ContextLength,
            source: "github.com/ggml-org/llama.cpp/pull/15780 (2025-09-03; the status was 500 once)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(500),
            code: "server_error",
            message: "context size has been exceeded",
            fault: Fault::ContextLength,
            source: "github.com/ggml-org/llama.cpp/issues/19774 (2026-02-21)",
            read: "2026-11-24",
        },
    ],
    tried_live: false,
    network: true,
};
