//! A fast first look: does a file hold any word at all? Most do not, and are never looked at again.
//!
//! Each word is represented by its five rarest bytes in a row, as two runs of four. One of the two begins at
//! an even place, so every second place is enough. One pass over the file asks a table of bits, small enough
//! for the first cache, whether the four bytes at hand may be such a run; where it says yes, the word is
//! compared. The answer is exact; only the way to it is a filter.

use std::collections::HashMap;

/// The table has so many bits; with a thousand words, about one place in a hundred is compared.
const BITS: usize = 1 << 17;
const GRAM: usize = 4;
/// How many places are passed between two branches.
const STRIDE: usize = 16;
/// Shorter words have no two runs.
pub(crate) const WORD_MIN: usize = GRAM + 1;

/// Letters from common to rare, in source code and English.
const COMMON_FIRST: &[u8] = b"etaoinsrlcdupmfhgb_y.vwk-xjqz";

/// A word, folded, with the place of its rarest run.
type Word = (usize, Box<[u8]>);

/// The words, ready to be looked for.
pub(crate) struct Gate {
    bits: Vec<u64>,
    /// The same runs by another hash: what both tables hold is nearly always one of them.
    more_bits: Vec<u64>,
    /// Words by their run of four bytes, each with the place of the run in the word.
    words: HashMap<u32, Vec<Word>>,
}

/// Lower case for letters; other bytes may fall together, on both sides alike.
fn fold(byte: u8) -> u8 {
    byte | 0x20
}

fn gram(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> (32 - BITS.trailing_zeros())) as usize
}

fn other_slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x85eb_ca6b) >> (32 - BITS.trailing_zeros())) as usize
}

fn rarity(byte: u8) -> usize {
    COMMON_FIRST.iter().position(|common| *common == byte).unwrap_or(if byte.is_ascii_digit() {
        18
    } else {
        12
    })
}

impl Gate {
    /// Over words of at least [`WORD_MIN`] bytes; shorter ones are left out.
    pub(crate) fn new<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut gate =
            Self { bits: vec![0; BITS / 64], more_bits: vec![0; BITS / 64], words: HashMap::new() };
        for word in words {
            let folded: Box<[u8]> = word.bytes().map(fold).collect();
            let lower = word.to_ascii_lowercase();
            let score = |at: &usize| {
                lower.as_bytes()[*at..at + WORD_MIN].iter().map(|byte| rarity(*byte)).sum::<usize>()
            };
            let places = 0..(folded.len() + 1).saturating_sub(WORD_MIN);
            let Some(best) = places.max_by_key(score) else { continue };
            for at in [best, best + 1] {
                let run = gram([folded[at], folded[at + 1], folded[at + 2], folded[at + 3]]);
                gate.bits[slot(run) / 64] |= 1 << (slot(run) % 64);
                gate.more_bits[other_slot(run) / 64] |= 1 << (other_slot(run) % 64);
                gate.words.entry(run).or_default().push((at, folded.clone()));
            }
        }
        gate
    }

    fn may_begin(&self, run: u32) -> u64 {
        let slot = slot(run);
        self.bits[slot / 64] >> (slot % 64) & 1
    }

    /// Whether `text` holds any of the words, whatever the case.
    pub(crate) fn holds_any(&self, text: &[u8]) -> bool {
        const WINDOW: usize = STRIDE + GRAM - 2;
        let mut at = 0;
        while let Some(window) = text[at..].first_chunk::<WINDOW>() {
            let mut any = 0;
            for offset in (0..STRIDE).step_by(2) {
                let run = [window[offset], window[offset + 1], window[offset + 2], window[offset + 3]];
                any |= self.may_begin(gram(run));
            }
            if any != 0 && (at..at + STRIDE).step_by(2).any(|place| self.holds_at(text, place)) {
                return true;
            }
            at += STRIDE;
        }
        (at..text.len()).step_by(2).any(|place| self.holds_at(text, place))
    }

    /// Whether a word stands with its rarest run at `at`.
    fn holds_at(&self, text: &[u8], at: usize) -> bool {
        let Some(run) = text[at..].first_chunk::<GRAM>().map(|run| gram(*run)) else { return false };
        let other = other_slot(run);
        if self.may_begin(run) == 0 || self.more_bits[other / 64] >> (other % 64) & 1 == 0 {
            return false;
        }
        let Some(words) = self.words.get(&run) else { return false };
        words.iter().any(|(offset, word)| {
            let found = at.checked_sub(*offset).and_then(|from| text.get(from..from + word.len()));
            found.is_some_and(|found| found.iter().zip(word).all(|(byte, want)| fold(*byte) == *want))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_at_every_place_and_in_any_case() {
        let gate = Gate::new(["gpt-4o", "api.openai.com", "claude-"].into_iter());
        for front in 0..40 {
            for word in ["GPT-4o", "api.OpenAI.com", "claude-"] {
                let text = format!("{}{word}{}", "x".repeat(front), " y".repeat(front % 3));
                assert!(gate.holds_any(text.as_bytes()), "{text}");
                assert!(!gate.holds_any(&text.as_bytes()[..front + word.len() - 1]), "{text}");
            }
        }
        assert!(!gate.holds_any(b""));
        assert!(!gate.holds_any(b"gpt"));
    }
}
