//! Formats read line by line: YAML, `NAME=value` files, and whatever has no lexer of its own.

use super::{Piece, PieceKind, name};

/// The lines of `text` as byte ranges, without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        if from >= text.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at);
        let line = (from, if end > from && text[end - 1] == b'\r' { end - 1 } else { end });
        from = end + 1;
        Some(line)
    })
}

/// The range without blanks at either end.
fn trim(text: &[u8], (mut from, mut to): (usize, usize)) -> (usize, usize) {
    while from < to && text[from].is_ascii_whitespace() {
        from += 1;
    }
    while to > from && text[to - 1].is_ascii_whitespace() {
        to -= 1;
    }
    (from, to)
}

/// Where a comment that follows a value begins: a `#` after a blank, outside quotes.
fn without_comment(text: &[u8], (from, to): (usize, usize)) -> (usize, usize, Option<usize>) {
    let mut quote = 0;
    for at in from..to {
        match text[at] {
            byte @ (b'"' | b'\'') if quote == 0 && (at == from || !text[at - 1].is_ascii_alphanumeric()) => {
                quote = byte;
            }
            byte if byte == quote => quote = 0,
            b'#' if quote == 0 && (at == from || text[at - 1].is_ascii_whitespace()) => {
                return (from, at, Some(at));
            }
            _ => {}
        }
    }
    (from, to, None)
}

/// The content of a quoted scalar and whether it was quoted.
fn unquote(text: &[u8], (from, to): (usize, usize)) -> (usize, usize, bool) {
    if to - from >= 2 && matches!(text[from], b'"' | b'\'' | b'`') && text[to - 1] == text[from] {
        (from + 1, to - 1, true)
    } else {
        (from, to, false)
    }
}

/// One configured value and the defaults of substitutions inside it.
fn push_value(text: &[u8], span: (usize, usize), slot: Option<&str>, listed: bool, pieces: &mut Vec<Piece>) {
    let (from, to, quoted) = unquote(text, trim(text, span));
    if from >= to {
        return;
    }
    let mut piece = Piece::plain(if quoted { PieceKind::Text } else { PieceKind::Value }, from, to);
    piece.slot = slot.map(str::to_owned);
    piece.direct = slot.is_some();
    piece.listed = listed;
    substitutions(text, piece, pieces);
}

/// Pushes `piece`, or, where it holds `${NAME:-x}`, the stretches around the defaults and the defaults.
pub(super) fn substitutions(text: &[u8], piece: Piece, pieces: &mut Vec<Piece>) {
    let (mut from, end) = (piece.start, piece.end);
    let mut at = from;
    while let Some(open) = memchr::memmem::find(&text[at..end], b"${").map(|offset| at + offset) {
        at = open + 2;
        let Some(close) = memchr::memchr(b'}', &text[at..end]).map(|offset| at + offset) else { break };
        let variable = text[at..close]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            .count();
        // `${A.b-c:x}` of Spring keeps dots and dashes; the shell's `${A-x}` ends the name at the dash.
        let variable = match text[at..at + variable].iter().position(|b| *b == b'-') {
            Some(dash) if text.get(at + variable) != Some(&b':') => dash,
            _ => variable,
        };
        let operator = text[at + variable..close].iter().take_while(|b| b":=-".contains(b)).count();
        let value = at + variable + operator;
        if operator > 0 && value < close {
            let whole_value = open == piece.start && close + 1 == piece.end;
            if !whole_value && open > from {
                pieces.push(Piece { start: from, end: open, whole: false, ..piece.clone() });
            }
            let (start, end, _) = unquote(text, (value, close));
            pieces.push(Piece {
                start,
                end,
                whole: true,
                fallback: name(text, at, at + variable),
                ..piece.clone()
            });
            from = close + 1;
        }
        at = close + 1;
    }
    if from < end {
        let whole = from == piece.start;
        pieces.push(Piece { start: from, whole: piece.whole && whole, ..piece });
    }
}

/// `NAME=value`, `export NAME="value"`, `name: value`, `[section]`.
pub(super) fn env(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for line in lines(text) {
        let (mut from, to) = trim(text, line);
        if from == to {
            continue;
        }
        if matches!(text[from], b'#' | b';' | b'!') {
            pieces.push(Piece::plain(PieceKind::Comment, from, to));
            continue;
        }
        if text[from..to].starts_with(b"export ") {
            from = trim(text, (from + 7, to)).0;
        }
        assignment(text, (from, to), &mut pieces);
    }
    pieces
}

fn assignment(text: &[u8], (from, to): (usize, usize), pieces: &mut Vec<Piece>) {
    let (_, end, comment) = without_comment(text, (from, to));
    if let Some(at) = comment {
        pieces.push(Piece::plain(PieceKind::Comment, at, to));
    }
    let Some(mark) = text[from..end].iter().position(|b| matches!(b, b'=' | b':')).map(|at| from + at) else {
        push_value(text, (from, end), None, false, pieces);
        return;
    };
    let (_, key_end) = trim(text, (from, mark));
    let slot = name(text, from, key_end);
    push_value(text, (mark + 1, end), slot.as_deref(), false, pieces);
}

/// Lines of no known language: comments by their first bytes, quoted strings, assignments, else text.
pub(super) fn other(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for line in lines(text) {
        let (from, to) = trim(text, line);
        let content = &text[from..to];
        let marks: [&[u8]; 7] = [b"#", b"//", b"/*", b"* ", b"--", b";", b"<!--"];
        if content.is_empty() {
            continue;
        }
        if marks.iter().any(|mark| content.starts_with(mark)) {
            pieces.push(Piece::plain(PieceKind::Comment, from, to));
            continue;
        }
        if !quoted_parts(text, (from, to), &mut pieces) {
            unquoted_line(text, (from, to), &mut pieces);
        }
    }
    pieces
}

/// Pushes every quoted string of a line with the name before it; whether there was one.
fn quoted_parts(text: &[u8], (from, to): (usize, usize), pieces: &mut Vec<Piece>) -> bool {
    let (mut at, mut found) = (from, false);
    while at < to {
        let quote = text[at];
        let opens = matches!(quote, b'"' | b'\'') && (at == from || !text[at - 1].is_ascii_alphanumeric());
        let close = if opens { memchr::memchr(quote, &text[at + 1..to]) } else { None };
        let Some(close) = close.map(|offset| at + 1 + offset) else {
            at += 1;
            continue;
        };
        found = true;
        let slot = slot_before(text, from, at);
        push_value(text, (at, close + 1), slot.as_deref(), false, pieces);
        at = close + 1;
    }
    found
}

/// The name in `name = "…"`, `name: "…"`, `"name": "…"`, `name="…"`.
fn slot_before(text: &[u8], from: usize, quote: usize) -> Option<String> {
    let (_, end) = trim(text, (from, quote));
    if end == from || !matches!(text[end - 1], b'=' | b':') {
        return None;
    }
    let (_, end) = trim(text, (from, end - 1));
    let end = if end > from && matches!(text[end - 1], b'"' | b'\'') { end - 1 } else { end };
    let length = text[from..end]
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        .count();
    name(text, end - length, end)
}

fn unquoted_line(text: &[u8], (from, to): (usize, usize), pieces: &mut Vec<Piece>) {
    let key = text[from..to]
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        .count();
    let (mark, _) = trim(text, (from + key, to));
    let assigns =
        key > 0 && mark < to && matches!(text[mark], b'=' | b':') && text.get(mark + 1) != Some(&b'=');
    if assigns {
        let slot = name(text, from, from + key);
        push_value(text, (mark + 1, to), slot.as_deref(), false, pieces);
    } else {
        push_value(text, (from, to), None, false, pieces);
    }
}

/// Keys that enclose the line at hand, with the indentation of each.
type Enclosing = Vec<(usize, String)>;

/// YAML: one key and value a line, lists, block scalars, flow collections on one line.
pub(super) fn yaml(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut enclosing: Enclosing = Vec::new();
    let mut block: Option<Block> = None;
    for line in lines(text) {
        let (from, to) = trim(text, line);
        let indent = from - line.0;
        if let Some(open) = &mut block
            && (from == to || indent > open.indent)
        {
            open.span = Some(open.span.map_or((from, to), |(start, _)| (start, to)));
            continue;
        }
        if let Some(piece) = block.take().and_then(Block::piece) {
            pieces.push(piece);
        }
        if from == to {
            continue;
        }
        block = yaml_line(text, (from, to), indent, &mut enclosing, &mut pieces);
    }
    pieces.extend(block.and_then(Block::piece));
    pieces
}

/// A block scalar that is being read.
struct Block {
    indent: usize,
    slot: String,
    span: Option<(usize, usize)>,
}

impl Block {
    fn piece(self) -> Option<Piece> {
        let (start, end) = self.span?;
        let mut piece = Piece::plain(PieceKind::Text, start, end);
        piece.whole = false;
        piece.slot = Some(self.slot);
        Some(piece)
    }
}

fn yaml_line(
    text: &[u8],
    (mut from, to): (usize, usize),
    mut indent: usize,
    enclosing: &mut Enclosing,
    pieces: &mut Vec<Piece>,
) -> Option<Block> {
    let (_, mut end, comment) = without_comment(text, (from, to));
    if let Some(at) = comment {
        pieces.push(Piece::plain(PieceKind::Comment, at, to));
    }
    end = trim(text, (from, end)).1;
    let mut item = false;
    while from < end && text[from] == b'-' && text.get(from + 1).is_none_or(u8::is_ascii_whitespace) {
        item = true;
        let next = trim(text, (from + 1, end)).0;
        indent += next - from;
        from = next;
    }
    let key = yaml_key(text, (from, end));
    enclosing.retain(|(outer, _)| *outer < indent);
    let Some((key_span, value)) = key else {
        let slot = path(enclosing, None);
        flow(text, (from, end), slot.as_deref(), item, pieces);
        return None;
    };
    let mut piece = Piece::plain(PieceKind::Value, key_span.0, key_span.1);
    piece.listed = true;
    pieces.push(piece);
    let key = name(text, key_span.0, key_span.1).unwrap_or_default();
    let slot = path(enclosing, Some(&key)).unwrap_or_default();
    enclosing.push((indent, key));
    let value = trim(text, (value, end));
    if value.0 < value.1 && matches!(text[value.0], b'|' | b'>') && value.1 - value.0 <= 3 {
        return Some(Block { indent, slot, span: None });
    }
    flow(text, value, Some(&slot), false, pieces);
    None
}

/// The key of a line and where its value begins.
fn yaml_key(text: &[u8], (from, to): (usize, usize)) -> Option<((usize, usize), usize)> {
    let first = *text.get(from).filter(|_| from < to)?;
    if matches!(first, b'"' | b'\'') {
        let close = from + 1 + memchr::memchr(first, &text[from + 1..to])?;
        let colon = trim(text, (close + 1, to)).0;
        return (text.get(colon) == Some(&b':') && colon < to).then_some(((from + 1, close), colon + 1));
    }
    if matches!(first, b'{' | b'[') {
        return None;
    }
    let colon =
        (from..to).find(|at| text[*at] == b':' && (at + 1 == to || text[at + 1].is_ascii_whitespace()))?;
    (colon > from).then_some(((from, trim(text, (from, colon)).1), colon + 1))
}

fn path(enclosing: &Enclosing, key: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = enclosing.iter().map(|(_, key)| key.as_str()).chain(key).collect();
    let last = &parts[parts.len().saturating_sub(3)..];
    (!last.is_empty()).then(|| last.join("."))
}

/// A value, or the parts of a flow collection (`[a, b]`, `{k: v}`) on one line.
fn flow(text: &[u8], (from, to): (usize, usize), slot: Option<&str>, item: bool, pieces: &mut Vec<Piece>) {
    if from >= to {
        return;
    }
    if !matches!(text[from], b'[' | b'{') || text[from..to].starts_with(b"{{") {
        push_value(text, (from, to), slot, item, pieces);
        return;
    }
    for part in text[from..to].split(|b| matches!(b, b',' | b'[' | b']' | b'{' | b'}')) {
        let start = from + (part.as_ptr() as usize - text[from..].as_ptr() as usize);
        let span = trim(text, (start, start + part.len()));
        match yaml_key(text, span) {
            Some((key, value)) => {
                let key = name(text, key.0, key.1).unwrap_or_default();
                let slot = slot.map_or(key.clone(), |outer| format!("{outer}.{key}"));
                push_value(text, (value, span.1), Some(&slot), false, pieces);
            }
            None => push_value(text, span, slot, true, pieces),
        }
    }
}
