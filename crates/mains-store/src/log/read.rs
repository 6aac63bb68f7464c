//! Reading a log beside its writer: files for those who fetch them, leaves, proofs, and the whole check.

use super::core::{PIECE_BYTES, SignedCheckpoint};
use super::disk::Disk;
use super::files::FileDisk;
use mains_ledger::note::NoteError;
use mains_ledger::tile::{self, Kind, TileName, TileNodes, WIDTH};
use mains_ledger::verify::names::CHECKPOINT;
use mains_ledger::{Checkpoint, Fault, Files, LEAF_BYTES_MAX, LeafProof, Report, Scope, VerifierKey};
use std::path::Path;
use std::sync::Arc;

/// The longest entry bundle in bytes.
const BUNDLE_BYTES_MAX: usize = 256 * (2 + LEAF_BYTES_MAX);

/// Reads a log without taking its lock; the writer may be at work.
#[derive(Clone)]
pub struct LogReader {
    disk: Arc<dyn Disk>,
}

impl LogReader {
    /// A reader of this disk.
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// A reader of the folder at `root`.
    pub fn at(root: &Path) -> Self {
        Self::new(Arc::new(FileDisk::existing(root)))
    }

    /// A file that anyone may fetch, by the path that the specification gives it: `checkpoint`, tiles and
    /// entry bundles, nothing else (not the journal either). `None` where there is no such file.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        let published = path == CHECKPOINT || TileName::parse(path).is_some();
        if published { self.disk.read(path, 0, BUNDLE_BYTES_MAX).ok() } else { None }
    }

    /// The newest signed checkpoint, its signature checked.
    pub fn checkpoint(&self, key: &VerifierKey) -> Result<SignedCheckpoint, NoteError> {
        let bytes = self.disk.read(CHECKPOINT, 0, PIECE_BYTES);
        let bytes = bytes.map_err(|error| NoteError(format!("cannot read `{CHECKPOINT}`: {error}")))?;
        let checkpoint = Checkpoint::open(&bytes, key)?;
        let note = String::from_utf8(bytes).map_err(|_| NoteError("the checkpoint is not text".into()))?;
        Ok(SignedCheckpoint { checkpoint, note })
    }

    /// One leaf of the tree that this checkpoint signs.
    pub fn leaf(&self, index: u64, signed: &SignedCheckpoint) -> Result<Vec<u8>, NoteError> {
        let size = signed.checkpoint.size;
        let lost = |why: String| NoteError(format!("leaf {index} is not at hand: {why}"));
        let Some(name) = TileName::holding(Kind::Entries, index, size) else {
            return Err(lost(format!("the checkpoint signs {size} leaves")));
        };
        let (bytes, width) = match self.whole(&name.to_string()) {
            Ok(bytes) => (bytes, name.width),
            // The partial bundle goes when the full one comes.
            Err(_) => (self.whole(&name.full().to_string()).map_err(lost)?, WIDTH),
        };
        let leaves = tile::decode_bundle(&bytes, width).map_err(lost)?;
        let place = usize::try_from(index % WIDTH).unwrap_or(usize::MAX);
        leaves.get(place).map(|leaf| leaf.to_vec()).ok_or_else(|| lost("the bundle is short".into()))
    }

    /// The proof that a leaf is in the tree that this checkpoint signs, checked against its root before it
    /// is given.
    pub fn prove(
        &self,
        index: u64,
        signed: &SignedCheckpoint,
        key: &VerifierKey,
    ) -> Result<LeafProof, NoteError> {
        let nodes = TileNodes::new(signed.checkpoint.size, |path: &str| self.whole(path));
        let proof = LeafProof::make(&nodes, index, signed.checkpoint.size, &signed.note)
            .map_err(|error| NoteError(error.to_string()))?;
        proof.verify(&self.leaf(index, signed)?, key)?;
        Ok(proof)
    }

    /// Recomputes the whole folder; see [`mains_ledger::verify()`].
    pub fn verify(&self, key: &VerifierKey) -> Result<Report, Fault> {
        mains_ledger::verify(self, key, Scope::Folder)
    }

    fn whole(&self, path: &str) -> Result<Vec<u8>, String> {
        Files::read(self, path, 0, BUNDLE_BYTES_MAX)
    }
}

impl Files for LogReader {
    fn list(&self) -> Result<Vec<String>, String> {
        self.disk.list().map_err(|error| error.to_string())
    }

    fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Vec<u8>, String> {
        self.disk.read(path, offset, limit).map_err(|error| error.to_string())
    }
}
