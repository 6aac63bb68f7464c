//! The beginnings of prompts that need not be computed again.
//!
//! Keys and values depend on the tokens up to their position and on nothing else, so a sequence that begins like an
//! earlier one takes them over: bit for bit what computing them would give. Never from another reader's: how much was
//! taken over is told, and would tell what the other one's prompt began with.

use crate::model::Sequence;

/// Fewer shared tokens are not worth the copy.
pub(super) const PREFIX_MIN: usize = 16;

/// Sequences that have ended, the one used last at the end.
#[derive(Default)]
pub(super) struct Prefixes {
    kept: Vec<Kept>,
}

struct Kept {
    reader: Option<String>,
    tokens: Vec<u32>,
    sequence: Sequence,
}

impl Prefixes {
    /// The positions that are held in all.
    pub(super) fn positions(&self) -> usize {
        self.kept.iter().map(|kept| kept.sequence.capacity()).sum()
    }

    /// How many of this reader's tokens the best of them begins with.
    pub(super) fn shared(&self, reader: Option<&str>, tokens: &[u32]) -> usize {
        self.kept.iter().map(|kept| kept.shared(reader, tokens)).max().unwrap_or(0)
    }

    /// The one that begins with most of this reader's tokens; it counts as used now.
    pub(super) fn best(&mut self, reader: Option<&str>, tokens: &[u32]) -> Option<&Sequence> {
        let (_, best) = (0..self.kept.len()).map(|at| (self.kept[at].shared(reader, tokens), at)).max()?;
        let kept = self.kept.remove(best);
        self.kept.push(kept);
        self.kept.last().map(|kept| &kept.sequence)
    }

    /// Keeps a sequence that has ended, whose positions hold these tokens. Those that are its beginning go: it
    /// serves whatever they would.
    pub(super) fn keep(&mut self, reader: Option<String>, tokens: Vec<u32>, sequence: Sequence) {
        debug_assert_eq!(tokens.len(), sequence.length(), "a token for each position");
        self.kept.retain(|kept| kept.reader != reader || !tokens.starts_with(&kept.tokens));
        self.kept.push(Kept { reader, tokens, sequence });
    }

    /// Forgets those that were not used for longest, until no more than this many positions are held.
    pub(super) fn shrink(&mut self, positions_max: usize) {
        while self.positions() > positions_max {
            self.kept.remove(0);
        }
    }
}

impl Kept {
    /// How many of this reader's tokens it begins with: none where it is another's.
    fn shared(&self, reader: Option<&str>, tokens: &[u32]) -> usize {
        if self.reader.as_deref() == reader { common(&self.tokens, tokens) } else { 0 }
    }
}

/// How many tokens both begin with.
pub(super) fn common(one: &[u32], other: &[u32]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}
