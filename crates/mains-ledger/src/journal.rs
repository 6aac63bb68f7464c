//! The journal: the one file that is synced. Frames in a chain of hashes, one leaf a frame, after a header
//! with a version.
//!
//! ```text
//! header  "MAINSLOG" · version u16 · length of origin u16 · origin · SHA-256 of all before
//! frame   length u32 · guard 4 bytes · leaf · link 32 bytes             (all integers big-endian)
//! guard   first 4 bytes of SHA-256("g" || previous link || length)
//! link    SHA-256("l" || previous link || length || leaf); the header's hash is the first link
//! ```
//!
//! The guard is what makes "incomplete" certain: a length that was changed later cannot pass for a frame
//! that a crash cut short, so a torn tail can be cut off and everything else be refused.

use crate::LEAF_BYTES_MAX;
use crate::hash::Hash;
use sha2::{Digest, Sha256};
use std::fmt;

/// The only version so far.
pub const VERSION: u16 = 1;
const MAGIC: &[u8; 8] = b"MAINSLOG";
/// Magic, version and length of the origin.
const FIXED_BYTES: usize = 12;
/// Length and guard.
const FRAME_HEAD_BYTES: usize = 8;
const LINK_BYTES: usize = 32;
/// What a frame adds to its leaf.
pub const FRAME_BYTES: usize = FRAME_HEAD_BYTES + LINK_BYTES;

/// What is wrong with a journal, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalError {
    /// Offset in the file, in bytes, of the header or frame that does not verify.
    pub offset: u64,
    /// The leaf whose frame it is; `None` for the header.
    pub index: Option<u64>,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "frame of leaf {index} at byte {}: {}", self.offset, self.why),
            None => write!(f, "header: {}", self.why),
        }
    }
}

impl std::error::Error for JournalError {}

/// A place between two frames: everything that is needed to go on writing or reading there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Index of the next leaf.
    pub index: u64,
    /// The last link of the chain.
    pub link: Hash,
}

/// The header of a new journal and the place after it. The origin is at most 65,535 bytes long.
pub fn header(origin: &str) -> Result<(Vec<u8>, Position), JournalError> {
    let length = u16::try_from(origin.len()).map_err(|_| JournalError {
        offset: 0,
        index: None,
        why: format!("an origin of {} bytes is too long", origin.len()),
    })?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(origin.as_bytes());
    let link = Hash::of_bytes(&bytes);
    bytes.extend_from_slice(&link.0);
    let position = Position { offset: bytes.len() as u64, index: 0, link };
    Ok((bytes, position))
}

/// Appends the frame of one leaf to `out` and gives the place after it; a leaf that is too long is refused.
pub fn push_frame(at: Position, leaf: &[u8], out: &mut Vec<u8>) -> Result<Position, JournalError> {
    let length = u32::try_from(leaf.len()).ok().filter(|_| leaf.len() <= LEAF_BYTES_MAX);
    let Some(length) = length else {
        let why = format!("a leaf of {} bytes is longer than {LEAF_BYTES_MAX}", leaf.len());
        return Err(JournalError { offset: at.offset, index: Some(at.index), why });
    };
    let length = length.to_be_bytes();
    let link = link(&at.link, length, leaf);
    out.extend_from_slice(&length);
    out.extend_from_slice(&guard(&at.link, length));
    out.extend_from_slice(leaf);
    out.extend_from_slice(&link.0);
    Ok(Position { offset: at.offset + (FRAME_BYTES + leaf.len()) as u64, index: at.index + 1, link })
}

fn guard(previous: &Hash, length: [u8; 4]) -> [u8; 4] {
    let digest: [u8; 32] =
        Sha256::new().chain_update(b"g").chain_update(previous.0).chain_update(length).finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn link(previous: &Hash, length: [u8; 4], leaf: &[u8]) -> Hash {
    let sum = Sha256::new().chain_update(b"l").chain_update(previous.0).chain_update(length);
    Hash(sum.chain_update(leaf).finalize().into())
}

/// Reads a journal from pieces of any size, checking every frame, with memory for one frame and one piece.
#[derive(Debug)]
pub struct Reader {
    buffer: Vec<u8>,
    used: usize,
    origin: Option<String>,
    position: Position,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// From the start of the file.
    pub fn new() -> Self {
        let position = Position { offset: 0, index: 0, link: Hash([0; 32]) };
        Self { buffer: Vec::new(), used: 0, origin: None, position }
    }

    /// From a place that an earlier reader or writer gave.
    pub fn resume(origin: &str, position: Position) -> Self {
        Self { buffer: Vec::new(), used: 0, origin: Some(origin.into()), position }
    }

    /// Takes the next piece of the file.
    pub fn feed(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// The next whole leaf, or `None` until more bytes are fed. An error is final.
    pub fn next_leaf(&mut self) -> Result<Option<&[u8]>, JournalError> {
        if self.origin.is_none() && !self.read_header()? {
            return Ok(None);
        }
        let rest = &self.buffer[self.used..];
        let Some((head, body)) = rest.split_first_chunk::<FRAME_HEAD_BYTES>() else { return Ok(None) };
        let (length, sum) = ([head[0], head[1], head[2], head[3]], [head[4], head[5], head[6], head[7]]);
        if guard(&self.position.link, length) != sum {
            return Err(self.wrong("its length does not belong to the chain"));
        }
        let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if size > LEAF_BYTES_MAX {
            return Err(self.wrong("its leaf is longer than a leaf can be"));
        }
        let (Some(leaf), Some(sum)) = (body.get(..size), body.get(size..size + LINK_BYTES)) else {
            return Ok(None);
        };
        let link = link(&self.position.link, length, leaf);
        if link.0 != sum {
            return Err(self.wrong("its leaf does not belong to the chain"));
        }
        let start = self.used + FRAME_HEAD_BYTES;
        self.used = start + size + LINK_BYTES;
        self.position.offset += (FRAME_BYTES + size) as u64;
        self.position.index += 1;
        self.position.link = link;
        Ok(Some(&self.buffer[start..start + size]))
    }

    /// The place after the last whole frame.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The log's name, once the header is read.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Bytes that were fed and belong to no whole frame: at the end of the file, the torn tail.
    pub fn torn_bytes(&self) -> u64 {
        (self.buffer.len() - self.used) as u64
    }

    fn wrong(&self, why: &str) -> JournalError {
        JournalError { offset: self.position.offset, index: Some(self.position.index), why: why.into() }
    }

    fn read_header(&mut self) -> Result<bool, JournalError> {
        let wrong = |why: String| JournalError { offset: 0, index: None, why };
        let known = self.buffer.len().min(MAGIC.len());
        if self.buffer[..known] != MAGIC[..known] {
            return Err(wrong("the file does not begin like a journal of mains".into()));
        }
        if self.buffer.len() < FIXED_BYTES {
            return Ok(false);
        }
        let version = u16::from_be_bytes([self.buffer[8], self.buffer[9]]);
        if version != VERSION {
            return Err(wrong(format!(
                "format {version} is not format {VERSION}, the only one known here\n\
                 hint: if a newer mains wrote this journal, use that one"
            )));
        }
        let end = FIXED_BYTES + usize::from(u16::from_be_bytes([self.buffer[10], self.buffer[11]]));
        let Some(sum) = self.buffer.get(end..end + LINK_BYTES) else { return Ok(false) };
        let link = Hash::of_bytes(&self.buffer[..end]);
        let origin = std::str::from_utf8(&self.buffer[FIXED_BYTES..end]).ok().filter(|_| link.0 == sum);
        let Some(origin) = origin else { return Err(wrong("its hash does not hold".into())) };
        self.origin = Some(origin.into());
        self.used = end + LINK_BYTES;
        self.position = Position { offset: self.used as u64, index: 0, link };
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let (mut bytes, mut at) = header("mains.example/one").unwrap();
        for leaf in [b"first".as_slice(), b"", &[9; 300]] {
            at = push_frame(at, leaf, &mut bytes).unwrap();
        }
        assert_eq!(at.offset, bytes.len() as u64);
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> Result<(u64, u64), JournalError> {
        let mut reader = Reader::new();
        for piece in bytes.chunks(piece) {
            reader.feed(piece);
            while reader.next_leaf()?.is_some() {}
        }
        Ok((reader.position().index, reader.torn_bytes()))
    }

    #[test]
    fn it_reads_back_in_pieces_of_any_size() {
        let bytes = sample();
        for piece in [1, 2, 7, 64, 4096] {
            assert_eq!(read(&bytes, piece), Ok((3, 0)), "pieces of {piece}");
        }
    }

    #[test]
    fn every_cut_is_an_incomplete_frame_and_every_flipped_bit_is_refused() {
        let bytes = sample();
        for end in 0..bytes.len() {
            let (leaves, torn) = read(&bytes[..end], 4096).unwrap();
            assert!(
                leaves < 3 && (torn > 0 || end == 0 || leaves > 0 || end == 12 + 17 + 32),
                "cut at {end}"
            );
        }
        for at in 0..bytes.len() * 8 {
            let mut wrong = bytes.clone();
            wrong[at / 8] ^= 1 << (at % 8);
            // A longer origin makes the header incomplete, which is refused where files are judged.
            let outcome = read(&wrong, 4096);
            assert!(outcome.is_err() || outcome == Ok((0, bytes.len() as u64)), "bit {at}: {outcome:?}");
        }
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let mut bytes = sample();
        bytes[9] = 2;
        assert!(read(&bytes, 4096).unwrap_err().to_string().contains("format 2 is not format 1"));
    }

    #[test]
    fn a_leaf_that_is_too_long_is_not_framed() {
        let (mut bytes, at) = header("o").unwrap();
        let before = bytes.len();
        assert!(push_frame(at, &vec![0; LEAF_BYTES_MAX + 1], &mut bytes).is_err());
        assert_eq!(bytes.len(), before);
    }
}
