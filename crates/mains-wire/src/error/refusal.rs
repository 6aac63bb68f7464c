//! The list of what Mains refuses with.

use super::{ErrorBody, Whose};
use crate::JsonError;
use crate::fault::Fault;
use mains_units::{RequestId, Span, Timestamp};

/// An attempt that failed, as it is told to the caller. No words of the provider stand in it: they may hold
/// what is the operator's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The target, as the route names it.
    pub target: String,
    /// Why it failed.
    pub fault: Fault,
    /// The provider's HTTP status, if it answered.
    pub status: Option<u16>,
}

/// The deadlines of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Until a connection stands.
    Connect,
    /// Until the first content.
    FirstContent,
    /// Between two pieces of content.
    Idle,
    /// For the whole request.
    Total,
}

impl Deadline {
    const fn words(self) -> &'static str {
        match self {
            Self::Connect => "no target took a connection",
            Self::FirstContent => "no target began to answer",
            Self::Idle => "the target fell silent",
            Self::Total => "the answer was not complete",
        }
    }
}

/// Why Mains does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The key is missing, unknown, expired or revoked.
    KeyUnknown {
        /// Which of these, in a few words; never the key.
        detail: String,
    },
    /// The request comes from a place that may not ask: another origin or host name.
    PlaceForbidden {
        /// What was wrong, in a few words.
        detail: String,
    },
    /// The policy forbids it.
    PolicyDenied {
        /// The rules that decided.
        rules: Vec<String>,
        /// The reason that they give.
        reason: String,
    },
    /// A budget is spent.
    BudgetSpent {
        /// What is spent, with its limit: `USD (limit 200.00)`.
        unit: String,
        /// Whose budget: `project:search`.
        scope: String,
        /// When it renews; never, if `None`.
        renews_at: Option<Timestamp>,
        /// How long until then.
        renews_in: Option<Span>,
        /// Answer with 429 in place of 402: a setting, for clients that know no 402.
        as_429: bool,
    },
    /// A rate (requests or tokens in a window of an hour or less) is reached.
    RateLimited {
        /// What is reached: `60 requests per minute`.
        limit: String,
        /// Whose limit.
        scope: String,
        /// How long until the window opens.
        retry_after: Span,
    },
    /// No route has that model, or the key may not use it.
    ModelUnknown {
        /// The name asked for.
        model: String,
        /// Names that are close to it, nearest first.
        nearest: Vec<String>,
    },
    /// There is no such path here.
    PathUnknown {
        /// The path asked for.
        path: String,
    },
    /// Every target was tried, or none is healthy.
    NoHealthyTarget {
        /// What was tried, in order.
        attempts: Vec<FailedAttempt>,
        /// How long until a target may be tried again.
        retry_after: Option<Span>,
    },
    /// A limit of the whole outlet binds, and this request is not worth its price.
    Shed {
        /// The limit, with its price: `power (0.002 USD per request)`.
        wall: String,
        /// How long until it may be better.
        retry_after: Span,
    },
    /// A deadline passed.
    TimedOut {
        /// Which.
        deadline: Deadline,
        /// How long was waited.
        after: Span,
        /// What was tried, in order.
        attempts: Vec<FailedAttempt>,
    },
    /// The stream broke after content was sent, so no other target may go on.
    StreamBroken {
        /// What happened, in a few words.
        detail: String,
        /// The target that broke.
        attempts: Vec<FailedAttempt>,
    },
    /// The body is too large.
    BodyTooLarge {
        /// The most that is taken, in bytes.
        limit: u64,
    },
    /// The body is not what the dialect asks for.
    BadRequest {
        /// What is wrong and where.
        message: String,
        /// The member that is wrong.
        param: Option<String>,
    },
    /// Mains itself failed.
    Internal {
        /// The request, by which the operator finds the reason in the log.
        request: RequestId,
    },
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        let message = format!("the body is no JSON object that can be read: {error}");
        Self::BadRequest { message, param: None }
    }
}

impl Refusal {
    /// The name in records and metrics; also OpenAI's `code`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyUnknown { .. } => "invalid_api_key",
            Self::PlaceForbidden { .. } => "place_forbidden",
            Self::PolicyDenied { .. } => "policy_denied",
            Self::BudgetSpent { .. } => "budget_exceeded",
            Self::RateLimited { .. } => "rate_limit_exceeded",
            Self::ModelUnknown { .. } => "model_not_found",
            Self::PathUnknown { .. } => "path_not_found",
            Self::NoHealthyTarget { .. } => "no_healthy_target",
            Self::Shed { .. } => "limit_reached",
            Self::TimedOut { .. } => "timeout",
            Self::StreamBroken { .. } => "stream_broken",
            Self::BodyTooLarge { .. } => "request_too_large",
            Self::BadRequest { .. } => "invalid_request",
            Self::Internal { .. } => "internal_error",
        }
    }

    /// Status, OpenAI's `type` and Anthropic's `type`.
    const fn class(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::KeyUnknown { .. } => (401, "invalid_request_error", "authentication_error"),
            Self::PlaceForbidden { .. } | Self::PolicyDenied { .. } => {
                (403, "permission_error", "permission_error")
            }
            Self::BudgetSpent { as_429: true, .. } => (429, "insufficient_quota", "rate_limit_error"),
            Self::BudgetSpent { .. } => (402, "insufficient_quota", "billing_error"),
            Self::RateLimited { .. } => (429, "rate_limit_error", "rate_limit_error"),
            Self::ModelUnknown { .. } | Self::PathUnknown { .. } => {
                (404, "invalid_request_error", "not_found_error")
            }
            Self::NoHealthyTarget { .. } | Self::Shed { .. } => (503, "server_error", "overloaded_error"),
            Self::TimedOut { .. } => (504, "server_error", "timeout_error"),
            Self::StreamBroken { .. } => (502, "server_error", "api_error"),
            Self::BodyTooLarge { .. } => (413, "invalid_request_error", "request_too_large"),
            Self::BadRequest { .. } => (400, "invalid_request_error", "invalid_request_error"),
            Self::Internal { .. } => (500, "server_error", "api_error"),
        }
    }

    /// Whose fault it is.
    pub const fn whose(&self) -> Whose {
        match self {
            Self::Shed { .. } | Self::Internal { .. } => Whose::Mains,
            Self::NoHealthyTarget { .. } | Self::TimedOut { .. } | Self::StreamBroken { .. } => {
                Whose::Provider
            }
            _ => Whose::Caller,
        }
    }

    /// The error in no dialect yet.
    pub fn body(&self) -> ErrorBody {
        let (status, kind, anthropic_kind) = self.class();
        let (retry_after, should_retry) = self.retry();
        ErrorBody {
            status,
            kind: kind.into(),
            code: self.code().into(),
            anthropic_kind,
            message: self.message(),
            param: self.param(),
            whose: self.whose(),
            retry_after,
            should_retry,
            attempts: self.attempts().to_vec(),
        }
    }

    fn retry(&self) -> (Option<Span>, Option<bool>) {
        match self {
            // Clients try again after 429 at once when the wait is long, and an empty budget stays empty.
            Self::BudgetSpent { renews_in, .. } => (*renews_in, Some(false)),
            Self::RateLimited { retry_after, .. } | Self::Shed { retry_after, .. } => {
                (Some(*retry_after), None)
            }
            Self::NoHealthyTarget { retry_after, .. } => (*retry_after, None),
            _ => (None, None),
        }
    }

    fn param(&self) -> Option<String> {
        match self {
            Self::BadRequest { param, .. } => param.clone(),
            Self::ModelUnknown { .. } => Some("model".into()),
            _ => None,
        }
    }

    fn attempts(&self) -> &[FailedAttempt] {
        match self {
            Self::NoHealthyTarget { attempts, .. }
            | Self::TimedOut { attempts, .. }
            | Self::StreamBroken { attempts, .. } => attempts,
            _ => &[],
        }
    }

    fn message(&self) -> String {
        match self {
            Self::KeyUnknown { detail } => {
                format!(
                    "this outlet does not take the key: {detail}\nhint: ask its operator for a key, made with `mains key create`"
                )
            }
            Self::PlaceForbidden { detail } => {
                format!("this outlet does not take requests from there: {detail}")
            }
            Self::PolicyDenied { rules, reason } => {
                format!("the policy forbids this request: {reason} (rules: {})", listed(rules, "none named"))
            }
            Self::BudgetSpent { unit, scope, renews_at, .. } => match renews_at {
                Some(renewal) => format!("the budget of `{scope}` is spent: {unit}; it renews at {renewal}"),
                None => format!("the budget of `{scope}` is spent: {unit}; it does not renew"),
            },
            Self::RateLimited { limit, scope, .. } => format!("`{scope}` has reached its limit of {limit}"),
            Self::ModelUnknown { model, nearest } if nearest.is_empty() => {
                format!("no route for the model `{model}`\nhint: `GET /v1/models` lists the routes")
            }
            Self::ModelUnknown { model, nearest } => {
                format!("no route for the model `{model}`\nhint: did you mean {}?", listed(nearest, ""))
            }
            Self::PathUnknown { path } => format!("there is no `{path}` here"),
            Self::NoHealthyTarget { attempts, .. } if attempts.is_empty() => {
                "no target is healthy, so none was tried".into()
            }
            Self::NoHealthyTarget { attempts, .. } => format!("every target failed: {}", told(attempts)),
            Self::Shed { wall, .. } => format!("a limit is reached: {wall}"),
            Self::TimedOut { deadline, after, attempts } => {
                let tried =
                    if attempts.is_empty() { String::new() } else { format!(" ({})", told(attempts)) };
                format!("{} within {} ms{tried}", deadline.words(), after.as_ms())
            }
            Self::StreamBroken { detail, attempts } => {
                format!("the answer broke off, what came before is incomplete: {detail} ({})", told(attempts))
            }
            Self::BodyTooLarge { limit } => format!("the body is larger than {limit} bytes"),
            Self::BadRequest { message, .. } => message.clone(),
            Self::Internal { request } => {
                format!("the outlet failed\nhint: its log tells why, under `{request}`")
            }
        }
    }
}

fn listed(names: &[String], none: &str) -> String {
    if names.is_empty() {
        return none.into();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn told(attempts: &[FailedAttempt]) -> String {
    let words = attempts.iter().map(|attempt| match attempt.status {
        Some(status) => format!("`{}`: {} ({status})", attempt.target, attempt.fault.name()),
        None => format!("`{}`: {}", attempt.target, attempt.fault.name()),
    });
    words.collect::<Vec<_>>().join(", ")
}
