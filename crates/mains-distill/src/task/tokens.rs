//! A request as one text, and that text as tokens.

use super::exchange::Turn;
use std::collections::BTreeMap;

/// Begins a turn. What holds it in its own text belongs to no template.
pub(super) const TURN: char = '\u{1e}';

/// All turns as one text.
pub(super) fn joined(turns: &[Turn]) -> String {
    let mut text = String::new();
    for turn in turns {
        text.push(TURN);
        text.push_str(turn.role.word());
        text.push('\n');
        text.push_str(&turn.text);
    }
    text
}

/// Dates and times of day that are written in figures become zeros of the same length: instructions often name the
/// day, and are the same instructions on the next. Other figures stay, for "over 500" is not "over 1000".
pub(super) fn masked(text: &str) -> String {
    const FORMS: [&[u8]; 3] = [b"dddd-dd-dd", b"dd:dd:dd", b"dd:dd"];
    let mut bytes = text.as_bytes().to_vec();
    let mut place = 0;
    while place < bytes.len() {
        let digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
        let fits = |form: &&&[u8]| {
            let same = |(i, sign): (usize, &u8)| {
                if *sign == b'd' { digit(place + i) } else { bytes.get(place + i) == Some(sign) }
            };
            form.iter().enumerate().all(same) && !digit(place + form.len())
        };
        let inside = place > 0 && digit(place - 1);
        match FORMS.iter().filter(|_| !inside).find(fits) {
            Some(form) => {
                for (byte, sign) in bytes[place..].iter_mut().zip(*form) {
                    if *sign == b'd' {
                        *byte = b'0';
                    }
                }
                place += form.len();
            }
            None => place += 1,
        }
    }
    // Only ASCII digits were put in the place of ASCII digits.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Cuts a text into words, line ends, runs of other white space, and single characters. Together they are the text.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let runs: fn(char) -> bool = if first.is_alphanumeric() {
            char::is_alphanumeric
        } else if first != '\n' && first.is_whitespace() {
            |character| character != '\n' && character.is_whitespace()
        } else {
            |_| false
        };
        let end = rest[first.len_utf8()..]
            .find(|character| !runs(character))
            .map_or(rest.len(), |end| end + first.len_utf8());
        let end = if runs(first) { end } else { first.len_utf8() };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

/// Tokens as numbers, and what each number weighs as evidence that it was put there by a program.
#[derive(Default)]
pub(super) struct Book<'t> {
    numbers: BTreeMap<&'t str, u32>,
    /// By number.
    pub(super) tokens: Vec<&'t str>,
}

impl<'t> Book<'t> {
    pub(super) fn read(&mut self, text: &'t str) -> Vec<u32> {
        tokens(text)
            .map(|token| {
                *self.numbers.entry(token).or_insert_with(|| {
                    self.tokens.push(token);
                    u32::try_from(self.tokens.len() - 1).unwrap_or(u32::MAX)
                })
            })
            .collect()
    }

    /// A word says little, a line end more, the end of a turn enough.
    pub(super) fn weight(&self, number: u32) -> u32 {
        let token = self.tokens.get(number as usize).copied().unwrap_or_default();
        match token.chars().next() {
            Some(TURN) => super::cluster::STRONG,
            Some('\n') => 3,
            Some(':') => 1,
            Some(first) if first.is_alphanumeric() => 1,
            _ => 0,
        }
    }

    pub(super) fn text(&self, numbers: &[u32]) -> String {
        numbers.iter().filter_map(|number| self.tokens.get(*number as usize)).copied().collect()
    }
}
