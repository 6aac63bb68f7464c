//! N-grams of a text, hashed into buckets: words by one and two, characters of a word by two to five.
//!
//! Read `Counts` (one text), `Rows` (many), then `Terms` (which of them a head knows).

mod rows;
mod terms;

pub use rows::Rows;
pub use terms::Terms;

use crate::text::{self, Folded, SPACE};

/// How many buckets there are; an n-gram's bucket is below it.
pub const BUCKETS: u32 = 2 << HALF_BITS;
/// Words have the upper half of the buckets, characters the lower.
pub(crate) const WORDS: u32 = 1 << HALF_BITS;
const HALF_BITS: u32 = 18;

/// The longest and the shortest n-gram of characters.
const CHARS: std::ops::RangeInclusive<usize> = 2..=5;

/// The n-grams of one text, in buffers that can be used again.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    folded: Folded,
    seen: Vec<u32>,
    found: Vec<(u32, u32)>,
}

impl Counts {
    /// Buckets of the text's n-grams in ascending order, each once, with how often it occurs.
    pub fn of(&mut self, text: &str) -> &[(u32, u32)] {
        self.folded.fold(text);
        self.seen.clear();
        chars(self.folded.chars(), &mut self.seen);
        words(self.folded.chars(), &mut self.seen);
        self.seen.sort_unstable();
        self.found.clear();
        for bucket in &self.seen {
            match self.found.last_mut() {
                Some((last, count)) if last == bucket => *count += 1,
                _ => self.found.push((*bucket, 1)),
            }
        }
        &self.found
    }
}

/// N-grams of characters within a word and the spaces beside it.
fn chars(folded: &[u32], seen: &mut Vec<u32>) {
    let mut start = 0;
    while let Some(length) = folded.get(start + 1..).and_then(|rest| rest.iter().position(|c| *c == SPACE)) {
        let word = &folded[start..=start + 1 + length];
        for from in 0..word.len() - 1 {
            let mut hash = CHARS_SEED;
            for (taken, letter) in word[from..].iter().take(*CHARS.end()).enumerate() {
                hash = mix(hash, u64::from(*letter));
                if taken + 1 >= *CHARS.start() {
                    seen.push(bucket(hash));
                }
            }
        }
        start += 1 + length;
    }
}

/// Words, and pairs of neighbours. Marks stand between words and are not part of them.
fn words(folded: &[u32], seen: &mut Vec<u32>) {
    let mut before = None;
    let mut hash = None;
    for letter in folded {
        if text::in_word(*letter) {
            hash = Some(mix(hash.unwrap_or(WORDS_SEED), u64::from(*letter)));
        } else if let Some(word) = hash.take() {
            seen.push(WORDS | bucket(word));
            if let Some(before) = before.replace(word) {
                seen.push(WORDS | bucket(mix(mix(PAIRS_SEED, before), word)));
            }
        }
    }
}

const CHARS_SEED: u64 = 0x243F_6A88_85A3_08D3;
const WORDS_SEED: u64 = 0x1319_8A2E_0370_7344;
const PAIRS_SEED: u64 = 0xA409_3822_299F_31D0;

/// One step of a multiplicative hash (Knuth's golden-ratio multiplier, with a rotation between steps so that
/// high bits come back down). Part of the file format.
fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn bucket(hash: u64) -> u32 {
    let spread = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (spread >> (64 - HALF_BITS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_grams_are_those_of_the_words() {
        // " ab ": 3 pairs, 2 threes, 1 four; " c ": 2 pairs, 1 three; words ab, c, and their pair.
        let mut counts = Counts::default();
        let total: u32 = counts.of("ab c").iter().map(|(_, count)| count).sum();
        assert_eq!(total, 6 + 3 + 3);
        let twice = counts.of("ab c ab c").iter().map(|(_, count)| *count).max();
        assert_eq!(twice, Some(2));
        assert!(counts.of("").is_empty());
        // Marks are characters, not words.
        let total: u32 = counts.of("?!").iter().map(|(_, count)| count).sum();
        assert_eq!(total, 6);
    }

    #[test]
    fn buckets_are_frozen_and_spread() {
        let mut counts = Counts::default();
        let first: Vec<u32> = counts.of("card").iter().map(|(bucket, _)| *bucket).take(3).collect();
        assert_eq!(first, [15_389, 30_034, 47_620], "the hash is part of the file format");
        let mut buckets: Vec<u32> = (0..40_000u32).map(|n| bucket(mix(WORDS_SEED, u64::from(n)))).collect();
        buckets.sort_unstable();
        buckets.dedup();
        // 40,000 balls into 262,144 boxes fill 37,091 of them on average (standard deviation 44).
        assert!((36_900..37_300).contains(&buckets.len()), "{}", buckets.len());
    }
}
