//! From leaves to files: what a log publishes, made leaf by leaf.

use crate::hash::Hash;
use crate::tile::{self, Kind, TileName, WIDTH};
use crate::tree::Frontier;

/// Takes leaves in order and gives the files that they fill. Holds the last, partial file of every kind
/// and nothing else: at most 256 leaves and a few hundred hashes a level.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    frontier: Frontier,
    bundle: Vec<u8>,
    levels: Vec<Vec<Hash>>,
}

impl Builder {
    /// The log without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves were taken.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Takes one leaf and gives the files that became full with it, mostly none. A leaf that is too long
    /// is refused and leaves everything as it was.
    pub fn push(&mut self, leaf: &[u8]) -> Result<Vec<(TileName, Vec<u8>)>, String> {
        tile::push_entry(&mut self.bundle, leaf)?;
        let mut full = Vec::new();
        if (self.size() + 1).is_multiple_of(WIDTH) {
            let name = TileName { kind: Kind::Entries, index: self.size() / WIDTH, width: WIDTH };
            full.push((name, std::mem::take(&mut self.bundle)));
        }
        let levels = &mut self.levels;
        self.frontier.append_with(Hash::of_leaf(leaf), |height, index, hash| {
            if height % 8 != 0 {
                return;
            }
            let level = (height / 8) as usize;
            if levels.len() == level {
                levels.push(Vec::new());
            }
            levels[level].push(hash);
            if levels[level].len() as u64 == WIDTH {
                // At most eight levels: a size has 64 bits.
                let kind = Kind::Level(u8::try_from(level).unwrap_or(u8::MAX));
                let name = TileName { kind, index: index / WIDTH, width: WIDTH };
                full.push((name, tile::encode_tile(&levels[level])));
                levels[level].clear();
            }
        });
        Ok(full)
    }

    /// The partial files of the log as it stands.
    pub fn partials(&self) -> Vec<(TileName, Vec<u8>)> {
        let size = self.size();
        let last = |kind| {
            let count = tile::count(kind, size);
            (!count.is_multiple_of(WIDTH)).then_some(TileName {
                kind,
                index: count / WIDTH,
                width: count % WIDTH,
            })
        };
        let bundle = last(Kind::Entries).map(|name| (name, self.bundle.clone()));
        let tiles = (0u8..).zip(&self.levels).filter_map(|(level, hashes)| {
            last(Kind::Level(level)).map(|name| (name, tile::encode_tile(hashes)))
        });
        bundle.into_iter().chain(tiles).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_files_are_exactly_those_that_the_tree_lies_in() {
        let mut builder = Builder::new();
        let mut files = BTreeMap::new();
        for i in 0..70_000u32 {
            files.extend(builder.push(&i.to_be_bytes()).unwrap());
            if [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000].contains(&(i + 1)) {
                let all: BTreeMap<_, _> = files.clone().into_iter().chain(builder.partials()).collect();
                let expected: Vec<_> = tile::names(u64::from(i) + 1).collect();
                assert_eq!(all.len(), expected.len(), "size {}", i + 1);
                for name in expected {
                    match name.kind {
                        Kind::Entries => drop(tile::decode_bundle(&all[&name], name.width).unwrap()),
                        Kind::Level(_) => drop(tile::decode_tile(&all[&name], name.width).unwrap()),
                    }
                }
            }
        }
    }
}
