//! The writer as one value, without threads and without time.

use super::error::VaultError;
use super::exchange::Exchange;
use super::reader::VaultReader;
use super::seal::{self, Fresh, Place};
use super::segment::{self, FRAME_EXTRA_BYTES, HEADER_BYTES};
use super::table::Entry;
use crate::log::{Keep, LockGuard};
use mains_units::{RequestId, Span, Timestamp};
use std::collections::HashSet;

/// How large files and bodies may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultOptions {
    /// A segment that has so many bytes gets no further frame.
    pub segment_bytes: u64,
    /// A segment whose first exchange is so old, by the next one's time, gets no further frame: segments go only
    /// whole.
    pub segment_span: Span,
    /// The largest body that is kept, of the request and of the answer each; at most
    /// [`BODY_BYTES_MAX`](super::BODY_BYTES_MAX).
    pub body_bytes_max: usize,
    /// How long a reader may hold the table before a call fails.
    pub busy: Span,
}

impl Default for VaultOptions {
    /// 64 MiB, a day, 1 MiB, five seconds.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            segment_span: Span::from_s(86_400),
            body_bytes_max: 1 << 20,
            busy: Span::from_s(5),
        }
    }
}

/// An exchange to keep, and what its sealing uses up.
#[derive(Debug)]
pub struct Offer {
    /// What to keep.
    pub exchange: Exchange,
    /// Drawn for it alone.
    pub fresh: Fresh,
}

/// What became of the offers of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptCount {
    /// Kept.
    pub kept: u64,
    /// Not kept: something of this request is kept already, or was and is erased.
    pub repeated: u64,
    /// Not kept: a body is larger than the bound.
    pub too_large: u64,
}

/// What became of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// The key is destroyed, in the file and in the write-ahead log.
    Now,
    /// It was before.
    Before(Timestamp),
    /// There is nothing of this request.
    Absent,
}

/// For how many days exchanges are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainFor {
    /// Those of every project that is not named.
    pub days: u64,
    /// Those of these projects.
    pub projects: Vec<(String, u64)>,
}

/// What one call of [`Vault::prune`] took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VaultPruned {
    /// Exchanges whose keys were destroyed because their time is over.
    pub exchanges: u64,
    /// Segments that held nothing more that could be read.
    pub segments: u64,
    /// Whether there is more to take away, or a reader holds older copies of keys in the write-ahead log.
    pub more: bool,
}

/// How many exchanges of a project one call takes away, so that what is to be kept does not wait behind it.
const PRUNE_MAX: u64 = 2_000;
/// Frames are written in pieces of about this size.
const PIECE_BYTES: usize = 4 << 20;

/// The vault, open for writing.
pub struct Vault {
    pub(super) reader: VaultReader,
    pub(super) options: VaultOptions,
    pub(super) active: Active,
    pub(super) broken: Option<String>,
    /// Held as long as this vault is open.
    pub(super) _lock: LockGuard,
}

/// The segment that is appended to.
pub(super) struct Active {
    pub(super) number: u64,
    /// Its length in bytes, all of it synced; 0 where the file is yet to be made.
    pub(super) length: u64,
    /// When its oldest exchange arrived.
    pub(super) oldest: Option<Timestamp>,
}

/// Frames that are not written yet, and the rows that name them.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Vault {
    /// The reading half.
    pub fn reader(&self) -> &VaultReader {
        &self.reader
    }

    /// Seals these exchanges and writes them: synced frames first, then their keys. Says what became of them, and
    /// what failed, if anything: then the rest is not kept, and what was kept before still is.
    pub fn keep(&mut self, offers: Vec<Offer>) -> (KeptCount, Option<VaultError>) {
        let mut count = KeptCount::default();
        let failure = self.keep_counting(offers, &mut count).err();
        (count, failure)
    }

    fn keep_counting(&mut self, offers: Vec<Offer>, count: &mut KeptCount) -> Result<(), VaultError> {
        self.refuse_broken()?;
        let mut batch = Batch::default();
        let mut seen = HashSet::new();
        for offer in offers {
            let exchange = &offer.exchange;
            let largest = exchange.asked.bytes.len().max(exchange.answer.bytes.len());
            let plain = exchange.encode().filter(|_| largest <= self.options.body_bytes_max);
            let Some(plain) = plain else {
                count.too_large += 1;
                continue;
            };
            // A second frame under the same name could not be told from the first.
            if !seen.insert(exchange.request) || self.reader.table.find(exchange.request)?.is_some() {
                count.repeated += 1;
                continue;
            }
            if self.is_full(exchange.at, batch.bytes.len()) {
                count.kept += self.write(&mut batch)?;
                self.rotate()?;
            } else if batch.bytes.len() >= PIECE_BYTES {
                count.kept += self.write(&mut batch)?;
            }
            self.seal_into(&mut batch, &offer, plain)?;
        }
        count.kept += self.write(&mut batch)?;
        Ok(())
    }

    fn refuse_broken(&self) -> Result<(), VaultError> {
        self.broken.as_ref().map_or(Ok(()), |why| Err(VaultError::Broken { why: why.clone() }))
    }

    /// Whether the next exchange belongs into a new segment.
    fn is_full(&self, next: Timestamp, waiting: usize) -> bool {
        let length = self.active.length + waiting as u64;
        let age = self.active.oldest.map_or(0, |oldest| next.0.saturating_sub(oldest.0));
        let too_old = u64::try_from(age).is_ok_and(|age| age >= self.options.segment_span.as_ms());
        self.active.oldest.is_some() && (length >= self.options.segment_bytes || too_old)
    }

    fn seal_into(&mut self, batch: &mut Batch, offer: &Offer, mut plain: Vec<u8>) -> Result<(), VaultError> {
        if self.active.length == 0 {
            self.make_segment()?;
        }
        let Exchange { request, at, .. } = offer.exchange;
        let start = self.active.length + batch.bytes.len() as u64;
        let place = Place { segment: self.active.number, offset: start, request };
        let length = (plain.len() + FRAME_EXTRA_BYTES) as u64;
        let wrapped = seal::wrap(&self.reader.kek, &offer.fresh, &place);
        if wrapped.is_none() || !seal::seal(&offer.fresh, &place, &mut plain) {
            let path = segment::name(place.segment);
            return Err(VaultError::refused(path, start, "the cipher refused an exchange"));
        }
        segment::push_frame(place.segment, start, request, offer.fresh.nonce(), &plain, &mut batch.bytes);
        self.active.oldest = Some(self.active.oldest.map_or(at, |oldest| oldest.min(at)));
        batch.entries.push(Entry {
            sequence: 0,
            request,
            at,
            route: offer.exchange.route.clone(),
            project: offer.exchange.project.clone(),
            segment: place.segment,
            start,
            length,
            kek: self.reader.kek.id(),
            wrapped,
            erased: None,
        });
        Ok(())
    }

    /// Writes the batch and empties it; gives how many exchanges are kept by it.
    fn write(&mut self, batch: &mut Batch) -> Result<u64, VaultError> {
        let Batch { bytes, entries } = std::mem::take(batch);
        if entries.is_empty() {
            return Ok(0);
        }
        let path = segment::name(self.active.number);
        let disk = &self.reader.disk;
        if let Err(error) = disk.append(&path, &bytes) {
            // A part of a frame in the middle would be refused for ever: cut it off, and if that fails as well,
            // write nothing behind it.
            if let Err(error) = disk.truncate(&path, self.active.length) {
                self.broken = Some(VaultError::disk("cut back", &path, &error).to_string());
            }
            return Err(VaultError::disk("append to", &path, &error));
        }
        if let Err(error) = disk.sync(&path) {
            let error = VaultError::disk("sync", &path, &error);
            self.broken = Some(error.to_string());
            return Err(error);
        }
        self.active.length += bytes.len() as u64;
        // Should this fail, the frames stay without keys, and go with their segment.
        self.reader.table.insert(&entries)?;
        Ok(entries.len() as u64)
    }

    fn make_segment(&mut self) -> Result<(), VaultError> {
        let path = segment::name(self.active.number);
        let made = self.reader.disk.replace(&path, &segment::header(self.active.number), Keep::Synced);
        made.map_err(|error| VaultError::disk("write", &path, &error))?;
        self.active.length = HEADER_BYTES as u64;
        Ok(())
    }

    /// Begins a new segment; its file is made with its first frame, or now where the old one is about to go.
    fn rotate(&mut self) -> Result<(), VaultError> {
        self.active = Active { number: self.active.number.saturating_add(1), length: 0, oldest: None };
        self.make_segment()
    }

    /// Destroys the data key of a request. When this answers without an error, the key is overwritten in the file
    /// and gone from the write-ahead log; copies made elsewhere are the caller's. After
    /// [`VaultError::LogHeld`] call again: only the log is left to be cleared.
    pub fn erase(&mut self, request: RequestId, now: Timestamp) -> Result<Erased, VaultError> {
        let table = &self.reader.table;
        if table.destroy(request, now)? {
            table.clear_log()?;
            return Ok(Erased::Now);
        }
        let Some(entry) = table.find(request)? else { return Ok(Erased::Absent) };
        table.clear_log()?;
        Ok(Erased::Before(entry.erased.unwrap_or(now)))
    }

    /// Destroys the keys of exchanges whose time is over, and removes segments in which nothing is left to read;
    /// at most some thousand exchanges at once, so call again while `more` is set.
    pub fn prune(&mut self, now: Timestamp, retain: &RetainFor) -> Result<VaultPruned, VaultError> {
        let since = |days: u64| {
            let ms = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(86_400_000);
            Timestamp(now.0.saturating_sub(ms))
        };
        let named: Vec<&str> = retain.projects.iter().map(|(project, _)| project.as_str()).collect();
        let mut counts = vec![self.reader.table.expire(since(retain.days), None, &named, PRUNE_MAX)?];
        for (project, days) in &retain.projects {
            counts.push(self.reader.table.expire(since(*days), Some(project), &[], PRUNE_MAX)?);
        }
        let exchanges = counts.iter().sum();
        let segments = self.remove_dead_segments()?;
        self.reader.table.shrink()?;
        let held = match self.reader.table.clear_log() {
            Ok(()) => false,
            Err(VaultError::LogHeld) => true,
            Err(error) => return Err(error),
        };
        Ok(VaultPruned { exchanges, segments, more: held || counts.contains(&PRUNE_MAX) })
    }

    fn remove_dead_segments(&mut self) -> Result<u64, VaultError> {
        let live: HashSet<u64> =
            self.reader.table.extents()?.iter().filter(|extent| extent.live > 0).map(|e| e.segment).collect();
        // The active one goes too, but only once a newer file stands, so that no number is used twice.
        if self.active.length > HEADER_BYTES as u64 && !live.contains(&self.active.number) {
            self.refuse_broken()?;
            self.rotate()?;
        }
        let mut removed = 0;
        for number in self.reader.segments()? {
            if live.contains(&number) || number == self.active.number {
                continue;
            }
            // The rows first: a row without its file would be refused at the next start.
            self.reader.table.forget(number)?;
            let path = segment::name(number);
            let gone = self.reader.disk.remove(&path, Keep::Synced);
            gone.map_err(|error| VaultError::disk("remove", &path, &error))?;
            removed += 1;
        }
        Ok(removed)
    }
}
