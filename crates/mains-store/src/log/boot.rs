//! From what lies on the disk to an open log: the lock, the journal, the last signature, the derived files.

use super::core::{Log, PIECE_BYTES, Publisher, Recovered, SignedCheckpoint, Writer, put_checkpoint};
use super::disk::{Disk, Keep, LogError};
use mains_ledger::builder::Builder;
use mains_ledger::journal::{self, Reader};
use mains_ledger::tile::{self, TileName, WIDTH};
use mains_ledger::verify::names::{CHECKPOINT, CLOSED, JOURNAL, LOCK, UNFINISHED};
use mains_ledger::{Checkpoint, Signer, VerifierKey};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

impl Log {
    /// Opens the log of this signer on this disk, or makes it. Refused without changing anything: a journal
    /// that does not verify, is of a newer format or another log's, or that the last signed checkpoint does
    /// not begin. Cut off: an incomplete last frame, nothing else. Written again: tiles and bundles that are
    /// missing or damaged.
    ///
    /// `key` is the public half of the signer. The caller appends a `recover` leaf when
    /// [`Recovered::clean`] is false.
    pub fn open(
        disk: Arc<dyn Disk>,
        signer: Arc<dyn Signer>,
        key: &VerifierKey,
    ) -> Result<(Self, Recovered), LogError> {
        if signer.name() != key.name() || signer.key_id() != key.key_id() {
            return Err(LogError::refused(
                CHECKPOINT,
                "the signing key is not the one it is checked against",
            ));
        }
        let lock = disk.lock(LOCK).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => LogError::Locked,
            _ => LogError::disk("lock", LOCK, &error),
        })?;
        let mut found = Found::list(&*disk)?;
        let new = found.make_if_new(&*disk, signer.name())?;
        let signed = found.signed(&*disk, key)?;
        let (reader, builder) = found.read_journal(&*disk, signer.name(), signed.as_ref())?;
        let recovered = Recovered {
            new,
            clean: new || (found.has(CLOSED) && reader.torn_bytes() == 0),
            leaves: builder.size(),
            signed: signed.as_ref().map_or(0, |signed| signed.checkpoint.size),
            torn_bytes: reader.torn_bytes(),
            rebuilt: found.damaged.len() as u64,
        };
        // Everything verifies; from here on things are changed.
        Found::cut(&*disk, &reader)?;
        found.rebuild(&*disk)?;
        found.tidy(&*disk)?;
        let at = reader.position();
        let signed = match signed {
            Some(signed) => signed,
            None => put_checkpoint(
                &*disk,
                &*signer,
                Checkpoint { origin: signer.name().into(), size: 0, root: builder.root() },
            )?,
        };
        let reader = Reader::resume(signer.name(), at);
        let writer = Writer { disk: Arc::clone(&disk), at, buffer: Vec::new(), broken: None };
        let mut publisher = Publisher {
            disk,
            signer,
            reader,
            builder,
            unwritten: Vec::new(),
            signed,
            partials: found.partials,
            _lock: lock,
        };
        publisher.sign()?;
        Ok((Self { writer, publisher, durable: at }, recovered))
    }
}

/// What lies on the disk.
struct Found {
    /// Every file, by its path.
    paths: BTreeSet<String>,
    /// Files of the tree that were not compared yet.
    tree: BTreeSet<TileName>,
    /// Files that are missing or damaged.
    damaged: BTreeSet<TileName>,
    /// Partial files whose full one exists.
    outgrown: Vec<TileName>,
    /// Partial files that stay.
    partials: BTreeSet<TileName>,
}

impl Found {
    fn list(disk: &dyn Disk) -> Result<Self, LogError> {
        let listed = disk.list().map_err(|error| LogError::disk("list", ".", &error))?;
        Ok(Self {
            tree: listed.iter().filter_map(|path| TileName::parse(path)).collect(),
            paths: listed.into_iter().collect(),
            damaged: BTreeSet::new(),
            outgrown: Vec::new(),
            partials: BTreeSet::new(),
        })
    }

    fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    fn make_if_new(&mut self, disk: &dyn Disk, origin: &str) -> Result<bool, LogError> {
        if self.has(JOURNAL) {
            return Ok(false);
        }
        if self.has(CHECKPOINT) || !self.tree.is_empty() {
            return Err(LogError::refused(JOURNAL, "it is gone, and a signed log lies around it"));
        }
        let (header, _) =
            journal::header(origin).map_err(|error| LogError::refused(JOURNAL, error.to_string()))?;
        disk.replace(JOURNAL, &header, Keep::Synced)
            .map_err(|error| LogError::disk("write", JOURNAL, &error))?;
        Ok(true)
    }

    fn signed(&self, disk: &dyn Disk, key: &VerifierKey) -> Result<Option<SignedCheckpoint>, LogError> {
        if !self.has(CHECKPOINT) {
            return Ok(None);
        }
        let bytes = disk
            .read(CHECKPOINT, 0, PIECE_BYTES)
            .map_err(|error| LogError::disk("read", CHECKPOINT, &error))?;
        let refused = |why: String| LogError::refused(CHECKPOINT, why);
        let checkpoint = Checkpoint::open(&bytes, key).map_err(|error| refused(error.0))?;
        let note = String::from_utf8(bytes).map_err(|_| refused("it is not text".into()))?;
        Ok(Some(SignedCheckpoint { checkpoint, note }))
    }

    /// Reads the journal from front to back, checks it against the last signature, and finds out which
    /// files of the tree are not what it gives. Changes nothing.
    fn read_journal(
        &mut self,
        disk: &dyn Disk,
        origin: &str,
        signed: Option<&SignedCheckpoint>,
    ) -> Result<(Reader, Builder), LogError> {
        let (mut reader, mut builder) = (Reader::new(), Builder::new());
        check_root(&builder, signed)?;
        for_each_leaf(disk, &mut reader, |leaf| {
            for (name, bytes) in builder.push(leaf).map_err(|why| LogError::refused(JOURNAL, why))? {
                self.compare(disk, name, &bytes)?;
            }
            check_root(&builder, signed)
        })?;
        for (name, bytes) in builder.partials() {
            self.compare(disk, name, &bytes)?;
        }
        match reader.origin() {
            None => return Err(LogError::refused(JOURNAL, "its header is incomplete")),
            Some(other) if other != origin => {
                return Err(LogError::refused(JOURNAL, format!("it is of log `{other}`, not of `{origin}`")));
            }
            Some(_) => {}
        }
        let size = builder.size();
        match signed {
            None if size > 0 => {
                let why = format!("it is gone, and the journal holds {size} leaves");
                return Err(LogError::refused(CHECKPOINT, why));
            }
            Some(signed) if signed.checkpoint.size > size => {
                let why = format!("it holds {size} leaves, and {} are signed", signed.checkpoint.size);
                return Err(LogError::refused(JOURNAL, why));
            }
            _ => {}
        }
        if let Some(name) = self.tree.first() {
            let why = format!("it holds more than the {size} leaves of the journal");
            return Err(LogError::refused(name.to_string(), why));
        }
        self.demand(signed.map_or(0, |signed| signed.checkpoint.size), size);
        Ok((reader, builder))
    }

    /// Compares the stored files of one place with what its leaves give; `widest` is as wide as they allow.
    fn compare(&mut self, disk: &dyn Disk, widest: TileName, computed: &[u8]) -> Result<(), LogError> {
        let narrowest = TileName { width: 1, ..widest };
        let stored: Vec<TileName> = self.tree.range(narrowest..=widest).copied().collect();
        if widest.width == WIDTH && !stored.contains(&widest) {
            self.damaged.insert(widest);
        }
        for name in stored {
            self.tree.remove(&name);
            if widest.width == WIDTH && name.width < WIDTH {
                self.outgrown.push(name);
                continue;
            }
            let path = name.to_string();
            let expected = tile::prefix(name, computed);
            let bytes = disk
                .read(&path, 0, expected.len() + 1)
                .map_err(|error| LogError::disk("read", &path, &error))?;
            if bytes != expected {
                self.damaged.insert(name);
            }
            if name.width < WIDTH {
                self.partials.insert(name);
            }
        }
        Ok(())
    }

    /// The partial files that the last signed checkpoint demands, unless the journal's `size` fills them.
    fn demand(&mut self, signed: u64, size: u64) {
        for name in tile::names(signed).filter(|name| name.width < WIDTH) {
            let full = TileName::holding(name.kind, name.index * WIDTH, size) == Some(name.full());
            if !full && self.partials.insert(name) {
                self.damaged.insert(name);
            }
        }
    }

    /// Cuts the torn tail off and syncs what the last process may not have synced.
    fn cut(disk: &dyn Disk, reader: &Reader) -> Result<(), LogError> {
        if reader.torn_bytes() > 0 {
            disk.truncate(JOURNAL, reader.position().offset)
                .map_err(|error| LogError::disk("cut", JOURNAL, &error))?;
        }
        disk.sync(JOURNAL).map_err(|error| LogError::disk("sync", JOURNAL, &error))
    }

    /// Removes leftovers, after the files that take their place were written.
    fn tidy(&self, disk: &dyn Disk) -> Result<(), LogError> {
        let leftovers = self.outgrown.iter().map(ToString::to_string);
        for path in leftovers.chain(self.has(UNFINISHED).then(|| UNFINISHED.into())) {
            match disk.remove(&path, Keep::Unsynced) {
                // A rebuilt file took the unfinished one's place with it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => outcome.map_err(|error| LogError::disk("remove", &path, &error))?,
            }
        }
        if self.has(CLOSED) {
            // Synced: the mark must not come back after the next power cut.
            disk.remove(CLOSED, Keep::Synced).map_err(|error| LogError::disk("remove", CLOSED, &error))?;
        }
        Ok(())
    }

    /// Reads the journal again and writes the files that were found missing or damaged.
    fn rebuild(&self, disk: &dyn Disk) -> Result<(), LogError> {
        if self.damaged.is_empty() {
            return Ok(());
        }
        let mut builder = Builder::new();
        let write = |widest: TileName, computed: &[u8]| {
            let narrowest = TileName { width: 1, ..widest };
            for name in self.damaged.range(narrowest..=widest) {
                let path = name.to_string();
                disk.replace(&path, tile::prefix(*name, computed), Keep::Unsynced)
                    .map_err(|error| LogError::disk("write", &path, &error))?;
            }
            Ok(())
        };
        for_each_leaf(disk, &mut Reader::new(), |leaf| {
            let full = builder.push(leaf).map_err(|why| LogError::refused(JOURNAL, why))?;
            full.iter().try_for_each(|(name, bytes)| write(*name, bytes))
        })?;
        builder.partials().iter().try_for_each(|(name, bytes)| write(*name, bytes))
    }
}

fn check_root(builder: &Builder, signed: Option<&SignedCheckpoint>) -> Result<(), LogError> {
    match signed {
        Some(signed)
            if signed.checkpoint.size == builder.size() && signed.checkpoint.root != builder.root() =>
        {
            let why = format!("its first {} leaves are not those that were signed", builder.size());
            Err(LogError::refused(JOURNAL, why))
        }
        _ => Ok(()),
    }
}

fn for_each_leaf(
    disk: &dyn Disk,
    reader: &mut Reader,
    mut take: impl FnMut(&[u8]) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut offset = 0;
    loop {
        let piece = disk
            .read(JOURNAL, offset, PIECE_BYTES)
            .map_err(|error| LogError::disk("read", JOURNAL, &error))?;
        if piece.is_empty() {
            return Ok(());
        }
        offset += piece.len() as u64;
        reader.feed(&piece);
        loop {
            match reader.next_leaf() {
                Ok(Some(leaf)) => take(leaf)?,
                Ok(None) => break,
                Err(error) => return Err(LogError::refused(JOURNAL, error.to_string())),
            }
        }
    }
}
