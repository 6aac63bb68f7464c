//! What a text is to a labeller: lower-case characters, words between white space, one space beside each.
//!
//! Part of the file format: another folding makes other n-grams, so a change here is a new version of the
//! labeller file.

/// How many characters of a text are read; the rest is not looked at. It bounds the time of one label.
pub const CHARS_MAX: usize = 65_536;

/// A folded text: ` word word `, as code points, in a buffer that can be used again.
#[derive(Debug, Clone, Default)]
pub struct Folded {
    chars: Vec<u32>,
}

impl Folded {
    /// Folds `text` into this buffer.
    pub fn fold(&mut self, text: &str) {
        self.chars.clear();
        self.chars.push(SPACE);
        for letter in text.chars().take(CHARS_MAX) {
            if letter.is_ascii() {
                // The separators of the ASCII set (0x1C to 0x1F) are white space too, as in Unicode.
                if letter.is_ascii_whitespace() || ('\x1c'..='\x1f').contains(&letter) || letter == '\x0b' {
                    self.space();
                } else {
                    self.chars.push(u32::from(letter.to_ascii_lowercase()));
                }
            } else if letter.is_whitespace() {
                self.space();
            } else {
                self.chars.extend(letter.to_lowercase().map(u32::from));
            }
        }
        self.space();
    }

    /// The folded characters, a space before and after every word. A text without words is one space.
    pub fn chars(&self) -> &[u32] {
        &self.chars
    }

    fn space(&mut self) {
        if self.chars.last() != Some(&SPACE) {
            self.chars.push(SPACE);
        }
    }
}

/// The code point of a space.
pub(crate) const SPACE: u32 = 0x20;

/// Whether a folded character belongs to a word: a letter, a digit or an underscore.
pub(crate) fn in_word(letter: u32) -> bool {
    match letter {
        0x30..=0x39 | 0x61..=0x7a | 0x5f => true,
        0..0x80 => false,
        _ => char::from_u32(letter).is_some_and(char::is_alphanumeric),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut buffer = Folded::default();
        buffer.fold(text);
        buffer.chars().iter().filter_map(|letter| char::from_u32(*letter)).collect()
    }

    #[test]
    fn white_space_and_case_do_not_matter() {
        assert_eq!(folded("  Where\tIS\u{a0}my \n CARD? "), " where is my card? ");
        assert_eq!(folded("ÜBER Straße İ"), " über straße i\u{307} ");
        assert_eq!(folded(" \n "), " ");
        assert_eq!(folded(""), " ");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(folded(&"ab".repeat(CHARS_MAX)).len(), CHARS_MAX + 2);
    }
}
