//! Reading the vault, alone or beside its writer: one exchange, many in the order of time, the whole check.

use super::error::VaultError;
use super::exchange::Exchange;
use super::kek::Kek;
use super::seal::{self, Place};
use super::segment::{self, HEADER_BYTES, Head, Segment, Step};
use super::table::{Entry, Table};
use crate::log::{Disk, FileDisk};
use mains_units::{RequestId, Span, Timestamp};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// The file of the table in the vault's folder.
pub(super) const TABLE: &str = "keys.db";
/// Rows of the table that are read at a time; their exchanges are opened one by one.
const PAGE: u64 = 128;

/// Which exchanges; all of them by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VaultFilter {
    /// Only of this route.
    pub route: Option<String>,
    /// Only of this project.
    pub project: Option<String>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// At most so many, the oldest ones.
    pub limit: Option<u64>,
}

/// What the vault has of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// All of it.
    Kept(Box<Exchange>),
    /// It was erased then, and cannot be read by anybody.
    Erased(Timestamp),
    /// Nothing: it was never kept, or its time is over.
    Absent,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VaultStats {
    /// Exchanges that can be read.
    pub exchanges: u64,
    /// Bytes that they take, sealed.
    pub bytes: u64,
    /// Segments on the disk.
    pub segments: u64,
    /// When the oldest of the exchanges arrived.
    pub oldest: Option<Timestamp>,
}

/// What the whole check found in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VaultReport {
    /// Segments.
    pub segments: u64,
    /// Frames whose checks hold.
    pub frames: u64,
    /// Exchanges that were opened.
    pub opened: u64,
    /// Frames without a key: erased, expired, or of an interrupted write.
    pub keyless: u64,
}

/// Reads a vault without taking its lock; the writer may be at work.
pub struct VaultReader {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) table: Table,
    pub(super) kek: Kek,
}

impl VaultReader {
    /// A reader of the vault in `folder`, which must be there. `busy` is how long the writer may hold the table
    /// before a call fails.
    pub fn at(folder: &Path, kek: Kek, busy: Span) -> Result<Self, VaultError> {
        let table = Table::read_only(&folder.join(TABLE), busy)?;
        let reader = Self { disk: Arc::new(FileDisk::existing(folder)), table, kek };
        reader.check_kek()?;
        Ok(reader)
    }

    /// Refuses a key-encryption key under which not everything was sealed.
    pub(super) fn check_kek(&self) -> Result<(), VaultError> {
        match self.table.other_kek(self.kek.id())? {
            Some((needed, exchanges)) => {
                Err(VaultError::WrongKey { given: self.kek.id(), needed, exchanges })
            }
            None => Ok(()),
        }
    }

    /// What there is of this request.
    pub fn read(&self, request: RequestId) -> Result<Found, VaultError> {
        let Some(entry) = self.table.find(request)? else { return Ok(Found::Absent) };
        match self.open_entry(&entry) {
            Ok(Some(exchange)) => Ok(Found::Kept(Box::new(exchange))),
            Ok(None) => Ok(Found::Erased(entry.erased.unwrap_or(entry.at))),
            // Its time may have ended between the two looks.
            Err(error) => match self.table.find(request)? {
                Some(now) if now == entry => Err(error),
                Some(now) => Ok(now.erased.map_or(Found::Absent, Found::Erased)),
                None => Ok(Found::Absent),
            },
        }
    }

    /// Exchanges in the order of time, read as they are asked for. Those whose time ends meanwhile are left
    /// out; after an error there is nothing more.
    pub fn exchanges(&self, filter: VaultFilter) -> Exchanges<'_> {
        let left = filter.limit.unwrap_or(u64::MAX);
        Exchanges { reader: self, filter, left, page: VecDeque::new(), after: None, ended: false }
    }

    /// How much is kept.
    pub fn stats(&self) -> Result<VaultStats, VaultError> {
        let (exchanges, bytes, oldest) = self.table.totals()?;
        Ok(VaultStats { exchanges, bytes, segments: self.segments()?.len() as u64, oldest })
    }

    /// Walks over every byte of every segment and opens every exchange that has a key. The first thing that does
    /// not verify ends it, with file and offset.
    pub fn verify(&self) -> Result<VaultReport, VaultError> {
        let mut report = VaultReport::default();
        let segments = self.segments()?;
        let extents = self.table.extents()?;
        if let Some(lost) = extents.iter().find(|extent| !segments.contains(&extent.segment)) {
            let why = "it is gone, and the table names exchanges in it";
            return Err(VaultError::refused(segment::name(lost.segment), 0, why));
        }
        for number in segments {
            match self.verify_segment(number, &mut report) {
                Ok(()) => report.segments += 1,
                // Its time may have ended while it was read.
                Err(error) if self.segments()?.contains(&number) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(report)
    }

    fn verify_segment(&self, number: u64, report: &mut VaultReport) -> Result<(), VaultError> {
        // The rows first: what the writer adds meanwhile lies behind them.
        let mut entries = VecDeque::from(self.table.in_segment(number)?);
        let segment = Segment::open(&*self.disk, number)?;
        let mut offset = HEADER_BYTES as u64;
        while let Step::Frame(head, sealed) = segment.step(offset)? {
            report.frames += 1;
            match entries.front().filter(|entry| entry.start <= offset) {
                Some(entry) if entry.wrapped.is_some() => {
                    self.open_frame(&segment, entry, offset, &head, sealed)?;
                    report.opened += 1;
                    entries.pop_front();
                }
                Some(entry) => {
                    agrees(&segment, entry, offset, &head)?;
                    report.keyless += 1;
                    entries.pop_front();
                }
                None => report.keyless += 1,
            }
            offset += head.frame_bytes as u64;
        }
        match entries.front() {
            Some(_) => {
                Err(segment.refused(offset, "it is cut off: the table names exchanges behind this byte"))
            }
            None => Ok(()),
        }
    }

    /// The numbers of the segments on the disk, in order.
    pub(super) fn segments(&self) -> Result<Vec<u64>, VaultError> {
        let listed = self.disk.list().map_err(|error| VaultError::disk("list", ".", &error))?;
        let mut segments: Vec<u64> = listed.iter().filter_map(|path| segment::parse_name(path)).collect();
        segments.sort_unstable();
        Ok(segments)
    }

    /// The exchange of a row; `None` where it was erased.
    fn open_entry(&self, entry: &Entry) -> Result<Option<Exchange>, VaultError> {
        if entry.wrapped.is_none() {
            return Ok(None);
        }
        let segment = Segment::open(&*self.disk, entry.segment)?;
        let (head, sealed) = segment.frame(entry.start, entry.length)?;
        self.open_frame(&segment, entry, entry.start, &head, sealed).map(Some)
    }

    fn open_frame(
        &self,
        segment: &Segment<'_>,
        entry: &Entry,
        offset: u64,
        head: &Head,
        sealed: Vec<u8>,
    ) -> Result<Exchange, VaultError> {
        agrees(segment, entry, offset, head)?;
        let wrong = |why: &str| segment.refused(offset, format!("the exchange {}: {why}", entry.request));
        if entry.kek != self.kek.id() {
            return Err(VaultError::WrongKey { given: self.kek.id(), needed: entry.kek, exchanges: 1 });
        }
        let place = Place { segment: entry.segment, offset, request: entry.request };
        let key = entry.wrapped.as_deref().and_then(|wrapped| seal::unwrap(&self.kek, wrapped, &place));
        let key = key.ok_or_else(|| wrong("its wrapped key does not open"))?;
        let plain =
            seal::open(&key, &head.nonce, &place, sealed).ok_or_else(|| wrong("its seal does not open"))?;
        let exchange = Exchange::decode(entry.request, &plain).map_err(wrong)?;
        // Rows are not sealed; by them exchanges are chosen and expire.
        if (exchange.at, &exchange.route, &exchange.project) != (entry.at, &entry.route, &entry.project) {
            return Err(wrong("the table gives it another time, route or project"));
        }
        Ok(exchange)
    }
}

/// Checks that a frame is the one that a row names.
fn agrees(segment: &Segment<'_>, entry: &Entry, offset: u64, head: &Head) -> Result<(), VaultError> {
    let same = entry.start == offset
        && entry.request == head.request
        && usize::try_from(entry.length).is_ok_and(|length| length == head.frame_bytes);
    if same { Ok(()) } else { Err(segment.refused(offset, "the table names another exchange at this place")) }
}

/// Exchanges in the order of time; see [`VaultReader::exchanges`].
pub struct Exchanges<'a> {
    reader: &'a VaultReader,
    filter: VaultFilter,
    left: u64,
    page: VecDeque<Entry>,
    after: Option<(Timestamp, i64)>,
    ended: bool,
}

impl Iterator for Exchanges<'_> {
    type Item = Result<Exchange, VaultError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended && self.left > 0 {
            match self.advance() {
                Ok(Some(exchange)) => {
                    self.left -= 1;
                    return Some(Ok(exchange));
                }
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl Exchanges<'_> {
    /// The next exchange; `None` where its row is gone by now or all rows are seen.
    fn advance(&mut self) -> Result<Option<Exchange>, VaultError> {
        if self.page.is_empty() {
            self.page = self.reader.table.page(&self.filter, self.after, PAGE.min(self.left))?.into();
        }
        let Some(entry) = self.page.pop_front() else {
            self.ended = true;
            return Ok(None);
        };
        self.after = Some((entry.at, entry.sequence));
        match self.reader.read(entry.request)? {
            Found::Kept(exchange) => Ok(Some(*exchange)),
            Found::Erased(_) | Found::Absent => Ok(None),
        }
    }
}
