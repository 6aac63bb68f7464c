//! Verifiers that we did not write: `openssl` for the signature; the crates `signed_note` and `tlog_tiles`
//! (Cloudflare, BSD-3-Clause) for the note, the checkpoint, every tile they read, and proofs of both kinds.

use crate::common::{Folder, leaf, log, signer};
use base64::Engine as _;
use mains_ledger::proof::{prove_consistency, prove_inclusion};
use mains_ledger::tile::TileNodes;
use mains_ledger::{Checkpoint, Hash, LeafProof};
use std::io::Write as _;
use std::process::{Command, Stdio};
use tlog_tiles::{HashReader as _, Tile, TileHashReader, TileReader};

const SIZES: [u64; 9] = [1, 2, 255, 256, 257, 700, 65_535, 65_536, 65_537];

/// Tiles of ours for their reader. It names them in the older style, `tile/8/LEVEL/INDEX`.
struct Theirs<'f>(&'f Folder);

impl TileReader for Theirs<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let path = |tile: &Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles.iter().map(|tile| self.0.0.get(&path(tile)).cloned().unwrap_or_default()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn read(folder: &Folder) -> impl Fn(&str) -> Result<Vec<u8>, String> {
    |path| folder.0.get(path).cloned().ok_or_else(|| format!("no {path}"))
}

#[test]
fn the_notes_open_elsewhere_and_say_the_same() {
    for size in [0, 1, 255, 256, 257, 700] {
        let folder = log(size, size);
        let note = signed_note::Note::from_bytes(&folder.0["checkpoint"]).unwrap();
        let key = signed_note::StandardVerifier::new(&signer().verifier().to_string()).unwrap();
        let known = signed_note::VerifierList::new(vec![Box::new(key)]);
        assert_eq!(note.verify(&known).unwrap().0.len(), 1);
        let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        let ours = Checkpoint::open(&folder.0["checkpoint"], signer().verifier()).unwrap();
        assert_eq!(
            (theirs.origin(), theirs.size(), theirs.hash().0),
            (&*ours.origin, ours.size, ours.root.0)
        );
    }
}

#[test]
fn tiles_and_proofs_of_every_border_size_are_accepted_elsewhere() {
    for size in SIZES {
        let folder = log(size, size);
        let ours = Checkpoint::open(&folder.0["checkpoint"], signer().verifier()).unwrap();
        let root = tlog_tiles::Hash(ours.root.0);
        let tiles = Theirs(&folder);
        let reader = TileHashReader::new(size, root, &tiles);
        let nodes = TileNodes::new(size, read(&folder));
        assert_eq!(tlog_tiles::tree_hash(size, &reader).unwrap(), root, "size {size}");
        for index in [0, 1, 254, 255, 256, 511, 65_279, 65_534, size / 2, size - 1] {
            if index >= size {
                continue;
            }
            // Their reader authenticates each of our tiles against the root; their maker gives our proof; their
            // checker accepts it for the hash of the leaf that they compute.
            let theirs = tlog_tiles::prove_record(size, index, &reader).unwrap();
            let proof: Vec<tlog_tiles::Hash> = prove_inclusion(&nodes, index, size)
                .unwrap()
                .into_iter()
                .map(|h| tlog_tiles::Hash(h.0))
                .collect();
            assert_eq!(proof, theirs, "leaf {index} of {size}");
            let leaf_hash = tlog_tiles::record_hash(&leaf(index));
            tlog_tiles::check_record(&proof, size, root, index, leaf_hash).unwrap();
            assert_eq!(reader.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]).unwrap(), [leaf_hash]);
        }
        for earlier in [1, 2, 255, 256, 257, 512, 65_535, 65_536, size] {
            if earlier > size {
                continue;
            }
            let proof: Vec<tlog_tiles::Hash> = prove_consistency(&nodes, earlier, size)
                .unwrap()
                .into_iter()
                .map(|h| tlog_tiles::Hash(h.0))
                .collect();
            assert_eq!(proof, tlog_tiles::prove_tree(size, earlier, &reader).unwrap(), "{earlier} of {size}");
            let before = tlog_tiles::Hash(mains_ledger::proof::root(&nodes, earlier).unwrap().0);
            tlog_tiles::check_tree(&proof, size, root, earlier, before).unwrap();
        }
    }
}

#[test]
fn a_leaf_proof_stands_alone_and_falls_with_any_change() {
    let folder = log(700, 650);
    let nodes = TileNodes::new(650, read(&folder));
    let note = String::from_utf8(folder.0["checkpoint"].clone()).unwrap();
    let proof = LeafProof::make(&nodes, 300, 650, &note).unwrap();
    let read = LeafProof::parse(&proof.to_text()).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.verify(&leaf(300), signer().verifier()).unwrap().size, 650);
    assert!(read.verify(&leaf(301), signer().verifier()).is_err());
    let text = proof.to_text().into_bytes();
    for bit in 0..text.len() * 8 {
        let mut wrong = text.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        let accepted = std::str::from_utf8(&wrong)
            .ok()
            .and_then(|text| LeafProof::parse(text).ok())
            .is_some_and(|proof| proof.verify(&leaf(300), signer().verifier()).is_ok());
        assert!(!accepted, "bit {bit}");
    }
    assert!(LeafProof::make(&nodes, 650, 650, &note).is_err());
}

/// `openssl` alone: the text before the blank line, the last 64 bytes of the signature, the key as PEM.
#[test]
fn the_checkpoint_is_verified_by_openssl_alone() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none(), "openssl is not installed");
        println!("left out: the_checkpoint_is_verified_by_openssl_alone needs openssl");
        return;
    }
    let note = String::from_utf8(log(700, 650).0["checkpoint"].clone()).unwrap();
    let (text, signature) = note.split_once("\n\n").unwrap();
    let signature = signature.trim_end().rsplit(' ').next().unwrap();
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    };
    let key = put("key.pem", signer().verifier().to_pem().as_bytes());
    let signature = put("signature", &signature[4..]);
    let verifies = |text: &str| {
        let text = put("text", text.as_bytes());
        let status = Command::new("openssl")
            .args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"])
            .arg(&key)
            .arg("-in")
            .arg(&text)
            .arg("-sigfile")
            .arg(&signature)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    };
    assert!(verifies(&format!("{text}\n")));
    assert!(!verifies(&format!("{}\n", text.replace("650", "651"))));
}

#[test]
fn no_proof_is_made_of_a_tree_that_is_not_there() {
    let folder = log(10, 10);
    let nodes = TileNodes::new(10, read(&folder));
    assert!(prove_inclusion(&nodes, 10, 10).is_err());
    assert!(prove_inclusion(&nodes, 3, 11).is_err());
    assert!(prove_consistency(&nodes, 11, 10).is_err());
    assert_eq!(prove_consistency(&nodes, 0, 10).unwrap(), []);
    assert_eq!(mains_ledger::proof::root(&nodes, 0).unwrap(), Hash::of_empty_tree());
}
