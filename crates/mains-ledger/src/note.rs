//! Signed notes (C2SP signed-note): text, then signature lines, each of a named key. Ed25519 only
//! (type 0x01); lines of other keys and types are kept out of the way, as the specification asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// The signature type of Ed25519 in key ids and verifier keys.
const ED25519: u8 = 0x01;
/// The longest note that is looked at; sixteen signatures of any known type fit many times.
const NOTE_BYTES_MAX: usize = 1 << 20;

/// Why a note, a key or a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteError(pub String);

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoteError {}

fn refuse<T>(why: impl Into<String>) -> Result<T, NoteError> {
    Err(NoteError(why.into()))
}

/// Whatever can sign for a log: a key in memory, later a key elsewhere.
pub trait Signer: Send + Sync {
    /// The key's name; for a log, its origin.
    fn name(&self) -> &str;
    /// The key's id, as in its signature lines.
    fn key_id(&self) -> u32;
    /// The signature of these bytes, without the key id.
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, NoteError>;
}

/// An Ed25519 key in memory. `Debug` shows its name and id only; the key is overwritten when dropped.
pub struct Ed25519Signer {
    key: SigningKey,
    public: VerifierKey,
}

impl Ed25519Signer {
    /// The key that this seed of 32 secret bytes makes, under this name.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(seed);
        let public = VerifierKey::new(name, &key.verifying_key().to_bytes())?;
        Ok(Self { key, public })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.public
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({}+{:08x})", self.public.name, self.public.id)
    }
}

impl Signer for Ed25519Signer {
    fn name(&self) -> &str {
        &self.public.name
    }

    fn key_id(&self) -> u32 {
        self.public.id
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, NoteError> {
        match self.key.try_sign(text) {
            Ok(signature) => Ok(signature.to_bytes().to_vec()),
            Err(error) => refuse(format!("key `{}` did not sign: {error}", self.public.name)),
        }
    }
}

/// A public key with its name: `name+id+base64`, the text that a stranger is given once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A public Ed25519 key of 32 bytes under this name.
    pub fn new(name: &str, key: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return refuse(format!(
                "`{name}` is no key name: it is empty or has a space, a plus or a control"
            ));
        }
        let Ok(verifying) = VerifyingKey::from_bytes(key) else {
            return refuse(format!("the key of `{name}` is no Ed25519 public key"));
        };
        Ok(Self { name: name.into(), id: key_id(name, key), key: verifying })
    }

    /// Reads `name+id+base64`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return refuse("a verifier key is written `name+id+base64`");
        };
        let Some(key) =
            STANDARD.decode(key).ok().and_then(|bytes| <[u8; 33]>::try_from(bytes).ok()).and_then(|bytes| {
                bytes.split_first().and_then(|(kind, key)| {
                    if *kind == ED25519 { <[u8; 32]>::try_from(key).ok() } else { None }
                })
            })
        else {
            return refuse(format!("the verifier key of `{name}` is no Ed25519 key (type 1)"));
        };
        let read = Self::new(name, &key)?;
        if format!("{:08x}", read.id) != id {
            return refuse(format!("the key id `{id}` of `{name}` does not belong to its key"));
        }
        Ok(read)
    }

    /// The key's name; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id, as in its signature lines.
    pub fn key_id(&self) -> u32 {
        self.id
    }

    /// The 32 bytes of the public key.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The same key as PEM of a DER `SubjectPublicKeyInfo` (RFC 8410), which `openssl` reads.
    pub fn to_pem(&self) -> String {
        let head: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let der = [head.as_slice(), &self.public_bytes()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    fn holds(&self, text: &str, signature: &[u8]) -> bool {
        self.verifies(text.as_bytes(), signature)
    }

    /// Whether this is the key's signature of these bytes, outside of a note.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        // The strict check refuses keys and signatures that other verifiers might judge differently.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(bytes, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.public_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, key: &[u8; 32]) -> u32 {
    let digest: [u8; 32] =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key).finalize().into();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// Signs a text, which must end with a newline.
pub fn sign(text: &str, signer: &dyn Signer) -> Result<String, NoteError> {
    if !text.ends_with('\n') || text.chars().any(|c| c.is_control() && c != '\n') {
        return refuse("the text of a note ends with a newline and has no other control character");
    }
    let signature = [&signer.key_id().to_be_bytes(), signer.sign(text.as_bytes())?.as_slice()].concat();
    Ok(format!("{text}\n— {} {}\n", signer.name(), STANDARD.encode(signature)))
}

/// The text of a note that this key signed. Refused: a note without a signature of this key, one whose
/// signature of this key is false, one that is not a note.
pub fn open<'n>(note: &'n [u8], key: &VerifierKey) -> Result<&'n str, NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return refuse(format!("a note of {} bytes is longer than {NOTE_BYTES_MAX}", note.len()));
    }
    let Ok(note) = std::str::from_utf8(note) else { return refuse("the note is not UTF-8") };
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return refuse("the note has a control character");
    }
    let Some(split) = note.rfind("\n\n") else {
        return refuse("the note has no blank line before signatures");
    };
    let (text, signatures) = (&note[..=split], &note[split + 2..]);
    if !signatures.ends_with('\n') {
        return refuse("the last signature line does not end with a newline");
    }
    let mut signed = false;
    for line in signatures.lines() {
        let (name, id, signature) = read_signature(line)?;
        if name != key.name || id != key.id {
            continue;
        }
        if !key.holds(text, &signature) {
            return refuse(format!("the signature of `{name}` does not hold"));
        }
        signed = true;
    }
    if signed { Ok(text) } else { refuse(format!("there is no signature of `{}+{:08x}`", key.name, key.id)) }
}

fn read_signature(line: &str) -> Result<(&str, u32, Vec<u8>), NoteError> {
    let parts = line.strip_prefix("— ").and_then(|rest| rest.split_once(' '));
    let Some((name, encoded)) = parts.filter(|(name, _)| is_key_name(name)) else {
        return refuse(format!("`{line}` is no signature line"));
    };
    let bytes = STANDARD.decode(encoded).unwrap_or_default();
    match bytes.split_first_chunk::<4>() {
        Some((id, signature)) if !signature.is_empty() => {
            Ok((name, u32::from_be_bytes(*id), signature.to_vec()))
        }
        _ => refuse(format!("the signature of `{name}` is not base64 of a key id and a signature")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification (C2SP signed-note v1.0.0, "Verifier keys").
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_opens() {
        let key = VerifierKey::parse(KEY).unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!(open(NOTE.as_bytes(), &key).unwrap(), "This is an example message.\n");
    }

    #[test]
    fn lines_of_strangers_are_passed_over_and_false_ones_of_ours_are_not() {
        let signer = Ed25519Signer::from_seed("mains.example/one", &[7; 32]).unwrap();
        let other = Ed25519Signer::from_seed("mains.example/two", &[8; 32]).unwrap();
        let note = sign("a\n\nb\n", &signer).unwrap();
        let both = format!("{note}{}", sign("x\n", &other).unwrap().split_once("\n\n").unwrap().1);
        assert_eq!(open(both.as_bytes(), signer.verifier()).unwrap(), "a\n\nb\n");
        assert!(open(both.as_bytes(), other.verifier()).is_err());
        let third = Ed25519Signer::from_seed("mains.example/one", &[9; 32]).unwrap();
        assert!(open(note.as_bytes(), third.verifier()).unwrap_err().0.contains("no signature of"));
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_refused() {
        let signer = Ed25519Signer::from_seed("mains.example/one", &[7; 32]).unwrap();
        let note = sign("mains.example/one\n12\nroot\n", &signer).unwrap().into_bytes();
        for at in 0..note.len() * 8 {
            let mut wrong = note.clone();
            wrong[at / 8] ^= 1 << (at % 8);
            assert!(open(&wrong, signer.verifier()).is_err(), "bit {at}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in [
            "",
            "a",
            "a+b",
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+Aukye",
            " +00000000+",
        ] {
            assert!(VerifierKey::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Ed25519Signer::from_seed("with space", &[1; 32]).is_err());
        assert!(!format!("{:?}", Ed25519Signer::from_seed("k", &[0x41; 32]).unwrap()).contains("41, 41"));
    }
}
