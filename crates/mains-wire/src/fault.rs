//! What a failed attempt means: whose fault it is, and what may be done next.
//!
//! Read [`Fault`] and its methods, which are the rules of failover, then [`classify`], which finds the
//! fault in what a provider said. A provider's own spellings stand in its record
//! ([`crate::providers::Provider::faults`]); what many providers share stands in [`COMMON`].

use crate::error::{ProviderError, Whose};
use mains_units::Span;

/// Why an attempt at a target failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The provider or the way to it is out of order for now: 5xx, 408, 409, 529, no connection.
    Transient {
        /// The earliest time to try again, if the provider named one.
        retry_after: Option<Span>,
    },
    /// The account sends too much for now.
    RateLimited {
        /// The earliest time to try again, if the provider named one.
        retry_after: Option<Span>,
    },
    /// The provider does not take the operator's key, or the key may not use the model.
    Auth,
    /// The operator's account has no credit or has reached its spending limit.
    NoCredit,
    /// The request is longer than the model's context.
    ContextLength,
    /// The provider does not have the model: it is retired, or was never there.
    RetiredModel,
    /// The request is wrong, and would be wrong at any target.
    BadRequest,
    /// The request is right, but this target cannot do it.
    Unsupported,
    /// The reply ended before its end, or is no reply of the dialect.
    BrokenStream,
    /// A deadline passed.
    Timeout,
    /// The caller left.
    Cancelled,
}

impl Fault {
    /// The name in records, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::RateLimited { .. } => "rate_limited",
            Self::Auth => "auth",
            Self::NoCredit => "no_credit",
            Self::ContextLength => "context_length",
            Self::RetiredModel => "retired_model",
            Self::BadRequest => "bad_request",
            Self::Unsupported => "unsupported",
            Self::BrokenStream => "broken_stream",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the breaker of the target counts it as a failure.
    pub const fn counts_against_target(self) -> bool {
        matches!(self, Self::Transient { .. } | Self::RateLimited { .. } | Self::BrokenStream | Self::Timeout)
    }

    /// Whether the breaker opens at the first one: the next request would fail in the same way.
    pub const fn opens_at_once(self) -> bool {
        matches!(self, Self::Auth | Self::NoCredit | Self::RetiredModel)
    }

    /// Whether another target may be tried, before the commit point.
    pub const fn may_retry_elsewhere(self) -> bool {
        !matches!(self, Self::BadRequest | Self::Cancelled)
    }

    /// Whether the same target may be tried again within this request.
    pub const fn may_retry_here(self) -> bool {
        matches!(self, Self::Transient { .. } | Self::BrokenStream)
    }

    /// Whether the target's standing suffers at all; a reroute for length or for lack of a feature leaves
    /// it as it was.
    pub const fn penalises(self) -> bool {
        self.counts_against_target() || self.opens_at_once()
    }

    /// Whether the catalogue's entry for the model is to be marked: the provider said that it is gone.
    pub const fn marks_model(self) -> bool {
        matches!(self, Self::RetiredModel)
    }

    /// The floor of the pause before the target is tried again.
    pub const fn retry_after(self) -> Option<Span> {
        match self {
            Self::Transient { retry_after } | Self::RateLimited { retry_after } => retry_after,
            _ => None,
        }
    }

    /// Whose fault it is. A key or an account that the provider refuses is the operator's, who is Mains
    /// towards the caller.
    pub const fn whose(self) -> Whose {
        match self {
            Self::Auth | Self::NoCredit => Whose::Mains,
            Self::BadRequest | Self::ContextLength | Self::Cancelled => Whose::Caller,
            _ => Whose::Provider,
        }
    }

    const fn with_retry_after(self, retry_after: Option<Span>) -> Self {
        match self {
            Self::Transient { .. } => Self::Transient { retry_after },
            Self::RateLimited { .. } => Self::RateLimited { retry_after },
            other => other,
        }
    }
}

/// [`Fault::Transient`] without a time, for tables.
pub const TRANSIENT: Fault = Fault::Transient { retry_after: None };
/// [`Fault::RateLimited`] without a time, for tables.
pub const RATE_LIMITED: Fault = Fault::RateLimited { retry_after: None };

/// How a provider spells a fault. Every part that is given must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRule {
    /// The HTTP status; `None` for any, and for errors in a stream.
    pub status: Option<u16>,
    /// The error's `code` or `type`, whole; empty for any.
    pub code: &'static str,
    /// A part of the message, in lower case; empty for any.
    pub message: &'static str,
    /// What it means.
    pub fault: Fault,
    /// Where the spelling was seen.
    pub source: &'static str,
    /// The day it was seen there, `YYYY-MM-DD`.
    pub read: &'static str,
}

impl FaultRule {
    fn matches(&self, error: &ProviderError, message: &str) -> bool {
        self.status.is_none_or(|status| error.status == Some(status))
            && (self.code.is_empty() || self.code == error.code || self.code == error.kind)
            && message.contains(self.message)
    }
}

const fn code(code: &'static str, fault: Fault, source: &'static str) -> FaultRule {
    FaultRule { status: None, code, message: "", fault, source, read: "2026-11-24" }
}

const fn says(message: &'static str, fault: Fault, source: &'static str) -> FaultRule {
    FaultRule { status: None, code: "", message, fault, source, read: "2026-11-24" }
}

const OPENAI_QUOTA: &str =
    "learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/openai-insufficient-quota";
const OPENAI_ERRORS: &str = "developers.openai.com/docs/guides/error-codes";
const ANTHROPIC_ERRORS: &str = "platform.claude.com/docs/en/api/errors";

/// Spellings that many providers share, in the order in which they are asked.
pub const COMMON: &[FaultRule] = &[
    code("context_length_exceeded", Fault::ContextLength, "github.com/crewAIInc/crewAI-examples/issues/121"),
    code("exceed_context_size_error", Fault::ContextLength, "github.com/ggml-org/llama.cpp/pull/15780"),
    says("maximum context length", Fault::ContextLength, "github.com/vllm-project/vllm/issues/20409"),
    code("insufficient_quota", Fault::NoCredit, "github.com/Pythagora-io/gpt-pilot/issues/340"),
    code("credit_balance_exhausted", Fault::NoCredit, OPENAI_QUOTA),
    code("organization_spend_limit_exceeded", Fault::NoCredit, OPENAI_QUOTA),
    code("project_spend_limit_exceeded", Fault::NoCredit, OPENAI_QUOTA),
    code("organization_usage_limit_exceeded", Fault::NoCredit, OPENAI_QUOTA),
    code("insufficient_credits", Fault::NoCredit, "github.com/Gitlawb/openclaude/issues/1528"),
    code("billing_error", Fault::NoCredit, ANTHROPIC_ERRORS),
    says("insufficient balance", Fault::NoCredit, "github.com/Aider-AI/aider/issues/4851"),
    code("model_not_found", Fault::RetiredModel, "github.com/simonw/llm/issues/1553"),
    code("model_decommissioned", Fault::RetiredModel, "github.com/crewAIInc/crewAI/issues/1976"),
    code("invalid_api_key", Fault::Auth, OPENAI_ERRORS),
    code("authentication_error", Fault::Auth, ANTHROPIC_ERRORS),
    code("permission_error", Fault::Auth, ANTHROPIC_ERRORS),
    code("slow_down", RATE_LIMITED, OPENAI_QUOTA),
    code("rate_limit_exceeded", RATE_LIMITED, OPENAI_QUOTA),
    code("rate_limit_error", RATE_LIMITED, ANTHROPIC_ERRORS),
    code("overloaded_error", TRANSIENT, ANTHROPIC_ERRORS),
    code("api_error", TRANSIENT, ANTHROPIC_ERRORS),
    code("timeout_error", TRANSIENT, ANTHROPIC_ERRORS),
    code("server_error", TRANSIENT, OPENAI_ERRORS),
    code("unsupported_parameter", Fault::Unsupported, "github.com/tailcallhq/forgecode/issues/1081"),
];

/// The fault behind what a provider said: first by the provider's own table, then by [`COMMON`], then by
/// the status. A 5xx is transient whatever it says, unless the provider's own table knows better: a server
/// that is out of order is not believed about the request.
pub fn classify(own: &[FaultRule], error: &ProviderError) -> Fault {
    let message = error.message.to_lowercase();
    let matched =
        |rules: &[FaultRule]| rules.iter().find(|rule| rule.matches(error, &message)).map(|rule| rule.fault);
    let status = spoken_status(error);
    let fault = matched(own).unwrap_or_else(|| match status {
        Some(500..) => TRANSIENT,
        // The two statuses that say more than any code: a code may be the same for all 4xx.
        Some(401) => Fault::Auth,
        Some(402) => Fault::NoCredit,
        status => matched(COMMON).unwrap_or_else(|| by_status(status, error)),
    });
    fault.with_retry_after(error.retry_after)
}

/// The status of the reply, or the one that an error inside a reply of status 200 has as its `code`, as
/// OpenRouter does (openrouter.ai/docs/api/reference/errors-and-debugging, read 2026-11-24).
fn spoken_status(error: &ProviderError) -> Option<u16> {
    let said = error.code.parse().ok().filter(|code| (400..600).contains(code));
    error.status.filter(|status| *status >= 400).or(said).or(error.status)
}

fn by_status(status: Option<u16>, error: &ProviderError) -> Fault {
    match status {
        Some(403) => Fault::Auth,
        // Only what speaks of a model says that a model is gone; a page of a web server says that the path is.
        Some(404 | 410)
            if error.kind == "not_found_error" || error.message.to_lowercase().contains("model") =>
        {
            Fault::RetiredModel
        }
        Some(404 | 405 | 410 | 415) => Fault::Unsupported,
        Some(408 | 409 | 425) => TRANSIENT,
        Some(429) => RATE_LIMITED,
        Some(400..=499) => Fault::BadRequest,
        // An error inside a stream or inside a reply of status 200 has its type only.
        None | Some(200..=299) if error.kind == "invalid_request_error" => Fault::BadRequest,
        None | Some(200..=299) if error.kind == "not_found_error" => Fault::RetiredModel,
        // Redirects are not followed, and what was never said is nobody's mistake but the provider's.
        _ => TRANSIENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expect: Fault) {
        assert_eq!(
            classify(&[], &ProviderError::read(status, None, body.as_bytes())),
            expect,
            "{status} {body}"
        );
    }

    #[test]
    fn common_spellings_are_known() {
        check(
            404,
            r#"{"error":{"message":"gone","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            Fault::RetiredModel,
        );
        check(
            400,
            r#"{"error":{"message":"x","type":"invalid_request_error","code":"model_decommissioned"}}"#,
            Fault::RetiredModel,
        );
        check(
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"BadRequestError","code":400}}"#,
            Fault::ContextLength,
        );
        check(
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Fault::NoCredit,
        );
        check(
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            Fault::NoCredit,
        );
        check(429, "slow down", RATE_LIMITED);
        check(
            400,
            r#"{"error":{"message":"missing messages","type":"invalid_request_error"}}"#,
            Fault::BadRequest,
        );
        check(422, r#"{"detail":[{"msg":"field required"}]}"#, Fault::BadRequest);
        check(502, "<html><title>Bad gateway</title></html>", TRANSIENT);
        check(503, r#"{"error":{"code":"context_length_exceeded"}}"#, TRANSIENT);
        check(
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            TRANSIENT,
        );
        check(404, "<title>404 Not Found</title>", Fault::Unsupported);
        check(404, r#"{"error":"model 'x' not found"}"#, Fault::RetiredModel);
        check(401, "", Fault::Auth);
        check(302, "", TRANSIENT);
    }

    #[test]
    fn an_error_in_a_stream_is_classified_by_its_type() {
        let error = |kind: &str| ProviderError { kind: kind.to_owned(), ..ProviderError::default() };
        assert_eq!(classify(&[], &error("overloaded_error")), TRANSIENT);
        assert_eq!(classify(&[], &error("invalid_request_error")), Fault::BadRequest);
        assert_eq!(classify(&[], &error("")), TRANSIENT);
        let inside = ProviderError::inside(br#"{"code":402,"message":"Insufficient credits"}"#);
        assert_eq!(classify(&[], &inside), Fault::NoCredit);
        let inside = ProviderError::inside(br#"{"code":502,"message":"down"}"#);
        assert_eq!(classify(&[], &inside), TRANSIENT);
    }

    #[test]
    fn the_rules_of_failover_hold() {
        let wait = Some(Span::from_s(7));
        assert_eq!(classify(&[], &ProviderError::read(429, wait, b"")).retry_after(), wait);
        for fault in [Fault::Auth, Fault::NoCredit, Fault::RetiredModel] {
            assert!(fault.opens_at_once() && fault.may_retry_elsewhere() && !fault.counts_against_target());
        }
        assert!(Fault::ContextLength.may_retry_elsewhere() && !Fault::ContextLength.penalises());
        assert!(!Fault::BadRequest.may_retry_elsewhere() && !Fault::BadRequest.penalises());
        assert!(TRANSIENT.counts_against_target() && TRANSIENT.may_retry_here());
        assert!(Fault::RetiredModel.marks_model());
    }
}
