//! Names: of a model as someone spells it, and of a request.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A model's name as written by an application, a provider or the catalogue. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelId(std::sync::Arc<str>);

impl ModelId {
    /// Wraps a name.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(name.as_ref().into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one request, unique to this outlet: `req_` and 24 hexadecimal digits. The first half is the
/// millisecond of its arrival, so that names sort by time and a store writes them side by side; the rest is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; 12]);

impl RequestId {
    /// Of a request that came at this moment, with bytes that the caller drew.
    pub fn at(at: Timestamp, random: [u8; 6]) -> Self {
        let mut bytes = [0; 12];
        let [_, _, time @ ..] = at.0.max(0).to_be_bytes();
        bytes[..6].copy_from_slice(&time);
        bytes[6..].copy_from_slice(&random);
        Self(bytes)
    }

    /// From its 12 bytes.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// Reads the form that [`fmt::Display`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("req_")?.as_bytes();
        if hex.len() != 24 {
            return None;
        }
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"req_000000000000000000000000";
        for (pair, byte) in text[4..].chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_requests_have_later_names() {
        let names = [0, 1, 255, 256, 1_795_550_000_000].map(|ms| RequestId::at(Timestamp(ms), [255; 6]));
        assert!(names.is_sorted());
        assert_eq!(
            RequestId::at(Timestamp(1_795_550_000_000), [1; 6]).to_string(),
            "req_01a20f1eb380010101010101"
        );
    }

    #[test]
    fn a_request_id_reads_back_what_it_writes_and_nothing_else() {
        let id = RequestId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 171, 255]);
        assert_eq!(RequestId::parse(&id.to_string()), Some(id));
        for wrong in ["", "req_", "req_00", "req_0001020304050607080909zz", "REQ_000102030405060708090909"] {
            assert_eq!(RequestId::parse(wrong), None, "{wrong}");
        }
    }
}
