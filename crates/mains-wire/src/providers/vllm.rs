//! A vLLM server of one's own.

use super::{Auth, CHAT, EMBEDDINGS, MESSAGES, Provider, Quirk, RESPONSES};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static VLLM: Provider = Provider {
    name: Cow::Borrowed("vllm"),
    base_url: Cow::Borrowed("http://127.0.0.1:8000"),
    root: "/v1",
    key_variable: Cow::Borrowed("VLLM_API_KEY"),
    auth: Auth::None,
    endpoints: &[CHAT, MESSAGES, EMBEDDINGS, RESPONSES],
    queried: &[],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: true,
    quirks: &[
        Quirk {
            what: "messages are spoken beside the OpenAI dialects, since the end of 2025",
            source: "github.com/vllm-project/vllm/pull/27882",
            read: "2026-11-24",
        },
        Quirk {
            what: "`code` of an error is the HTTP status as a number, `type` a class name such as `NotFoundError`",
            source: "github.com/vllm-project/vllm/pull/58025 (2026-09-21)",
            read: "2026-11-24",
        },
    ],
    faults: &[
        FaultRule {
            status: Some(404),
            code: "NotFoundError",
            message: "does not exist",
            fault: Fault::RetiredModel,
            source: "github.com/vllm-project/vllm/pull/58025 (2026-09-21)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(400),
            code: "",
            message: "maximum context length is",
            fault: Fault::ContextLength,
            source: "github.com/vllm-project/vllm/issues/20409 (2025-07-03)",
            read: "2026-11-24",
        },
    ],
    tried_live: false,
    network: true,
};
