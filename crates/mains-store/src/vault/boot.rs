//! From what lies on the disk to an open vault: the lock, the table, every header, the newest segment whole.

use super::core::{Active, Vault, VaultOptions};
use super::error::VaultError;
use super::kek::Kek;
use super::reader::{TABLE, VaultReader};
use super::segment::{self, HEADER_BYTES, Segment, Step};
use super::table::{Extent, Table};
use crate::log::{Disk, FileDisk, Keep};
use mains_ledger::verify::names::UNFINISHED;
use std::io;
use std::path::Path;
use std::sync::Arc;

const LOCK: &str = "lock";

/// What was found when the vault was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opened {
    /// Whether there was none before.
    pub new: bool,
    /// Exchanges that can be read.
    pub exchanges: u64,
    /// Bytes of an interrupted write that were cut off.
    pub torn_bytes: u64,
}

impl Vault {
    /// Opens the vault in `folder`, or makes it; its folder above must exist.
    pub fn open(folder: &Path, kek: Kek, options: VaultOptions) -> Result<(Self, Opened), VaultError> {
        let disk = FileDisk::create(folder)
            .map_err(|error| VaultError::disk("make", &folder.display().to_string(), &error))?;
        Self::open_on(&(Arc::new(disk) as Arc<dyn Disk>), Some(&folder.join(TABLE)), kek, options)
    }

    /// Opens the vault on a disk, with its table in a file or, for tests, in memory.
    ///
    /// Refused without changing anything: another key than the one that exchanges are sealed under, a segment
    /// that is missing or shorter than the table says, a header or a frame of the newest segment that does not
    /// verify, a newer version. Cut off: what an interrupted write left at the end of the newest segment. Frames
    /// of older segments are checked when they are read, and by [`VaultReader::verify`].
    pub fn open_on(
        disk: &Arc<dyn Disk>,
        table: Option<&Path>,
        kek: Kek,
        options: VaultOptions,
    ) -> Result<(Self, Opened), VaultError> {
        let lock = disk.lock(LOCK).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => VaultError::Locked,
            _ => VaultError::disk("lock", LOCK, &error),
        })?;
        let table = Table::open(table, options.busy)?;
        // A process that died while it erased may have left an older copy of a key.
        match table.clear_log() {
            Ok(()) | Err(VaultError::LogHeld) => {}
            Err(error) => return Err(error),
        }
        let reader = VaultReader { disk: Arc::clone(disk), table, kek };
        reader.check_kek()?;
        let segments = reader.segments()?;
        let extents = reader.table.extents()?;
        check_segments(&**disk, &segments, &extents)?;
        let newest = segments.last().copied();
        let mut opened = Opened { new: newest.is_none(), exchanges: reader.table.totals()?.0, torn_bytes: 0 };
        let active = match newest {
            None => Active { number: 1, length: 0, oldest: None },
            Some(number) => {
                let extent = extents.iter().find(|extent| extent.segment == number);
                let length = walk(&**disk, number, extent)?;
                opened.torn_bytes = cut(&**disk, number, length)?;
                Active { number, length, oldest: extent.map(|extent| extent.oldest) }
            }
        };
        // A header that was being written when the process ended.
        if reader.disk.list().is_ok_and(|listed| listed.iter().any(|path| path == UNFINISHED)) {
            let removed = disk.remove(UNFINISHED, Keep::Unsynced);
            removed.map_err(|error| VaultError::disk("remove", UNFINISHED, &error))?;
        }
        Ok((Self { reader, options, active, broken: None, _lock: lock }, opened))
    }
}

/// Every header, and that every segment is there and as long as the table says.
fn check_segments(disk: &dyn Disk, segments: &[u64], extents: &[Extent]) -> Result<(), VaultError> {
    for extent in extents {
        if !segments.contains(&extent.segment) {
            let why = "it is gone, and the table names exchanges in it";
            return Err(VaultError::refused(segment::name(extent.segment), 0, why));
        }
    }
    for number in segments {
        let segment = Segment::open(disk, *number)?;
        if let Some(extent) = extents.iter().find(|extent| extent.segment == *number)
            && !segment.reaches(extent.end)?
        {
            return Err(
                segment.refused(extent.end, "it is cut off: the table names exchanges up to this byte")
            );
        }
    }
    Ok(())
}

/// Checks every frame of a segment and gives where the last whole one ends.
fn walk(disk: &dyn Disk, number: u64, extent: Option<&Extent>) -> Result<u64, VaultError> {
    let segment = Segment::open(disk, number)?;
    let mut offset = HEADER_BYTES as u64;
    while let Step::Frame(head, _) = segment.step(offset)? {
        offset += head.frame_bytes as u64;
    }
    if extent.is_some_and(|extent| extent.end > offset) {
        return Err(segment.refused(offset, "it is damaged: the table names exchanges behind this byte"));
    }
    Ok(offset)
}

/// Cuts a segment to what is whole; gives how many bytes went.
fn cut(disk: &dyn Disk, number: u64, length: u64) -> Result<u64, VaultError> {
    let path = segment::name(number);
    let mut torn = 0;
    loop {
        let piece = disk.read(&path, length + torn, 1 << 16);
        let piece = piece.map_err(|error| VaultError::disk("read", &path, &error))?;
        if piece.is_empty() {
            break;
        }
        torn += piece.len() as u64;
    }
    if torn > 0 {
        disk.truncate(&path, length).map_err(|error| VaultError::disk("cut", &path, &error))?;
    }
    Ok(torn)
}
