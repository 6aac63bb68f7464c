use super::{exchange, id, keep, offers, open, open_with, options};
use mains_store::log::double::DoubleDisk;
use mains_store::vault::{Found, VaultError, VaultOptions};
use mains_units::Chance;

#[test]
fn a_killed_writer_or_a_power_cut_leaves_whole_exchanges() {
    let folder = tempfile::tempdir().unwrap();
    let options = VaultOptions { segment_bytes: 1_500, ..options() };
    let (mut died, mut lost) = (0, 0);
    for seed in 0..150 {
        let mut chance = Chance::from_seed(seed);
        let table = folder.path().join(format!("{seed}.db"));
        let disk = DoubleDisk::new();
        let mut kept = Vec::new();
        let mut next = 0;
        for _ in 0..3 {
            let (mut vault, _) =
                open_with(&disk, &table, options).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            // What was said to be kept is there, whatever happened since.
            for number in &kept {
                let found = vault.reader().read(id(*number)).unwrap();
                assert_eq!(found, Found::Kept(Box::new(exchange(*number))), "seed {seed}");
            }
            vault.reader().verify().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            disk.die_after(1 + chance.below(6_000));
            while !disk.is_dead() && next < 1_000 {
                let numbers = next..next + 1 + u32::try_from(chance.below(4)).unwrap();
                next = numbers.end;
                let (count, failure) = vault.keep(offers(numbers.clone()));
                // Pieces are kept from the front.
                kept.extend(numbers.clone().take(usize::try_from(count.kept).unwrap()));
                lost += numbers.len() as u64 - count.kept;
                assert_eq!(failure.is_none(), count.kept == numbers.len() as u64, "seed {seed}");
            }
            died += u32::from(disk.is_dead());
            drop(vault);
            if chance.hits(0.5) { disk.kill() } else { disk.cut_power(&mut chance) }
        }
    }
    // Else this test would test nothing.
    assert!(died > 400 && lost > 100, "{died} deaths, {lost} exchanges lost");
}

#[test]
fn a_full_disk_keeps_what_was_kept_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = DoubleDisk::new();
    let (mut vault, _) = open(&disk, &folder.path().join("keys.db")).unwrap();
    keep(&mut vault, 0..2);
    disk.set_room(Some(disk.snapshot().values().map(|bytes| bytes.len() as u64).sum::<u64>() + 100));
    let (count, failure) = vault.keep(offers(2..4));
    assert_eq!(count.kept, 0);
    assert!(matches!(failure, Some(VaultError::Disk { full: true, .. })), "{failure:?}");
    disk.set_room(None);
    keep(&mut vault, 2..4);
    assert_eq!(vault.reader().verify().unwrap().frames, 4);
}

#[test]
fn nothing_is_written_behind_a_failed_sync() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let disk = DoubleDisk::new();
    let (mut vault, _) = open(&disk, &table).unwrap();
    keep(&mut vault, 0..2);
    disk.fail_next_sync();
    assert!(matches!(vault.keep(offers(2..3)).1, Some(VaultError::Disk { .. })));
    assert!(matches!(vault.keep(offers(3..4)).1, Some(VaultError::Broken { .. })));
    drop(vault);
    let (mut vault, opened) = open(&disk, &table).unwrap();
    assert_eq!(opened.exchanges, 2);
    keep(&mut vault, 2..5);
    assert_eq!(super::all(&vault).len(), 5);
}
