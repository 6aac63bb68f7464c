//! Finds a name, whatever its case, in well under a microsecond, and says which rows of which table bear it.

use crate::table::Text;
use std::ops::Range;

/// The tables that a name can occur in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    Models,
    Facts,
    Aliases,
    Parameters,
}

/// One known name, in lower case, and the rows that bear it in each table (which are sorted by name).
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: Text,
    ranges: [(u32, u32); 4],
}

impl Name {
    pub(crate) fn rows(&self, table: Table) -> Range<usize> {
        let (start, end) = self.ranges[table as usize];
        start as usize..end as usize
    }
}

/// An open-addressing hash table over all names.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    names: Vec<Name>,
    /// Position in `names` plus one; zero is empty. The length is a power of two.
    slots: Vec<u32>,
    /// Position in `names` of the name added last.
    last: usize,
}

impl Index {
    pub(crate) fn with_room_for(rows: usize) -> Self {
        let slots = (rows * 2).next_power_of_two().max(16);
        Self { names: Vec::with_capacity(rows), slots: vec![0; slots], last: 0 }
    }

    /// Notes that row `row` of `table` bears `name`. Rows of one table must come in the order of their
    /// names, so that those of one name stand together.
    pub(crate) fn add(&mut self, table: Table, name: &Text, row: usize) {
        let row = u32::try_from(row).unwrap_or(u32::MAX - 1);
        // Most rows bear the name of the row before.
        if let Some(last) = self.names.get_mut(self.last)
            && last.text.eq_ignore_ascii_case(name)
            && last.ranges[table as usize].1 == row
        {
            last.ranges[table as usize].1 = row + 1;
            return;
        }
        let slot = self.slot_of(name);
        if self.slots[slot] == 0 {
            let text = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Text::Owned(name.to_ascii_lowercase())
            } else {
                name.clone()
            };
            self.names.push(Name { text, ranges: [(0, 0); 4] });
            self.slots[slot] = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        }
        self.last = self.slots[slot] as usize - 1;
        let found = &mut self.names[self.last].ranges[table as usize];
        *found = if found.1 == 0 { (row, row + 1) } else { (found.0, row + 1) };
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Name> {
        let slot = self.slots[self.slot_of(name)] as usize;
        self.names.get(slot.checked_sub(1)?)
    }

    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }

    /// The slot that holds `name`, or the empty one where it would stand. The table is at most half full,
    /// so the walk ends.
    fn slot_of(&self, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(name) & mask;
        loop {
            match self.slots[slot] {
                0 => return slot,
                taken if self.names[taken as usize - 1].text.eq_ignore_ascii_case(name) => return slot,
                _ => slot = (slot + 1) & mask,
            }
        }
    }
}

/// Multiplies and rotates eight bytes at a time. Setting bit 5 makes letters alike in either case (and a few
/// other bytes, which only costs a comparison). The names are ours and the user's own, so no keyed hash is
/// needed.
fn hash(name: &str) -> usize {
    const MIX: u64 = 0x517c_c1b7_2722_0a95;
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ (word | LOWER)).wrapping_mul(MIX);
    let mut chunks = name.as_bytes().chunks_exact(8);
    let mut hash = name.len() as u64;
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = mix(hash, u64::from_le_bytes(word));
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    hash = mix(hash, u64::from_le_bytes(word));
    usize::try_from(hash >> 32).unwrap_or(0)
}
