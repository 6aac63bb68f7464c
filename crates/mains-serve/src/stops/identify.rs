//! Stop 2: who asks.
//!
//! Without any key the outlet is a loopback service and takes no notice of what a client sends as its key.
//! Once a key is made, a valid one is required.

use super::{Arrived, Caller, Known, Who};
use crate::outlet::Outlet;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use mains_wire::error::Refusal;

/// Finds the caller; a stranger is refused with 401.
pub(crate) fn identify(outlet: &Outlet, arrived: Arrived) -> Result<Known, Refusal> {
    let caller = if outlet.keys.required() { keyed(outlet, &arrived)? } else { Caller::default() };
    // Without randomness no commitment can be made, and nothing may be promised.
    let commit_key = outlet.entropy.key().map_err(|_| Refusal::Internal { request: arrived.id })?;
    let who = Who {
        id: arrived.id,
        at: arrived.at,
        started: arrived.started,
        dialect: arrived.dialect,
        caller,
        commit_key,
        live: outlet.live(),
    };
    Ok(Known { who, headers: arrived.headers, body: arrived.body })
}

fn keyed(outlet: &Outlet, arrived: &Arrived) -> Result<Caller, Refusal> {
    let presented = presented(&arrived.headers)
        .ok_or_else(|| refuse("no key was sent; send it as `Authorization: Bearer …` or `x-api-key`"))?;
    let known = outlet.keys.find(presented, arrived.at).map_err(refuse)?;
    Ok(Caller { key: Some(known.id), project: known.project })
}

fn refuse(detail: impl Into<String>) -> Refusal {
    Refusal::KeyUnknown { detail: detail.into() }
}

/// The key as a client sends it, in either habit.
pub(crate) fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer =
        bearer.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    bearer.or_else(|| headers.get("x-api-key").and_then(|value| value.to_str().ok())).map(str::trim)
}
