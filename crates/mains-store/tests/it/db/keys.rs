use super::{NOON, PEPPER, later, memory};
use mains_store::db::{Db, DbOptions, KeyRefusal, KeySecret, NewKey, has_key_form};
use proptest::prelude::*;

fn new_key(name: &str) -> NewKey {
    NewKey { name: name.into(), project: "search".into(), scopes: vec!["admin".into()], expires: None }
}

#[test]
fn a_key_opens_the_door_until_it_is_revoked_or_its_time_is_over() {
    let db = memory();
    assert!(!db.has_keys());
    let (row, text) = db.make_key(new_key("ci"), &KeySecret::new([1; 32]), NOON).wait().unwrap();
    assert!(db.has_keys());
    assert!(text.expose().starts_with(&row.shown) && row.shown.len() == 12);
    assert!(!format!("{row:?}").contains(&text.expose()[12..]));
    assert_eq!(*db.verify_key(text.expose(), later(1)).unwrap(), row);

    let limited = NewKey { expires: Some(later(10)), ..new_key("short") };
    let (_, short) = db.make_key(limited, &KeySecret::new([2; 32]), NOON).wait().unwrap();
    assert!(db.verify_key(short.expose(), later(9)).is_ok());
    assert_eq!(db.verify_key(short.expose(), later(10)), Err(KeyRefusal::Expired));

    assert!(db.revoke_key(&row.id, later(5)).wait().unwrap());
    assert_eq!(db.verify_key(text.expose(), later(6)), Err(KeyRefusal::Revoked));
    assert!(!db.revoke_key(&row.id, later(6)).wait().unwrap());
    assert!(!db.revoke_key("key_0000000000000000", later(6)).wait().unwrap());
    assert!(db.has_keys());
    assert_eq!(db.keys()[0].revoked, Some(later(5)));
    assert_eq!(db.verify_key("sk-mains-x", NOON), Err(KeyRefusal::Malformed));
}

#[test]
fn a_key_of_another_outlet_or_pepper_is_unknown() {
    let (ours, theirs) = (memory(), Db::open(&DbOptions::in_memory([8; 32])).unwrap());
    let (_, text) = theirs.make_key(new_key("x"), &KeySecret::new([1; 32]), NOON).wait().unwrap();
    assert_eq!(ours.verify_key(text.expose(), NOON), Err(KeyRefusal::Unknown));
    // The same key made here has another id and mac, because the pepper differs.
    let (row, same) = ours.make_key(new_key("x"), &KeySecret::new([1; 32]), NOON).wait().unwrap();
    assert_eq!(same.expose(), text.expose());
    assert_ne!(row.id, theirs.keys()[0].id);
    // The same bytes twice would be one key with two names: refused.
    assert!(ours.make_key(new_key("y"), &KeySecret::new([1; 32]), NOON).wait().is_err());
    assert_eq!(ours.keys().len(), 1);
}

#[test]
fn keys_outlive_the_process_and_the_file_holds_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    let options = DbOptions::file(&path, PEPPER);
    let db = Db::open(&options).unwrap();
    let (row, text) = db.make_key(new_key("ci"), &KeySecret::new([9; 32]), NOON).wait().unwrap();
    let (gone, _) = db.make_key(new_key("old"), &KeySecret::new([10; 32]), NOON).wait().unwrap();
    db.revoke_key(&gone.id, NOON).wait().unwrap();
    drop(db);
    let bytes = std::fs::read(&path).unwrap();
    for secret in [&text.expose()[12..], &text.expose()[9..30]] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    assert!(!bytes.windows(32).any(|window| window == [9; 32]));
    let db = Db::open(&options).unwrap();
    assert_eq!(*db.verify_key(text.expose(), NOON).unwrap(), row);
    assert_eq!(db.keys().len(), 2);
    // Another process revokes it behind our back.
    let other = Db::open(&options).unwrap();
    other.revoke_key(&row.id, NOON).wait().unwrap();
    assert!(db.verify_key(text.expose(), NOON).is_ok());
    db.reload_keys().wait().unwrap();
    assert_eq!(db.verify_key(text.expose(), NOON), Err(KeyRefusal::Revoked));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_only_keys_have_the_form(text in ".{0,80}", body in "[0-9A-Za-z]{49}") {
        prop_assert!(!has_key_form(&text));
        let near = format!("sk-mains-{body}");
        // One text in 2^32 has the right checksum by chance.
        prop_assert!(!has_key_form(&near));
    }
}
