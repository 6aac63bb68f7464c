//! One segment: its name, its header, its frames, and walking over them without any key. The format is
//! described in [`super`].

use super::error::VaultError;
use super::exchange::{BODY_BYTES_MAX, FACTS_BYTES_MAX};
use super::seal::{NONCE_BYTES, TAG_BYTES, VERSION};
use crate::log::Disk;
use mains_units::RequestId;
use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 8] = b"mainsvlt";
pub(super) const HEADER_BYTES: usize = 32;
const REQUEST_BYTES: usize = 28;
const HEAD_CHECK_BYTES: usize = 8;
const CHECKED_HEAD_BYTES: usize = 4 + REQUEST_BYTES + NONCE_BYTES;
pub(super) const HEAD_BYTES: usize = CHECKED_HEAD_BYTES + HEAD_CHECK_BYTES;
const CHECK_BYTES: usize = 16;
/// The longest sealed exchange: both bodies and the facts at their largest, their lengths and the tag.
const SEALED_BYTES_MAX: usize = 2 * BODY_BYTES_MAX + FACTS_BYTES_MAX + 8 + TAG_BYTES;
pub(super) const FRAME_BYTES_MAX: usize = HEAD_BYTES + SEALED_BYTES_MAX + CHECK_BYTES;
/// Bytes that a frame adds to what is sealed, with the tag.
pub(super) const FRAME_EXTRA_BYTES: usize = HEAD_BYTES + CHECK_BYTES + TAG_BYTES;

/// The file of a segment.
pub(super) fn name(segment: u64) -> String {
    format!("segment-{segment:010}")
}

/// The segment of a file; `None` for files that are none.
pub(super) fn parse_name(path: &str) -> Option<u64> {
    let number = path.strip_prefix("segment-")?.parse().ok().filter(|number| *number > 0)?;
    (name(number) == path).then_some(number)
}

fn check<const N: usize>(label: &str, segment: u64, offset: u64, parts: &[&[u8]]) -> [u8; N] {
    let mut hash = Sha256::new();
    hash.update(label);
    hash.update(segment.to_le_bytes());
    hash.update(offset.to_le_bytes());
    for part in parts {
        hash.update(part);
    }
    let hash = hash.finalize();
    std::array::from_fn(|i| hash.get(i).copied().unwrap_or_default())
}

/// The header of a segment.
pub(super) fn header(segment: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&segment.to_le_bytes());
    let check: [u8; 12] = check("mains-vault-segment", segment, 0, &[&bytes]);
    bytes.extend_from_slice(&check);
    bytes
}

/// Says what is wrong with a header, if anything.
fn check_header(segment: u64, bytes: &[u8]) -> Result<(), String> {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
        return Err("its header is cut off".into());
    };
    if magic != MAGIC {
        return Err("it does not begin as a segment does".into());
    }
    let version = rest.first_chunk::<4>().map(|version| u32::from_le_bytes(*version));
    // A version that we do not know may check differently, so this comes first.
    if let Some(version) = version.filter(|version| *version != VERSION) {
        return Err(format!("it is of version {version}, and this Mains knows only {VERSION}"));
    }
    if bytes.len() < HEADER_BYTES {
        return Err("its header is cut off".into());
    }
    if bytes != header(segment) {
        return Err("its header does not verify".into());
    }
    Ok(())
}

/// Appends the frame of a sealed exchange that will lie at `offset`.
pub(super) fn push_frame(
    segment: u64,
    offset: u64,
    request: RequestId,
    nonce: &[u8; NONCE_BYTES],
    sealed: &[u8],
    into: &mut Vec<u8>,
) {
    let start = into.len();
    // Sealed texts are bounded far below 2^32; a longer one would be refused by the next reader.
    into.extend_from_slice(&u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend_from_slice(request.to_string().as_bytes());
    into.extend_from_slice(nonce);
    let head: [u8; HEAD_CHECK_BYTES] = check("mains-vault-head", segment, offset, &[&into[start..]]);
    into.extend_from_slice(&head);
    into.extend_from_slice(sealed);
    let whole: [u8; CHECK_BYTES] = check("mains-vault-frame", segment, offset, &[&into[start..]]);
    into.extend_from_slice(&whole);
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) request: RequestId,
    pub(super) nonce: [u8; NONCE_BYTES],
    /// Of the whole frame.
    pub(super) frame_bytes: usize,
}

fn parse_head(segment: u64, offset: u64, bytes: &[u8; HEAD_BYTES]) -> Result<Head, &'static str> {
    let (checked, found) = bytes.split_at(CHECKED_HEAD_BYTES);
    if check::<HEAD_CHECK_BYTES>("mains-vault-head", segment, offset, &[checked]) != *found {
        return Err("the head of a frame does not verify");
    }
    let wrong = "the head of a frame verifies and makes no sense";
    let (length, rest) = checked.split_first_chunk::<4>().ok_or(wrong)?;
    let (request, nonce) = rest.split_first_chunk::<REQUEST_BYTES>().ok_or(wrong)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if !(TAG_BYTES..=SEALED_BYTES_MAX).contains(&length) {
        return Err("the length of a frame is out of bounds");
    }
    let request = std::str::from_utf8(request).ok().and_then(RequestId::parse).ok_or(wrong)?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| wrong)?;
    Ok(Head { request, nonce, frame_bytes: HEAD_BYTES + length + CHECK_BYTES })
}

/// What stands at one place of a segment.
#[derive(Debug)]
pub(super) enum Step {
    /// A whole frame that verifies, with what is sealed in it.
    Frame(Head, Vec<u8>),
    /// The end of the file.
    End,
    /// Something that an interrupted write leaves, up to the end of the file.
    Torn,
}

/// Reads segments from a disk.
pub(super) struct Segment<'a> {
    disk: &'a dyn Disk,
    number: u64,
    path: String,
}

impl<'a> Segment<'a> {
    /// Checks the header.
    pub(super) fn open(disk: &'a dyn Disk, number: u64) -> Result<Self, VaultError> {
        let segment = Self { disk, number, path: name(number) };
        let bytes = segment.read(0, HEADER_BYTES)?;
        check_header(number, &bytes).map_err(|why| segment.refused(0, why))?;
        Ok(segment)
    }

    pub(super) fn refused(&self, offset: u64, why: impl Into<String>) -> VaultError {
        VaultError::refused(&*self.path, offset, why)
    }

    fn read(&self, offset: u64, limit: usize) -> Result<Vec<u8>, VaultError> {
        let bytes = self.disk.read(&self.path, offset, limit);
        bytes.map_err(|error| VaultError::disk("read", &self.path, &error))
    }

    /// Whether the file reaches to `end`.
    pub(super) fn reaches(&self, end: u64) -> Result<bool, VaultError> {
        Ok(end == 0 || !self.read(end - 1, 1)?.is_empty())
    }

    /// What stands at `offset`. Never reads more than one frame, and never more than the file has.
    pub(super) fn step(&self, offset: u64) -> Result<Step, VaultError> {
        let bytes = self.read(offset, HEAD_BYTES)?;
        let Some(head) = bytes.first_chunk::<HEAD_BYTES>() else {
            return Ok(if bytes.is_empty() { Step::End } else { Step::Torn });
        };
        if head.iter().all(|byte| *byte == 0) && self.zeros_to_the_end(offset)? {
            return Ok(Step::Torn);
        }
        let head = parse_head(self.number, offset, head).map_err(|why| self.refused(offset, why))?;
        let frame = self.read(offset, head.frame_bytes)?;
        if frame.len() < head.frame_bytes {
            return Ok(Step::Torn);
        }
        self.checked(offset, head, frame)
    }

    /// The frame at `offset` that the table says is there and so long.
    pub(super) fn frame(&self, offset: u64, length: u64) -> Result<(Head, Vec<u8>), VaultError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(self.refused(offset, "the table says that a frame is longer than any can be"));
        }
        let frame = self.read(offset, length)?;
        let Some(head) = frame.first_chunk::<HEAD_BYTES>().filter(|_| frame.len() == length) else {
            return Err(self.refused(offset, "a frame that the table names is cut off"));
        };
        let head = parse_head(self.number, offset, head).map_err(|why| self.refused(offset, why))?;
        if head.frame_bytes != length {
            return Err(self.refused(offset, "a frame is not as long as the table says"));
        }
        match self.checked(offset, head, frame)? {
            Step::Frame(head, sealed) => Ok((head, sealed)),
            Step::End | Step::Torn => Err(self.refused(offset, "a frame does not verify")),
        }
    }

    fn checked(&self, offset: u64, head: Head, mut frame: Vec<u8>) -> Result<Step, VaultError> {
        let (covered, found) = frame.split_at(head.frame_bytes - CHECK_BYTES);
        if check::<CHECK_BYTES>("mains-vault-frame", self.number, offset, &[covered]) != *found {
            return Err(self.refused(offset, "a frame does not verify"));
        }
        frame.truncate(head.frame_bytes - CHECK_BYTES);
        frame.drain(..HEAD_BYTES);
        Ok(Step::Frame(head, frame))
    }

    fn zeros_to_the_end(&self, mut offset: u64) -> Result<bool, VaultError> {
        loop {
            let piece = self.read(offset, 1 << 16)?;
            if piece.is_empty() {
                return Ok(true);
            }
            if piece.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            offset += piece.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_does() {
        for number in [1, 42, 9_999_999_999, u64::MAX] {
            assert_eq!(parse_name(&name(number)), Some(number));
        }
        for wrong in
            ["segment-0000000000", "segment-1", "segment-+000000001", "keys.db", "segment-00000000010x"]
        {
            assert_eq!(parse_name(wrong), None, "{wrong}");
        }
    }

    /// Bytes that later versions must be able to read.
    #[test]
    fn header_and_frame_are_these_bytes() {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let mut frame = Vec::new();
        push_frame(1, 32, RequestId::from_bytes([0xAB; 12]), &[5; 24], &[6; 16], &mut frame);
        assert_eq!(frame.len(), HEAD_BYTES + 16 + CHECK_BYTES);
        assert_eq!(hex(&header(1)), HEADER_GOLDEN);
        assert_eq!(hex(&frame), FRAME_GOLDEN);
    }

    const HEADER_GOLDEN: &str = "6d61696e73766c740100000001000000000000002c83919b190b99892b59e064";
    const FRAME_GOLDEN: &str = "100000007265715f61626162616261626162616261626162616261626162616205050505050505050505050505050505\
        050505050505050502c4f670f132126a0606060606060606060606060606060651e6b42167ce7faf0568205d21dfd1b4";
}
