//! OpenAI itself.

use super::{Auth, CHAT, EMBEDDINGS, Provider, Quirk, RESPONSES};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static OPENAI: Provider = Provider {
    name: Cow::Borrowed("openai"),
    base_url: Cow::Borrowed("https://api.openai.com"),
    root: "/v1",
    key_variable: Cow::Borrowed("OPENAI_API_KEY"),
    auth: Auth::Bearer,
    endpoints: &[CHAT, RESPONSES, EMBEDDINGS],
    queried: &[],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: true,
    quirks: &[Quirk {
        what: "an empty account answers 429 like a rate limit; only the code tells them apart",
        source: "github.com/Pythagora-io/gpt-pilot/issues/340",
        read: "2026-11-24",
    }],
    faults: &[
        FaultRule {
            status: Some(404),
            code: "model_not_found",
            message: "has been deprecated",
            fault: Fault::RetiredModel,
            source: "github.com/openai/openai-quickstart-node/issues/127 (`text-davinci-003`, 2024-01-17)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(404),
            code: "model_not_found",
            message: "does not exist or you do not have access",
            fault: Fault::RetiredModel,
            source: "github.com/simonw/llm/issues/1553 (`chatgpt-4o-latest`, 2026-07-25)",
            read: "2026-11-24",
        },
    ],
    tried_live: false,
    network: true,
};
