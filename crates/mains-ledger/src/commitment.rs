//! Commitments: what stands in a leaf in place of content.

use crate::hash::Hash;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// `HMAC-SHA256(key, payload)`, with 256 fresh bits per record as the key. Whoever holds key and payload can
/// show that they belong to the leaf; once the key is destroyed, the leaf says nothing about the payload,
/// not even to someone who guesses it.
pub struct Commitment(Hmac<Sha256>);

impl Commitment {
    /// Begins a commitment under this record's key.
    pub fn new(key: &[u8; 32]) -> Self {
        // The block form of the constructor takes a key of 64 bytes; a shorter one is padded with zeros
        // (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        Self(<Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into()))
    }

    /// Takes the next bytes of the payload, in any cutting.
    pub fn update(&mut self, payload: &[u8]) {
        self.0.update(payload);
    }

    /// The commitment.
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into_bytes().into())
    }

    /// The commitment to a payload that is at hand as a whole.
    pub fn of(key: &[u8; 32], payload: &[u8]) -> Hash {
        let mut commitment = Self::new(key);
        commitment.update(payload);
        commitment.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked against `openssl dgst -sha256 -mac HMAC` (OpenSSL 3.0.19).
    #[test]
    fn it_is_hmac_sha256_in_any_cutting() {
        let key: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let whole = Commitment::of(&key, b"what is said");
        let mut cut = Commitment::new(&key);
        for byte in b"what is said" {
            cut.update(&[*byte]);
        }
        assert_eq!(cut.finish(), whole);
        assert_eq!(whole.to_hex(), "511d4f4c479fa9b34a476dc9475d3937ca1cba0a83f65df31d9b057a5cabaf1e");
    }
}
