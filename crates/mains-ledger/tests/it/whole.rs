//! Whole logs: sizes around every border, every class of damage, the exact place named.

use crate::common::{ORIGIN, log, signer};
use mains_ledger::{Checkpoint, Hash, Scope, verify};
use mains_units::Chance;
use std::collections::BTreeMap;

type Stored = BTreeMap<String, Vec<u8>>;

#[test]
fn logs_of_every_border_size_verify_in_both_scopes() {
    for size in [0, 1, 2, 255, 256, 257, 700] {
        let folder = log(size, size);
        let report =
            verify(&folder, signer().verifier(), Scope::Folder).unwrap_or_else(|e| panic!("{size}: {e}"));
        assert_eq!((report.leaves, report.signed, report.torn_bytes), (size, size, 0));
        let published = verify(&folder, signer().verifier(), Scope::Published).unwrap();
        assert_eq!((published.leaves, published.root), (size, report.root));
    }
}

#[test]
fn the_tail_beyond_the_checkpoint_is_checked_and_counted() {
    let mut folder = log(700, 600);
    let report = verify(&folder, signer().verifier(), Scope::Folder).unwrap();
    assert_eq!((report.leaves, report.signed, report.unsigned()), (700, 600, 100));
    let journal = folder.0.get_mut("journal").unwrap();
    let last = journal.len() - 1;
    journal[last] ^= 1;
    let fault = verify(&folder, signer().verifier(), Scope::Folder).unwrap_err();
    assert_eq!((fault.file.as_str(), fault.index, fault.before.leaves), ("journal", Some(699), 699));
}

#[test]
fn a_random_bit_flipped_in_any_file_is_found_1_000_times_of_1_000() {
    const SEED: u64 = 0x6d61_696e_7303;
    let whole = log(700, 650);
    let names: Vec<String> =
        whole.0.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(n, _)| n.clone()).collect();
    let mut chance = Chance::from_seed(SEED);
    let (mut found, mut classes) = (0, BTreeMap::<&str, u32>::new());
    for round in 0..1_000u32 {
        // Every file in turn, so that small ones are hit as often as large ones.
        let name = &names[round as usize % names.len()];
        let mut folder = whole.clone();
        let bytes = folder.0.get_mut(name).unwrap();
        let bit = chance.below(bytes.len() as u64 * 8);
        bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        let outcome = verify(&folder, signer().verifier(), Scope::Folder);
        let fault =
            outcome.expect_err(&format!("seed {SEED}, round {round}: bit {bit} of {name} went unseen"));
        assert_eq!(&fault.file, name, "seed {SEED}, round {round}: {fault}");
        found += 1;
        *classes.entry(name.split('.').next().unwrap()).or_default() += 1;
    }
    assert_eq!(found, 1_000);
    assert!(classes.len() >= 8, "{classes:?}");
}

#[test]
fn what_is_cut_missing_swapped_or_foreign_is_named() {
    let whole = log(700, 650);
    let key = signer();
    let fault = |change: &dyn Fn(&mut Stored)| {
        let mut folder = whole.clone();
        change(&mut folder.0);
        verify(&folder, key.verifier(), Scope::Folder).unwrap_err()
    };
    let lost = fault(&|files| drop(files.remove("tile/0/001")));
    assert_eq!((lost.file.as_str(), lost.index), ("tile/0/001", Some(256)));
    let lost = fault(&|files| drop(files.remove("tile/entries/002.p/138")));
    assert_eq!((lost.file.as_str(), lost.index), ("tile/entries/002.p/138", Some(512)));
    let swapped = fault(&|files| {
        let other = files["tile/0/001"].clone();
        files.insert("tile/0/000".into(), other);
    });
    assert_eq!((swapped.file.as_str(), swapped.index), ("tile/0/000", Some(0)));
    let changed = fault(&|files| files.get_mut("tile/0/001").unwrap()[32 * 7 + 3] ^= 4);
    assert_eq!((changed.file.as_str(), changed.index), ("tile/0/001", Some(256 + 7)));
    let short = fault(&|files| files.get_mut("journal").unwrap().truncate(20_000));
    assert_eq!(short.file, "journal");
    assert!(short.why.contains("signs 650 leaves"), "{short}");
    let foreign = fault(&|files| drop(files.insert("tile/0/1".into(), Vec::new())));
    assert_eq!((foreign.file.as_str(), foreign.why.as_str()), ("tile/0/1", "it is no file of a log"));
    let beyond = fault(&|files| drop(files.insert("tile/0/009".into(), vec![0; 8192])));
    assert!(beyond.why.contains("more than the 700 leaves"), "{beyond}");
    assert_eq!(fault(&|files| drop(files.remove("checkpoint"))).file, "checkpoint");
    assert_eq!(fault(&|files| drop(files.remove("journal"))).file, "journal");
    assert_eq!(fault(&|files| drop(files.insert("lock".into(), vec![1]))).file, "lock");
}

#[test]
fn a_checkpoint_with_another_root_is_refused_although_it_is_signed() {
    let mut folder = log(300, 300);
    let lie = Checkpoint { origin: ORIGIN.into(), size: 300, root: Hash::of_leaf(b"other") };
    folder.0.insert("checkpoint".into(), lie.sign(&signer()).unwrap().into_bytes());
    let fault = verify(&folder, signer().verifier(), Scope::Folder).unwrap_err();
    assert_eq!(fault.file, "checkpoint");
    let lie = Checkpoint { origin: ORIGIN.into(), size: 0, root: Hash::of_leaf(b"other") };
    folder.0.insert("checkpoint".into(), lie.sign(&signer()).unwrap().into_bytes());
    assert!(verify(&folder, signer().verifier(), Scope::Folder).is_err());
}

#[test]
fn a_torn_tail_is_told_and_is_no_fault() {
    let mut folder = log(700, 600);
    let journal = folder.0.get_mut("journal").unwrap();
    journal.truncate(journal.len() - 5);
    let report = verify(&folder, signer().verifier(), Scope::Folder).unwrap();
    assert_eq!(report.leaves, 699);
    assert!(report.torn_bytes > 0);
}
