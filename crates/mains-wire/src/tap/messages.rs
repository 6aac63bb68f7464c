//! Anthropic messages.

use super::{CachedTokens, Kind, Observed, is_empty, usage, weight};
use crate::error::ProviderError;
use crate::scan::{self as json, Member};
use std::borrow::Cow;

fn value_of<'a>(members: &[Member<'a>], key: &str) -> Option<&'a [u8]> {
    members.iter().rev().find(|member| member.key == key).map(|member| member.value)
}

/// Reads one event. `message_start`, `ping` and the start of an empty block may come again from another
/// target; the start of a tool call already names the tool.
pub(super) fn event(observed: &mut Observed, members: &[Member<'_>], cached: CachedTokens) -> Kind {
    let kind = value_of(members, "type").map_or(Cow::Borrowed(""), json::text);
    match kind.as_ref() {
        "message_start" => {
            let message = value_of(members, "message").unwrap_or(b"{}");
            note_message(observed, message, cached);
            Kind::Preamble
        }
        "ping" => Kind::Preamble,
        "content_block_start" => {
            let block = value_of(members, "content_block").unwrap_or(b"{}");
            if is_empty_block(block) { Kind::Preamble } else { Kind::Content }
        }
        "content_block_delta" => {
            let delta = value_of(members, "delta").unwrap_or(b"{}");
            for part in json::members(delta).unwrap_or_default() {
                if part.key != "type" {
                    observed.content_bytes += weight(part.value);
                }
            }
            Kind::Content
        }
        "message_delta" => {
            if let Some(reason) = value_of(members, "delta").and_then(|delta| json::get(delta, "stop_reason"))
            {
                observed.stop_reason = json::string(reason).map(Cow::into_owned);
            }
            if let Some(value) = value_of(members, "usage") {
                observed.usage = usage::anthropic(observed.usage, value, cached);
                observed.usage_final = observed.usage.is_some();
            }
            Kind::Content
        }
        "message_stop" => Kind::End,
        "error" => Kind::Error(ProviderError::inside(value_of(members, "error").unwrap_or(b"{}"))),
        // A server that is only nearly compatible sends an OpenAI error here.
        "" if value_of(members, "error").is_some_and(|error| !is_empty(error)) => {
            Kind::Error(ProviderError::inside(value_of(members, "error").unwrap_or(b"{}")))
        }
        "content_block_stop" if !observed.content => Kind::Preamble,
        _ => Kind::Content,
    }
}

fn is_empty_block(block: &[u8]) -> bool {
    let members = json::members(block).unwrap_or_default();
    let textual =
        value_of(&members, "type").is_some_and(|kind| matches!(kind, b"\"text\"" | b"\"thinking\""));
    textual && members.iter().all(|member| member.key == "type" || is_empty(member.value))
}

fn note_message(observed: &mut Observed, message: &[u8], cached: CachedTokens) {
    for member in json::members(message).unwrap_or_default() {
        match member.key.as_ref() {
            "id" => Observed::note(&mut observed.id, member.value),
            "model" => Observed::note(&mut observed.model, member.value),
            "stop_reason" => observed.stop_reason = json::string(member.value).map(Cow::into_owned),
            "usage" => observed.usage = usage::anthropic(observed.usage, member.value, cached),
            _ => {}
        }
    }
}

/// Reads a whole reply; the error, if it is one in spite of its status.
pub(super) fn whole(
    observed: &mut Observed,
    body: &[u8],
    members: &[Member<'_>],
    cached: CachedTokens,
) -> Option<ProviderError> {
    let said_error = value_of(members, "type") == Some(b"\"error\"");
    if said_error || value_of(members, "error").is_some_and(|error| !is_empty(error)) {
        return Some(ProviderError::inside(body));
    }
    note_message(observed, body, cached);
    observed.usage_final = observed.usage.is_some();
    None
}
