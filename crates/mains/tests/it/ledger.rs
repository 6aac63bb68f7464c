use super::{run, temporary};
use mains_ledger::{Ed25519Signer, LeafProof, VerifierKey};
use mains_store::log::{FileDisk, Log};
use std::path::Path;
use std::sync::Arc;

const REQUEST: &str = "req_0123456789abcdef01234567";

/// A data folder with a closed log of so many leaves; the last but one closes a request.
fn data_folder(folder: &Path, leaves: u64) -> VerifierKey {
    let signer = Ed25519Signer::from_seed("mains.example/test", &[7; 32]).unwrap();
    let key = signer.verifier().clone();
    let disk = Arc::new(FileDisk::create(&folder.join("ledger")).unwrap());
    let (mut log, _) = Log::open(disk, Arc::new(signer), &key).unwrap();
    for index in 0..leaves {
        let kind = if index + 2 == leaves { "outcome" } else { "intent" };
        let request = mains_units::RequestId::parse(REQUEST).map_or(REQUEST.to_owned(), |id| id.to_string());
        let leaf = format!(
            r#"{{"at":"2026-11-24T00:00:00.000Z","request":"{request}","type":"{kind}","v":1,"n":{index}}}"#
        );
        log.append(&[leaf.as_bytes()]).unwrap();
    }
    log.close().unwrap();
    std::fs::write(folder.join("ledger.pub"), format!("{key}\n")).unwrap();
    key
}

#[test]
fn a_sound_log_verifies_and_a_changed_byte_is_named() {
    let folder = temporary();
    data_folder(folder.path(), 300);
    let verify = |words: &[&str]| run(folder.path(), &[&["ledger", "verify", "--data", "."], words].concat());
    let page = verify(&[]).ends(0).out;
    assert!(page.starts_with("the log verifies  mains.example/test\n"), "{page}");
    assert!(page.contains("300 under the checkpoint"), "{page}");
    let report = verify(&["--json"]).ends(0).json();
    assert_eq!((&report["schema"], &report["verifies"]), (&"mains.ledger-verify/1".into(), &true.into()));
    assert_eq!((&report["leaves"], &report["signed"]), (&300.into(), &300.into()));

    let bundle = folder.path().join("ledger/tile/entries/000");
    let sound = std::fs::read(&bundle).unwrap();
    let mut changed = sound.clone();
    changed[40] ^= 1;
    std::fs::write(&bundle, &changed).unwrap();
    let page = verify(&[]).ends(1).out;
    assert!(page.contains("the log does not verify") && page.contains("tile/entries/000"), "{page}");
    let report = verify(&["--json"]).ends(1).json();
    assert_eq!((&report["verifies"], &report["fault"]["leaf"]), (&false.into(), &0.into()));
    std::fs::write(&bundle, &sound).unwrap();
    verify(&[]).ends(0);
}

#[test]
fn leaves_are_shown_and_proved_by_index_and_by_request() {
    let folder = temporary();
    let key = data_folder(folder.path(), 300);
    let ledger = |words: &[&str]| run(folder.path(), &[&["ledger"], words, &["--data", "."]].concat());
    let shown = ledger(&["show", "--count", "3", "--json"]).ends(0).json();
    assert_eq!((&shown["schema"], &shown["size"]), (&"mains.ledger-show/1".into(), &300.into()));
    let indices: Vec<u64> =
        shown["leaves"].as_array().unwrap().iter().filter_map(|l| l["index"].as_u64()).collect();
    assert_eq!(indices, [297, 298, 299]);
    let page = ledger(&["show", "--from", "298", "--count", "1"]).ends(0).out;
    assert!(page.contains("298") && page.contains("outcome") && page.lines().count() == 1, "{page}");
    ledger(&["show", "--from", "300"]).ends(2);

    let proof = LeafProof::parse(&ledger(&["prove", "17"]).ends(0).out).unwrap();
    let leaf = ledger(&["prove", "17", "--json"]).ends(0).json()["leaf"].as_str().unwrap().to_owned();
    assert_eq!(proof.verify(leaf.as_bytes(), &key).unwrap().size, 300);
    assert!(proof.verify(b"another", &key).is_err());
    ledger(&["prove", "300"]).ends(2);

    // By the name of a request, in the newest leaf that closes it; an intent does not.
    let request = shown["leaves"][0]["leaf"]["request"].as_str().unwrap();
    if mains_units::RequestId::parse(request).is_some() {
        let proof = LeafProof::parse(&ledger(&["prove", request]).ends(0).out).unwrap();
        assert_eq!(proof.index, 298);
    } else {
        panic!("`{request}` is no name of a request");
    }
    let ran = ledger(&["prove", "nonsense"]).ends(2);
    assert!(ran.err.contains("neither the index of a leaf nor the name of a request"), "{}", ran.err);
}

#[test]
fn a_folder_without_a_log_or_a_key_is_trouble() {
    let folder = temporary();
    let ran = run(folder.path(), &["ledger", "verify"]).ends(2);
    assert!(ran.err.contains("there is no ledger in `.mains`\nhint: "), "{}", ran.err);
    data_folder(folder.path(), 2);
    std::fs::remove_file(folder.path().join("ledger.pub")).unwrap();
    let ran = run(folder.path(), &["ledger", "verify", "--data", "."]).ends(2);
    assert!(ran.err.contains("ledger.pub"), "{}", ran.err);
    std::fs::write(folder.path().join("ledger.pub"), "nonsense").unwrap();
    run(folder.path(), &["ledger", "verify", "--data", "."]).ends(2);
}

#[test]
fn another_logs_key_refuses_this_log() {
    let folder = temporary();
    data_folder(folder.path(), 2);
    let other = Ed25519Signer::from_seed("mains.example/test", &[8; 32]).unwrap();
    std::fs::write(folder.path().join("ledger.pub"), other.verifier().to_string()).unwrap();
    let page = run(folder.path(), &["ledger", "verify", "--data", "."]).ends(1).out;
    assert!(page.contains("checkpoint"), "{page}");
}
