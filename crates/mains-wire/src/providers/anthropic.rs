//! Anthropic itself.

use super::{Auth, MESSAGES, Provider, Quirk};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static ANTHROPIC: Provider = Provider {
    name: Cow::Borrowed("anthropic"),
    base_url: Cow::Borrowed("https://api.anthropic.com"),
    root: "/v1",
    key_variable: Cow::Borrowed("ANTHROPIC_API_KEY"),
    auth: Auth::Header("x-api-key"),
    endpoints: &[MESSAGES],
    queried: &[],
    headers: &[("anthropic-version", "2023-06-01")],
    cached: CachedTokens::BesideInput,
    takes_stream_options: false,
    quirks: &[Quirk {
        what: "an empty account answers 400 as if the request were wrong; only the message tells",
        source: "github.com/anthropics/claude-code/issues/88711 (2026-08-22)",
        read: "2026-11-24",
    }],
    faults: &[
        FaultRule {
            status: Some(400),
            code: "invalid_request_error",
            message: "credit balance is too low",
            fault: Fault::NoCredit,
            source: "github.com/anthropics/claude-code/issues/88711 (2026-08-22)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(429),
            code: "enforced_spend_limit_reached",
            message: "",
            fault: Fault::NoCredit,
            source: "developersdigest.tech/errors/api/openai-api/429-credit-balance-exhausted (its comparison)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(404),
            code: "not_found_error",
            message: "model:",
            fault: Fault::RetiredModel,
            source: "github.com/weval-org/app/issues/24 (`claude-3-haiku-20240307`, 2026-06-11)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(400),
            code: "invalid_request_error",
            message: "prompt is too long",
            fault: Fault::ContextLength,
            source: "github.com/anthropics/claude-code/issues/12186 (2025-11-23)",
            read: "2026-11-24",
        },
        FaultRule {
            status: Some(400),
            code: "invalid_request_error",
            message: "which is the maximum allowed number of output tokens",
            fault: Fault::Unsupported,
            source: "github.com/ChatGPTNextWeb/NextChat/issues/4964 (2024-07-10)",
            read: "2026-11-24",
        },
    ],
    tried_live: false,
    network: true,
};
