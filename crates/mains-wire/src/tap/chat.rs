//! OpenAI chat completions.

use super::{CachedTokens, Kind, Observed, is_empty, usage, weight};
use crate::error::ProviderError;
use crate::scan::{self as json, Member};
use std::borrow::Cow;

/// Reads one chunk. The first chunk names the role and nothing else; some providers send one with no
/// choices at all before it (Azure: the filter results of the prompt).
pub(super) fn event(observed: &mut Observed, members: &[Member<'_>], cached: CachedTokens) -> Kind {
    let (mut content, mut choices, mut counted) = (false, 0, false);
    for member in members {
        match member.key.as_ref() {
            "error" if !is_empty(member.value) => return Kind::Error(ProviderError::inside(member.value)),
            "id" => Observed::note(&mut observed.id, member.value),
            "model" => Observed::note(&mut observed.model, member.value),
            "choices" => {
                for choice in json::elements(member.value) {
                    choices += 1;
                    content |= read_choice(observed, choice);
                }
            }
            "usage" => counted |= count(observed, member.value, cached),
            // Groq has its own place for it (helicone.ai/changelog/20250326-groq-streaming, read 2026-11-24).
            "x_groq" if observed.usage.is_none() => {
                if let Some(value) = json::get(member.value, "usage") {
                    count(observed, value, cached);
                }
            }
            _ => {}
        }
    }
    match (content, choices, counted) {
        (true, _, _) => Kind::Content,
        (false, 0, true) => Kind::Usage,
        _ => Kind::Preamble,
    }
}

fn count(observed: &mut Observed, value: &[u8], cached: CachedTokens) -> bool {
    let Some(counted) = usage::openai(value, cached) else { return false };
    observed.usage = Some(counted);
    observed.usage_final = true;
    true
}

/// Whether a choice brings anything that a client would show: whatever in its delta is neither the role nor
/// empty, or a finish reason.
fn read_choice(observed: &mut Observed, choice: &[u8]) -> bool {
    let mut content = false;
    for member in json::members(choice).unwrap_or_default() {
        match member.key.as_ref() {
            "finish_reason" if !is_empty(member.value) => {
                observed.stop_reason = json::string(member.value).map(Cow::into_owned);
                content = true;
            }
            "delta" | "message" => {
                for part in json::members(member.value).unwrap_or_default() {
                    if part.key != "role" && !is_empty(part.value) {
                        observed.content_bytes += weight(part.value);
                        content = true;
                    }
                }
            }
            _ => {}
        }
    }
    content
}

/// Reads a whole reply; the error, if it is one in spite of its status.
pub(super) fn whole(
    observed: &mut Observed,
    body: &[u8],
    members: &[Member<'_>],
    cached: CachedTokens,
) -> Option<ProviderError> {
    match event(observed, members, cached) {
        Kind::Error(_) => Some(ProviderError::inside(body)),
        _ => None,
    }
}
