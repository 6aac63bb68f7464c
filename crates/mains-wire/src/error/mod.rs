//! What goes wrong, said in the caller's own dialect.
//!
//! Read [`Refusal`], the list of what Mains refuses with; it becomes an [`ErrorBody`], which [`ErrorBody::render`]
//! writes as a whole answer and [`ErrorBody::in_stream`] as the end of a stream that has begun. A provider's
//! error is read by [`ProviderError`] and becomes an [`ErrorBody`] too. Every one says whose fault it is.
//!
//! Statuses decide what clients do next: the official SDKs try again after 408, 409, 429 and 5xx, and obey
//! `x-should-retry` (seen in openai 3.57.0 and anthropic 2.13.0 for Python, read 2026-11-24). So an empty
//! budget is 402 and says `x-should-retry: false`.

mod provider;
mod refusal;

pub use provider::{ProviderError, retry_after};
pub use refusal::{Deadline, FailedAttempt, Refusal};

use crate::{Dialect, fault::Fault, sse};
use mains_units::{RequestId, Span};
use serde_json::{Map, Value, json};

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The outlet's, or its operator's.
    Mains,
    /// The caller's.
    Caller,
    /// The provider's.
    Provider,
}

impl Whose {
    /// The word in bodies, headers and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mains => "mains",
            Self::Caller => "caller",
            Self::Provider => "provider",
        }
    }
}

/// An error in no dialect yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// The HTTP status in the OpenAI dialects.
    pub status: u16,
    /// OpenAI's `type`.
    pub kind: String,
    /// OpenAI's `code`.
    pub code: String,
    /// Anthropic's `type`; it decides the status in that dialect, see [`ErrorBody::status_in`].
    pub anthropic_kind: &'static str,
    /// What is said, hint included.
    pub message: String,
    /// OpenAI's `param`: the member of the request that is wrong.
    pub param: Option<String>,
    /// Whose fault it is.
    pub whose: Whose,
    /// The header `retry-after`, rounded up to seconds.
    pub retry_after: Option<Span>,
    /// The header `x-should-retry`; without it the client goes by the status.
    pub should_retry: Option<bool>,
    /// The targets that were tried, and why each failed.
    pub attempts: Vec<FailedAttempt>,
}

/// An answer that is an error, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// All headers that the error needs, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Where a stream of OpenAI responses stands when it must end with an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamPlace {
    /// The `sequence_number` of the next event.
    pub next_sequence: u64,
    /// The answer's id, as far as one was said.
    pub id: Option<String>,
    /// The model's name, as far as one was said.
    pub model: Option<String>,
}

impl ErrorBody {
    /// A provider's error towards the caller. What the caller can mend keeps its status and its words. A
    /// refused key or an empty account is the operator's matter: the caller must not take it for its own
    /// key (401) or its own budget (402), so it becomes a 502 that is not to be tried again.
    pub fn from_provider(error: &ProviderError, fault: Fault) -> Self {
        let message = error.message.clone();
        let (status, kind, code, anthropic_kind) = match fault {
            Fault::Auth => (502, "server_error", "upstream_auth", "api_error"),
            Fault::NoCredit => (502, "server_error", "upstream_no_credit", "api_error"),
            Fault::RateLimited { .. } => (429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
            Fault::ContextLength => {
                (400, "invalid_request_error", "context_length_exceeded", "invalid_request_error")
            }
            Fault::RetiredModel => (404, "invalid_request_error", "model_not_found", "not_found_error"),
            Fault::Unsupported => (400, "invalid_request_error", "unsupported", "invalid_request_error"),
            Fault::Timeout => (504, "server_error", "timeout", "timeout_error"),
            Fault::BrokenStream => (502, "server_error", "broken_stream", "api_error"),
            Fault::Cancelled => (499, "server_error", "cancelled", "api_error"),
            Fault::Transient { .. } if error.status == Some(529) => {
                (503, "server_error", "overloaded", "overloaded_error")
            }
            Fault::Transient { .. } => (502, "server_error", "upstream_error", "api_error"),
            Fault::BadRequest => return Self::bad_request_of(error),
        };
        let message = match fault {
            Fault::Auth => format!("the provider refused the outlet's key: {message}"),
            Fault::NoCredit => format!("the outlet's account at the provider has no credit: {message}"),
            _ => message,
        };
        let final_for_client = matches!(fault, Fault::Auth | Fault::NoCredit);
        Self {
            status,
            kind: kind.into(),
            code: code.into(),
            anthropic_kind,
            message,
            param: error.param.clone(),
            whose: fault.whose(),
            retry_after: fault.retry_after(),
            should_retry: final_for_client.then_some(false),
            attempts: Vec::new(),
        }
    }

    /// A 4xx of the provider's that is about the request: its status, type and code stay.
    fn bad_request_of(error: &ProviderError) -> Self {
        let status = error.status.filter(|status| (400..500).contains(status)).unwrap_or(400);
        let kind = if error.kind.is_empty() { "invalid_request_error" } else { &error.kind };
        let anthropic_kind = match status {
            413 => "request_too_large",
            409 => "conflict_error",
            _ => "invalid_request_error",
        };
        Self {
            status,
            kind: kind.into(),
            code: error.code.clone(),
            anthropic_kind,
            message: error.message.clone(),
            param: error.param.clone(),
            whose: Whose::Caller,
            retry_after: None,
            should_retry: None,
            attempts: Vec::new(),
        }
    }

    /// The HTTP status in a dialect. Anthropic has 529 where others have 503.
    pub fn status_in(&self, dialect: Dialect) -> u16 {
        if dialect.is_anthropic() && self.anthropic_kind == "overloaded_error" { 529 } else { self.status }
    }

    /// The whole answer, with the request's id in the body (Anthropic) and in the header that the dialect's
    /// SDK reads.
    pub fn render(&self, dialect: Dialect, request: RequestId) -> Rendered {
        let body =
            if dialect.is_anthropic() { self.anthropic(request) } else { json!({ "error": self.openai() }) };
        let id_header = if dialect.is_anthropic() { "request-id" } else { "x-request-id" };
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            (id_header, request.to_string()),
            ("x-mains-fault", self.whose.name().to_owned()),
        ];
        if let Some(wait) = self.retry_after {
            headers.push(("retry-after", wait.0.div_ceil(1_000_000_000).to_string()));
        }
        if let Some(retry) = self.should_retry {
            headers.push(("x-should-retry", retry.to_string()));
        }
        Rendered { status: self.status_in(dialect), headers, body: body.to_string().into_bytes() }
    }

    /// The bytes that end a stream which has begun; nothing may follow them, no `[DONE]` and no
    /// `message_stop`.
    ///
    /// For OpenAI responses these are two events: `response.failed`, and an `error` event with the
    /// documented flat members and an `error` object, because the SDKs raise only on the latter.
    pub fn in_stream(&self, dialect: Dialect, request: RequestId, place: &StreamPlace) -> Vec<u8> {
        let mut out = Vec::new();
        match dialect {
            Dialect::AnthropicMessages => {
                sse::write_event(&mut out, "error", self.anthropic(request).to_string().as_bytes());
            }
            Dialect::OpenaiResponses => {
                let (failed, error) = self.responses(request, place);
                sse::write_event(&mut out, "response.failed", failed.to_string().as_bytes());
                sse::write_event(&mut out, "error", error.to_string().as_bytes());
            }
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => {
                sse::write_event(&mut out, "", json!({ "error": self.openai() }).to_string().as_bytes());
            }
        }
        out
    }

    fn openai(&self) -> Value {
        let code = if self.code.is_empty() { Value::Null } else { self.code.as_str().into() };
        json!({
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": code,
            "mains": self.ours(),
        })
    }

    fn anthropic(&self, request: RequestId) -> Value {
        json!({
            "type": "error",
            "error": { "type": self.anthropic_kind, "message": self.message, "mains": self.ours() },
            "request_id": request.to_string(),
        })
    }

    fn responses(&self, request: RequestId, place: &StreamPlace) -> (Value, Value) {
        // The enumeration of `response.error.code` has two members that fit (openai 3.57.0).
        let code = if self.status == 429 { "rate_limit_exceeded" } else { "server_error" };
        let id = place.id.clone().unwrap_or_else(|| format!("resp_{request}"));
        let failed = json!({
            "type": "response.failed",
            "sequence_number": place.next_sequence,
            "response": {
                "id": id,
                "object": "response",
                "status": "failed",
                "model": place.model,
                "output": [],
                "error": { "code": code, "message": self.message },
            },
        });
        let error = json!({
            "type": "error",
            "sequence_number": place.next_sequence.saturating_add(1),
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "error": self.openai(),
        });
        (failed, error)
    }

    /// The members that only Mains has: whose fault it is, and what was tried.
    fn ours(&self) -> Value {
        let mut ours = Map::new();
        ours.insert("whose".into(), self.whose.name().into());
        if !self.attempts.is_empty() {
            let attempts = self.attempts.iter().map(|attempt| {
                json!({ "target": attempt.target, "fault": attempt.fault.name(), "status": attempt.status })
            });
            ours.insert("attempts".into(), attempts.collect());
        }
        ours.into()
    }
}
