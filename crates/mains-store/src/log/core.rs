//! Journal, tree and signature as one value, without threads and without time.

use super::disk::{Disk, Keep, LockGuard, LogError};
use mains_ledger::builder::Builder;
use mains_ledger::journal::{self, Position, Reader};
use mains_ledger::tile::TileName;
use mains_ledger::verify::names::{CHECKPOINT, CLOSED, JOURNAL};
use mains_ledger::{Checkpoint, LEAF_BYTES_MAX, Signer};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// A checkpoint is due after so many leaves, or a second after the last one.
pub const CHECKPOINT_LEAVES: u64 = 256;
/// Bytes of the journal that are read at a time.
pub(super) const PIECE_BYTES: usize = 1 << 20;

/// A checkpoint with its signed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// Origin, size and root.
    pub checkpoint: Checkpoint,
    /// The signed note, as it lies in the file `checkpoint`.
    pub note: String,
}

/// What was found when the log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Whether the log was made just now.
    pub new: bool,
    /// Whether the last process closed it in order, so that nothing can be missing.
    pub clean: bool,
    /// Leaves in the journal.
    pub leaves: u64,
    /// Leaves under the last signed checkpoint.
    pub signed: u64,
    /// Bytes of an incomplete last frame that were cut off.
    pub torn_bytes: u64,
    /// Files of the tree that were missing or damaged and were written again.
    pub rebuilt: u64,
}

/// Appends frames to the journal.
pub(super) struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) at: Position,
    pub(super) buffer: Vec<u8>,
    pub(super) broken: Option<LogError>,
}

impl Writer {
    /// Writes the frames of these leaves in one call and gives their indices. All or none: on an error the
    /// journal is as it was.
    pub(super) fn append<L: AsRef<[u8]>>(&mut self, leaves: &[L]) -> Result<Range<u64>, LogError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        self.buffer.clear();
        let mut at = self.at;
        for leaf in leaves {
            let leaf = leaf.as_ref();
            if leaf.len() > LEAF_BYTES_MAX {
                return Err(LogError::Leaf { bytes: leaf.len() });
            }
            at = journal::push_frame(at, leaf, &mut self.buffer)
                .map_err(|error| LogError::refused(JOURNAL, error.to_string()))?;
        }
        if let Err(error) = self.disk.append(JOURNAL, &self.buffer) {
            // A part of a frame in the middle of the journal would be refused for ever: cut it off, and if
            // that fails as well, write nothing behind it.
            if let Err(error) = self.disk.truncate(JOURNAL, self.at.offset) {
                let error = LogError::disk("cut back", JOURNAL, &error);
                self.broken = Some(LogError::Broken { why: error.to_string() });
            }
            return Err(LogError::disk("append to", JOURNAL, &error));
        }
        let indices = self.at.index..at.index;
        self.at = at;
        Ok(indices)
    }
}

/// Derives tiles, bundles and checkpoints from the journal.
pub(super) struct Publisher {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) signer: Arc<dyn Signer>,
    pub(super) reader: Reader,
    pub(super) builder: Builder,
    /// Full files that the disk has not taken yet.
    pub(super) unwritten: Vec<(TileName, Vec<u8>)>,
    pub(super) signed: SignedCheckpoint,
    /// Partial files that lie there; dropped once the full one does.
    pub(super) partials: BTreeSet<TileName>,
    /// Held as long as this log is open.
    pub(super) _lock: LockGuard,
}

impl Publisher {
    /// Takes the leaves that were synced up to `until` from the journal and writes the files that they fill.
    pub(super) fn catch_up(&mut self, until: Position) -> Result<(), LogError> {
        self.write_full_files()?;
        loop {
            let fed = self.reader.position().offset + self.reader.torn_bytes();
            let left = usize::try_from(until.offset.saturating_sub(fed)).unwrap_or(usize::MAX);
            if left == 0 {
                break;
            }
            let piece = self
                .disk
                .read(JOURNAL, fed, left.min(PIECE_BYTES))
                .map_err(|error| LogError::disk("read", JOURNAL, &error))?;
            if piece.is_empty() {
                return Err(LogError::refused(JOURNAL, "it is shorter than what was synced"));
            }
            self.reader.feed(&piece);
            self.take_leaves()?;
        }
        if self.reader.position() == until {
            Ok(())
        } else {
            Err(LogError::refused(JOURNAL, "it does not hold what was written to it"))
        }
    }

    fn take_leaves(&mut self) -> Result<(), LogError> {
        loop {
            let full = match self.reader.next_leaf() {
                Ok(Some(leaf)) => self.builder.push(leaf),
                Ok(None) => return Ok(()),
                Err(error) => return Err(LogError::refused(JOURNAL, error.to_string())),
            };
            self.unwritten.extend(full.map_err(|why| LogError::refused(JOURNAL, why))?);
            self.write_full_files()?;
        }
    }

    fn write_full_files(&mut self) -> Result<(), LogError> {
        while let Some((name, bytes)) = self.unwritten.last() {
            let name = *name;
            self.write(name, bytes)?;
            self.drop_partials(name)?;
            self.unwritten.pop();
        }
        Ok(())
    }

    fn write(&self, name: TileName, bytes: &[u8]) -> Result<(), LogError> {
        let path = name.to_string();
        // Not synced: whatever a power cut takes is written again from the journal at the next start.
        self.disk
            .replace(&path, bytes, Keep::Unsynced)
            .map_err(|error| LogError::disk("write", &path, &error))
    }

    fn drop_partials(&mut self, full: TileName) -> Result<(), LogError> {
        let narrowest = TileName { width: 1, ..full };
        let old: Vec<TileName> = self.partials.range(narrowest..full).copied().collect();
        for name in old {
            let path = name.to_string();
            self.disk
                .remove(&path, Keep::Unsynced)
                .map_err(|error| LogError::disk("remove", &path, &error))?;
            self.partials.remove(&name);
        }
        Ok(())
    }

    /// Signs the tree as far as it was taken, unless that is signed already. The journal must have been
    /// synced that far.
    pub(super) fn sign(&mut self) -> Result<(), LogError> {
        let checkpoint = Checkpoint {
            origin: self.signer.name().into(),
            size: self.builder.size(),
            root: self.builder.root(),
        };
        if checkpoint == self.signed.checkpoint {
            return Ok(());
        }
        // The tree only grows from the one that was checked against the last signature at the start; still,
        // nothing is signed that could be a second history.
        if checkpoint.size <= self.signed.checkpoint.size {
            return Err(LogError::refused(CHECKPOINT, "a larger or another tree is signed already"));
        }
        let there = self.disk.read(CHECKPOINT, 0, PIECE_BYTES);
        let there = there.map_err(|error| LogError::disk("read", CHECKPOINT, &error))?;
        if there != self.signed.note.as_bytes() {
            return Err(LogError::refused(CHECKPOINT, "it is not the one that was signed here last"));
        }
        for (name, bytes) in self.builder.partials() {
            if !self.partials.contains(&name) {
                self.write(name, &bytes)?;
                self.partials.insert(name);
            }
        }
        self.signed = put_checkpoint(&*self.disk, &*self.signer, checkpoint)?;
        Ok(())
    }
}

/// Signs a checkpoint and puts it in place.
pub(super) fn put_checkpoint(
    disk: &dyn Disk,
    signer: &dyn Signer,
    checkpoint: Checkpoint,
) -> Result<SignedCheckpoint, LogError> {
    let note = checkpoint.sign(signer).map_err(|error| LogError::refused(CHECKPOINT, error.0))?;
    disk.replace(CHECKPOINT, note.as_bytes(), Keep::Synced)
        .map_err(|error| LogError::disk("write", CHECKPOINT, &error))?;
    Ok(SignedCheckpoint { checkpoint, note })
}

/// The log as one value: what simulations drive step by step, and what [`super::Appender`] runs behind
/// threads.
pub struct Log {
    pub(super) writer: Writer,
    pub(super) publisher: Publisher,
    pub(super) durable: Position,
}

impl Log {
    /// Appends leaves and gives their indices. They survive the end of this process, not yet a power cut.
    /// All or none; a full disk leaves the log as it was.
    pub fn append<L: AsRef<[u8]>>(&mut self, leaves: &[L]) -> Result<Range<u64>, LogError> {
        self.writer.append(leaves)
    }

    /// Makes every appended leaf survive a power cut, and gives how many leaves do. After an error the log
    /// takes nothing more: what is on the disk is unknown.
    pub fn sync(&mut self) -> Result<u64, LogError> {
        if let Some(broken) = &self.writer.broken {
            return Err(broken.clone());
        }
        if let Err(error) = self.writer.disk.sync(JOURNAL) {
            let broken = LogError::Broken { why: error.to_string() };
            self.writer.broken = Some(broken.clone());
            return Err(broken);
        }
        self.durable = self.writer.at;
        Ok(self.durable.index)
    }

    /// Writes tiles and bundles of all synced leaves and signs them.
    pub fn checkpoint(&mut self) -> Result<&SignedCheckpoint, LogError> {
        self.publisher.catch_up(self.durable)?;
        self.publisher.sign()?;
        Ok(&self.publisher.signed)
    }

    /// The newest signed checkpoint.
    pub fn signed(&self) -> &SignedCheckpoint {
        &self.publisher.signed
    }

    /// How many leaves were appended.
    pub fn size(&self) -> u64 {
        self.writer.at.index
    }

    /// Syncs, signs, and leaves the mark that nothing can be missing.
    pub fn close(mut self) -> Result<(), LogError> {
        self.sync()?;
        self.checkpoint()?;
        mark_closed(&*self.writer.disk)
    }
}

pub(super) fn mark_closed(disk: &dyn Disk) -> Result<(), LogError> {
    disk.replace(CLOSED, &[], Keep::Synced).map_err(|error| LogError::disk("write", CLOSED, &error))
}
