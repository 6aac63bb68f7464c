//! Google's Gemini API, through the interface that speaks OpenAI's dialects. Its own dialect
//! (`:generateContent`) is not spoken here.

use super::{Auth, CHAT, EMBEDDINGS, Provider, Quirk};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static GOOGLE: Provider = Provider {
    name: Cow::Borrowed("google"),
    base_url: Cow::Borrowed("https://generativelanguage.googleapis.com/v1beta/openai"),
    root: "",
    key_variable: Cow::Borrowed("GEMINI_API_KEY"),
    auth: Auth::Bearer,
    endpoints: &[CHAT, EMBEDDINGS],
    queried: &[],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: true,
    quirks: &[
        Quirk {
            what: "OpenAI's dialects are spoken under `/v1beta/openai`, with the Gemini key as a bearer token",
            source: "ai.google.dev/gemini-api/docs/openai",
            read: "2026-11-28",
        },
        Quirk {
            what: "reasoning tokens are left out of the output and stand in the total only",
            source: "github.com/router-for-me/CLIProxyAPI/issues/5733",
            read: "2026-11-24",
        },
    ],
    faults: &[FaultRule {
        status: Some(404),
        code: "",
        message: "is not found for api version",
        fault: Fault::RetiredModel,
        source: "github.com/google/adk-python/issues/200 (2025-04-15)",
        read: "2026-11-28",
    }],
    tried_live: false,
    network: true,
};
