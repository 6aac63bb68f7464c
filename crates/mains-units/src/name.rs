//! Names: of a model as someone spells it, and of a request.

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

/// The name of one request, unique to this outlet: `req_` and 24 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; 12]);

impl RequestId {
    /// From 12 bytes that the caller drew.
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

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("req_")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_reads_back_what_it_writes_and_nothing_else() {
        let id = RequestId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 171, 255]);
        assert_eq!(RequestId::parse(&id.to_string()), Some(id));
        for wrong in ["", "req_", "req_00", "req_0001020304050607080909zz", "REQ_000102030405060708090909"] {
            assert_eq!(RequestId::parse(wrong), None, "{wrong}");
        }
    }
}
