use super::{DAY_MS, NOON, all, exchange, fresh, id, keep, kek, offers, open, open_with, options};
use mains_store::log::double::DoubleDisk;
use mains_store::vault::{
    Found, KeptCount, Offer, Vault, VaultError, VaultFilter, VaultOptions, VaultReader, VaultReport,
};
use mains_units::{Span, Timestamp};

#[test]
fn what_was_kept_reads_back_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let disk = DoubleDisk::new();
    let (mut vault, opened) = open(&disk, &table).unwrap();
    assert!(opened.new);
    keep(&mut vault, 0..5);
    keep(&mut vault, 5..9);
    drop(vault);
    let (vault, opened) = open(&disk, &table).unwrap();
    assert_eq!((opened.new, opened.exchanges, opened.torn_bytes), (false, 9, 0));
    for number in 0..9 {
        let found = vault.reader().read(id(number)).unwrap();
        assert_eq!(found, Found::Kept(Box::new(exchange(number))));
    }
    assert_eq!(vault.reader().read(id(9)).unwrap(), Found::Absent);
    let report = VaultReport { segments: 1, frames: 9, opened: 9, keyless: 0 };
    assert_eq!(vault.reader().verify().unwrap(), report);
    let stats = vault.reader().stats().unwrap();
    let length = disk.snapshot()["segment-0000000001"].len() as u64;
    assert_eq!((stats.exchanges, stats.segments, stats.oldest), (9, 1, Some(NOON)));
    assert_eq!(stats.bytes, length - 32);
}

#[test]
fn exchanges_come_in_the_order_of_time_and_by_filter() {
    let folder = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(&DoubleDisk::new(), &folder.path().join("keys.db")).unwrap();
    // More than a page of rows, written out of order, three of them in the same millisecond.
    keep(&mut vault, (0..300).rev());
    for number in 1_000..1_003 {
        let exchange = mains_store::vault::Exchange { at: NOON, ..exchange(number) };
        let (count, failure) = vault.keep(vec![Offer { exchange, fresh: fresh(number) }]);
        assert_eq!((count.kept, failure), (1, None));
    }
    let numbers = |filter: VaultFilter| -> Vec<mains_units::RequestId> {
        vault.reader().exchanges(filter).map(|exchange| exchange.unwrap().request).collect()
    };
    let mut wanted: Vec<_> = [0, 1_000, 1_001, 1_002].map(id).to_vec();
    wanted.extend((1..300).map(id));
    assert_eq!(numbers(VaultFilter::default()), wanted);
    assert_eq!(numbers(VaultFilter { limit: Some(5), ..VaultFilter::default() }), wanted[..5]);
    assert_eq!(numbers(VaultFilter { limit: Some(0), ..VaultFilter::default() }), []);
    let chosen = VaultFilter {
        route: Some("small".into()),
        project: Some("search".into()),
        since: Some(Timestamp(NOON.0 + 6 * 60_000)),
        until: Some(Timestamp(NOON.0 + 18 * 60_000)),
        limit: None,
    };
    assert_eq!(numbers(chosen), [6, 12].map(id));
    assert_eq!(numbers(VaultFilter { route: Some("none".into()), ..VaultFilter::default() }), []);
}

#[test]
fn a_request_is_kept_once_and_a_large_one_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let options = VaultOptions { body_bytes_max: 100, ..options() };
    let (mut vault, _) = open_with(&DoubleDisk::new(), &folder.path().join("keys.db"), options).unwrap();
    let mut offers = offers([1, 2, 1, 3]);
    offers[3].exchange.answer.bytes = vec![b'x'; 101];
    let count = vault.keep(offers);
    assert_eq!(count, (KeptCount { kept: 2, repeated: 1, too_large: 1 }, None));
    assert_eq!(vault.keep(super::offers([2])), (KeptCount { repeated: 1, ..KeptCount::default() }, None));
    assert_eq!(vault.reader().verify().unwrap().frames, 2);
}

#[test]
fn segments_end_by_size_and_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let disk = DoubleDisk::new();
    let options = VaultOptions { segment_bytes: 2_000, ..options() };
    let (mut vault, _) = open_with(&disk, &folder.path().join("keys.db"), options).unwrap();
    keep(&mut vault, 0..20);
    let segments = vault.reader().stats().unwrap().segments;
    let sizes: Vec<usize> = disk
        .snapshot()
        .iter()
        .filter(|(path, _)| path.starts_with("segment-"))
        .map(|(_, bytes)| bytes.len())
        .collect();
    assert!(segments >= 4 && sizes.len() as u64 == segments, "{sizes:?}");
    assert!(sizes.iter().rev().skip(1).all(|size| (2_000..3_000).contains(size)), "{sizes:?}");
    let mut late = offers([100]);
    late[0].exchange.at = Timestamp(exchange(0).at.0 + 2 * DAY_MS);
    assert_eq!(vault.keep(late).0.kept, 1);
    assert_eq!(vault.reader().stats().unwrap().segments, segments + 1);
    assert_eq!(all(&vault).len(), 21);
    assert_eq!(vault.reader().verify().unwrap().opened, 21);
}

#[test]
fn a_reader_works_beside_the_writer_and_a_second_writer_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("vault");
    let (mut vault, _) = Vault::open(&place, kek(), options()).unwrap();
    keep(&mut vault, 0..3);
    let reader = VaultReader::at(&place, kek(), Span::from_ms(20)).unwrap();
    let mut exchanges = reader.exchanges(VaultFilter::default());
    assert_eq!(exchanges.next().unwrap().unwrap(), exchange(0));
    keep(&mut vault, 3..5);
    vault.erase(id(1), NOON).unwrap();
    let rest: Vec<_> = exchanges.map(|exchange| exchange.unwrap().request).collect();
    assert_eq!(rest, [2, 3, 4].map(id));
    assert_eq!(reader.read(id(1)).unwrap(), Found::Erased(NOON));
    assert_eq!(reader.verify().unwrap().frames, 5);
    assert_eq!(Vault::open(&place, kek(), options()).err(), Some(VaultError::Locked));
    drop(vault);
    assert_eq!(Vault::open(&place, kek(), options()).unwrap().1.exchanges, 4);
}
