//! The list rule: many ids of several makers close together are a table or a selector, not many uses.

use crate::detector::{Draft, File};
use crate::finding::{Class, Signal};
use crate::token;
use std::collections::BTreeSet;

/// How close together, in lines.
const WINDOW_LINES: u32 = 40;
/// How many different ids.
const DISTINCT_MIN: usize = 5;
/// Of how many families.
const FAMILIES_MIN: usize = 2;
/// Keys of tables of prices and limits.
const TABLE_KEYS: [&[u8]; 9] = [
    b"input_cost",
    b"output_cost",
    b"context_window",
    b"contextWindow",
    b"max_tokens",
    b"maxTokens",
    b"max_input_tokens",
    b"cost_per",
    b"pricing",
];

/// Re-classes the entries of lists among `drafts`.
pub(crate) fn fold(file: &File<'_>, drafts: &mut [Draft]) {
    let mut entries: Vec<(u32, usize, String)> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| {
            draft.listable && draft.class == Class::Use && matches!(draft.signal, Signal::Model { .. })
        })
        .map(|(index, draft)| (file.line_of(draft.start), index, file.slice((draft.start, draft.end))))
        .collect();
    entries.sort();
    let mut listed = BTreeSet::new();
    for (first, (line, ..)) in entries.iter().enumerate() {
        let window: Vec<_> =
            entries[first..].iter().take_while(|entry| entry.0 - line < WINDOW_LINES).take(200).collect();
        let ids: BTreeSet<&str> = window.iter().map(|entry| entry.2.as_str()).collect();
        let families: BTreeSet<String> = ids.iter().map(|id| token::family(id)).collect();
        if ids.len() >= DISTINCT_MIN && families.len() >= FAMILIES_MIN {
            listed.extend(window.iter().map(|entry| entry.1));
        }
    }
    for (_, index, _) in &entries {
        let draft = &mut drafts[*index];
        if listed.contains(index) {
            draft.class = Class::List;
            "one of a list".clone_into(&mut draft.why);
        } else if is_priced(file, draft) {
            draft.class = Class::List;
            "beside prices or limits".clone_into(&mut draft.why);
        }
    }
}

/// Whether keys of a price table follow a key within a few lines.
fn is_priced(file: &File<'_>, draft: &Draft) -> bool {
    let is_key = file.piece_at(draft.start).is_some_and(|piece| piece.listed && piece.slot.is_none())
        || matches!(
            draft.slot.as_deref().and_then(|slot| slot.rsplit('.').next()),
            Some("id" | "name" | "value" | "slug")
        );
    if !is_key {
        return false;
    }
    let after = &file.text[draft.end..file.text.len().min(draft.end + 400)];
    let lines = memchr::memchr_iter(b'\n', after).nth(5).unwrap_or(after.len());
    TABLE_KEYS.iter().any(|key| memchr::memmem::find(&after[..lines], key).is_some())
}
