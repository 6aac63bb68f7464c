use mains_store::vault::{Kek, VaultError};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn refusal(path: &Path, data: &Path) -> String {
    match Kek::load_or_create(path, data, [1; 32]) {
        Err(error @ VaultError::KeyFile { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_key_is_made_once_and_only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let path = folder.path().join("state").join("mains").join("vault.key");
    let first = Kek::load_or_create(&path, &data, [1; 32]).unwrap();
    assert_eq!(first.id(), Kek::from_bytes([1; 32]).id());
    // Fresh bytes are used only where there is no file.
    assert_eq!(Kek::load_or_create(&path, &data, [2; 32]).unwrap().id(), first.id());
    assert_ne!(Kek::from_bytes([2; 32]).id(), first.id());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    assert!(!format!("{first:?}").contains("01, 01"));
    for loose in [0o640, 0o604, 0o620, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(loose)).unwrap();
        let message = refusal(&path, &data);
        assert!(message.contains("chmod 600") && message.contains(&format!("{loose:o}")), "{message}");
    }
}

#[test]
fn no_key_lies_inside_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("vault")).unwrap();
    std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
    symlink(&data, folder.path().join("link")).unwrap();
    symlink(data.join("hidden.key"), folder.path().join("elsewhere").join("vault.key")).unwrap();
    std::fs::write(data.join("hidden.key"), "x").unwrap();
    for inside in [
        "data/vault.key",
        "data/vault/new/vault.key",
        "link/vault.key",
        "elsewhere/../data/vault.key",
        "elsewhere/vault.key",
    ] {
        let message = refusal(&folder.path().join(inside), &data);
        assert!(message.contains("inside the data folder"), "{inside}: {message}");
    }
    assert!(!data.join("vault.key").exists() && !data.join("vault/new").exists());
    let message = refusal(&folder.path().join("absent/../data/vault.key"), &data);
    assert!(message.contains("does not exist"), "{message}");
    // A folder whose name only begins alike is another.
    assert!(Kek::load_or_create(&folder.path().join("data-keys/vault.key"), &data, [1; 32]).is_ok());
}

#[test]
fn what_is_no_key_file_is_refused_and_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let path = folder.path().join("vault.key");
    drop(Kek::load_or_create(&path, &data, [1; 32]).unwrap());
    let good = std::fs::read_to_string(&path).unwrap();
    for wrong in [
        "",
        "mains-vault-key-v1\n",
        "mains-vault-key-v2\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n",
        &good[..good.len() - 6],
        &format!("{good}more\n"),
        &good.replace('A', "!"),
    ] {
        std::fs::write(&path, wrong).unwrap();
        let message = refusal(&path, &data);
        assert!(message.contains("no key file") && message.contains("hint: "), "{message}");
        assert!(!message.contains("AQEB"), "{message}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), wrong);
    }
    assert!(refusal(folder.path(), &data).contains("not a regular file"));
}
