//! Checks a whole log: every frame, every leaf, every hash of every tile, the signed root. Sampling is not
//! enough: a checker that only asks for proofs overlooks most flipped bits in tiles.

use crate::builder::Builder;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::journal::Reader;
use crate::note::VerifierKey;
use crate::tile::{self, Kind, TileName, WIDTH};
use std::collections::BTreeSet;
use std::fmt;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Names of the files beside the tree.
pub mod names {
    /// The journal.
    pub const JOURNAL: &str = "journal";
    /// The newest signed checkpoint.
    pub const CHECKPOINT: &str = "checkpoint";
    /// Held by the process that writes; always empty.
    pub const LOCK: &str = "lock";
    /// There while nobody writes and the last one ended in order; always empty.
    pub const CLOSED: &str = "closed";
    /// A file being written before it gets its name; means nothing.
    pub const UNFINISHED: &str = "unfinished";
}

/// Where a log is read from.
pub trait Files {
    /// Every file of the folder, as paths with slashes relative to it.
    fn list(&self) -> Result<Vec<String>, String>;
    /// At most `limit` bytes of a file from `offset` on; fewer only at its end. The error says why, for
    /// instance that there is no such file.
    fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Vec<u8>, String>;
}

/// Where the leaves come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The folder of the one who writes: its journal, and every file that lies there.
    Folder,
    /// What anyone can fetch: the checkpoint, and the bundles and tiles that its size demands.
    Published,
}

/// What was found in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Leaves checked.
    pub leaves: u64,
    /// Leaves under the signed checkpoint.
    pub signed: u64,
    /// The root of the signed checkpoint.
    pub root: Option<Hash>,
    /// Tiles recomputed, partial ones included.
    pub tiles: u64,
    /// Entry bundles recomputed, partial ones included.
    pub bundles: u64,
    /// Bytes at the journal's end that belong to a frame cut short; a writer cuts them off when it starts.
    pub torn_bytes: u64,
}

impl Report {
    /// Leaves of the journal that no checkpoint covers yet.
    pub fn unsigned(&self) -> u64 {
        self.leaves.saturating_sub(self.signed)
    }
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file in which it shows.
    pub file: String,
    /// The leaf at which it shows, where one can be named.
    pub index: Option<u64>,
    /// What is wrong.
    pub why: String,
    /// What was in order up to there.
    pub before: Box<Report>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the log does not verify: `{}`", self.file)?;
        if let Some(index) = self.index {
            write!(f, ", leaf {index}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for Fault {}

/// Recomputes the whole log from its leaves and compares everything with what is stored and signed.
///
/// Reads the journal (or the bundles) once from front to back; memory is bounded by one bundle and the
/// list of names. The error is the first thing found wrong.
pub fn verify(files: &dyn Files, key: &VerifierKey, scope: Scope) -> Result<Report, Fault> {
    let mut check = Check {
        files,
        builder: Builder::new(),
        listed: BTreeSet::new(),
        stored: BTreeSet::new(),
        signed: Checkpoint { origin: String::new(), size: 0, root: Hash::of_empty_tree() },
        report: Report::default(),
    };
    check.open_checkpoint(key)?;
    match scope {
        Scope::Folder => {
            check.list()?;
            check.read_journal()?;
        }
        Scope::Published => check.read_bundles()?,
    }
    check.finish(scope)?;
    Ok(check.report)
}

struct Check<'f> {
    files: &'f dyn Files,
    builder: Builder,
    /// Files of the tree that lie there.
    listed: BTreeSet<TileName>,
    /// Those of them that were not compared yet.
    stored: BTreeSet<TileName>,
    signed: Checkpoint,
    report: Report,
}

impl Check<'_> {
    fn fault<T>(
        &self,
        file: impl fmt::Display,
        index: Option<u64>,
        why: impl Into<String>,
    ) -> Result<T, Fault> {
        Err(Fault { file: file.to_string(), index, why: why.into(), before: Box::new(self.report.clone()) })
    }

    /// A whole small file.
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, Fault> {
        match self.files.read(path, 0, limit + 1) {
            Ok(bytes) if bytes.len() > limit => {
                self.fault(path, None, format!("it is longer than {limit} bytes"))
            }
            Ok(bytes) => Ok(bytes),
            Err(why) => self.fault(path, None, format!("it cannot be read: {why}")),
        }
    }

    fn open_checkpoint(&mut self, key: &VerifierKey) -> Result<(), Fault> {
        let note = self.read(names::CHECKPOINT, PIECE_BYTES)?;
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => self.signed = checkpoint,
            Err(error) => return self.fault(names::CHECKPOINT, None, error.0),
        }
        self.report.origin.clone_from(&self.signed.origin);
        self.report.signed = self.signed.size;
        self.report.root = Some(self.signed.root);
        self.compare_root()
    }

    fn list(&mut self) -> Result<(), Fault> {
        let listed = match self.files.list() {
            Ok(listed) => listed,
            Err(why) => return self.fault(".", None, format!("the folder cannot be listed: {why}")),
        };
        for path in listed {
            match path.as_str() {
                names::JOURNAL | names::CHECKPOINT | names::UNFINISHED => {}
                names::LOCK | names::CLOSED => drop(self.read(&path, 0)?),
                _ => match TileName::parse(&path) {
                    Some(name) => drop(self.listed.insert(name)),
                    None => return self.fault(path, None, "it is no file of a log"),
                },
            }
        }
        self.stored.clone_from(&self.listed);
        Ok(())
    }

    fn read_journal(&mut self) -> Result<(), Fault> {
        let mut reader = Reader::new();
        let mut offset = 0;
        loop {
            let piece = match self.files.read(names::JOURNAL, offset, PIECE_BYTES) {
                Ok(piece) => piece,
                Err(why) => return self.fault(names::JOURNAL, None, format!("it cannot be read: {why}")),
            };
            reader.feed(&piece);
            loop {
                match reader.next_leaf() {
                    Ok(Some(leaf)) => self.push(leaf)?,
                    Ok(None) => break,
                    Err(error) => return self.fault(names::JOURNAL, error.index, error.to_string()),
                }
            }
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
        }
        self.report.torn_bytes = reader.torn_bytes();
        match reader.origin() {
            None => self.fault(names::JOURNAL, None, "its header is incomplete"),
            Some(origin) if origin != self.signed.origin => {
                let why = format!("it belongs to log `{origin}`, the checkpoint to `{}`", self.signed.origin);
                self.fault(names::JOURNAL, None, why)
            }
            Some(_) => Ok(()),
        }
    }

    fn read_bundles(&mut self) -> Result<(), Fault> {
        let size = self.signed.size;
        self.stored = tile::names(size).filter(|name| name.kind != Kind::Entries).collect();
        for place in (0..size).step_by(256) {
            let Some(name) = TileName::holding(Kind::Entries, place, size) else { break };
            let bytes = self.stored_bytes(name)?;
            match tile::decode_bundle(&bytes, name.width) {
                Ok(leaves) => leaves.into_iter().try_for_each(|leaf| self.push(leaf))?,
                Err(why) => return self.fault(name, Some(place), why),
            }
            self.report.bundles += 1;
        }
        Ok(())
    }

    fn push(&mut self, leaf: &[u8]) -> Result<(), Fault> {
        let index = self.builder.size();
        let full = match self.builder.push(leaf) {
            Ok(full) => full,
            Err(why) => return self.fault(names::JOURNAL, Some(index), why),
        };
        self.report.leaves = self.builder.size();
        for (name, bytes) in full {
            self.compare(name, &bytes)?;
        }
        self.compare_root()
    }

    /// Where the leaves so far are those of the checkpoint, its root must be theirs.
    fn compare_root(&self) -> Result<(), Fault> {
        if self.builder.size() != self.signed.size {
            return Ok(());
        }
        let computed = self.builder.root();
        if computed == self.signed.root {
            return Ok(());
        }
        let why = format!(
            "its root `{}` is not the root `{computed}` of the {} leaves it signs",
            self.signed.root, self.signed.size
        );
        self.fault(names::CHECKPOINT, None, why)
    }

    /// Compares every stored file of one place in the tree, partial ones included, with what its leaves
    /// give. `computed` is the widest file there.
    fn compare(&mut self, widest: TileName, computed: &[u8]) -> Result<(), Fault> {
        let narrowest = TileName { width: 1, ..widest };
        let stored: Vec<TileName> = self.stored.range(narrowest..=widest.full()).copied().collect();
        for name in stored {
            if name.width > widest.width {
                let why = format!("it holds {} where the leaves give {}", name.width, widest.width);
                return self.fault(name, None, why);
            }
            let bytes = self.stored_bytes(name)?;
            let expected = tile::prefix(name, computed);
            if bytes != expected {
                return self.fault(
                    name,
                    Some(first_difference(name, &bytes, expected)),
                    "it is not what the leaves give",
                );
            }
            self.stored.remove(&name);
            match name.kind {
                Kind::Entries => self.report.bundles += 1,
                Kind::Level(_) => self.report.tiles += 1,
            }
        }
        Ok(())
    }

    fn stored_bytes(&self, name: TileName) -> Result<Vec<u8>, Fault> {
        let limit = match name.kind {
            Kind::Entries => 256 * (2 + crate::LEAF_BYTES_MAX),
            Kind::Level(_) => 256 * 32,
        };
        match self.read(&name.to_string(), limit) {
            // Who publishes may drop a partial file once the full one exists; that one begins with it.
            Err(missing) if name.width < WIDTH => match self.read(&name.full().to_string(), limit) {
                Ok(bytes) => Ok(tile::prefix(name, &bytes).to_vec()),
                Err(_) => Err(missing),
            },
            outcome => outcome,
        }
    }

    fn finish(&mut self, scope: Scope) -> Result<(), Fault> {
        let (held, size) = (self.builder.size(), self.signed.size);
        if held < size {
            let why = format!("the checkpoint signs {size} leaves, and only {held} are there");
            return self.fault(names::JOURNAL, Some(held), why);
        }
        if scope == Scope::Folder {
            self.demand_signed_files()?;
        }
        for (name, bytes) in self.builder.partials() {
            self.compare(name, &bytes)?;
        }
        match self.stored.first() {
            Some(name) => {
                self.fault(*name, None, format!("it holds more than the {held} leaves that are there"))
            }
            None => Ok(()),
        }
    }

    /// Every file that the checkpoint's size demands must lie there; a partial one may be replaced by the
    /// full one.
    fn demand_signed_files(&self) -> Result<(), Fault> {
        let lost = tile::names(self.signed.size)
            .find(|name| !self.listed.contains(name) && !self.listed.contains(&name.full()));
        match lost {
            Some(name) => {
                let first = first_leaf(name, 0);
                self.fault(name, Some(first), "the checkpoint demands it and it is not there")
            }
            None => Ok(()),
        }
    }
}

/// The first leaf under the `place`-th hash (or entry) of a file.
fn first_leaf(name: TileName, place: u64) -> u64 {
    let span = match name.kind {
        Kind::Entries | Kind::Level(0) => 1,
        Kind::Level(level) => 256u64.saturating_pow(u32::from(level)),
    };
    name.index.saturating_mul(WIDTH).saturating_add(place).saturating_mul(span)
}

fn first_difference(name: TileName, stored: &[u8], expected: &[u8]) -> u64 {
    let at = stored.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let place = match name.kind {
        Kind::Level(_) => at as u64 / 32,
        // The entry whose bytes hold the first difference, by the lengths that the leaves give.
        Kind::Entries => (0..name.width)
            .take_while(|place| tile::prefix(TileName { width: place + 1, ..name }, expected).len() <= at)
            .count() as u64,
    };
    first_leaf(name, place.min(name.width - 1))
}
