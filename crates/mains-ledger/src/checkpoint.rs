//! A checkpoint says how large the log is and what its root is (C2SP tlog-checkpoint); a leaf proof is a
//! checkpoint with the way from one leaf to its root (C2SP tlog-proof).

use crate::hash::Hash;
use crate::note::{self, NoteError, Signer, VerifierKey};
use crate::proof::{Nodes, ProofError, prove_inclusion, verify_inclusion};
use std::fmt::Write as _;

/// The first line of a leaf proof.
const PROOF_HEAD: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 leaves has a proof of 64 hashes.
const PROOF_HASHES_MAX: usize = 64;

/// Size and root of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, which is also its key's name.
    pub origin: String,
    /// How many leaves it holds.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the text of a checkpoint. Extension lines are refused: our logs write none, and nobody could
    /// audit them.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.split('\n');
        let read = (|| {
            let origin = lines.next().filter(|origin| !origin.is_empty())?;
            let size = read_number(lines.next()?)?;
            let root = Hash::from_base64(lines.next()?)?;
            let end = lines.next() == Some("") && lines.next().is_none();
            end.then(|| Self { origin: origin.into(), size, root })
        })();
        read.ok_or_else(|| NoteError("the note is no checkpoint of origin, size and root".into()))
    }

    /// The checkpoint as a signed note.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, NoteError> {
        note::sign(&self.to_text(), signer)
    }

    /// Opens a signed checkpoint: this key's signature holds and the origin is its name.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, NoteError> {
        let checkpoint = Self::parse(note::open(note, key)?)?;
        if checkpoint.origin != key.name() {
            let (origin, name) = (&checkpoint.origin, key.name());
            return Err(NoteError(format!("the checkpoint is of log `{origin}`, the key of `{name}`")));
        }
        Ok(checkpoint)
    }
}

/// Digits without sign and without leading zeros.
fn read_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The proof that one leaf is in a log, checkable without the log: what `mains ledger prove` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafProof {
    /// The leaf's place in the log.
    pub index: u64,
    /// The hashes from the leaf's sibling up to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, byte by byte.
    pub checkpoint: String,
}

impl LeafProof {
    /// Makes the proof of one leaf in the log of this signed checkpoint, whose size is `size`.
    pub fn make(nodes: &dyn Nodes, index: u64, size: u64, checkpoint: &str) -> Result<Self, ProofError> {
        Ok(Self { index, hashes: prove_inclusion(nodes, index, size)?, checkpoint: checkpoint.into() })
    }

    /// The text of a `.tlog-proof` file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{PROOF_HEAD}\nindex {}\n", self.index);
        for hash in &self.hashes {
            // Writing into a `String` cannot fail.
            let _ = writeln!(text, "{hash}");
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Reads the text of a `.tlog-proof` file; a line of extra data is passed over.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let read = (|| {
            let (head, checkpoint) = text.split_once("\n\n")?;
            let mut lines = head.split('\n');
            if lines.next()? != PROOF_HEAD {
                return None;
            }
            let mut line = lines.next()?;
            if line.starts_with("extra ") {
                line = lines.next()?;
            }
            let index = read_number(line.strip_prefix("index ")?)?;
            let hashes = lines.map(Hash::from_base64).collect::<Option<Vec<_>>>()?;
            (hashes.len() <= PROOF_HASHES_MAX).then(|| Self { index, hashes, checkpoint: checkpoint.into() })
        })();
        read.ok_or_else(|| NoteError(format!("this is no proof in the form `{PROOF_HEAD}`")))
    }

    /// Checks that this leaf is in the log of this key, and gives the checkpoint that says so.
    pub fn verify(&self, leaf: &[u8], key: &VerifierKey) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key)?;
        verify_inclusion(self.index, checkpoint.size, &Hash::of_leaf(leaf), &self.hashes, &checkpoint.root)
            .map_err(|error| NoteError(format!("leaf {} is not proved: {error}", self.index)))?;
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Ed25519Signer;

    #[test]
    fn a_checkpoint_is_read_strictly() {
        let root = Hash::of_empty_tree();
        let right = Checkpoint { origin: "mains.example/one".into(), size: 0, root };
        assert_eq!(Checkpoint::parse(&right.to_text()).unwrap(), right);
        for wrong in [
            String::new(),
            format!("\n0\n{root}\n"),
            format!("o\n00\n{root}\n"),
            format!("o\n+1\n{root}\n"),
            format!("o\n-1\n{root}\n"),
            format!("o\n0\n{root}"),
            format!("o\n0\n{root}\nextension\n"),
            "o\n0\nAAAA\n".into(),
        ] {
            assert!(Checkpoint::parse(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_log_is_refused_even_under_our_key() {
        let signer = Ed25519Signer::from_seed("mains.example/one", &[7; 32]).unwrap();
        let other = Checkpoint { origin: "other".into(), size: 0, root: Hash::of_empty_tree() };
        let note = other.sign(&signer).unwrap();
        assert!(
            Checkpoint::open(note.as_bytes(), signer.verifier()).unwrap_err().0.contains("of log `other`")
        );
    }
}
