//! Shell scripts and Dockerfiles, word by word.

use super::code::{heredoc_end, heredoc_word};
use super::{Piece, PieceKind, config, name};

/// Which of the two is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Script,
    /// `ENV NAME value` and `ARG NAME=value` assign.
    Dockerfile,
}

/// What the words of one command have said so far.
#[derive(Default)]
struct Command {
    name: Option<String>,
    /// The flag before the word at hand.
    flag: Option<String>,
    /// The name in `ENV NAME value`.
    assigns: Option<String>,
    words: usize,
}

/// The pieces of a script.
pub(super) fn shell(text: &[u8], flavour: Flavour) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut command = Command::default();
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        match byte {
            b'\\' if text.get(at + 1) == Some(&b'\n') => at += 2,
            b'\n' | b';' | b'|' | b'&' | b'(' | b')' => {
                command = Command::default();
                at += 1;
            }
            b'#' => {
                let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |offset| at + offset);
                pieces.push(Piece::plain(PieceKind::Comment, at, end));
                at = end;
            }
            _ if byte.is_ascii_whitespace() => at += 1,
            b'<' if text[at..].starts_with(b"<<") => at = heredoc(text, at, &command, &mut pieces),
            b'<' | b'>' => at += 1,
            _ => {
                let end = word_end(text, at);
                take_word(text, (at, end), flavour, &mut command, &mut pieces);
                at = end.max(at + 1);
            }
        }
    }
    pieces
}

fn heredoc(text: &[u8], at: usize, command: &Command, pieces: &mut Vec<Piece>) -> usize {
    let Some((word, body)) = heredoc_word(text, at + 2) else { return at + 2 };
    let (end, after) = heredoc_end(text, body, &word);
    let mut piece = Piece::plain(PieceKind::Text, body, end);
    piece.whole = false;
    piece.call.clone_from(&command.name);
    pieces.push(piece);
    after
}

/// Where the word that begins at `at` ends; quotes and `${…}` keep blanks inside it.
fn word_end(text: &[u8], mut at: usize) -> usize {
    let mut quote = 0;
    let mut braces = 0_u32;
    while at < text.len() {
        let byte = text[at];
        match byte {
            b'\\' if quote != b'\'' => at += 1,
            b'"' | b'\'' | b'`' if quote == 0 => quote = byte,
            _ if quote != 0 && byte == quote => quote = 0,
            b'{' if at > 0 && text[at - 1] == b'$' && quote != b'\'' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            b'\n' if quote == 0 => return at,
            b' ' | b'\t' | b'\r' | b';' | b'|' | b'&' | b'(' | b')' if quote == 0 && braces == 0 => {
                return at;
            }
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

fn take_word(
    text: &[u8],
    (from, to): (usize, usize),
    flavour: Flavour,
    command: &mut Command,
    pieces: &mut Vec<Piece>,
) {
    let position = command.words;
    command.words += 1;
    let word = &text[from..to];
    if let Some(equals) = assigned_name(word) {
        let slot = name(word, 0, equals).map(|name| name.trim_start_matches('-').to_owned());
        if !word.starts_with(b"-") && command.name.is_none() {
            command.words -= 1;
        }
        push(text, (from + equals + 1, to), slot, command, pieces);
        command.flag = None;
        return;
    }
    if word.starts_with(b"-") && word.len() > 1 {
        command.flag = name(word, 0, word.len()).map(|flag| flag.trim_start_matches('-').to_owned());
        return;
    }
    if position == 0 {
        command.name = name(word, 0, word.len());
    }
    let assigning = matches!(command.name.as_deref(), Some("ENV" | "ARG")) && flavour == Flavour::Dockerfile;
    if assigning && position == 1 {
        command.assigns = name(word, 0, word.len());
        return;
    }
    let slot = command.flag.take().or_else(|| command.assigns.take());
    push(text, (from, to), slot, command, pieces);
}

/// Where the `=` of `NAME=…` or `--flag=…` stands.
fn assigned_name(word: &[u8]) -> Option<usize> {
    let equals = memchr::memchr(b'=', word)?;
    let valid = equals > 0
        && word[..equals]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'?'));
    valid.then_some(equals)
}

fn push(
    text: &[u8],
    (from, to): (usize, usize),
    slot: Option<String>,
    command: &Command,
    pieces: &mut Vec<Piece>,
) {
    if from >= to {
        return;
    }
    let quoted = to - from >= 2
        && matches!(text[from], b'"' | b'\'')
        && text[to - 1] == text[from]
        && !text[from + 1..to - 1].contains(&text[from]);
    let (start, end) = if quoted { (from + 1, to - 1) } else { (from, to) };
    let mut piece = Piece::plain(if quoted { PieceKind::Text } else { PieceKind::Value }, start, end);
    piece.direct = slot.is_some();
    piece.slot = slot;
    piece.call.clone_from(&command.name);
    config::substitutions(text, piece, pieces);
}
