use super::{NOON, exchange, id, keep, kek, open, open_with, options};
use mains_store::log::Disk;
use mains_store::log::double::DoubleDisk;
use mains_store::vault::{Kek, Vault, VaultError, VaultFilter, VaultOptions};
use mains_units::Chance;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const FIRST: &str = "segment-0000000001";
const HEADER: usize = 32;
const HEAD: usize = 64;
const CHECK: usize = 16;

type Files = BTreeMap<String, Vec<u8>>;

/// A vault of two segments with an erased exchange in it; gives its files.
fn filled(table: &Path) -> Files {
    let disk = DoubleDisk::new();
    let options = VaultOptions { segment_bytes: 3_000, ..options() };
    let (mut vault, _) = open_with(&disk, table, options).unwrap();
    keep(&mut vault, 0..12);
    vault.erase(id(3), NOON).unwrap();
    assert_eq!(vault.reader().stats().unwrap().segments, 2);
    disk.snapshot()
}

/// Opens what lies there and checks all of it.
fn check(files: &Files, table: &Path) -> Result<(), VaultError> {
    let disk = DoubleDisk::from_snapshot(files.clone());
    let (vault, _) = open(&disk, table)?;
    vault.reader().verify().map(|_| ())
}

/// The refusal of these files, which must name a file and a byte and change nothing.
fn refusal(files: &Files, table: &Path) -> String {
    let disk = DoubleDisk::from_snapshot(files.clone());
    let error = match open(&disk, table) {
        Err(error) => error,
        Ok((vault, _)) => vault.reader().verify().expect_err("it was taken for whole"),
    };
    let VaultError::Refused { path, why, .. } = &error else { panic!("{error}") };
    assert!(path.starts_with("segment-"), "{error}");
    assert!(error.to_string().contains("at byte") && error.to_string().contains("hint: "), "{error}");
    let mut after = disk.snapshot();
    after.remove("lock");
    let mut before = files.clone();
    before.remove("lock");
    assert!(after == before, "what is refused must be left as it is");
    why.clone()
}

/// Where the frames of a segment begin, and where the last ends.
fn starts(segment: &[u8]) -> Vec<usize> {
    let mut starts = vec![HEADER];
    while let Some(at) = starts.last().copied().filter(|at| *at < segment.len()) {
        let length = u32::from_le_bytes(segment[at..at + 4].try_into().unwrap()) as usize;
        starts.push(at + HEAD + length + CHECK);
    }
    starts
}

#[test]
fn every_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let files = filled(&table);
    check(&files, &table).unwrap();
    let names: Vec<&String> = files.keys().filter(|name| name.starts_with("segment-")).collect();
    for seed in 0..800 {
        let mut chance = Chance::from_seed(seed);
        let name = names[usize::try_from(chance.below(names.len() as u64)).unwrap()];
        let mut damaged = files.clone();
        let bytes = damaged.get_mut(name).unwrap();
        let bit = chance.below(bytes.len() as u64 * 8);
        bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        assert!(check(&damaged, &table).is_err(), "seed {seed}: bit {bit} of {name}");
        refusal(&damaged, &table);
    }
}

#[test]
fn a_segment_shorter_than_the_table_says_is_refused_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let files = filled(&table);
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("segment-")) {
        let starts = starts(bytes);
        let last_frame = starts[starts.len() - 2];
        for length in (0..HEADER + 4).chain(last_frame..bytes.len()) {
            let mut cut = files.clone();
            cut.get_mut(name).unwrap().truncate(length);
            refusal(&cut, &table);
        }
        let mut gone = files.clone();
        gone.remove(name);
        assert!(refusal(&gone, &table).contains("gone"));
    }
}

#[test]
fn a_torn_last_frame_is_cut_off_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before.db"), folder.path().join("after.db"));
    let disk = DoubleDisk::new();
    keep(&mut open(&disk, &after).unwrap().0, 0..4);
    let whole = disk.snapshot()[FIRST].len();
    // The table as it is while the frame of the fifth is being written.
    std::fs::copy(&after, &before).unwrap();
    keep(&mut open(&disk, &after).unwrap().0, 4..5);
    let files = disk.snapshot();
    for length in whole..=files[FIRST].len() {
        let mut torn = files.clone();
        torn.get_mut(FIRST).unwrap().truncate(length);
        if length % 3 == 0 {
            // Some file systems make a file longer before they write.
            torn.get_mut(FIRST).unwrap()[whole..].fill(0);
        }
        let table = folder.path().join("now.db");
        std::fs::copy(&before, &table).unwrap();
        let disk = DoubleDisk::from_snapshot(torn);
        let (mut vault, opened) = open(&disk, &table).unwrap();
        let complete = length == files[FIRST].len() && length % 3 != 0;
        let cut = if complete { 0 } else { (length - whole) as u64 };
        assert_eq!((opened.exchanges, opened.torn_bytes), (4, cut), "{length}");
        keep(&mut vault, 4..6);
        assert_eq!(super::all(&vault), (0..6).map(exchange).collect::<Vec<_>>());
        assert_eq!(vault.reader().verify().unwrap().opened, 6);
    }
}

/// The frame of someone who has no key and computes the checks anew.
fn forged(segment: u64, offset: usize, head: &[u8], sealed: &[u8]) -> Vec<u8> {
    let hash = |label: &str, bytes: &[u8], length: usize| {
        let mut hash = Sha256::new();
        hash.update(label);
        hash.update(segment.to_le_bytes());
        hash.update((offset as u64).to_le_bytes());
        hash.update(bytes);
        hash.finalize()[..length].to_vec()
    };
    let mut frame = head[..56].to_vec();
    frame.extend(hash("mains-vault-head", &frame, 8));
    frame.extend(sealed);
    frame.extend(hash("mains-vault-frame", &frame, 16));
    frame
}

#[test]
fn swapped_frames_are_refused_also_with_checks_computed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let files = filled(&table);
    let bytes = files[FIRST].clone();
    let starts = starts(&bytes);
    // The exchanges 0 and 4 are equally long.
    let (a, b) = (starts[0], starts[4]);
    let frame = |at: usize, i: usize| bytes[at..starts[i + 1]].to_vec();
    let (frame_a, frame_b) = (frame(a, 0), frame(b, 4));
    assert_eq!(frame_a.len(), frame_b.len());
    let with = |at_a: &[u8], at_b: &[u8]| {
        let mut swapped = files.clone();
        let segment = swapped.get_mut(FIRST).unwrap();
        segment[a..a + at_a.len()].copy_from_slice(at_a);
        segment[b..b + at_b.len()].copy_from_slice(at_b);
        swapped
    };
    let sealed = |frame: &[u8]| frame[HEAD..frame.len() - CHECK].to_vec();
    // A forger's frame with nothing changed is the frame itself.
    assert_eq!(forged(1, a, &frame_a, &sealed(&frame_a)), frame_a);
    assert!(refusal(&with(&frame_b, &frame_a), &table).contains("does not verify"));
    let moved = with(&forged(1, a, &frame_b, &sealed(&frame_b)), &forged(1, b, &frame_a, &sealed(&frame_a)));
    assert!(refusal(&moved, &table).contains("names another exchange"));
    // The names stay, what is sealed changes places, with its nonce and without.
    let head = |names: &[u8], nonce: &[u8]| [&names[..32], &nonce[32..56]].concat();
    for (nonce_a, nonce_b) in [(&frame_a, &frame_b), (&frame_b, &frame_a)] {
        let contents = with(
            &forged(1, a, &head(&frame_a, nonce_a), &sealed(&frame_b)),
            &forged(1, b, &head(&frame_b, nonce_b), &sealed(&frame_a)),
        );
        assert!(refusal(&contents, &table).contains("seal does not open"));
    }
    // One segment under another's name.
    let mut renamed = files.clone();
    renamed.insert("segment-0000000002".into(), files[FIRST].clone());
    assert!(refusal(&renamed, &table).contains("header does not verify"));
}

#[test]
fn changed_rows_of_the_table_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let files = filled(&table);
    let good = std::fs::read(&table).unwrap();
    let name = |number: u32| id(number).to_string();
    for (change, wanted) in [
        (
            format!("wrapped = (SELECT wrapped FROM exchanges WHERE request = '{}')", name(7)),
            "wrapped key does not open",
        ),
        ("wrapped = zeroblob(72)".into(), "wrapped key does not open"),
        ("project = 'other'".into(), "another time, route or project"),
        ("route = NULL".into(), "another time, route or project"),
        ("at = at + 1".into(), "another time, route or project"),
        ("length = length - 1".into(), "another exchange"),
        ("start = start + 1".into(), "another exchange"),
        ("length = 9223372036854775807 - start".into(), "cut off"),
    ] {
        std::fs::write(&table, &good).unwrap();
        let connection = rusqlite::Connection::open(&table).unwrap();
        let sql = format!("UPDATE exchanges SET {change} WHERE request = '{}'", name(0));
        assert_eq!(connection.execute(&sql, []).unwrap(), 1);
        drop(connection);
        let why = refusal(&files, &table);
        assert!(why.contains(wanted), "{change}: {why}");
    }
}

#[test]
fn another_key_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let disk: Arc<dyn Disk> = Arc::new(DoubleDisk::from_snapshot(filled(&table)));
    let other = Kek::from_bytes([8; 32]);
    let error = Vault::open_on(&disk, Some(&table), other.clone(), options()).err().unwrap();
    let wanted = VaultError::WrongKey { given: other.id(), needed: kek().id(), exchanges: 11 };
    assert_eq!(error, wanted);
    let text = error.to_string();
    assert!(text.contains(&other.id().to_string()) && text.contains(&kek().id().to_string()), "{text}");
    assert!(Vault::open_on(&disk, Some(&table), kek(), options()).is_ok());
}

#[test]
fn newer_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("keys.db");
    let files = filled(&table);
    let mut newer = files.clone();
    newer.get_mut(FIRST).unwrap()[8] = 2;
    assert_eq!(refusal(&newer, &table), "it is of version 2, and this Mains knows only 1");
    rusqlite::Connection::open(&table).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let error = check(&files, &table).unwrap_err().to_string();
    assert!(error.contains("schema version 2"), "{error}");
    // The main database in its place.
    let foreign = folder.path().join("foreign.db");
    drop(mains_store::db::Db::open(&mains_store::db::DbOptions::file(&foreign, [0; 32])).unwrap());
    let error = check(&files, &foreign).unwrap_err().to_string();
    assert!(error.contains("no table of a vault"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(4),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bytes_in_a_segment_make_it_panic(
        mut tail in proptest::collection::vec(any::<u8>(), 0..300),
        header in any::<bool>(),
        length in any::<u32>(),
        forge in any::<bool>(),
        row in proptest::option::of((any::<i64>(), any::<i64>())),
    ) {
        let disk = DoubleDisk::new();
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("keys.db");
        keep(&mut open(&disk, &table).unwrap().0, 0..1);
        let mut files = disk.snapshot();
        let segment = files.get_mut(FIRST).unwrap();
        if forge {
            // A head that verifies, with any length.
            let mut head = segment[HEADER..HEADER + HEAD].to_vec();
            head[..4].copy_from_slice(&length.to_le_bytes());
            tail = forged(1, segment.len(), &head, &tail);
        }
        if header { segment.extend(tail) } else { *segment = tail }
        if let Some((start, length)) = row {
            let connection = rusqlite::Connection::open(&table).unwrap();
            connection.execute("UPDATE exchanges SET start = ?1, length = ?2", [start, length]).unwrap();
        }
        let disk = DoubleDisk::from_snapshot(files);
        if let Ok((mut vault, _)) = open(&disk, &table) {
            let _ = vault.reader().verify();
            let _ = vault.reader().read(id(0));
            let _ = vault.reader().exchanges(VaultFilter::default()).count();
            let _ = vault.keep(super::offers([1]));
        }
    }
}
