//! What is wrong with a file, said so that its writer can mend it: where, what, and a hint.

use std::fmt;
use std::sync::Arc;

/// A range of bytes in the text of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for SourceSpan {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// The name and the text of the file that a span points into. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// A file of this name with this text.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The name that messages use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let (start, line) = self.line_start(byte);
        let column = self.text.get(start..self.floor(byte)).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// The first byte of the line that holds `byte`, and that line's number from 1.
    fn line_start(&self, byte: usize) -> (usize, usize) {
        let before = &self.text.as_bytes()[..self.floor(byte)];
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
        (start, before.split(|b| *b == b'\n').count())
    }

    /// The nearest character boundary at or before `byte`.
    fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

/// Where a problem lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the file.
    File(SourceSpan),
    /// In this environment variable.
    Environment(String),
    /// In the flag that sets this dotted path.
    Flag(String),
    /// In the file as a whole.
    Whole,
}

/// One thing that is wrong: lower case, what and where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do, where we know it.
    pub hint: Option<String>,
    /// Where.
    pub place: Place,
}

impl Problem {
    /// A problem at a place of the file; later checks (does the provider exist, is the zone known) use
    /// this with the span that a setting carries.
    pub fn at(span: SourceSpan, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, place: Place::File(span) }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn syntax(message: &str, span: Option<std::ops::Range<usize>>) -> Self {
        // The parser quotes nothing of the file, so its first line is safe to show.
        let message = message.lines().next().unwrap_or("this is not TOML").to_owned();
        Self { message, hint: None, place: span.map_or(Place::Whole, |span| Place::File(span.into())) }
    }

    /// The problem with its line and an underline, as a terminal shows it.
    pub fn render(&self, source: &Source) -> String {
        let place = match &self.place {
            Place::File(span) => excerpt(source, *span),
            Place::Environment(name) => format!("  --> environment variable `{}`\n", printable(name)),
            Place::Flag(path) => format!("  --> flag for `{}`\n", printable(path)),
            Place::Whole => format!("  --> {}\n", printable(&source.name)),
        };
        let hint = self.hint.as_ref().map(|hint| format!("hint: {}\n", printable(hint)));
        format!("error: {}\n{place}{}", printable(&self.message), hint.unwrap_or_default())
    }
}

/// Every problem of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors {
    source: Source,
    problems: Vec<Problem>,
}

impl Errors {
    /// Problems of this file, put into the order of the file.
    pub fn new(source: Source, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| match &problem.place {
            Place::File(span) => (1, span.start),
            Place::Environment(_) | Place::Flag(_) | Place::Whole => (0, 0),
        });
        Self { source, problems }
    }

    /// The problems, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The file.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl fmt::Display for Errors {
    /// All problems, each with its line underlined, an empty line between two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.render(&self.source))?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// The candidate that a misspelt word most likely meant, if one is near enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nothing that long is a slip of the finger, and the distance costs time with its square.
    if word.len() > 64 {
        return None;
    }
    let lowered = word.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_lowercase().replace('-', "_");
            (strsim::damerau_levenshtein(&lowered, &plain), candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(3)) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The longest part of a line that an excerpt shows.
const EXCERPT_CHARS_MAX: usize = 100;

/// The place, the line and an underline below the span.
fn excerpt(source: &Source, span: SourceSpan) -> String {
    let (line_start, line) = source.line_start(span.start);
    let (_, column) = source.line_and_column(span.start);
    let rest = source.text.get(line_start..).unwrap_or_default();
    let whole = rest.lines().next().unwrap_or_default();
    let shown: Vec<char> = mask_secrets(whole).chars().map(printable_char).collect();
    let from = column.saturating_sub(1).min(shown.len());
    // A span of several lines is underlined to the end of its first.
    let end_byte = source.floor(span.end).min(line_start + whole.len());
    let covered = source.text.get(source.floor(span.start)..end_byte).map_or(0, |s| s.chars().count());
    let width = covered.clamp(1, shown.len().saturating_sub(from).max(1));
    let window = from.saturating_sub(EXCERPT_CHARS_MAX / 2);
    let visible: String = shown.iter().skip(window).take(EXCERPT_CHARS_MAX).collect();
    let width = width.min(EXCERPT_CHARS_MAX - (from - window));
    let gutter = " ".repeat(line.to_string().len());
    let pad = " ".repeat(from - window);
    let carets = "^".repeat(width);
    let name = printable(&source.name);
    format!("{gutter}--> {name}:{line}:{column}\n{gutter} |\n{line} | {visible}\n{gutter} | {pad}{carets}\n")
}

/// Names after which a secret may have been pasted.
const SECRET_NAMES: [&str; 4] = ["key", "token", "secret", "password"];

/// Hides what may be a secret: someone may have pasted a key where a reference belongs, and no key may
/// appear in an error. The number of characters stays, so that the underline still fits.
fn mask_secrets(line: &str) -> String {
    let mut hidden = vec![false; line.len()];
    for name in SECRET_NAMES {
        for (at, _) in line.match_indices(name) {
            hide_after_name(line, at + name.len(), &mut hidden);
        }
    }
    // Whatever the place, this is how most providers' keys begin.
    for (at, _) in line.match_indices("sk-") {
        let run = line[at..].bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let length = run.count();
        if length >= 16 {
            hidden[at..at + length].fill(true);
        }
    }
    // The user name and the password of an address.
    for (at, _) in line.match_indices("://") {
        let start = at + "://".len();
        let authority = line[start..].split(['/', ' ', '\'', '"']).next().unwrap_or_default();
        if let Some(length) = authority.rfind('@') {
            hidden[start..start + length].fill(true);
        }
    }
    line.char_indices().map(|(at, c)| if hidden[at] { '*' } else { c }).collect()
}

/// Hides the rest of the line when an `=` and no reference follows here.
fn hide_after_name(line: &str, after_name: usize, hidden: &mut [bool]) {
    let after = line[after_name..].trim_start_matches(['"', '\'', ' ', '\t']);
    let Some(value) = after.strip_prefix('=') else { return };
    let bare = value.trim_start().trim_start_matches(['"', '\'']);
    if !["env:", "file:", "sealed:"].iter().any(|scheme| bare.starts_with(scheme)) {
        hidden[line.len() - value.trim_start().len()..].fill(true);
    }
}

/// Control characters would let a file's text steer the terminal of whoever reads the message.
fn printable(text: &str) -> String {
    text.chars().map(printable_char).collect()
}

fn printable_char(c: char) -> char {
    match c {
        '\t' => ' ',
        // Marks that reorder text would make an excerpt read as something else.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_survives_any_span() {
        let text = "a = 1\n\tb = \"ä€\"\r\nlast";
        let source = Source::new("x", text);
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                let _ = Problem::at(SourceSpan { start, end }, "m").render(&source);
            }
        }
        assert_eq!(source.line_and_column(11), (2, 6));
    }

    #[test]
    fn a_pasted_key_is_not_repeated() {
        for line in [
            "key = \"sk-abc\"",
            "{ name = \"x\", key=\"sk-abc\" }",
            "\"key\" = 'sk-abc'",
            "api_token = sk-abc",
        ] {
            assert!(!mask_secrets(line).contains("sk-abc"), "{line}");
            assert_eq!(mask_secrets(line).chars().count(), line.chars().count());
        }
        assert_eq!(mask_secrets("key = \"env:A\" # b"), "key = \"env:A\" # b");
        assert_eq!(mask_secrets("x = ['sk-0123456789abcdef']"), "x = ['*******************']");
        assert_eq!(mask_secrets("u = 'http://ü:p@h/a@b'"), "u = 'http://***@h/a@b'");
        assert_eq!(mask_secrets("tokens = 5"), "tokens = 5");
        assert_eq!(mask_secrets("model = \"monkey\""), "model = \"monkey\"");
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_nonsense_finds_none() {
        let words = ["listen", "data", "passthrough"];
        assert_eq!(closest("listne", words), Some("listen"));
        assert_eq!(closest("pass-through", words), Some("passthrough"));
        assert_eq!(closest("banana", words), None);
        assert_eq!(closest(&"x".repeat(100_000), words), None);
    }
}
