//! OpenAI responses.

use super::{CachedTokens, Kind, Observed, is_empty, usage, weight};
use crate::error::ProviderError;
use crate::scan::{self as json, Member};
use std::borrow::Cow;

/// Reads one event. Everything that only announces what will come is preamble; an event that is not known
/// here counts as content, since a client may already act on it.
pub(super) fn event(
    observed: &mut Observed,
    data: &[u8],
    members: &[Member<'_>],
    cached: CachedTokens,
) -> Kind {
    let mut kind = Cow::Borrowed("");
    let (mut response, mut item): (&[u8], &[u8]) = (b"{}", b"{}");
    for member in members {
        match member.key.as_ref() {
            "type" => kind = json::text(member.value),
            "response" => response = member.value,
            "item" => item = member.value,
            "delta" => observed.content_bytes += weight(member.value),
            "sequence_number" => {
                let next = json::integer(member.value).unwrap_or(0).saturating_add(1);
                observed.next_sequence = observed.next_sequence.max(next);
            }
            _ => {}
        }
    }
    match kind.as_ref() {
        "response.created" | "response.queued" | "response.in_progress" => {
            note_response(observed, response, cached);
            Kind::Preamble
        }
        "response.content_part.added" | "response.reasoning_summary_part.added" => Kind::Preamble,
        "response.output_item.added" => {
            let announces =
                json::get(item, "type").is_some_and(|kind| matches!(kind, b"\"message\"" | b"\"reasoning\""));
            if announces { Kind::Preamble } else { Kind::Content }
        }
        "response.completed" | "response.incomplete" | "response.cancelled" => {
            note_response(observed, response, cached);
            Kind::End
        }
        "response.failed" => {
            note_response(observed, response, cached);
            Kind::Error(ProviderError::inside(json::get(response, "error").unwrap_or(b"{}")))
        }
        "error" => Kind::Error(ProviderError::inside(data)),
        "" if json::get(data, "error").is_some() => Kind::Error(ProviderError::inside(data)),
        _ => Kind::Content,
    }
}

fn note_response(observed: &mut Observed, response: &[u8], cached: CachedTokens) {
    for member in json::members(response).unwrap_or_default() {
        match member.key.as_ref() {
            "id" => Observed::note(&mut observed.id, member.value),
            "model" => Observed::note(&mut observed.model, member.value),
            "status" => observed.stop_reason = json::string(member.value).map(Cow::into_owned),
            "usage" => {
                if let Some(counted) = usage::openai(member.value, cached) {
                    observed.usage = Some(counted);
                    observed.usage_final = true;
                }
            }
            _ => {}
        }
    }
    // `incomplete` says nothing by itself; the reason does.
    if let Some(reason) = json::path(response, &["incomplete_details", "reason"]).and_then(json::string) {
        observed.stop_reason = Some(reason.into_owned());
    }
}

/// Reads a whole reply; the error, if it is one in spite of its status.
pub(super) fn whole(
    observed: &mut Observed,
    body: &[u8],
    members: &[Member<'_>],
    cached: CachedTokens,
) -> Option<ProviderError> {
    note_response(observed, body, cached);
    let error = members.iter().rev().find(|member| member.key == "error")?;
    (!is_empty(error.value)).then(|| ProviderError::inside(body))
}
