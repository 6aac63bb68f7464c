//! What lies where in the data folder, and the key that signs labellers.

use crate::print::{self, Trouble};
use mains_distill::labeller::{Draft, Labeller, Seal, signed};
use mains_distill::task::is_name;
use mains_distill::training::Part;
use mains_host::Entropy;
use mains_host::files::{Access, private_folder, write_atomic};
use mains_ledger::{Ed25519Signer, Signer, VerifierKey};
use mains_store::log::key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder of labellers in a data folder.
pub(crate) struct Shelf {
    data: PathBuf,
}

/// What became of each row of a task, without what is in them: `NAME.rows.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RowsOf {
    pub(crate) schema: String,
    /// The task that they belong to.
    pub(crate) task: String,
    pub(crate) rows: Vec<(String, Part)>,
}

/// The form of [`RowsOf`].
pub(crate) const ROWS_SCHEMA: &str = "mains.distill.rows/1";

/// No file of ours is longer.
const FILE_BYTES_MAX: u64 = 1 << 30;

impl Shelf {
    pub(crate) fn at(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    fn folder(&self) -> PathBuf {
        self.data.join("labellers")
    }

    /// `labellers/NAME.ENDING`.
    pub(crate) fn file(&self, name: &str, ending: &str) -> PathBuf {
        self.folder().join(format!("{name}.{ending}"))
    }

    /// `labellers/imports/NAME.ENDING`.
    pub(crate) fn import(&self, name: &str, ending: &str) -> PathBuf {
        self.folder().join("imports").join(format!("{name}.{ending}"))
    }

    /// `labellers/grades/NAME.jsonl`.
    pub(crate) fn grades(&self, name: &str) -> PathBuf {
        self.folder().join("grades").join(format!("{name}.jsonl"))
    }

    /// `labellers/delta.json`.
    pub(crate) fn delta(&self) -> PathBuf {
        self.folder().join("delta.json")
    }

    /// Makes the folders, each open to its owner alone.
    pub(crate) fn make(&self) -> Result<(), Trouble> {
        private_folder(&self.data)?;
        private_folder(&self.folder())?;
        private_folder(&self.folder().join("imports"))?;
        Ok(private_folder(&self.folder().join("grades"))?)
    }

    /// The names of files with this ending in a folder of ours, in order; none where there is no folder.
    fn names(folder: &Path, ending: &str) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok()?.strip_suffix(ending).map(str::to_owned))
            .filter(|name| is_name(name))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn imports(&self) -> Vec<String> {
        Self::names(&self.folder().join("imports"), ".json")
    }

    pub(crate) fn labellers(&self) -> Vec<String> {
        Self::names(&self.folder(), ".labeller")
    }

    /// The key that signs here: the outlet's own. Where there is none yet it is made as the outlet would make it.
    pub(crate) fn signer(&self) -> Result<Ed25519Signer, Trouble> {
        let path = self.data.join("ledger.key");
        if path.exists() {
            return Ok(key::load(&path)?);
        }
        let entropy = Entropy::system()?;
        let name = format!("mains.local/{:012x}", entropy.seed()? >> 16);
        Ok(key::create(&path, &name, &entropy.key()?)?)
    }

    /// The public half, where there is one.
    pub(crate) fn verifier(&self) -> Option<VerifierKey> {
        key::load(&self.data.join("ledger.key")).ok().map(|signer| signer.verifier().clone())
    }

    /// Which rows a labeller was trained on.
    pub(crate) fn rows_of(&self, name: &str) -> Result<RowsOf, Trouble> {
        let path = self.file(name, "rows.json");
        let rows: RowsOf = json(&path)?;
        if rows.schema == ROWS_SCHEMA {
            Ok(rows)
        } else {
            Err(Trouble::new(format!("`{}` is of another version", path.display())))
        }
    }
}

/// Whether a name can be a labeller's.
pub(crate) fn check_name(name: &str) -> Result<(), Trouble> {
    if is_name(name) {
        return Ok(());
    }
    Err(Trouble::new(format!("`{name}` is no name of a labeller"))
        .hint("it is 1 to 64 small letters, digits and `-`"))
}

/// A labeller's bytes with a signature.
pub(crate) fn seal(labeller: &Labeller, signer: &Ed25519Signer) -> Result<Vec<u8>, Trouble> {
    let draft = Draft::of(labeller);
    let signature = signer.sign(&draft.to_sign())?;
    let signature = <[u8; 64]>::try_from(signature.as_slice())
        .map_err(|_| Trouble::new("the signature is not one of Ed25519"))?;
    Ok(draft.finish(Some(&Seal { key: signer.verifier().public_bytes(), signature })))
}

/// A labeller's file, read and whole; its signature is not looked at.
pub(crate) fn labeller(path: &Path) -> Result<(Vec<u8>, Labeller), Trouble> {
    let bytes = bytes(path)?;
    let labeller =
        Labeller::parse(&bytes).map_err(|error| Trouble::new(format!("`{}`: {error}", path.display())))?;
    Ok((bytes, labeller))
}

/// Whose signature a labeller's file bears: an error in words where it bears none that holds.
pub(crate) fn check_seal(file: &[u8], key: &VerifierKey) -> Result<(), String> {
    let signed = signed(file).map_err(|error| error.to_string())?;
    let seal = signed.seal.ok_or("it is not signed")?;
    if seal.key != key.public_bytes() {
        return Err(format!("it is signed by another key than {key}"));
    }
    if key.verifies(&signed.to_sign, &seal.signature) {
        Ok(())
    } else {
        Err("its signature does not hold".into())
    }
}

/// All of a file of ours.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Trouble> {
    let failed = |error: std::io::Error| {
        Trouble::new(format!("failed to read `{}`: {}", path.display(), print::lowered(&error)))
    };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(Trouble::new(format!("`{}` is too long to be one of ours", path.display())));
    }
    std::fs::read(path).map_err(failed)
}

/// A JSON file of ours.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Trouble> {
    serde_json::from_slice(&bytes(path)?)
        .map_err(|error| Trouble::new(format!("`{}` cannot be read: {error}", path.display())))
}

/// Writes a private file whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    Ok(write_atomic(path, bytes, Access::Private)?)
}
