//! The one automaton that every file is searched with, and what each of its words means.

use crate::gate::{Gate, WORD_MIN};
use crate::{sdk, token};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use mains_catalog::Catalog;
use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

/// What a word of the automaton is a sign of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needle {
    /// A known model id, or the beginning of a family of ids.
    Name,
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

/// The words to search for. Case is ignored; the longest word wins.
pub(crate) struct Needles {
    words: Vec<(String, Needle)>,
    gate: Gate,
    /// Built when the first file passes the gate.
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Needles {
    /// All words of the catalogue and of our own tables.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let words: Vec<(String, Needle)> = words(catalog).into_iter().collect();
        let gate = Gate::new(words.iter().map(|(word, _)| word.as_str()));
        Self { words, gate, automaton: OnceLock::new() }
    }

    /// Whether `text` holds any word: the quick question that most files answer with no.
    pub(crate) fn any(&self, text: &[u8]) -> bool {
        self.gate.holds_any(text)
    }

    /// Every word in `text`, in order.
    pub(crate) fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let Some(automaton) = self.automaton() else { return Vec::new() };
        automaton
            .find_iter(text)
            .map(|found| Hit {
                needle: self.words[found.pattern().as_usize()].1,
                start: found.start(),
                end: found.end(),
            })
            .collect()
    }

    fn automaton(&self) -> Option<&AhoCorasick> {
        // A contiguous automaton builds in a few milliseconds and stays within the caches; the full table
        // of a DFA for as many words is ten times as large and only files that pass the gate are read.
        let build = || {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::LeftmostLongest)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(self.words.iter().map(|(word, _)| word))
                .ok()
        };
        self.automaton.get_or_init(build).as_ref()
    }

    /// How many words there are, and how many bytes the automaton takes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.words.len(), self.automaton().map_or(0, AhoCorasick::memory_usage))
    }
}

/// Every word, in lower case, with its meaning; where two meanings meet, the weaker sign gives way.
fn words(catalog: &Catalog) -> BTreeMap<String, Needle> {
    let mut words = BTreeMap::new();
    let mut add = |word: &str, needle: Needle| {
        if word.len() >= WORD_MIN {
            words.insert(word.to_ascii_lowercase(), needle);
        }
    };
    for word in ids(catalog) {
        add(&word, Needle::Name);
    }
    for module in sdk::modules() {
        if sdk::is_common_word(module) {
            // Only where it is imported: the word alone stands in every second text.
            for form in [
                format!("import {module}"),
                format!("from {module}"),
                format!("\"{module}\""),
                format!("'{module}'"),
            ] {
                add(&form, Needle::Sdk);
            }
        } else {
            add(module, Needle::Sdk);
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

/// The words that find every distinctive id: known ids and beginnings of families, without those that hold
/// another of them, because the id around a hit is cut out of the text whole.
fn ids(catalog: &Catalog) -> Vec<String> {
    let own = catalog.names().map(|name| name.rsplit('/').next().unwrap_or(name));
    let mut all: Vec<String> = own.filter(|name| token::is_distinctive(name)).map(str::to_owned).collect();
    all.extend(token::FAMILY_STEMS.iter().map(|stem| (*stem).to_owned()));
    for (stem, continuations) in token::SHORT_STEMS {
        all.extend(continuations.chars().map(|next| format!("{stem}{next}")));
    }
    all.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    all.dedup();
    let mut kept: HashSet<&str> = HashSet::new();
    for name in &all {
        let holds_another = (0..name.len()).any(|from| {
            (from + WORD_MIN..=name.len())
                .any(|to| name.get(from..to).is_some_and(|part| kept.contains(part)))
        });
        if !holds_another {
            kept.insert(name);
        }
    }
    kept.into_iter().map(str::to_owned).collect()
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
