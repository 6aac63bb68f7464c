//! Sealing and opening, and what a seal is bound to.

use super::kek::{Kek, KekId};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use mains_units::RequestId;
use zeroize::Zeroizing;

/// The version of the format, part of every seal.
pub(super) const VERSION: u32 = 1;
pub(super) const NONCE_BYTES: usize = 24;
pub(super) const TAG_BYTES: usize = 16;
/// A wrapped key: nonce, sealed key, tag.
pub(super) const WRAPPED_BYTES: usize = NONCE_BYTES + 32 + TAG_BYTES;

/// What sealing one exchange uses up: a data key and a nonce, both drawn for it alone. The nonce serves under
/// the data key and under the key-encryption key, which are two keys.
pub struct Fresh {
    key: Zeroizing<[u8; 32]>,
    nonce: [u8; NONCE_BYTES],
}

impl Fresh {
    /// From two draws of the operating system's randomness; of the second the first 24 bytes are used.
    pub fn new(key: [u8; 32], salt: [u8; 32]) -> Self {
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&salt[..NONCE_BYTES]);
        Self { key: Zeroizing::new(key), nonce }
    }

    pub(super) fn nonce(&self) -> &[u8; NONCE_BYTES] {
        &self.nonce
    }
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fresh(…)")
    }
}

/// Where a sealed exchange belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) request: RequestId,
}

impl Place {
    fn bound(&self, label: &str, kek: Option<KekId>) -> Vec<u8> {
        let mut bound = Vec::with_capacity(80);
        bound.extend_from_slice(label.as_bytes());
        bound.extend_from_slice(&VERSION.to_le_bytes());
        bound.extend_from_slice(&self.segment.to_le_bytes());
        bound.extend_from_slice(&self.offset.to_le_bytes());
        bound.extend_from_slice(self.request.to_string().as_bytes());
        bound.extend(kek.iter().flat_map(|kek| kek.0));
        bound
    }
}

/// Seals a plain text in its own buffer, which grows by the tag; `false` only where it is longer than the
/// cipher takes (256 GiB).
pub(super) fn seal(fresh: &Fresh, place: &Place, plain: &mut Vec<u8>) -> bool {
    let bound = place.bound("mains-vault-exchange", None);
    cipher(&fresh.key).encrypt_in_place(&XNonce::from(fresh.nonce), &bound, plain).is_ok()
}

/// Opens a sealed exchange; `None` where the seal does not hold.
pub(super) fn open(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    place: &Place,
    mut sealed: Vec<u8>,
) -> Option<Zeroizing<Vec<u8>>> {
    let bound = place.bound("mains-vault-exchange", None);
    cipher(key).decrypt_in_place(&XNonce::from(*nonce), &bound, &mut sealed).ok()?;
    Some(Zeroizing::new(sealed))
}

/// Wraps the data key for the table; `None` never happens for 32 bytes.
pub(super) fn wrap(kek: &Kek, fresh: &Fresh, place: &Place) -> Option<Vec<u8>> {
    let bound = place.bound("mains-vault-key", Some(kek.id()));
    let mut key = Vec::with_capacity(WRAPPED_BYTES);
    key.extend_from_slice(&*fresh.key);
    cipher(kek.bytes()).encrypt_in_place(&XNonce::from(fresh.nonce), &bound, &mut key).ok()?;
    let mut wrapped = fresh.nonce.to_vec();
    wrapped.append(&mut key);
    Some(wrapped)
}

/// The data key out of its wrapping; `None` where the seal does not hold.
pub(super) fn unwrap(kek: &Kek, wrapped: &[u8], place: &Place) -> Option<Zeroizing<[u8; 32]>> {
    let bound = place.bound("mains-vault-key", Some(kek.id()));
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_BYTES>()?;
    let mut key = Zeroizing::new(sealed.to_vec());
    cipher(kek.bytes()).decrypt_in_place(&XNonce::from(*nonce), &bound, &mut *key).ok()?;
    <[u8; 32]>::try_from(key.as_slice()).ok().map(Zeroizing::new)
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u8) -> Place {
        Place { segment: 1, offset: 32, request: RequestId::from_bytes([number; 12]) }
    }

    /// The vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_cipher_gives_what_the_draft_says() {
        let mut text =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                         future, sunscreen would be it."
                .to_vec();
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let bound = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        cipher(&key).encrypt_in_place(&XNonce::from(nonce), &bound, &mut text).unwrap();
        let hex = text.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert!(hex.starts_with("bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"), "{hex}");
        assert!(hex.ends_with("c0875924c1c7987947deafd8780acf49"), "{hex}");
    }

    #[test]
    fn a_seal_holds_only_at_its_place_and_under_its_keys() {
        let kek = Kek::from_bytes([1; 32]);
        let fresh = Fresh::new([2; 32], [3; 32]);
        let mut sealed = b"content".to_vec();
        assert!(seal(&fresh, &place(1), &mut sealed));
        let wrapped = wrap(&kek, &fresh, &place(1)).unwrap();
        assert_eq!(wrapped.len(), WRAPPED_BYTES);
        let key = unwrap(&kek, &wrapped, &place(1)).unwrap();
        assert_eq!(*key, [2; 32]);
        assert_eq!(open(&key, fresh.nonce(), &place(1), sealed.clone()).unwrap().as_slice(), b"content");
        assert!(unwrap(&Kek::from_bytes([9; 32]), &wrapped, &place(1)).is_none());
        for other in [place(2), Place { segment: 2, ..place(1) }, Place { offset: 33, ..place(1) }] {
            assert!(unwrap(&kek, &wrapped, &other).is_none());
            assert!(open(&key, fresh.nonce(), &other, sealed.clone()).is_none());
        }
        for at in 0..wrapped.len() * 8 {
            let mut bytes = wrapped.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            assert!(unwrap(&kek, &bytes, &place(1)).is_none(), "{at}");
        }
        for length in 0..wrapped.len() {
            assert!(unwrap(&kek, &wrapped[..length], &place(1)).is_none(), "{length}");
        }
    }
}
