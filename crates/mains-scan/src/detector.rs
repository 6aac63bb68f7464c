//! One file at a time: search, and where something was found, lex and judge.

use crate::finding::{Attribution, Class, Confidence, FileFindings, Place, Sighting, Signal, scope_of};
use crate::language::Language;
use crate::lex::{self, Cells, Piece};
use crate::models::{Surroundings, models};
use crate::needles::{Hit, Needles};
use crate::{ignore, lists, sdk, signals};
use mains_catalog::Catalog;
use std::cell::OnceCell;

/// Finds AI use in files. Build it once; it may be shared by threads.
pub struct Detector<'c> {
    catalog: &'c Catalog,
    needles: Needles,
}

/// A sighting before its place in lines is known.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) signal: Signal,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) class: Class,
    pub(crate) confidence: Confidence,
    pub(crate) slot: Option<String>,
    pub(crate) attribution: Option<Attribution>,
    pub(crate) why: String,
    /// Whether the list rule may fold it.
    pub(crate) listable: bool,
}

/// A file that is worth reading.
pub(crate) struct File<'f> {
    pub(crate) path: &'f str,
    pub(crate) language: Language,
    pub(crate) text: std::borrow::Cow<'f, [u8]>,
    pub(crate) hits: Vec<Hit>,
    pub(crate) pieces: Vec<Piece>,
    /// Where lines end, once someone asked.
    line_ends: OnceCell<Vec<usize>>,
}

impl File<'_> {
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The piece that holds the byte at `at`.
    pub(crate) fn piece_at(&self, at: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.start <= at);
        self.pieces[..after].iter().rev().take(4).find(|piece| at < piece.end)
    }

    pub(crate) fn slice(&self, (start, end): (usize, usize)) -> String {
        String::from_utf8_lossy(&self.text[start..end]).into_owned()
    }

    pub(crate) fn trimmed(&self, (start, end): (usize, usize)) -> (usize, usize) {
        let content = &self.text[start..end];
        let front = content.len() - content.trim_ascii_start().len();
        let back = content.trim_ascii().len();
        (start + front, start + front + back)
    }

    /// Each line with the byte at which it begins.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut from = 0;
        self.text.split(|b| *b == b'\n').map(move |line| {
            let start = from;
            from += line.len() + 1;
            (start, line)
        })
    }

    /// The line of the lexed text, from 0.
    pub(crate) fn line_of(&self, at: usize) -> u32 {
        let ends = self.line_ends.get_or_init(|| memchr::memchr_iter(b'\n', &self.text).collect());
        u32::try_from(ends.partition_point(|end| *end < at)).unwrap_or(u32::MAX)
    }
}

impl<'c> Detector<'c> {
    /// Builds the automaton over everything that the catalogue names.
    pub fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, needles: Needles::new(catalog) }
    }

    /// How many words it searches for, and how many bytes of memory that takes.
    pub fn size(&self) -> (usize, usize) {
        self.needles.size()
    }

    /// Scans one file. `path` is relative to the scanned root, with forward slashes; it decides the language
    /// and the scope. Never fails: bytes that are not what the name promises just say less.
    pub fn scan_file(&self, path: &str, bytes: &[u8]) -> FileFindings {
        let mut findings = FileFindings {
            path: path.to_owned(),
            language: Language::of(path),
            scope: scope_of(path),
            bytes: bytes.len() as u64,
            sightings: Vec::new(),
            ignores: Vec::new(),
            unresolved: Vec::new(),
        };
        if !self.needles.any(bytes) && sdk::of_manifest(path.rsplit('/').next().unwrap_or(path)).is_none() {
            return findings;
        }
        let hits = self.needles.hits(bytes);
        let cells = if findings.language == Language::Notebook { lex::cells(bytes) } else { None };
        let drafts = match &cells {
            Some(cells) => self.drafts(path, findings.language, &cells.text, self.needles.hits(&cells.text)),
            None => self.drafts(path, findings.language, bytes, hits),
        };
        findings.sightings = placed(bytes, cells.as_ref(), drafts);
        findings.ignores = ignore::ignores(bytes);
        findings
    }

    fn drafts(&self, path: &str, language: Language, text: &[u8], hits: Vec<Hit>) -> Vec<Draft> {
        let pieces = lex::lex(language, text);
        let file = File { path, language, text: text.into(), hits, pieces, line_ends: OnceCell::new() };
        let mut drafts = signals::signals(self.catalog, &file);
        let used = |draft: &&Draft| draft.class == Class::Use;
        let hosts: Vec<String> = drafts
            .iter()
            .filter(used)
            .filter_map(|d| d.attribution.as_ref().map(|a| a.host.clone()))
            .collect();
        let evidence = drafts.iter().any(|draft| draft.class == Class::Use);
        drafts.extend(signals::endpoints(self.catalog, &file, &hosts));
        drafts.extend(models(&Surroundings::new(self.catalog, evidence), &file));
        lists::fold(&file, &mut drafts);
        drafts
    }
}

/// Gives each draft its line and column in the raw file, in order.
fn placed(raw: &[u8], cells: Option<&Cells>, drafts: Vec<Draft>) -> Vec<Sighting> {
    let mut spans: Vec<(usize, usize, Draft)> = drafts
        .into_iter()
        .filter(|draft| draft.end > draft.start)
        .map(|draft| match cells {
            Some(cells) => (cells.place(draft.start), cells.place(draft.end - 1) + 1, draft),
            None => (draft.start, draft.end, draft),
        })
        .collect();
    spans.sort_by(|a, b| (a.0, a.1, &a.2.signal).cmp(&(b.0, b.1, &b.2.signal)));
    spans.dedup_by(|a, b| (a.0, a.1, &a.2.signal) == (b.0, b.1, &b.2.signal));
    let mut counter = Counter { at: 0, line: 1, column: 1 };
    let place = |(start, end, draft): (usize, usize, Draft)| {
        counter.advance(raw, start);
        Sighting {
            signal: draft.signal,
            place: Place { line: counter.line, column: counter.column, start, end },
            text: String::from_utf8_lossy(&raw[start..end]).into_owned(),
            class: draft.class,
            confidence: draft.confidence,
            slot: draft.slot,
            attribution: draft.attribution,
            why: draft.why,
            line_hash: hash_without_blanks(line_around(raw, start, end)),
        }
    };
    spans.into_iter().map(place).collect()
}

/// Counts lines and columns on the way through a file, so that one long line with many sightings costs one
/// pass.
struct Counter {
    at: usize,
    line: u32,
    column: u32,
}

impl Counter {
    fn advance(&mut self, raw: &[u8], to: usize) {
        let passed = &raw[self.at..to];
        let breaks = memchr::memchr_iter(b'\n', passed).count();
        let since_break = memchr::memrchr(b'\n', passed).map_or(passed, |at| &passed[at + 1..]);
        // A character is a byte that does not continue one.
        let characters = since_break.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let before = if breaks > 0 { 1 } else { self.column };
        self.column = before.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.at = to;
    }
}

/// The line around a place, or so much of a very long one as tells it from its neighbours.
fn line_around(raw: &[u8], start: usize, end: usize) -> &[u8] {
    const REACH: usize = 300;
    let (low, high) = (start.saturating_sub(REACH), raw.len().min(end + REACH));
    let from = memchr::memrchr(b'\n', &raw[low..start]).map_or(low, |at| low + at + 1);
    let to = memchr::memchr(b'\n', &raw[end..high]).map_or(high, |at| end + at);
    &raw[from..to]
}

/// FNV-1a over the bytes that are not blank: two lines that differ only in layout are one.
pub(crate) fn hash_without_blanks(line: &[u8]) -> u64 {
    line.iter()
        .filter(|b| !b.is_ascii_whitespace())
        .fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}
