use super::{DAY_MS, NOON, data_key, exchange, id, keep, kek, offers, options};
use mains_store::vault::{Erased, Found, RetainFor, Vault, VaultError, VaultOptions, VaultPruned};
use mains_units::{RequestId, Timestamp};
use std::path::Path;

/// Whether these bytes are in any file of the folder.
fn holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

/// The sealed half of a wrapped key, as it stands in the table; the nonce is in the segment too.
fn wrapped(folder: &Path, request: RequestId) -> Vec<u8> {
    let table = rusqlite::Connection::open(folder.join("keys.db")).unwrap();
    let sql = "SELECT wrapped FROM exchanges WHERE request = ?1";
    let wrapped: Vec<u8> = table.query_row(sql, [request.to_string()], |row| row.get(0)).unwrap();
    wrapped[24..].to_vec()
}

#[test]
fn an_erased_exchange_cannot_be_read_and_its_key_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = Vault::open(folder.path(), kek(), options()).unwrap();
    keep(&mut vault, 0..50);
    let key = wrapped(folder.path(), id(25));
    assert!(holds(folder.path(), &key) && key.len() == 48);
    for number in 0..50 {
        assert!(!holds(folder.path(), &data_key(number)), "the data key {number} lies there unwrapped");
    }
    assert!(!holds(folder.path(), b"secret question") && !holds(folder.path(), b"secret answer"));
    assert!(!holds(folder.path(), &[7; 32]), "the key-encryption key lies there");

    assert_eq!(vault.erase(id(25), NOON).unwrap(), Erased::Now);
    assert!(!holds(folder.path(), &key));
    assert_eq!(vault.reader().read(id(25)).unwrap(), Found::Erased(NOON));
    assert_eq!(vault.erase(id(25), Timestamp(NOON.0 + 1)).unwrap(), Erased::Before(NOON));
    assert_eq!(vault.erase(id(50), NOON).unwrap(), Erased::Absent);
    // It does not come back under its name, and the others stand.
    assert_eq!(vault.keep(offers([25])).0.repeated, 1);
    assert_eq!(super::all(&vault).len(), 49);
    let report = vault.reader().verify().unwrap();
    assert_eq!((report.opened, report.keyless), (49, 1));
    drop(vault);
    assert!(!holds(folder.path(), &key));
    let (vault, opened) = Vault::open(folder.path(), kek(), options()).unwrap();
    assert_eq!(opened.exchanges, 49);
    assert_eq!(vault.reader().read(id(25)).unwrap(), Found::Erased(NOON));
}

#[test]
fn an_older_copy_that_a_reader_holds_is_said_and_goes_with_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = Vault::open(folder.path(), kek(), options()).unwrap();
    keep(&mut vault, 0..50);
    let key = wrapped(folder.path(), id(25));
    let reader = rusqlite::Connection::open(folder.path().join("keys.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM exchanges", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(vault.erase(id(25), NOON), Err(VaultError::LogHeld));
    assert_eq!(vault.reader().read(id(25)).unwrap(), Found::Erased(NOON));
    assert!(holds(folder.path(), &key));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(vault.erase(id(25), NOON).unwrap(), Erased::Before(NOON));
    assert!(!holds(folder.path(), &key));

    // The same when time takes it.
    let key = wrapped(folder.path(), id(26));
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM exchanges", [], |row| row.get::<_, i64>(0)).unwrap();
    let (later, retain) = (Timestamp(NOON.0 + DAY_MS * 2), RetainFor { days: 1, projects: Vec::new() });
    let pruned = vault.prune(later, &retain).unwrap();
    assert_eq!((pruned.exchanges, pruned.more), (50, true));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(vault.prune(later, &retain).unwrap(), VaultPruned::default());
    assert!(!holds(folder.path(), &key));
}

#[test]
fn a_key_whose_erasure_was_interrupted_is_gone_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = Vault::open(folder.path(), kek(), options()).unwrap();
    keep(&mut vault, 0..50);
    let key = wrapped(folder.path(), id(25));
    // What a kill leaves that comes after the change and before the log is cleared.
    rusqlite::Connection::open(folder.path().join("keys.db"))
        .unwrap()
        .execute_batch("PRAGMA secure_delete = ON; UPDATE exchanges SET wrapped = NULL WHERE sequence = 26")
        .unwrap();
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    drop(vault);
    assert!(holds(copy.path(), &key));
    let (vault, opened) = Vault::open(copy.path(), kek(), options()).unwrap();
    assert_eq!(opened.exchanges, 49);
    assert!(!holds(copy.path(), &key));
    assert!(matches!(vault.reader().read(id(25)).unwrap(), Found::Erased(_)));
}

#[test]
fn what_is_past_its_time_goes_by_project_and_segments_go_whole() {
    let folder = tempfile::tempdir().unwrap();
    let options = VaultOptions { segment_bytes: 2_000, ..options() };
    let (mut vault, _) = Vault::open(folder.path(), kek(), options).unwrap();
    let mut all = offers(0..60);
    // One a day.
    for (offer, day) in all.iter_mut().zip(0..) {
        offer.exchange.at = Timestamp(NOON.0 + day * DAY_MS);
    }
    assert_eq!(vault.keep(all).0.kept, 60);
    let keys: Vec<Vec<u8>> = (0..60).map(|number| wrapped(folder.path(), id(number))).collect();
    let segments = vault.reader().stats().unwrap().segments;
    assert_eq!(segments, 60);

    // Day 60: all but `search` (every third) stay for 20 days, `search` for 40.
    let now = Timestamp(NOON.0 + 60 * DAY_MS);
    let retain = RetainFor { days: 20, projects: vec![("search".into(), 40), ("other".into(), 1)] };
    let pruned = vault.prune(now, &retain).unwrap();
    let stays = |number: u32| if number.is_multiple_of(3) { number >= 20 } else { number >= 40 };
    let kept = (0..60).filter(|number| stays(*number)).count() as u64;
    assert_eq!(pruned, VaultPruned { exchanges: 60 - kept, segments: 60 - kept, more: false });
    for (number, key) in (0..60).zip(&keys) {
        assert_eq!(holds(folder.path(), key), stays(number), "{number}");
        let found = vault.reader().read(id(number)).unwrap();
        assert_eq!(matches!(found, Found::Kept(_)), stays(number), "{number}");
    }
    assert_eq!(vault.reader().verify().unwrap().opened, kept);
    assert_eq!(vault.prune(now, &retain).unwrap(), VaultPruned::default());

    // Later all goes, the newest segment too, and the next one has a number that was never used.
    let pruned = vault.prune(Timestamp(now.0 + 100 * DAY_MS), &retain).unwrap();
    assert_eq!(pruned.exchanges, kept);
    assert_eq!(vault.reader().stats().unwrap().exchanges, 0);
    keep(&mut vault, 100..101);
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("segment-"))
        .collect();
    assert_eq!(names, ["segment-0000000061"]);
    drop(vault);
    let (vault, opened) = Vault::open(folder.path(), kek(), options).unwrap();
    assert_eq!(opened.exchanges, 1);
    assert_eq!(vault.reader().read(id(100)).unwrap(), Found::Kept(Box::new(exchange(100))));
}

#[test]
fn a_segment_of_erased_exchanges_goes_at_the_next_prune() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = Vault::open(folder.path(), kek(), options()).unwrap();
    keep(&mut vault, 0..3);
    let retain = RetainFor { days: 30, projects: Vec::new() };
    assert_eq!(vault.prune(NOON, &retain).unwrap(), VaultPruned::default());
    for number in 0..3 {
        vault.erase(id(number), NOON).unwrap();
    }
    let pruned = vault.prune(NOON, &retain).unwrap();
    assert_eq!(pruned, VaultPruned { exchanges: 0, segments: 1, more: false });
    assert!(!folder.path().join("segment-0000000001").exists());
    keep(&mut vault, 7..8);
    assert_eq!(vault.reader().verify().unwrap().opened, 1);
}

#[test]
fn many_expired_exchanges_go_in_several_calls() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = Vault::open(folder.path(), kek(), options()).unwrap();
    keep(&mut vault, 0..2_500);
    let retain = RetainFor { days: 1, projects: Vec::new() };
    let later = Timestamp(NOON.0 + 50 * DAY_MS);
    let first = vault.prune(later, &retain).unwrap();
    assert_eq!((first.exchanges, first.more), (2_000, true));
    let second = vault.prune(later, &retain).unwrap();
    assert_eq!((second.exchanges, second.more), (500, false));
    assert_eq!(vault.reader().stats().unwrap().exchanges, 0);
}
