//! Starts: in order, after damage, beside another process, on files that must be refused.

use super::{ORIGIN, key, leaf, open, reader, signer};
use mains_ledger::builder::Builder;
use mains_ledger::{Checkpoint, Ed25519Signer, Scope, journal, verify};
use mains_store::log::double::DoubleDisk;
use mains_store::log::{Disk, FileDisk, Keep, Log, LogError, LogReader};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A closed log of so many leaves, signed at each hundred.
fn closed(leaves: u64) -> DoubleDisk {
    let disk = DoubleDisk::new();
    let (mut log, recovered) = open(&disk).unwrap();
    assert!(recovered.new && recovered.clean);
    for index in 0..leaves {
        log.append(&[leaf(index)]).unwrap();
        if index % 100 == 99 {
            log.sync().unwrap();
            log.checkpoint().unwrap();
        }
    }
    log.close().unwrap();
    disk
}

#[test]
fn a_closed_log_opens_clean_and_goes_on_where_it_was() {
    for size in [0, 1, 2, 255, 256, 257, 513] {
        let disk = closed(size);
        verify(&reader(&disk), &key(), Scope::Folder).unwrap();
        let (mut log, recovered) = open(&disk).unwrap();
        assert!(recovered.clean && !recovered.new && recovered.rebuilt == 0, "{size}: {recovered:?}");
        assert_eq!((recovered.leaves, recovered.signed), (size, size));
        assert_eq!(log.append(&[b"next"]).unwrap(), size..size + 1);
        drop(log);
        // Not closed this time: the next start must say so.
        let (log, recovered) = open(&disk).unwrap();
        assert!(!recovered.clean && recovered.leaves == size + 1);
        log.close().unwrap();
        verify(&reader(&disk), &key(), Scope::Folder).unwrap();
    }
}

#[test]
fn large_border_sizes_verify_and_prove() {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::create(&folder.path().join("ledger")).unwrap());
    let (mut log, _) = Log::open(Arc::clone(&disk), Arc::new(signer()), &key()).unwrap();
    let leaves: Vec<Vec<u8>> = (0..65_537).map(leaf).collect();
    let reader = LogReader::new(disk);
    for end in [65_535, 65_536, 65_537] {
        let start = usize::try_from(log.size()).unwrap();
        log.append(&leaves[start..end]).unwrap();
        log.sync().unwrap();
        let signed = log.checkpoint().unwrap().clone();
        assert_eq!(signed.checkpoint.size, end as u64);
        for index in [0, 255, 256, 65_279, 65_534, end as u64 - 1] {
            let proof = reader.prove(index, &signed, &key()).unwrap();
            assert_eq!(proof.verify(&leaf(index), &key()).unwrap(), signed.checkpoint);
        }
        assert_eq!(reader.verify(&key()).unwrap().leaves, end as u64);
    }
    log.close().unwrap();
    assert_eq!(reader.verify(&key()).unwrap().signed, 65_537);
}

#[test]
fn derived_files_that_are_lost_or_damaged_are_written_again() {
    let whole = closed(700).snapshot();
    for (name, change) in [
        ("tile/0/001", None),
        ("tile/0/001", Some(vec![0; 8192])),
        ("tile/entries/000", Some(vec![])),
        ("tile/entries/002.p/188", None),
        ("tile/1/000.p/2", Some(vec![1; 64])),
        ("tile/0/002.p/88", Some(vec![1; 5])),
    ] {
        let mut files = whole.clone();
        assert!(files.contains_key(name), "{name}");
        match change {
            Some(bytes) => drop(files.insert(name.into(), bytes)),
            None => drop(files.remove(name)),
        }
        let disk = DoubleDisk::from_snapshot(files);
        let (log, recovered) = open(&disk).unwrap();
        assert_eq!(recovered.rebuilt, 1, "{name}");
        log.close().unwrap();
        assert_eq!(disk.snapshot(), whole, "{name}");
    }
}

#[test]
fn a_file_left_unfinished_goes_with_or_without_a_rebuild() {
    let whole = closed(700).snapshot();
    let folder = tempfile::tempdir().unwrap();
    for lost in [None, Some("tile/0/001")] {
        let path = folder.path().join(lost.map_or("none", |_| "one"));
        for (name, bytes) in &whole {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        std::fs::write(path.join("unfinished"), "half").unwrap();
        if let Some(name) = lost {
            std::fs::remove_file(path.join(name)).unwrap();
        }
        let disk = Arc::new(FileDisk::existing(&path));
        let (log, recovered) = Log::open(disk, Arc::new(signer()), &key()).unwrap();
        assert_eq!(recovered.rebuilt, u64::from(lost.is_some()));
        log.close().unwrap();
        assert!(!path.join("unfinished").exists());
        assert_eq!(LogReader::at(&path).verify(&key()).unwrap().signed, 700);
    }
}

/// Opens a changed copy of a log; it must be refused, and nothing may change.
fn refusal(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> String {
    let mut files = closed(700).snapshot();
    change(&mut files);
    let disk = DoubleDisk::from_snapshot(files.clone());
    let Err(error) = open(&disk) else { panic!("it was opened") };
    assert_eq!(disk.snapshot(), files, "{error}");
    assert!(matches!(error, LogError::Refused { .. }), "{error}");
    error.to_string()
}

#[test]
fn what_does_not_verify_is_refused_and_left_alone() {
    let newer = refusal(|files| files.get_mut("journal").unwrap()[9] = 2);
    assert!(
        newer.contains("format 2 is not format 1") && newer.contains("hint: if a newer mains"),
        "{newer}"
    );
    let flipped = refusal(|files| files.get_mut("journal").unwrap()[9_000] ^= 1);
    assert!(flipped.contains("does not belong to the chain"), "{flipped}");
    let cut = refusal(|files| files.get_mut("journal").unwrap().truncate(9_000));
    assert!(cut.contains("and 700 are signed"), "{cut}");
    assert!(refusal(|files| drop(files.remove("checkpoint"))).contains("holds 700 leaves"));
    assert!(refusal(|files| drop(files.remove("journal"))).contains("it is gone"));
    assert!(refusal(|files| drop(files.insert("journal".into(), vec![]))).contains("header is incomplete"));
    assert!(refusal(|files| files.get_mut("checkpoint").unwrap()[70] ^= 1).contains("checkpoint"));
    let beyond = refusal(|files| drop(files.insert("tile/0/007".into(), vec![0; 8192])));
    assert!(beyond.contains("more than the 700 leaves"), "{beyond}");
    let other = refusal(|files| {
        let (mut bytes, mut at) = journal::header(ORIGIN).unwrap();
        for index in 0..700 {
            at = journal::push_frame(at, &leaf(index ^ 1), &mut bytes).unwrap();
        }
        files.insert("journal".into(), bytes);
    });
    assert!(other.contains("are not those that were signed"), "{other}");
}

#[test]
fn the_key_of_another_log_is_refused() {
    let disk = closed(3);
    for (name, seed) in [(ORIGIN, 43), ("mains.example/other", 42)] {
        let other = Ed25519Signer::from_seed(name, &[seed; 32]).unwrap();
        let key = other.verifier().clone();
        let Err(error) = Log::open(Arc::new(disk.clone()), Arc::new(other), &key) else { panic!("opened") };
        assert!(error.to_string().contains("there is no signature of"), "{error}");
    }
}

#[test]
fn a_torn_tail_is_cut_off_and_said() {
    let whole = closed(700).snapshot();
    let mut files = whole.clone();
    files.remove("closed");
    let journal = files.get_mut("journal").unwrap();
    let length = journal.len();
    let mut reader = journal::Reader::new();
    reader.feed(journal);
    while reader.next_leaf().unwrap().is_some() {}
    let mut frame = Vec::new();
    journal::push_frame(reader.position(), b"never acknowledged", &mut frame).unwrap();
    for kept in 1..frame.len() {
        let mut files = files.clone();
        files.get_mut("journal").unwrap().extend_from_slice(&frame[..kept]);
        let disk = DoubleDisk::from_snapshot(files);
        let (log, recovered) = open(&disk).unwrap();
        assert_eq!((recovered.torn_bytes, recovered.leaves, recovered.clean), (kept as u64, 700, false));
        assert_eq!(disk.snapshot()["journal"].len(), length);
        log.close().unwrap();
        assert_eq!(disk.snapshot(), whole);
    }
}

#[test]
fn nothing_is_signed_over_a_checkpoint_that_somebody_else_put_there() {
    let disk = closed(10);
    let (mut log, _) = open(&disk).unwrap();
    let mut builder = Builder::new();
    for index in 0..12 {
        builder.push(&leaf(index * 3)).unwrap();
    }
    let fork = Checkpoint { origin: ORIGIN.into(), size: 12, root: builder.root() };
    let note = fork.sign(&signer()).unwrap();
    disk.replace("checkpoint", note.as_bytes(), Keep::Synced).unwrap();
    log.append(&[b"ours"]).unwrap();
    log.sync().unwrap();
    let error = log.checkpoint().unwrap_err();
    assert!(error.to_string().contains("not the one that was signed here last"), "{error}");
    assert_eq!(disk.snapshot()["checkpoint"], note.as_bytes());
}

#[test]
fn a_second_process_gets_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let first = Arc::new(FileDisk::create(folder.path()).unwrap());
    let second = Arc::new(FileDisk::create(folder.path()).unwrap());
    let (log, _) = Log::open(first, Arc::new(signer()), &key()).unwrap();
    let Err(error) = Log::open(second.clone(), Arc::new(signer()), &key()) else { panic!("opened twice") };
    assert_eq!(error, LogError::Locked);
    assert!(error.to_string().contains("open in another process\nhint:"));
    drop(log);
    assert!(Log::open(second, Arc::new(signer()), &key()).is_ok());
}

#[test]
fn a_key_file_is_made_once_and_read_by_its_owner_only() {
    use mains_store::log::key as file;
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.key");
    assert!(matches!(file::load(&path), Err(LogError::Disk { .. })));
    let made = file::create(&path, ORIGIN, &[7; 32]).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file::load(&path).unwrap().verifier(), made.verifier());
    assert!(matches!(file::create(&path, ORIGIN, &[8; 32]), Err(LogError::Disk { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(file::load(&path).unwrap_err().to_string().contains("chmod 600"));
    let wrong = folder.path().join("wrong.key");
    std::fs::write(&wrong, "mains-ledger-key-v1\nname\nc2hvcnQ=\n").unwrap();
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(file::load(&wrong).unwrap_err().to_string().contains("no key file"));
}
