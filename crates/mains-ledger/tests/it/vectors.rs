//! The 518 public proof vectors (tests/data/merkle/SOURCES.md).

use mains_ledger::Hash;
use mains_ledger::proof::{
    ProofError, verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};
use serde_json::Value;

/// The vectors also hold "hashes" of other lengths. Our type cannot, so they are padded with zeros: two that
/// were equal stay equal, two that were not stay so, and none becomes a hash of anything.
fn hash(text: &Value) -> Hash {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap_or_default()).unwrap();
    let mut padded = [0; 32];
    assert!(bytes.len() <= 32);
    padded[..bytes.len()].copy_from_slice(&bytes);
    Hash(padded)
}

/// A leaf's hash of another length is refused by our type, as the vectors want it refused.
fn leaf_hash(row: &Value) -> Result<Hash, ProofError> {
    Hash::from_base64(row["leafHash"].as_str().unwrap_or_default())
        .ok_or(ProofError::Range("no hash of 32 bytes".into()))
}

fn run(file: &str, check: impl Fn(&Value, &[Hash]) -> Result<(), ProofError>) -> usize {
    let path = format!("{}/tests/data/merkle/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut refused = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let proof: Vec<Hash> =
            row["proof"].as_array().map(|p| p.iter().map(hash).collect()).unwrap_or_default();
        let outcome = check(&row, &proof);
        let must_refuse = row["wantErr"].as_bool().unwrap();
        assert_eq!(outcome.is_err(), must_refuse, "{file} {}: {outcome:?}", row["name"]);
        refused += usize::from(must_refuse);
    }
    assert!(refused > 0);
    text.lines().count()
}

fn number(row: &Value, field: &str) -> u64 {
    row[field].as_u64().unwrap()
}

#[test]
fn all_518_rows_are_judged_as_they_must_be() {
    let inclusion = run("inclusion", |row, proof| {
        let (leaf, root) = (leaf_hash(row)?, hash(&row["root"]));
        verify_inclusion(number(row, "leafIdx"), number(row, "treeSize"), &leaf, proof, &root)
    });
    let consistency = run("consistency", |row, proof| {
        let (earlier, root) = (hash(&row["root1"]), hash(&row["root2"]));
        verify_consistency(number(row, "size1"), number(row, "size2"), &earlier, &root, proof)
    });
    let subtree_inclusion = run("subtreeinclusion", |row, proof| {
        let (leaf, root) = (leaf_hash(row)?, hash(&row["root"]));
        let (start, end) = (number(row, "start"), number(row, "end"));
        verify_subtree_inclusion(number(row, "leafIdx"), start, end, &leaf, proof, &root)
    });
    let subtree_consistency = run("subtreeconsistency", |row, proof| {
        let (subtree, root) = (hash(&row["root1"]), hash(&row["root2"]));
        let (start, end) = (number(row, "start"), number(row, "end"));
        verify_subtree_consistency(start, end, number(row, "size"), &subtree, &root, proof)
    });
    let empty = Hash::of_empty_tree();
    assert_eq!(verify_consistency(0, 0, &empty, &empty, &[]), Ok(()));
    assert_eq!((inclusion, consistency, subtree_inclusion, subtree_consistency), (98, 98, 204, 118));
}
