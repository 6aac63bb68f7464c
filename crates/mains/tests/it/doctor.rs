use super::{Ran, mains, temporary};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn doctor(folder: &Path) -> Ran {
    let mut command = mains(folder);
    // Any free port, so that the test does not depend on what listens on this machine.
    command.args(["doctor", "--json"]).env("MAINS_SERVE_LISTEN", "127.0.0.1:0");
    Ran::of(&mut command)
}

fn state(ran: &Ran, name: &str) -> String {
    let report = ran.json();
    assert_eq!(report["schema"], "mains.doctor/1");
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned();
    check.unwrap_or_else(|| panic!("{name}: {report}"))["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_fresh_folder_has_nothing_wrong() {
    let folder = temporary();
    let ran = doctor(folder.path()).ends(0);
    assert_eq!(state(&ran, "clock"), "good");
    assert_eq!(state(&ran, "randomness"), "good");
    assert_eq!(state(&ran, "port"), "good");
    assert_eq!(state(&ran, "ledger"), "aside");
}

#[test]
fn what_is_wrong_is_found_and_ends_with_1() {
    let folder = temporary();
    let text =
        "[[upstream]]\nname = \"openai\"\nprovider = \"openai\"\nkey = \"env:MAINS_TEST_ABSENT_KEY\"\n";
    std::fs::write(folder.path().join("mains.toml"), text).unwrap();
    let data = folder.path().join(".mains");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(data.join("mains.db"), "this is no database").unwrap();
    std::fs::write(data.join("ledger.pub"), "this is no key").unwrap();
    let ran = doctor(folder.path()).ends(1);
    for name in ["key", "data folder", "store", "ledger"] {
        assert_eq!(state(&ran, name), "bad", "{name}: {}", ran.out);
    }
    assert_eq!(state(&ran, "configuration"), "good");
    assert_eq!(std::fs::read(data.join("mains.db")).unwrap(), b"this is no database", "left as it was");
}
