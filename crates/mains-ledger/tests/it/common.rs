//! A log in memory, made the way the writer on disk makes it.

use mains_ledger::builder::Builder;
use mains_ledger::{Checkpoint, Ed25519Signer, Files, journal};
use std::collections::BTreeMap;

pub(crate) const ORIGIN: &str = "mains.example/test";

pub(crate) fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(ORIGIN, &[42; 32]).unwrap()
}

pub(crate) fn leaf(index: u64) -> Vec<u8> {
    format!("{{\"leaf\":{index},\"pad\":\"{}\"}}", "x".repeat(usize::try_from(index % 97).unwrap()))
        .into_bytes()
}

#[derive(Clone, Default)]
pub(crate) struct Folder(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files for Folder {
    fn list(&self) -> Result<Vec<String>, String> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Vec<u8>, String> {
        let bytes = self.0.get(path).ok_or("no such file")?;
        let start = usize::try_from(offset).unwrap().min(bytes.len());
        Ok(bytes[start..bytes.len().min(start + limit)].to_vec())
    }
}

/// A log of `leaves` leaves whose last checkpoint signs `signed` of them; partial files of earlier
/// checkpoints lie there as well.
pub(crate) fn log(leaves: u64, signed: u64) -> Folder {
    let mut files = BTreeMap::new();
    let mut builder = Builder::new();
    let (mut bytes, mut at) = journal::header(ORIGIN).unwrap();
    let sign = |builder: &Builder, files: &mut BTreeMap<String, Vec<u8>>| {
        for (name, bytes) in builder.partials() {
            files.insert(name.to_string(), bytes);
        }
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: builder.size(), root: builder.root() };
        files.insert("checkpoint".into(), checkpoint.sign(&signer()).unwrap().into_bytes());
    };
    sign(&builder, &mut files);
    for index in 0..leaves {
        let leaf = leaf(index);
        at = journal::push_frame(at, &leaf, &mut bytes).unwrap();
        for (name, bytes) in builder.push(&leaf).unwrap() {
            files.insert(name.to_string(), bytes);
        }
        let size = index + 1;
        if size == signed || (size < signed && size.is_multiple_of(100)) {
            sign(&builder, &mut files);
        }
    }
    files.insert("journal".into(), bytes);
    files.insert("lock".into(), Vec::new());
    Folder(files)
}
