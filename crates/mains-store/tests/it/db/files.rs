use super::{NOON, PEPPER, id, request};
use mains_store::db::{Db, DbErrorKind, DbOptions, RequestFilter};
use mains_units::Chance;
use std::path::Path;

fn filled(path: &Path, requests: u32) {
    let db = Db::open(&DbOptions::file(path, PEPPER)).unwrap();
    for number in 0..requests {
        db.insert_request(request(number)).wait().unwrap();
    }
}

fn refusal(path: &Path) -> (DbErrorKind, String) {
    let busy = mains_units::Span::from_ms(10);
    match Db::open(&DbOptions { busy, ..DbOptions::file(path, PEPPER) }) {
        Ok(_) => panic!("it was opened"),
        Err(error) => (error.kind, error.to_string()),
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    filled(&path, 1);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    let (kind, message) = refusal(&path);
    assert_eq!(kind, DbErrorKind::Newer);
    assert!(message.contains("schema version 99") && message.contains("mains.db"), "{message}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is a letter, not a database at all").unwrap();
    assert_eq!(refusal(&text).0, DbErrorKind::Foreign);
    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE photos (a)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    assert_eq!(refusal(&foreign).0, DbErrorKind::Foreign);
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
    assert_eq!(refusal(folder.path()).0, DbErrorKind::Foreign);
    let absent = folder.path().join("absent").join("mains.db");
    assert!(refusal(&absent).1.contains("failed to open"));
}

#[test]
fn a_cut_off_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    filled(&path, 200);
    let whole = std::fs::read(&path).unwrap();
    let page = 4_096;
    assert!(whole.len() > 8 * page);
    for length in [5, 100, page - 1, page, 3 * page, whole.len() - page, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let (kind, message) = refusal(&path);
        assert!(matches!(kind, DbErrorKind::Damaged | DbErrorKind::Foreign), "{length}: {message}");
        assert!(message.contains("hint: "), "{message}");
    }
    // Cut off to nothing with a log beside it: SQLite would begin anew.
    std::fs::write(&path, "").unwrap();
    std::fs::write(folder.path().join("mains.db-wal"), "left over").unwrap();
    assert_eq!(refusal(&path).0, DbErrorKind::Damaged);
}

#[test]
fn random_damage_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    filled(&path, 50);
    let whole = std::fs::read(&path).unwrap();
    for seed in 0..60 {
        let mut chance = Chance::from_seed(seed);
        let mut bytes = whole.clone();
        for _ in 0..20 {
            let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap();
            bytes[at] = u8::try_from(chance.below(256)).unwrap();
        }
        let path = folder.path().join(format!("{seed}.db"));
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(db) = Db::open(&DbOptions::file(&path, PEPPER)) {
            let _ = db.requests(RequestFilter::default(), None, 100).wait();
            let _ = db.insert_request(request(1_000)).wait();
            let _ = db.budgets().wait();
        }
    }
}

#[test]
fn a_killed_writer_leaves_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    let db = Db::open(&DbOptions::file(&path, PEPPER)).unwrap();
    for number in 0..20 {
        db.insert_request(request(number)).wait().unwrap();
    }
    // What a kill leaves: the files as they are now, with the log not folded back and no farewell.
    let copy = folder.path().join("after");
    std::fs::create_dir(&copy).unwrap();
    for name in ["mains.db", "mains.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.join(name)).unwrap();
    }
    let after = Db::open(&DbOptions::file(copy.join("mains.db"), PEPPER)).unwrap();
    assert_eq!(after.requests(RequestFilter::default(), None, 100).wait().unwrap().rows.len(), 20);
    // A log that is cut in the middle of a frame loses whole transactions from its end, never half of one.
    let log = std::fs::read(folder.path().join("mains.db-wal")).unwrap();
    drop(after);
    let cut = folder.path().join("cut");
    std::fs::create_dir(&cut).unwrap();
    std::fs::copy(folder.path().join("mains.db"), cut.join("mains.db")).unwrap();
    std::fs::write(cut.join("mains.db-wal"), &log[..log.len() - 5_000]).unwrap();
    let after = Db::open(&DbOptions::file(cut.join("mains.db"), PEPPER)).unwrap();
    let rows = after.requests(RequestFilter::default(), None, 100).wait().unwrap().rows;
    assert!(!rows.is_empty() && rows.len() < 20);
    assert_eq!(rows.last().map(|row| row.id), Some(id(0)));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    let db = Db::open(&DbOptions::file(&path, PEPPER)).unwrap();
    db.insert_request(request(1)).wait().unwrap();
    for name in ["mains.db", "mains.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_erased_key_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    let db = Db::open(&DbOptions::file(&path, PEPPER)).unwrap();
    let mut key = [0xA5; 32];
    key[31] = 0x5A;
    for number in 0..50 {
        let kept = if number == 25 { key } else { [1; 32] };
        db.keep_commitment_key(id(number), kept, NOON).wait().unwrap();
    }
    let holds = || {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(32).any(|window| window == key)
        })
    };
    assert!(holds());
    assert!(db.erase_commitment_key(id(25), NOON).wait().unwrap());
    assert!(!holds());
    assert_eq!(db.commitment_key(id(24)).wait().unwrap(), Some([1; 32]));
}
