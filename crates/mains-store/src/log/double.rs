//! A disk in memory for tests and simulations: it loses what was not synced, runs full, fails to sync, and
//! dies in the middle of a write, all by a seed.

use super::disk::{Disk, Keep, LockGuard};
use mains_ledger::verify::names::UNFINISHED;
use mains_units::Chance;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The disk; clones are the same disk.
#[derive(Clone, Default)]
pub struct DoubleDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<String, Stored>,
    /// Which "process" holds the lock; a killed one leaves a guard behind that must not unlock for the next.
    holder: Option<u64>,
    processes: u64,
    room: Option<u64>,
    steps_left: Option<u64>,
    sync_fails: bool,
    syncs: u64,
}

#[derive(Default, Clone)]
struct Stored {
    now: Vec<u8>,
    /// So many bytes of `now` survive a power cut.
    synced: usize,
    /// Whether the file was replaced and that was not synced.
    replaced: bool,
    /// What was there before it was replaced, if anything.
    before: Option<Vec<u8>>,
}

impl DoubleDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the disk holds at most so many bytes; `None` takes the bound away.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// The next sync of a file fails, once.
    pub fn fail_next_sync(&self) {
        self.state().sync_fails = true;
    }

    /// The process dies after so many more steps: every call is a step, every byte written is another. All
    /// calls fail from then on, and a write in which it dies is cut short.
    pub fn die_after(&self, steps: u64) {
        self.state().steps_left = Some(steps);
    }

    /// Whether the process died.
    pub fn is_dead(&self) -> bool {
        self.state().steps_left == Some(0)
    }

    /// How many syncs of files succeeded.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Ends the process as `kill -9` does: what was written stays, the lock is free, the disk works again.
    pub fn kill(&self) {
        let mut state = self.state();
        state.holder = None;
        state.steps_left = None;
    }

    /// Cuts the power: of appended bytes that were not synced a prefix of any length stays; a file that was
    /// replaced without a sync is the old one, the new one, or a damaged new one. Chance decides.
    pub fn cut_power(&self, chance: &mut Chance) {
        self.kill();
        let mut state = self.state();
        for (path, mut stored) in std::mem::take(&mut state.files) {
            let left = if !stored.replaced {
                let unsynced = stored.now.len().saturating_sub(stored.synced) as u64;
                let kept = stored.synced + usize::try_from(chance.below(unsynced + 1)).unwrap_or(0);
                stored.now.truncate(kept);
                Some(stored.now)
            } else if chance.hits(0.34) {
                stored.before
            } else {
                if chance.hits(0.5) {
                    // Delayed allocation: the name is there, some or all of the content is not.
                    let kept = chance.below(stored.now.len() as u64);
                    stored.now.truncate(usize::try_from(kept).unwrap_or(0));
                }
                Some(stored.now)
            };
            if let Some(now) = left {
                let synced = now.len();
                state.files.insert(path, Stored { now, synced, ..Stored::default() });
            }
        }
    }

    /// Everything that lies there.
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().files.iter().map(|(path, stored)| (path.clone(), stored.now.clone())).collect()
    }

    /// A disk on which exactly this lies, all of it synced.
    pub fn from_snapshot(files: BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::new();
        disk.state().files = files
            .into_iter()
            .map(|(path, now)| (path, Stored { synced: now.len(), now, ..Stored::default() }))
            .collect();
        disk
    }
}

impl State {
    /// Takes one step of the process's life and up to `wanted` more; gives how many of those it had.
    fn live(&mut self, wanted: u64) -> io::Result<u64> {
        let Some(left) = self.steps_left else { return Ok(wanted) };
        let granted = wanted.min(left.saturating_sub(1));
        self.steps_left = Some(left.saturating_sub(1 + wanted));
        if left == 0 { Err(dead()) } else { Ok(granted) }
    }

    fn used(&self) -> u64 {
        self.files.values().map(|stored| stored.now.len() as u64).sum()
    }

    fn file(&mut self, path: &str) -> io::Result<&mut Stored> {
        self.files.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn dead() -> io::Error {
    io::Error::other("the process was killed")
}

impl Disk for DoubleDisk {
    fn append(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let wanted = bytes.len() as u64;
        let granted = state.live(wanted)?;
        let room = state.room.map_or(wanted, |room| room.saturating_sub(state.used()));
        let written = usize::try_from(granted.min(room)).unwrap_or(usize::MAX).min(bytes.len());
        state.file(path)?.now.extend_from_slice(&bytes[..written]);
        if granted < wanted {
            Err(dead())
        } else if written < bytes.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        state.live(0)?;
        if std::mem::take(&mut state.sync_fails) {
            return Err(io::Error::other("the disk did not sync"));
        }
        state.syncs += 1;
        let stored = state.file(path)?;
        stored.synced = stored.now.len();
        stored.replaced = false;
        stored.before = None;
        Ok(())
    }

    fn replace(&self, path: &str, bytes: &[u8], keep: Keep) -> io::Result<()> {
        let mut state = self.state();
        let granted = state.live(bytes.len() as u64)?;
        // Like the real disk, it writes the bytes under another name first.
        let room = state.room.map_or(u64::MAX, |room| room.saturating_sub(state.used()));
        let written = usize::try_from(granted.min(room)).unwrap_or(usize::MAX).min(bytes.len());
        if written < bytes.len() {
            let now = bytes[..written].to_vec();
            state.files.insert(UNFINISHED.into(), Stored { now, replaced: true, ..Stored::default() });
            let full = granted == bytes.len() as u64;
            return Err(if full { io::ErrorKind::StorageFull.into() } else { dead() });
        }
        state.files.remove(UNFINISHED);
        let old = state.files.remove(path);
        let replaced = keep == Keep::Unsynced;
        let before = match old {
            _ if !replaced => None,
            Some(old) if old.replaced => old.before,
            old => old.map(|old| old.now),
        };
        let new = Stored { now: bytes.into(), synced: bytes.len(), replaced, before };
        state.files.insert(path.into(), new);
        Ok(())
    }

    fn read(&self, path: &str, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        state.live(0)?;
        let bytes = &state.file(path)?.now;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(limit).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.live(0)?;
        Ok(state.files.keys().cloned().collect())
    }

    fn truncate(&self, path: &str, length: u64) -> io::Result<()> {
        let mut state = self.state();
        state.live(0)?;
        let stored = state.file(path)?;
        stored.now.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        stored.synced = stored.now.len();
        Ok(())
    }

    fn remove(&self, path: &str, keep: Keep) -> io::Result<()> {
        let mut state = self.state();
        state.live(0)?;
        // An unsynced removal may come undone, which nothing here relies on either way.
        let _ = keep;
        state.files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn lock(&self, path: &str) -> io::Result<LockGuard> {
        let mut state = self.state();
        state.live(0)?;
        if state.holder.is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.processes += 1;
        let process = state.processes;
        state.holder = Some(process);
        state.files.entry(path.into()).or_default();
        Ok(Box::new(Guard { disk: self.clone(), process }))
    }
}

struct Guard {
    disk: DoubleDisk,
    process: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.holder == Some(self.process) {
            state.holder = None;
        }
    }
}
