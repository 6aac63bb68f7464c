use super::{NOON, exchange, fresh, id, open_with, options};
use mains_store::log::double::DoubleDisk;
use mains_store::log::{Disk, Keep, LockGuard};
use mains_store::vault::{
    Erased, Exchange, Found, Keeper, KeeperOptions, NotKept, RetainFor, VaultError, VaultOptions,
};
use mains_units::Span;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A disk whose syncs wait at a gate.
#[derive(Clone)]
struct Gated {
    disk: DoubleDisk,
    gate: Arc<Mutex<()>>,
}

impl Disk for Gated {
    fn append(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.disk.append(path, bytes)
    }
    fn sync(&self, path: &str) -> io::Result<()> {
        let _passing = self.gate.lock().unwrap();
        self.disk.sync(path)
    }
    fn replace(&self, path: &str, bytes: &[u8], keep: Keep) -> io::Result<()> {
        self.disk.replace(path, bytes, keep)
    }
    fn read(&self, path: &str, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        self.disk.read(path, offset, limit)
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn truncate(&self, path: &str, length: u64) -> io::Result<()> {
        self.disk.truncate(path, length)
    }
    fn remove(&self, path: &str, keep: Keep) -> io::Result<()> {
        self.disk.remove(path, keep)
    }
    fn lock(&self, path: &str) -> io::Result<LockGuard> {
        self.disk.lock(path)
    }
}

fn gated() -> Gated {
    Gated { disk: DoubleDisk::new(), gate: Arc::default() }
}

fn start(disk: &Gated, table: &Path, bounds: KeeperOptions) -> Keeper {
    let options = VaultOptions { body_bytes_max: 1_000, ..options() };
    open_with(disk, table, options).unwrap().0.start(bounds).unwrap()
}

fn eager() -> KeeperOptions {
    KeeperOptions { gather: Span::from_ms(0), ..KeeperOptions::default() }
}

/// Offers until one finds no room; gives how many did.
fn fill(keeper: &Keeper, make: impl Fn(u32) -> Exchange) -> u32 {
    let refused = (0..1_000).find_map(|number| match keeper.keep(make(number), fresh(number)) {
        Ok(()) => None,
        Err(why) => Some((number, why)),
    });
    let (accepted, why) = refused.expect("the queue has no bound");
    assert_eq!(why, NotKept::Full);
    accepted
}

#[test]
fn a_full_queue_refuses_at_once_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let disk = gated();
    let keeper = start(&disk, &folder.path().join("a.db"), KeeperOptions { offers_max: 8, ..eager() });
    let gate = disk.gate.lock().unwrap();
    // While the disk stands still, the queue's bound and what the writer had taken by then get in.
    let accepted = fill(&keeper, exchange);
    assert!((8..=16).contains(&accepted), "{accepted}");
    assert_eq!(keeper.keep(exchange(2_000), fresh(0)), Err(NotKept::Full));
    let tallies = keeper.tallies();
    assert_eq!((tallies.full, tallies.waiting), (2, 8));
    drop(gate);
    keeper.flush().unwrap();
    let tallies = keeper.tallies();
    assert_eq!(
        (tallies.kept, tallies.full, tallies.waiting, tallies.waiting_bytes),
        (accepted.into(), 2, 0, 0)
    );
    // There is room again.
    keeper.keep(exchange(2_000), fresh(2)).unwrap();
    keeper.flush().unwrap();
    assert_eq!(keeper.tallies().kept, u64::from(accepted) + 1);
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let folder = tempfile::tempdir().unwrap();
    let disk = gated();
    let keeper = start(&disk, &folder.path().join("a.db"), KeeperOptions { bytes_max: 5_000, ..eager() });
    let gate = disk.gate.lock().unwrap();
    let large = |number: u32| {
        let mut exchange = exchange(number);
        exchange.asked.bytes = vec![b'x'; 1_000];
        exchange.answer.bytes.clear();
        exchange
    };
    let accepted = fill(&keeper, large);
    assert!((5..=10).contains(&accepted), "{accepted}");
    assert_eq!(keeper.tallies().waiting_bytes, 5_000);
    drop(gate);
    drop(keeper);
    let (vault, opened) = open_with(&disk, &folder.path().join("a.db"), options()).unwrap();
    assert_eq!(opened.exchanges, u64::from(accepted));
    assert_eq!(vault.reader().verify().unwrap().opened, u64::from(accepted));
}

#[test]
fn what_is_too_large_or_fails_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let disk = gated();
    let keeper = start(&disk, &folder.path().join("a.db"), eager());
    let mut large = exchange(1);
    large.answer.bytes = vec![0; 1_001];
    let refused = keeper.keep(large, fresh(1));
    assert_eq!(refused, Err(NotKept::TooLarge { bytes: 1_001, bytes_max: 1_000 }));
    keeper.keep(exchange(2), fresh(2)).unwrap();
    keeper.flush().unwrap();
    keeper.keep(exchange(2), fresh(3)).unwrap();
    keeper.flush().unwrap();
    disk.disk.fail_next_sync();
    keeper.keep(exchange(4), fresh(4)).unwrap();
    keeper.flush().unwrap();
    let tallies = keeper.tallies();
    assert_eq!((tallies.kept, tallies.too_large, tallies.repeated, tallies.failed), (1, 1, 1, 1));
    assert!(matches!(tallies.last_failure, Some(VaultError::Disk { .. })));
}

#[test]
fn erasing_and_pruning_come_after_what_was_offered_before() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("a.db");
    let disk = gated();
    // An hour of gathering: only a call, the bound or the end makes it write.
    let keeper = start(&disk, &table, KeeperOptions { gather: Span::from_s(3_600), ..eager() });
    for number in 0..6 {
        keeper.keep(exchange(number), fresh(number)).unwrap();
    }
    assert_eq!(keeper.erase(id(3), NOON).unwrap(), Erased::Now);
    assert_eq!(keeper.tallies().kept, 6);
    let before = disk.disk.syncs();
    for number in 6..10 {
        keeper.keep(exchange(number), fresh(number)).unwrap();
    }
    let retain = RetainFor { days: 30, projects: Vec::new() };
    assert_eq!(keeper.prune(NOON, retain).unwrap().exchanges, 0);
    assert_eq!(disk.disk.syncs(), before + 1);
    keeper.keep(exchange(10), fresh(10)).unwrap();
    drop(keeper);
    let (vault, opened) = open_with(&disk, &table, options()).unwrap();
    assert_eq!(opened.exchanges, 10);
    assert_eq!(vault.reader().read(id(3)).unwrap(), Found::Erased(NOON));
    assert_eq!(vault.reader().read(id(10)).unwrap(), Found::Kept(Box::new(exchange(10))));
}
