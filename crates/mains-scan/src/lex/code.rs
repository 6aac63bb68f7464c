//! One lexer for every language with strings and brackets, driven by a [`Style`].
//!
//! It keeps a stack of open brackets. Each knows which call opened it and which key or variable the element
//! at hand fills, so that a string can say what it is for without a syntax tree.

mod operators;

use super::style::{Interpolation, Quote, Style};
use super::{Piece, PieceKind, name};

/// Brackets nested deeper than this are not told apart: a hostile file must not grow the stack.
const DEPTH_MAX: usize = 256;
/// Interpolations nested deeper than this are read as text.
const INTERPOLATION_DEPTH_MAX: usize = 24;
/// A regular expression is not longer than this; a division in a file of one line must not read it all.
const REGEX_BYTES_MAX: usize = 2_000;
/// The line that opens a here-document is not longer than this.
const HEREDOC_LINE_MAX: usize = 2_000;
/// How many keys, outermost first, a slot names at most.
const SLOT_PARTS_MAX: usize = 3;

type Span = (usize, usize);

/// One open bracket and the element at hand in it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what was seen in an element are independent marks")]
struct Frame {
    open: u8,
    /// What was called or built by this bracket.
    callee: Option<Span>,
    /// Position of the element among its siblings.
    index: u32,
    /// The key, keyword or variable that the element fills.
    key: Option<Span>,
    /// Whether a type annotation stands between the key and its value.
    typed: bool,
    /// The last name, or the content of the last string.
    chain: Option<Span>,
    /// The piece of the string that `chain` is, if it is one.
    chain_piece: Option<usize>,
    /// The first string in this bracket, as in `getenv("NAME", …)`.
    first_text: Option<Span>,
    /// The first string of the bracket that was closed last.
    closed_first_text: Option<Span>,
    /// What the next literal is a default for.
    fallback: Option<Span>,
    /// Whether the next literal is compared with.
    compared: bool,
    /// Whether the next literal is one of a union (`"a" | "b"`).
    union: bool,
    /// Conditional operators whose `:` is still to come.
    conditionals: u32,
    /// Whether a line ended since the last significant byte.
    newline: bool,
}

impl Frame {
    /// Forgets the element at hand.
    fn next_element(&mut self) {
        *self = Self {
            open: self.open,
            callee: self.callee,
            index: self.index.saturating_add(1),
            first_text: self.first_text,
            ..Self::default()
        };
    }
}

struct Lexer<'t> {
    text: &'t [u8],
    style: &'static Style,
    at: usize,
    pieces: Vec<Piece>,
    frames: Vec<Frame>,
    /// The last byte that was neither blank nor comment.
    last: u8,
    interpolations: usize,
}

/// The pieces of `text`.
pub(super) fn code(text: &[u8], style: &'static Style) -> Vec<Piece> {
    let mut lexer = Lexer {
        text,
        style,
        at: 0,
        pieces: Vec::new(),
        frames: vec![Frame { newline: true, ..Frame::default() }],
        last: b'\n',
        interpolations: 0,
    };
    lexer.run(1, false);
    lexer.pieces
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn starts(&self, with: &[u8]) -> bool {
        self.text[self.at.min(self.text.len())..].starts_with(with)
    }

    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let top = self.frames.len() - 1;
        &mut self.frames[top]
    }

    /// Reads code; inside an interpolation, up to the `}` that closes it.
    fn run(&mut self, base: usize, inside_text: bool) {
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            if inside_text && byte == b'}' && self.frames.len() <= base {
                self.at += 1;
                return;
            }
            if byte == b'\n' {
                self.at_newline(base);
            }
            if self.comment() || self.heredoc() {
                continue;
            }
            if byte.is_ascii_whitespace() {
                self.at += 1;
                continue;
            }
            self.resume_line(byte);
            if self.raw_hash_string() || self.quoted(&[]) || self.regex() {
                continue;
            }
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@') || byte >= 0x80 {
                self.word();
            } else {
                self.operator(byte, base);
                self.last = byte;
                self.at += 1;
            }
        }
    }

    /// A line ends a statement in Python; elsewhere it may, and `resume_line` decides.
    fn at_newline(&mut self, base: usize) {
        let ends_statement =
            self.style.docstrings && self.frames.len() <= base && self.last != b'\\' && self.last != b'=';
        let frame = self.frame();
        if ends_statement {
            frame.next_element();
        }
        frame.newline = true;
    }

    /// After a line's end, a value that is complete ends its element unless the line goes on with an
    /// operator.
    fn resume_line(&mut self, byte: u8) {
        let complete = self.last.is_ascii_alphanumeric()
            || matches!(self.last, b')' | b']' | b'}' | b'"' | b'\'' | b'`');
        let goes_on =
            matches!(byte, b'?' | b'|' | b'.' | b'+' | b'&' | b':' | b',' | b')' | b']' | b'}' | b'=');
        let bracketed = self.frame().open == b'(' || self.frame().open == b'[';
        let frame = self.frame();
        if frame.newline && complete && !goes_on && !bracketed {
            frame.next_element();
        }
        frame.newline = false;
    }

    fn comment(&mut self) -> bool {
        for (open, close) in self.style.block_comments {
            if self.starts(open) {
                let body = self.at + open.len();
                let end = find(self.text, body, close).unwrap_or(self.text.len());
                self.pieces.push(Piece::plain(PieceKind::Comment, body, end));
                self.at = (end + close.len()).min(self.text.len());
                return true;
            }
        }
        if self.style.line_comments.iter().any(|mark| self.starts(mark)) {
            let end = find(self.text, self.at, b"\n").unwrap_or(self.text.len());
            self.pieces.push(Piece::plain(PieceKind::Comment, self.at, end));
            self.at = end;
            return true;
        }
        false
    }

    /// `<<NAME`, `<<-NAME`, `<<~NAME`, `<<<NAME`: the lines up to one that holds the name alone.
    fn heredoc(&mut self) -> bool {
        if !self.style.heredocs || !self.starts(b"<<") {
            return false;
        }
        let Some((word, body)) = heredoc_word(self.text, self.at + 2) else { return false };
        let (end, after) = heredoc_end(self.text, body, &word);
        let mut piece = self.context(body, end);
        piece.whole = false;
        self.pieces.push(piece);
        self.at = after;
        self.last = b'"';
        true
    }

    fn raw_hash_string(&mut self) -> bool {
        if !self.style.raw_hashes || self.last.is_ascii_alphanumeric() {
            return false;
        }
        let skip = usize::from(self.peek(0) == b'b' || self.peek(0) == b'c');
        if self.peek(skip) != b'r' {
            return false;
        }
        let hashes = self.text[self.at + skip + 1..].iter().take_while(|b| **b == b'#').count();
        let open = self.at + skip + 1 + hashes;
        if self.text.get(open) != Some(&b'"') {
            return false;
        }
        let mut close = vec![b'"'];
        close.resize(hashes + 1, b'#');
        let end = find(self.text, open + 1, &close).unwrap_or(self.text.len());
        let piece = self.context(open + 1, end);
        self.push_text(piece);
        self.at = (end + close.len()).min(self.text.len());
        true
    }

    /// A string that begins here, after `prefix` (Python's `f`, C#'s `$`).
    fn quoted(&mut self, prefix: &[u8]) -> bool {
        let Some(quote) = self.style.quotes.iter().find(|quote| self.starts(quote.open)).copied() else {
            return false;
        };
        if quote.character && !self.closes_as_character(quote) {
            self.at += 1;
            self.last = b'\'';
            return true;
        }
        self.string(quote, prefix);
        true
    }

    /// Whether a character literal closes soon; a Rust lifetime does not.
    fn closes_as_character(&self, quote: Quote) -> bool {
        let ahead = &self.text[self.at + 1..self.text.len().min(self.at + 12)];
        match ahead.first() {
            Some(b'\\') => ahead.iter().skip(2).any(|b| *b == quote.close[0]),
            Some(byte) if *byte < 0x80 => ahead.get(1) == Some(&quote.close[0]),
            Some(_) => ahead.iter().take(5).any(|b| *b == quote.close[0]),
            None => false,
        }
    }

    fn string(&mut self, quote: Quote, prefix: &[u8]) {
        let marked = prefix.iter().any(|b| matches!(b, b'f' | b'F' | b'$'));
        let escapes = quote.escapes && !prefix.iter().any(|b| matches!(b, b'r' | b'R' | b'@'));
        let interpolation = match quote.interpolation {
            Interpolation::Prefixed if !marked => Interpolation::Never,
            other => other,
        };
        let documentation = self.style.docstrings && quote.open.len() == 3 && self.is_statement();
        let mut from = self.at + quote.open.len();
        let mut piece = self.context(from, from);
        self.at = from;
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            if self.starts(quote.close) || (byte == b'\n' && !quote.lines) {
                break;
            }
            if byte == b'\\' && escapes {
                self.at += 2;
            } else if self.opens(interpolation) && self.interpolations < INTERPOLATION_DEPTH_MAX {
                piece.whole = false;
                self.pieces.push(Piece { start: from, end: self.at, ..piece.clone() });
                self.interpolate(interpolation);
                from = self.at;
            } else {
                self.at += 1;
            }
        }
        self.at = self.at.min(self.text.len());
        (piece.start, piece.end) = (from, self.at);
        if documentation {
            piece.kind = PieceKind::Docstring;
        }
        if self.starts(quote.close) {
            self.at += quote.close.len();
        }
        self.push_text(piece);
    }

    fn opens(&mut self, interpolation: Interpolation) -> bool {
        match interpolation {
            Interpolation::Never => false,
            Interpolation::Dollar => self.starts(b"${"),
            Interpolation::Hash => self.starts(b"#{"),
            Interpolation::Prefixed if self.starts(b"{{") => {
                // A doubled brace is text; step over the first so that the second opens nothing.
                self.at += 1;
                false
            }
            Interpolation::Prefixed => self.starts(b"{"),
        }
    }

    fn interpolate(&mut self, interpolation: Interpolation) {
        self.at += if interpolation == Interpolation::Prefixed { 1 } else { 2 };
        self.interpolations += 1;
        let (depth, last) = (self.frames.len(), self.last);
        self.frames.push(Frame::default());
        self.last = b'{';
        self.run(depth + 1, true);
        self.frames.truncate(depth.max(1));
        self.last = last;
        self.interpolations -= 1;
    }

    /// Whether a string here would be a statement of its own.
    fn is_statement(&self) -> bool {
        self.frames.len() == 1
            && self.frames.last().is_some_and(|frame| frame.key.is_none() && frame.chain.is_none())
            && (self.last == b'\n'
                || self.text[..self.at].iter().rev().find(|b| **b != b' ' && **b != b'\t') == Some(&b'\n'))
    }

    fn push_text(&mut self, piece: Piece) {
        let span = (piece.start, piece.end);
        self.pieces.push(piece);
        let index = self.pieces.len() - 1;
        let frame = self.frame();
        frame.first_text.get_or_insert(span);
        frame.chain = Some(span);
        frame.chain_piece = Some(index);
        frame.compared = false;
        frame.union = false;
        self.last = b'"';
    }

    /// What a literal at this place is for.
    fn context(&self, start: usize, end: usize) -> Piece {
        let mut piece = Piece::plain(PieceKind::Text, start, end);
        let Some(frame) = self.frames.last() else { return piece };
        let word = |span: Option<Span>| span.and_then(|(from, to)| name(self.text, from, to));
        let adjacent = frame.chain_piece.is_none() && frame.chain.is_some();
        piece.call = if adjacent { word(frame.chain) } else { None };
        for frame in self.frames.iter().rev() {
            if piece.call.is_some() || frame.callee.is_some() {
                piece.call = piece.call.or_else(|| word(frame.callee));
                break;
            }
        }
        let mut parts: Vec<String> =
            self.frames.iter().rev().filter_map(|f| word(f.key)).take(SLOT_PARTS_MAX).collect();
        piece.direct = frame.key.is_some()
            || frame.open == b'['
                && self.frames.iter().rev().nth(1).is_some_and(|parent| parent.key.is_some());
        parts.reverse();
        piece.slot = (!parts.is_empty()).then(|| parts.join("."));
        piece.fallback = self.fallback_of(frame);
        piece.compared = frame.compared;
        piece.listed = frame.open == b'[' || frame.union || (frame.open == b'{' && frame.key.is_none());
        piece
    }

    /// The name of what a literal at this place is the default of.
    fn fallback_of(&self, frame: &Frame) -> Option<String> {
        let word = |span: Option<Span>| span.and_then(|(from, to)| name(self.text, from, to));
        if frame.fallback.is_some() {
            return word(frame.fallback);
        }
        let callee = word(frame.callee).unwrap_or_default();
        let last = callee.rsplit(['.', ':', '>']).next().unwrap_or(&callee);
        let key = word(frame.key);
        if matches!(key.as_deref(), Some("default" | "default_value" | "defaultValue" | "fallback")) {
            return word(frame.first_text).or(Some(last.to_owned()));
        }
        let reads = matches!(
            last,
            "getenv"
                | "env"
                | "get_env"
                | "getEnv"
                | "fetch"
                | "config"
                | "GetEnv"
                | "getenv_or"
                | "getOrDefault"
        ) || (last == "get" && (callee.contains("env") || callee.contains("ENV")));
        if reads && frame.index > 0 {
            return word(frame.first_text);
        }
        let or_else = matches!(last, "unwrap_or" | "getOrElse" | "orElse" | "GetValueOrDefault" | "default");
        let parent = self.frames.iter().rev().nth(1);
        if or_else {
            return parent
                .and_then(|p| word(p.closed_first_text).or_else(|| word(p.key)))
                .or(Some(last.to_owned()));
        }
        None
    }

    fn word(&mut self) {
        let from = self.at;
        let dashed = self.style.dashed_names;
        self.at += 1;
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            let inside = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'$')
                || byte >= 0x80
                || (dashed && byte == b'-');
            if !inside {
                break;
            }
            self.at += 1;
        }
        let word = &self.text[from..self.at];
        let prefixed = self.style.quotes.iter().any(|quote| self.starts(quote.open));
        if prefixed && word.len() <= 2 && word.iter().all(|b| b"rRbBfFuU$@c".contains(b)) {
            let prefix = word.to_vec();
            if self.quoted(&prefix) {
                return;
            }
        }
        self.last = b'a';
        if word == b"or" {
            self.at_fallback();
            return;
        }
        let end = self.at;
        let text = self.text;
        let frame = self.frame();
        let joined = frame.chain.filter(|_| frame.chain_piece.is_none()).filter(|(_, to)| {
            matches!(text.get(*to..from), Some(b"." | b"::" | b"->" | b"?." | b"!." | b"?->"))
        });
        frame.chain = Some(joined.map_or((from, end), |(start, _)| (start, end)));
        frame.chain_piece = None;
    }

    /// What stands before `or`, `||`, `??` has the next literal as its default.
    fn at_fallback(&mut self) {
        let frame = self.frame();
        let of = frame.closed_first_text.or(frame.chain);
        frame.fallback = of;
        frame.chain = None;
        frame.chain_piece = None;
    }

    /// A regular expression, so that quotes inside it open nothing.
    fn regex(&mut self) -> bool {
        if !self.style.regexes || self.peek(0) != b'/' {
            return false;
        }
        let may_begin = b"(,=:[!&|?{};+-*%<>~^\n".contains(&self.last);
        if !may_begin {
            return false;
        }
        let mut class = false;
        let mut end = self.at + 1;
        while let Some(byte) = self.text.get(end).filter(|_| end < self.at + REGEX_BYTES_MAX) {
            match byte {
                b'\n' => return false,
                b'\\' => end += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at = end + 1;
                    self.last = b')';
                    return true;
                }
                _ => {}
            }
            end += 1;
        }
        false
    }
}

fn find(text: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = text.get(from..)?;
    memchr::memmem::find(rest, what).map(|at| from + at)
}

/// The word of a here-document and where its first line begins.
pub(super) fn heredoc_word(text: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    while matches!(text.get(at), Some(b'<' | b'-' | b'~')) {
        at += 1;
    }
    let quote = text.get(at).copied().filter(|b| matches!(b, b'"' | b'\''));
    at += usize::from(quote.is_some());
    let word: Vec<u8> = text
        .get(at..)?
        .iter()
        .copied()
        .take(64)
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .collect();
    if word.first().is_none_or(|b| !(b.is_ascii_uppercase() || *b == b'_' || quote.is_some())) {
        return None;
    }
    // The rest of the line is code; a line without an end near by holds no here-document.
    let rest = text.get(at..text.len().min(at + HEREDOC_LINE_MAX))?;
    let body = at + memchr::memchr(b'\n', rest)? + 1;
    Some((word, body))
}

/// Where a here-document's lines end, and where reading goes on.
pub(super) fn heredoc_end(text: &[u8], body: usize, word: &[u8]) -> (usize, usize) {
    let mut line = body;
    while line < text.len() {
        let end = find(text, line, b"\n").unwrap_or(text.len());
        let content = text[line..end].trim_ascii();
        if content == word || content.strip_suffix(b";") == Some(word) {
            return (line, end);
        }
        line = end + 1;
    }
    (text.len(), text.len())
}
