//! How a tree lies in files (C2SP tlog-tiles): tiles of up to 256 hashes, bundles of up to 256 leaves, and
//! their names.

use crate::LEAF_BYTES_MAX;
use crate::hash::Hash;
use crate::proof::Nodes;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

/// Hashes of a full tile, leaves of a full bundle.
pub const WIDTH: u64 = 256;

/// What a file of the tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The leaves themselves.
    Entries,
    /// Hashes at this level; each covers `256^level` leaves. At most 63.
    Level(u8),
}

/// The name of one file of the tree; its text is the path that the specification gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileName {
    /// What it holds.
    pub kind: Kind,
    /// Its place at its level.
    pub index: u64,
    /// How many hashes or leaves it holds: 256, or fewer in a partial one.
    pub width: u64,
}

impl TileName {
    /// The file that holds the `place`-th hash (or leaf) of its kind in a tree of `size` leaves; `None`
    /// where the tree has no such hash.
    pub fn holding(kind: Kind, place: u64, size: u64) -> Option<Self> {
        let count = count(kind, size);
        let index = place / WIDTH;
        let width = if index < count / WIDTH { WIDTH } else { count % WIDTH };
        (place < count).then_some(Self { kind, index, width })
    }

    /// The same file grown to its full width.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// Reads a path; `None` unless it is exactly as [`fmt::Display`] writes it.
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Level(level.parse().ok().filter(|level| *level < 64)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|width| (1..WIDTH).contains(width))?),
            None => (rest, WIDTH),
        };
        let digits: String = index.split('/').map(|part| part.trim_start_matches('x')).collect();
        let name = Self { kind, index: digits.parse().ok()?, width };
        (name.to_string() == path).then_some(name)
    }
}

impl fmt::Display for TileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Level(level) => write!(f, "tile/{level}/")?,
        }
        // Groups of three digits, all but the last marked: a file never has the name of a folder.
        let mut scale = 1;
        while self.index / scale >= 1000 {
            scale *= 1000;
        }
        while scale > 1 {
            write!(f, "x{:03}/", self.index / scale % 1000)?;
            scale /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// How many hashes (or leaves) of this kind a tree of `size` leaves has.
pub fn count(kind: Kind, size: u64) -> u64 {
    match kind {
        Kind::Entries => size,
        Kind::Level(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
    }
}

/// Every file that a tree of `size` leaves is published in, full ones and the last partial ones.
pub fn names(size: u64) -> impl Iterator<Item = TileName> {
    std::iter::once(Kind::Entries).chain((0..8).map(Kind::Level)).flat_map(move |kind| {
        let places = count(kind, size).div_ceil(WIDTH);
        (0..places).filter_map(move |index| TileName::holding(kind, index * WIDTH, size))
    })
}

/// Joins hashes into a tile.
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Splits a tile into its hashes; the error says what does not fit.
pub fn decode_tile(bytes: &[u8], width: u64) -> Result<Vec<Hash>, String> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() as u64 != width {
        return Err(format!("{} bytes are not {width} hashes", bytes.len()));
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

/// Appends one leaf to a bundle: its length in 16 bits, then its bytes. A leaf that is too long is
/// refused.
pub fn push_entry(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), String> {
    let length = u16::try_from(leaf.len())
        .map_err(|_| format!("a leaf of {} bytes is longer than {LEAF_BYTES_MAX}", leaf.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

/// Splits a bundle into its leaves; the error says what does not fit.
pub fn decode_bundle(mut bytes: &[u8], width: u64) -> Result<Vec<&[u8]>, String> {
    let mut leaves = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((leaf, rest)) = rest.split_at_checked(length) else {
            return Err(format!("entry {} is cut short", leaves.len()));
        };
        leaves.push(leaf);
        bytes = rest;
    }
    if !bytes.is_empty() || leaves.len() as u64 != width {
        return Err(format!("it holds {} entries, not {width}", leaves.len()));
    }
    Ok(leaves)
}

/// The bytes that a narrower file shares with a wider one of the same place: the first hashes or leaves, as
/// many as `name` holds.
pub fn prefix(name: TileName, bytes: &[u8]) -> &[u8] {
    let end = match name.kind {
        Kind::Level(_) => usize::try_from(name.width * 32).unwrap_or(usize::MAX),
        Kind::Entries => {
            (0..name.width).fold(0, |end, _| match bytes.get(end..).and_then(<[u8]>::first_chunk) {
                Some(length) => end + 2 + usize::from(u16::from_be_bytes(*length)),
                None => end,
            })
        }
    };
    bytes.get(..end).unwrap_or(bytes)
}

/// The nodes of a tree of a given size, read from its tiles: what proofs are made from. Reads each tile
/// once. It trusts what it reads; whoever made the proof checks it against a signed root.
pub struct TileNodes<R> {
    read: R,
    size: u64,
    tiles: RefCell<HashMap<TileName, Vec<Hash>>>,
}

impl<R: Fn(&str) -> Result<Vec<u8>, String>> TileNodes<R> {
    /// Nodes of the tree of `size` leaves; `read` gives the whole file of a path.
    pub fn new(size: u64, read: R) -> Self {
        Self { read, size, tiles: RefCell::default() }
    }

    fn tile(&self, name: TileName) -> Result<Vec<Hash>, String> {
        // A partial tile may have been dropped since the full one exists; then that one begins with it.
        match (self.read)(&name.to_string()) {
            Ok(bytes) => decode_tile(&bytes, name.width),
            Err(_) if name.width < WIDTH => {
                let mut hashes = decode_tile(&(self.read)(&name.full().to_string())?, WIDTH)?;
                hashes.truncate(usize::try_from(name.width).unwrap_or(usize::MAX));
                Ok(hashes)
            }
            Err(why) => Err(why),
        }
    }
}

impl<R: Fn(&str) -> Result<Vec<u8>, String>> Nodes for TileNodes<R> {
    fn node(&self, height: u32, index: u64) -> Result<Hash, String> {
        let missing = || format!("node {index} at height {height} is not full at size {}", self.size);
        let level = u8::try_from(height / 8).map_err(|_| missing())?;
        let span = 1u64 << (height % 8);
        let first = index.checked_mul(span).ok_or_else(missing)?;
        let name =
            TileName::holding(Kind::Level(level), first + (span - 1), self.size).ok_or_else(missing)?;
        let mut tiles = self.tiles.borrow_mut();
        let hashes = match tiles.entry(name) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.tile(name)?),
        };
        let offset = usize::try_from(first % WIDTH).map_err(|_| missing())?;
        let span = usize::try_from(span).map_err(|_| missing())?;
        hashes.get(offset..offset + span).map(full_root).ok_or_else(missing)
    }
}

/// The root over a power of two of hashes.
fn full_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            Hash::of_node(&full_root(left), &full_root(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        let name = TileName { kind: Kind::Level(0), index: 1_234_067, width: 256 };
        assert_eq!(name.to_string(), "tile/0/x001/x234/067");
        let partial = TileName { kind: Kind::Entries, index: 5, width: 112 };
        assert_eq!(partial.to_string(), "tile/entries/005.p/112");
        for name in [name, partial, TileName { kind: Kind::Level(63), index: u64::MAX, width: 1 }] {
            assert_eq!(TileName::parse(&name.to_string()), Some(name));
        }
        for wrong in [
            "tile/0/1",
            "tile/00/001",
            "tile/64/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/x000/001",
            "tile/0/001.p/07",
            "tile/entries/x1/001",
            "tile/-1/001",
            "tile/0/001/",
            "tile/0/x001",
            "tile/0/",
            "tile/+1/001",
            "tile/0/+01",
            "tile/0/001.p/+1",
        ] {
            assert_eq!(TileName::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_tree_of_70_000_lies_in_the_files_that_the_specification_counts() {
        let all: Vec<TileName> = names(70_000).collect();
        let of = |kind, full| all.iter().filter(|n| n.kind == kind && (n.width == WIDTH) == full).count();
        assert_eq!((of(Kind::Level(0), true), of(Kind::Level(0), false)), (273, 1));
        assert_eq!((of(Kind::Level(1), true), of(Kind::Level(1), false)), (1, 1));
        assert_eq!((of(Kind::Level(2), true), of(Kind::Level(2), false)), (0, 1));
        assert_eq!(all.len(), 274 + 274 + 2 + 1);
        assert!(all.contains(&TileName { kind: Kind::Level(0), index: 273, width: 112 }));
        assert!(all.contains(&TileName { kind: Kind::Level(1), index: 1, width: 17 }));
        assert_eq!(
            names(256).map(|n| n.to_string()).collect::<Vec<_>>(),
            ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
        );
        assert_eq!(names(0).count(), 0);
    }

    #[test]
    fn bundles_and_tiles_that_do_not_fit_are_refused() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"a").unwrap();
        push_entry(&mut bundle, b"").unwrap();
        assert_eq!(decode_bundle(&bundle, 2).unwrap(), [b"a".as_slice(), b""]);
        assert!(decode_bundle(&bundle, 3).is_err());
        assert!(decode_bundle(&bundle[..4], 1).is_err());
        assert!(decode_bundle(&[0, 9, 1], 1).is_err());
        assert!(push_entry(&mut bundle, &vec![0; LEAF_BYTES_MAX + 1]).is_err());
        assert!(decode_tile(&[0; 33], 1).is_err());
        assert!(decode_tile(&[0; 64], 1).is_err());
    }
}
