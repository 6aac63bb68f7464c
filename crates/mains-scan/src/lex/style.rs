//! How the languages with strings and brackets differ: data for one lexer.

use crate::language::Language;

/// One kind of string literal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    pub(super) open: &'static [u8],
    pub(super) close: &'static [u8],
    /// Whether a backslash escapes the next byte.
    pub(super) escapes: bool,
    /// Whether it may span lines; if not, it ends at the line's end at the latest.
    pub(super) lines: bool,
    /// What opens an interpolation inside it.
    pub(super) interpolation: Interpolation,
    /// Whether it is a character literal, so that a lone one (a lifetime) is no string.
    pub(super) character: bool,
}

/// What opens code inside a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interpolation {
    Never,
    /// `${…}`
    Dollar,
    /// `#{…}`
    Hash,
    /// `{…}`, where the string's prefix says so (`f"…"`, `$"…"`).
    Prefixed,
}

/// The outward form of one language.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "languages differ in independent ways")]
pub(super) struct Style {
    pub(super) line_comments: &'static [&'static [u8]],
    pub(super) block_comments: &'static [(&'static [u8], &'static [u8])],
    /// Longest opening first.
    pub(super) quotes: &'static [Quote],
    /// Whether names may contain `-`.
    pub(super) dashed_names: bool,
    /// Whether a bare string statement is documentation.
    pub(super) docstrings: bool,
    /// Whether `/…/` may be a regular expression.
    pub(super) regexes: bool,
    /// Whether `<<NAME` opens a here-document.
    pub(super) heredocs: bool,
    /// Whether `r#"…"#` is a string.
    pub(super) raw_hashes: bool,
}

const fn quote(open: &'static [u8], lines: bool, interpolation: Interpolation) -> Quote {
    Quote { open, close: open, escapes: true, lines, interpolation, character: false }
}

const fn raw(open: &'static [u8]) -> Quote {
    Quote {
        open,
        close: open,
        escapes: false,
        lines: true,
        interpolation: Interpolation::Never,
        character: false,
    }
}

const CHARACTER: Quote = Quote {
    open: b"'",
    close: b"'",
    escapes: true,
    lines: false,
    interpolation: Interpolation::Never,
    character: true,
};

const C_LIKE: Style = Style {
    line_comments: &[b"//"],
    block_comments: &[(b"/*", b"*/")],
    quotes: &[quote(b"\"", false, Interpolation::Never), CHARACTER],
    dashed_names: false,
    docstrings: false,
    regexes: false,
    heredocs: false,
    raw_hashes: false,
};

const PYTHON: Style = Style {
    line_comments: &[b"#"],
    block_comments: &[],
    quotes: &[
        quote(b"\"\"\"", true, Interpolation::Prefixed),
        quote(b"'''", true, Interpolation::Prefixed),
        quote(b"\"", false, Interpolation::Prefixed),
        quote(b"'", false, Interpolation::Prefixed),
    ],
    docstrings: true,
    ..C_LIKE
};

const JAVASCRIPT: Style = Style {
    block_comments: &[(b"/*", b"*/"), (b"<!--", b"-->")],
    quotes: &[
        quote(b"\"", false, Interpolation::Never),
        quote(b"'", false, Interpolation::Never),
        quote(b"`", true, Interpolation::Dollar),
    ],
    regexes: true,
    ..C_LIKE
};

const JSON: Style = Style {
    quotes: &[quote(b"\"", false, Interpolation::Never), quote(b"'", false, Interpolation::Never)],
    ..C_LIKE
};

const TOML: Style = Style {
    line_comments: &[b"#"],
    block_comments: &[],
    quotes: &[
        quote(b"\"\"\"", true, Interpolation::Never),
        raw(b"'''"),
        quote(b"\"", false, Interpolation::Never),
        Quote { lines: false, ..raw(b"'") },
    ],
    dashed_names: true,
    ..C_LIKE
};

const HCL: Style = Style {
    line_comments: &[b"#", b"//"],
    quotes: &[quote(b"\"", false, Interpolation::Dollar), quote(b"'", false, Interpolation::Dollar)],
    dashed_names: true,
    heredocs: true,
    ..C_LIKE
};

const GO: Style =
    Style { quotes: &[quote(b"\"", false, Interpolation::Never), raw(b"`"), CHARACTER], ..C_LIKE };

const JAVA: Style = Style {
    quotes: &[
        quote(b"\"\"\"", true, Interpolation::Never),
        quote(b"\"", false, Interpolation::Dollar),
        // Groovy and Gradle write strings so; a Java character is a string of one byte.
        quote(b"'", false, Interpolation::Never),
    ],
    ..C_LIKE
};

const RUST: Style =
    Style { quotes: &[quote(b"\"", true, Interpolation::Never), CHARACTER], raw_hashes: true, ..C_LIKE };

const CSHARP: Style = Style {
    quotes: &[
        quote(b"\"\"\"", true, Interpolation::Prefixed),
        quote(b"\"", false, Interpolation::Prefixed),
        CHARACTER,
    ],
    ..C_LIKE
};

const RUBY: Style = Style {
    line_comments: &[b"#"],
    block_comments: &[(b"\n=begin", b"\n=end")],
    quotes: &[quote(b"\"", true, Interpolation::Hash), quote(b"'", true, Interpolation::Never)],
    heredocs: true,
    ..C_LIKE
};

const PHP: Style = Style {
    line_comments: &[b"//", b"#"],
    quotes: &[quote(b"\"", true, Interpolation::Never), quote(b"'", true, Interpolation::Never)],
    heredocs: true,
    ..C_LIKE
};

/// The style of a language that `code` lexes.
pub(super) fn of(language: Language) -> &'static Style {
    match language {
        Language::Python | Language::Notebook => &PYTHON,
        Language::JavaScript => &JAVASCRIPT,
        Language::Json => &JSON,
        Language::Toml => &TOML,
        Language::Hcl => &HCL,
        Language::Go => &GO,
        Language::Java => &JAVA,
        Language::Rust => &RUST,
        Language::CSharp => &CSHARP,
        Language::Ruby => &RUBY,
        Language::Php => &PHP,
        _ => &C_LIKE,
    }
}
