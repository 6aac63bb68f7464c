//! Small lexers: which bytes of a file are comments, literals or configured values, and what each
//! literal is for (the key or argument it fills, the call it stands in, whether it is a default).
//!
//! Read [`Piece`], then `code` (languages with strings and brackets), `config` (line by line), `shell`,
//! `notebook`. None of them fails: on text that is not what it seems, a piece is cut short at the line's
//! end, and scanning goes on.

mod code;
mod config;
mod notebook;
mod shell;
mod style;

pub(crate) use notebook::{Cells, cells};

use crate::language::Language;

/// What a stretch of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// A comment.
    Comment,
    /// A string that nothing uses: documentation.
    Docstring,
    /// A string literal, or one stretch of it between interpolations.
    Text,
    /// A configured value without quotes.
    Value,
    /// Text for people.
    Prose,
}

/// One stretch of a file, with what it is for. Offsets are bytes of the lexed text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what a literal is for are independent marks")]
pub(crate) struct Piece {
    pub(crate) kind: PieceKind,
    /// First byte of the content (quotes excluded).
    pub(crate) start: usize,
    /// One past the last byte of the content.
    pub(crate) end: usize,
    /// Whether the content is the whole literal (no interpolation in it).
    pub(crate) whole: bool,
    /// The key, keyword argument, variable or flag that this fills.
    pub(crate) slot: Option<String>,
    /// The callee of the innermost call that this is an argument of.
    pub(crate) call: Option<String>,
    /// Whether the innermost part of `slot` is this literal's own, not that of a call around it.
    pub(crate) direct: bool,
    /// What this is the default of, as `M` in `getenv("M", "x")` or `${M:-x}`.
    pub(crate) fallback: Option<String>,
    /// Whether the program compares with this instead of using it.
    pub(crate) compared: bool,
    /// Whether this is a key (`"gpt-4o": 128000`) or an element of a list.
    pub(crate) listed: bool,
}

impl Piece {
    fn plain(kind: PieceKind, start: usize, end: usize) -> Self {
        Self {
            kind,
            start,
            end,
            whole: true,
            slot: None,
            call: None,
            direct: false,
            fallback: None,
            compared: false,
            listed: false,
        }
    }
}

/// The pieces of `text`, in order of their place.
pub(crate) fn lex(language: Language, text: &[u8]) -> Vec<Piece> {
    let mut pieces = match language {
        Language::Prose => vec![Piece::plain(PieceKind::Prose, 0, text.len())],
        Language::Yaml => config::yaml(text),
        Language::Env => config::env(text),
        Language::Shell => shell::shell(text, shell::Flavour::Script),
        Language::Dockerfile => shell::shell(text, shell::Flavour::Dockerfile),
        Language::Other => config::other(text),
        language => code::code(text, style::of(language)),
    };
    pieces.sort_by_key(|piece| (piece.start, piece.end));
    pieces
}

/// `bytes[from..to]` as text, with a bound: names longer than 200 bytes are no names.
fn name(text: &[u8], from: usize, to: usize) -> Option<String> {
    let bytes = text.get(from..to)?;
    if bytes.is_empty() || bytes.len() > 200 {
        return None;
    }
    Some(String::from_utf8_lossy(bytes).into_owned())
}
