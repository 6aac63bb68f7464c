//! OpenAI embeddings.

use super::{CachedTokens, Observed, is_empty, usage};
use crate::error::ProviderError;
use crate::scan::Member;

/// Reads a whole reply; the error, if it is one in spite of its status.
pub(super) fn whole(
    observed: &mut Observed,
    body: &[u8],
    members: &[Member<'_>],
    cached: CachedTokens,
) -> Option<ProviderError> {
    for member in members {
        match member.key.as_ref() {
            "error" if !is_empty(member.value) => return Some(ProviderError::inside(body)),
            "id" => Observed::note(&mut observed.id, member.value),
            "model" => Observed::note(&mut observed.model, member.value),
            "usage" => {
                observed.usage = usage::openai(member.value, cached);
                observed.usage_final = observed.usage.is_some();
            }
            _ => {}
        }
    }
    None
}
