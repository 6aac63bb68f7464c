//! A scanner over JSON text that yields spans and copies nothing.
//!
//! It exists because what passes through Mains must keep every byte that is not edited: a parser that
//! builds values loses spacing, doubled keys, the spelling of numbers and of escapes. The grammar is
//! RFC 8259, checked in full; nesting is bounded; there is no recursion.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// How deep arrays and objects may stand in each other.
pub(crate) const DEPTH_MAX: usize = 128;

/// Why text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// Where, in bytes from the start of the text.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for JsonError {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// Quotes included.
    Key(Range<usize>),
    /// Quotes included.
    String(Range<usize>),
    /// A number, `true`, `false` or `null`.
    Scalar(Range<usize>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Key,
    CommaOrEnd,
    Nothing,
}

/// Yields the tokens of one JSON text.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many containers are open.
    depth: usize,
    /// One bit for each of them, the innermost lowest: whether it is an object.
    objects: u128,
    expect: Expect,
    /// Bytes of white space between tokens, so far.
    pub(crate) space: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, objects: 0, expect: Expect::Value, space: 0 }
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The next token; `None` at the end of a complete text.
    pub(crate) fn next_token(&mut self) -> Result<Option<Token>, JsonError> {
        self.skip_space();
        if self.expect == Expect::CommaOrEnd && self.peek() == Some(b',') {
            self.at += 1;
            self.expect = if self.in_object() { Expect::Key } else { Expect::Value };
            self.skip_space();
        }
        let Some(byte) = self.peek() else {
            return if self.expect == Expect::Nothing {
                Ok(None)
            } else {
                Err(self.error("text ends too early"))
            };
        };
        match (self.expect, byte) {
            (Expect::Nothing, _) => Err(self.error("more text after the value")),
            (Expect::KeyOrEnd, b'}') => Ok(Some(self.close(Token::ObjectEnd))),
            (Expect::ValueOrEnd, b']') => Ok(Some(self.close(Token::ArrayEnd))),
            (Expect::CommaOrEnd, b'}') if self.in_object() => Ok(Some(self.close(Token::ObjectEnd))),
            (Expect::CommaOrEnd, b']') if self.depth > 0 && !self.in_object() => {
                Ok(Some(self.close(Token::ArrayEnd)))
            }
            (Expect::CommaOrEnd, _) => Err(self.error("no comma between values")),
            (Expect::KeyOrEnd | Expect::Key, b'"') => self.key().map(Some),
            (Expect::KeyOrEnd | Expect::Key, _) => Err(self.error("no key in double quotes")),
            (Expect::Value | Expect::ValueOrEnd, _) => self.value(byte).map(Some),
        }
    }

    /// Reads on to the end of the value that `first` began, and gives its span.
    pub(crate) fn finish_value(&mut self, first: &Token) -> Result<Range<usize>, JsonError> {
        match first {
            Token::Key(span) | Token::String(span) | Token::Scalar(span) => Ok(span.clone()),
            Token::ObjectStart | Token::ArrayStart => {
                let start = self.at - 1;
                let depth = self.depth();
                while self.depth() >= depth {
                    self.next_token()?;
                }
                Ok(start..self.at)
            }
            Token::ObjectEnd | Token::ArrayEnd => Ok(self.at..self.at),
        }
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn error(&self, what: &'static str) -> JsonError {
        JsonError { at: self.at, what }
    }

    fn skip_space(&mut self) {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.space += self.at - start;
    }

    fn close(&mut self, token: Token) -> Token {
        self.at += 1;
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
        self.after_value();
        token
    }

    fn after_value(&mut self) {
        self.expect = if self.depth == 0 { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    fn key(&mut self) -> Result<Token, JsonError> {
        let span = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.error("no colon after a key"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Token::Key(span))
    }

    fn value(&mut self, byte: u8) -> Result<Token, JsonError> {
        match byte {
            b'{' | b'[' => {
                if self.depth >= DEPTH_MAX {
                    return Err(self.error("values nested deeper than 128 levels"));
                }
                let object = byte == b'{';
                self.at += 1;
                self.depth += 1;
                self.objects = self.objects << 1 | u128::from(object);
                self.expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                Ok(if object { Token::ObjectStart } else { Token::ArrayStart })
            }
            b'"' => {
                let span = self.string()?;
                self.after_value();
                Ok(Token::String(span))
            }
            _ => {
                let span = self.scalar(byte)?;
                self.after_value();
                Ok(Token::Scalar(span))
            }
        }
    }

    fn string(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let length = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            if let Some(control) = rest[..length].iter().position(|byte| *byte < 0x20) {
                self.at += control;
                return Err(self.error("a bare control character in a string"));
            }
            self.at += length;
            match self.peek() {
                None => return Err(self.error("text ends inside a string")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at);
                }
                Some(_) => self.escape()?,
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.error("an escape without four hexadecimal digits"));
                }
                self.at += 6;
            }
            _ => return Err(self.error("an unknown escape in a string")),
        }
        Ok(())
    }

    fn scalar(&mut self, byte: u8) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        for word in [&b"true"[..], b"false", b"null"] {
            if self.bytes[start..].starts_with(word) {
                self.at += word.len();
                return Ok(start..self.at);
            }
        }
        if byte != b'-' && !byte.is_ascii_digit() {
            return Err(self.error("no JSON value"));
        }
        self.number()?;
        Ok(start..self.at)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("a number without a digit")) } else { Ok(()) }
    }
}

/// One member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    /// Where the key stands in the text, with its quotes.
    pub(crate) key_span: Range<usize>,
    /// The value's bytes.
    pub(crate) value: &'a [u8],
    /// Where the value stands in the text.
    pub(crate) span: Range<usize>,
}

/// The members of an object in the order of the text, doubled keys included.
pub(crate) fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, JsonError> {
    let mut scanner = Scanner::new(bytes);
    let mut out = Vec::with_capacity(8);
    if scanner.next_token()? != Some(Token::ObjectStart) {
        return Err(JsonError { at: 0, what: "no JSON object" });
    }
    while let Some(token) = scanner.next_token()? {
        let Token::Key(key) = token else { continue };
        let Some(first) = scanner.next_token()? else { break };
        let span = scanner.finish_value(&first)?;
        out.push(Member { key: text(&bytes[key.clone()]), key_span: key, value: &bytes[span.clone()], span });
    }
    Ok(out)
}

/// The elements of an array; none if the text is no array.
pub(crate) fn elements(bytes: &[u8]) -> Vec<&[u8]> {
    let mut scanner = Scanner::new(bytes);
    let mut out = Vec::new();
    if !matches!(scanner.next_token(), Ok(Some(Token::ArrayStart))) {
        return out;
    }
    while let Ok(Some(first)) = scanner.next_token() {
        if first == Token::ArrayEnd {
            break;
        }
        let Ok(span) = scanner.finish_value(&first) else { break };
        out.push(&bytes[span]);
    }
    out
}

/// The value of the last member with that key, `null` counting as none; `None` if the text is no object.
pub(crate) fn get<'a>(bytes: &'a [u8], key: &str) -> Option<&'a [u8]> {
    find(&members(bytes).ok()?, key)
}

/// The same among members that were read already.
pub(crate) fn find<'a>(members: &[Member<'a>], key: &str) -> Option<&'a [u8]> {
    let member = members.iter().rev().find(|member| member.key == key)?;
    (member.value != b"null").then_some(member.value)
}

/// The value at the end of a path of keys.
pub(crate) fn path<'a>(bytes: &'a [u8], keys: &[&str]) -> Option<&'a [u8]> {
    keys.iter().try_fold(bytes, |value, key| get(value, key))
}

/// A string's content, escapes undone, or a scalar as it is written. Lone surrogates and bytes that are
/// not UTF-8 become U+FFFD.
pub(crate) fn text(value: &[u8]) -> Cow<'_, str> {
    let quoted = value.len() >= 2 && value.starts_with(b"\"") && value.ends_with(b"\"");
    let inner = if quoted { &value[1..value.len() - 1] } else { value };
    if !quoted || !inner.contains(&b'\\') {
        return String::from_utf8_lossy(inner);
    }
    Cow::Owned(unescape(&String::from_utf8_lossy(inner)))
}

/// A string's content; `None` if the value is no string.
pub(crate) fn string(value: &[u8]) -> Option<Cow<'_, str>> {
    value.starts_with(b"\"").then(|| text(value))
}

/// A whole number that is not negative; `None` for anything else.
pub(crate) fn integer(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut units: Vec<u16> = Vec::new();
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        let escape = if character == '\\' { characters.next() } else { None };
        if escape == Some('u') {
            let digits: String = characters.by_ref().take(4).collect();
            units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
            continue;
        }
        flush(&mut units, &mut out);
        match escape {
            None => out.push(character),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some(other) => out.push(other),
        }
    }
    flush(&mut units, &mut out);
    out
}

/// Surrogate pairs come as two escapes in a row, so they are joined here.
fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or('\u{fffd}')));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &[u8]) -> Result<(), JsonError> {
        let mut scanner = Scanner::new(text);
        while scanner.next_token()?.is_some() {}
        Ok(())
    }

    #[test]
    fn the_grammar_is_checked() {
        for good in ["{}", "[]", " [1 , -0.5e+3,{\"a\":[null]}]\n", "\"\\u00e9\\\"\"", "0", "true"] {
            assert_eq!(scan(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            "",
            "{",
            "{,}",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "01",
            "1.",
            "-",
            "\"\\x\"",
            "\"\n\"",
            "[1 2]",
            "{a:1}",
            "nul",
            "1 2",
            "]",
            "[}",
            "{\"a\"]",
            "\"\\u12g4\"",
            "\"abc",
            "[1}",
            "{\"a\":1]",
        ] {
            assert!(scan(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(scan("[".repeat(DEPTH_MAX + 1).as_bytes()).unwrap_err().what.contains("128"));
    }

    #[test]
    fn text_is_unescaped() {
        assert_eq!(text(br#""a\n\ud83d\ude00\u00e9\ud800x\/""#), "a\n\u{1f600}\u{e9}\u{fffd}x/");
        assert_eq!(path(br#"{"a":{"b":1,"b":2}}"#, &["a", "b"]), Some(&b"2"[..]));
        assert_eq!(elements(b"[1, [2], {}]"), [&b"1"[..], b"[2]", b"{}"]);
    }

    proptest! {
        #[test]
        fn the_scanner_agrees_with_serde_json(text in "[\\[\\]{}:,\"\\\\a0-9.eE+ nultrfs-]{0,24}") {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            // serde_json skips over ignored numbers that no double can hold; the grammar is what is compared.
            prop_assert_eq!(scan(text.as_bytes()).is_ok(), theirs, "{}", text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = scan(&bytes);
            let _ = members(&bytes);
            let _ = elements(&bytes);
            let _ = text(&bytes);
        }
    }
}
