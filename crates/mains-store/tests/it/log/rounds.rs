//! Two hundred lives of one log, each ended by `kill -9` or a power cut in the middle of anything.

use super::{key, leaf, open, reader};
use mains_ledger::builder::Builder;
use mains_ledger::{Hash, Scope, verify};
use mains_store::log::double::DoubleDisk;
use mains_units::Chance;
use std::collections::BTreeMap;

/// What the world outside was told.
#[derive(Default)]
struct Told {
    /// Leaves whose append returned.
    appended: Vec<Vec<u8>>,
    /// How many of them a sync acknowledged.
    durable: u64,
    /// The leaves of the append in which the process died; any first part of them may have been kept.
    dying: Vec<Vec<u8>>,
    /// Every checkpoint ever seen.
    signed: BTreeMap<u64, Hash>,
}

impl Told {
    /// One life: appends, syncs and checkpoints by chance until the disk is dead.
    fn live(&mut self, disk: &DoubleDisk, chance: &mut Chance, torn: &mut u64, place: &str) {
        disk.die_after(chance.below(20_000));
        let Ok((mut log, recovered)) = open(disk) else {
            assert!(disk.is_dead(), "{place}: refused, and nobody was killed");
            return;
        };
        *torn += u64::from(recovered.torn_bytes > 0);
        self.signed.insert(log.signed().checkpoint.size, log.signed().checkpoint.root);
        self.durable = recovered.leaves;
        self.dying.clear();
        while !disk.is_dead() {
            match chance.below(8) {
                0..5 => {
                    let first = self.appended.len() as u64;
                    let batch: Vec<Vec<u8>> = (0..=chance.below(40)).map(|i| leaf(first + i)).collect();
                    match log.append(&batch) {
                        Ok(indices) => {
                            assert_eq!(indices, first..first + batch.len() as u64, "{place}");
                            self.appended.extend(batch);
                        }
                        Err(_) => self.dying = batch,
                    }
                }
                5..7 => {
                    if let Ok(durable) = log.sync() {
                        self.durable = durable;
                    }
                }
                _ => {
                    if let Ok(signed) = log.checkpoint() {
                        let (size, root) = (signed.checkpoint.size, signed.checkpoint.root);
                        assert!(size <= self.durable, "{place}: signed before it was synced");
                        assert_eq!(
                            *self.signed.entry(size).or_insert(root),
                            root,
                            "{place}: a second history"
                        );
                    }
                }
            }
        }
    }

    /// After the end: opens the log and compares it with what was told.
    fn compare(&mut self, disk: &DoubleDisk, killed: bool, place: &str) {
        let (log, recovered) = open(disk).unwrap_or_else(|error| panic!("{place}: {error}"));
        let held = recovered.leaves;
        assert!(!recovered.clean || recovered.new, "{place}: nobody closed it");
        assert!(
            held >= self.durable,
            "{place}: {held} leaves, {} were acknowledged as durable",
            self.durable
        );
        let appended = self.appended.len() as u64;
        assert!(!killed || held >= appended, "{place}: a killed process lost leaf {held} of {appended}");
        assert!(held <= appended + self.dying.len() as u64, "{place}: leaves that nobody wrote");
        self.appended.append(&mut self.dying);
        self.appended.truncate(usize::try_from(held).unwrap());
        drop(log);
        verify(&reader(disk), &key(), Scope::Folder).unwrap_or_else(|fault| panic!("{place}: {fault}"));
        let mut builder = Builder::new();
        for index in 0..=held {
            if let Some(root) = self.signed.get(&index) {
                assert_eq!(*root, builder.root(), "{place}: a fork at {index}");
            }
            if index < held {
                builder.push(&self.appended[usize::try_from(index).unwrap()]).unwrap();
            }
        }
        let signed = reader(disk).checkpoint(&key()).unwrap();
        assert_eq!((signed.checkpoint.size, signed.checkpoint.root), (held, builder.root()), "{place}");
        assert!(self.signed.keys().all(|size| *size <= held), "{place}: what was signed is lost");
    }
}

#[test]
fn two_hundred_ends_lose_nothing_acknowledged_and_make_no_fork() {
    const SEED: u64 = 0x6d61_696e_7304;
    let mut chance = Chance::from_seed(SEED);
    let disk = DoubleDisk::new();
    let mut told = Told::default();
    let (mut kills, mut cuts, mut torn) = (0, 0, 0);
    for round in 0..200 {
        let place = format!("seed {SEED}, round {round}");
        told.live(&disk, &mut chance, &mut torn, &place);
        let killed = chance.hits(0.5);
        if killed {
            disk.kill();
            kills += 1;
            // Whoever looks before the next start finds a log that verifies.
            if disk.snapshot().contains_key("checkpoint") {
                verify(&reader(&disk), &key(), Scope::Folder)
                    .unwrap_or_else(|fault| panic!("{place}: {fault}"));
            }
        } else {
            disk.cut_power(&mut chance);
            cuts += 1;
        }
        told.compare(&disk, killed, &place);
    }
    // The test is worth something only if it went through what it claims to.
    assert!(kills > 60 && cuts > 60, "{kills} kills, {cuts} cuts");
    assert!(told.appended.len() > 2_000, "{} leaves", told.appended.len());
    println!(
        "{kills} kills, {cuts} power cuts, {} leaves, {} checkpoints",
        told.appended.len(),
        told.signed.len()
    );
}
