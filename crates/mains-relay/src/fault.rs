//! What can go wrong with an attempt, and what follows from it for the target and for the request.
//!
//! The classes are those of DESIGN section 3.2. The server maps the fault tables of the providers to
//! these; the relay and the breakers read only [`Fault::consequence`].

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The provider says that it cannot serve now: 5xx, 408, 529.
    Unavailable,
    /// The provider says that we ask too often: 429.
    RateLimited,
    /// No connection: name resolution, TCP, TLS, a reset before the head of the reply.
    Unreachable,
    /// No connection within the connect deadline.
    ConnectTimeout,
    /// No real content within the first-content deadline.
    FirstContentTimeout,
    /// A gap between two pieces of the body longer than the idle deadline.
    IdleTimeout,
    /// A reply that is not of the target's dialect, or a preamble without end.
    Garbage,
    /// An error event inside a reply whose status was good.
    InBand,
    /// The body ended without the end that its dialect prescribes.
    BrokenStream,
    /// The provider does not accept our key: 401, 403.
    Auth,
    /// The account has no credit or is suspended: 402, or the provider's own spelling of it.
    Billing,
    /// The question is too long for this target; another target may take it.
    ContextLength,
    /// The provider says that the model is retired or unknown.
    Retired,
    /// Any other 4xx: the question itself is at fault, no target is.
    Caller,
    /// The request's own total deadline ran out on an attempt that had only the rest of it.
    Deadline,
}

/// What a fault means for the target's breaker and for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Counts against the target; the next target is tried, this one perhaps again later.
    Counts,
    /// Opens the target's breaker at once; the next target is tried.
    Opens,
    /// No penalty; the next target is tried.
    Reroutes,
    /// The target is dead from now on; the next target is tried.
    Retires,
    /// No penalty and no further attempt: the answer is the caller's to mend.
    Ends,
}

impl Fault {
    /// Every fault, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::Unavailable,
        Self::RateLimited,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::FirstContentTimeout,
        Self::IdleTimeout,
        Self::Garbage,
        Self::InBand,
        Self::BrokenStream,
        Self::Auth,
        Self::Billing,
        Self::ContextLength,
        Self::Retired,
        Self::Caller,
        Self::Deadline,
    ];

    /// What follows from this fault.
    pub fn consequence(self) -> Consequence {
        match self {
            Self::Unavailable
            | Self::RateLimited
            | Self::Unreachable
            | Self::ConnectTimeout
            | Self::FirstContentTimeout
            | Self::IdleTimeout
            | Self::Garbage
            | Self::InBand
            | Self::BrokenStream => Consequence::Counts,
            Self::Auth | Self::Billing => Consequence::Opens,
            Self::ContextLength | Self::Deadline => Consequence::Reroutes,
            Self::Retired => Consequence::Retires,
            Self::Caller => Consequence::Ends,
        }
    }

    /// The name written into records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::FirstContentTimeout => "first_content_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::Garbage => "garbage",
            Self::InBand => "in_band",
            Self::BrokenStream => "broken_stream",
            Self::Auth => "auth",
            Self::Billing => "billing",
            Self::ContextLength => "context_length",
            Self::Retired => "retired",
            Self::Caller => "caller",
            Self::Deadline => "deadline",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed_once_and_named_as_it_is_serialised() {
        let names: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
        for fault in Fault::ALL {
            assert_eq!(serde_json::to_string(&fault).unwrap(), format!("\"{}\"", fault.name()));
        }
    }
}
