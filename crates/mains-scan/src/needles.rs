//! The one automaton that every file is searched with, and what each of its words means.

use crate::{sdk, token};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use mains_catalog::Catalog;
use std::collections::BTreeMap;

/// What a word of the automaton is a sign of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needle {
    /// A known model id.
    Name,
    /// The beginning of a family of ids.
    Family,
    /// A part of a provider's address.
    Host,
    /// A key variable.
    Key,
    /// A client library.
    Sdk,
    /// A cloud service.
    Service,
    /// A path that ended, by its row.
    Endpoint(usize),
    /// An old call shape, by its row.
    Legacy(usize),
}

/// One word found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) needle: Needle,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The automaton. Case is ignored; the longest word wins.
pub(crate) struct Needles {
    automaton: Option<AhoCorasick>,
    kinds: Vec<Needle>,
}

impl Needles {
    /// All words of the catalogue and of our own tables.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let words = words(catalog);
        let kinds = words.values().copied().collect();
        // A contiguous automaton builds in a few milliseconds and stays within the caches; the full
        // table of a DFA for as many words takes tens of megabytes.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words.keys())
            .ok();
        Self { automaton, kinds }
    }

    /// Every word in `text`, in order.
    pub(crate) fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        automaton
            .find_iter(text)
            .map(|found| Hit {
                needle: self.kinds[found.pattern().as_usize()],
                start: found.start(),
                end: found.end(),
            })
            .collect()
    }

    /// How many words there are, and how many bytes the automaton takes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.kinds.len(), self.automaton.as_ref().map_or(0, AhoCorasick::memory_usage))
    }
}

/// Every word, in lower case, with its meaning; where two meanings meet, the weaker sign gives way.
fn words(catalog: &Catalog) -> BTreeMap<String, Needle> {
    let mut words = BTreeMap::new();
    let mut add = |word: &str, needle: Needle| {
        if word.len() >= 2 {
            words.insert(word.to_ascii_lowercase(), needle);
        }
    };
    for family in token::FAMILY_STEMS {
        add(family, Needle::Family);
    }
    for module in sdk::modules().filter(|module| module.len() > 3) {
        add(module, Needle::Sdk);
    }
    for name in catalog.names() {
        let own = name.rsplit('/').next().unwrap_or(name);
        if token::is_distinctive(own) {
            add(own, Needle::Name);
        }
    }
    for host in catalog.hosts() {
        for variable in &host.key_variables {
            add(variable, Needle::Key);
        }
        for pattern in &host.patterns {
            let part = pattern.split(['*', '/']).max_by_key(|part| part.len()).unwrap_or_default();
            if part.len() >= 7 && part.contains(['.', '-']) {
                add(part, Needle::Host);
            }
        }
    }
    for (service, _) in sdk::SERVICES {
        add(service, Needle::Service);
    }
    for (row, endpoint) in catalog.endpoints().enumerate() {
        if let Some(path) = endpoint_path(endpoint.path) {
            add(path, Needle::Endpoint(row));
        }
    }
    for (row, legacy) in catalog.legacy_calls().enumerate() {
        add(&legacy.shape, Needle::Legacy(row));
    }
    words
}

/// The part of an endpoint's name that stands in code: its path, or its header's value.
pub(crate) fn endpoint_path(name: &str) -> Option<&str> {
    if let Some((_, value)) = name.split_once(": ") {
        return Some(value);
    }
    let from = name.find("/v")?;
    let path = &name[from..];
    Some(path.split([')', ' ']).next().unwrap_or(path))
}
