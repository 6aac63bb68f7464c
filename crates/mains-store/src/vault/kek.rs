//! The key-encryption key and its file: made once, readable by its owner only, outside the data folder.
//! Whoever copies the data folder has the vault without it.

use super::error::VaultError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

const HEAD: &str = "mains-vault-key-v1";
/// Longer than any key file.
const FILE_BYTES_MAX: u64 = 4_096;

const HINT_BACKUP: &str = "put a backup of it back; a new key cannot read what was kept under the old one";
const HINT_PLACE: &str = "set `key_file` in `[record]` to a file outside the data folder, or take it out";

/// The key under which data keys are wrapped.
#[derive(Clone)]
pub struct Kek {
    key: Zeroizing<[u8; 32]>,
    id: KekId,
}

/// The public name of a key-encryption key: the first 8 bytes of a hash of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekId(pub(super) [u8; 8]);

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", self.id)
    }
}

impl Kek {
    /// A key out of 32 secret bytes.
    pub fn from_bytes(key: [u8; 32]) -> Self {
        let hash = Sha256::new().chain_update("mains-vault-kek-id").chain_update(key).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Self { key: Zeroizing::new(key), id: KekId(id) }
    }

    /// Its name.
    pub fn id(&self) -> KekId {
        self.id
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key in the file `path`. Refused: what [`Self::load_or_create`] refuses, and a file that is not there.
    pub fn load(path: &Path, data: &Path) -> Result<Self, VaultError> {
        let shown = path.display().to_string();
        refuse_inside(path, data, &shown)?;
        match path.try_exists() {
            Ok(true) => load(path, &shown),
            Ok(false) => Err(unusable(&shown, "it is not there", HINT_BACKUP)),
            Err(error) => Err(VaultError::disk("look for", &shown, &error)),
        }
    }

    /// The key in the file `path`, or, where there is no such file, a new one out of 32 fresh secret bytes,
    /// written there with mode 0600 (folders that are missing are made with 0700). Of two processes that start at
    /// once both get the same key.
    ///
    /// Refused: a place inside `data`, links followed; a file that others than its owner may read or write;
    /// anything but a key file of ours. `data` must exist.
    pub fn load_or_create(path: &Path, data: &Path, fresh: [u8; 32]) -> Result<Self, VaultError> {
        let shown = path.display().to_string();
        let fresh = Zeroizing::new(fresh);
        refuse_inside(path, data, &shown)?;
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => create(path, &fresh).map_err(|error| VaultError::disk("write", &shown, &error))?,
            Err(error) => return Err(VaultError::disk("look for", &shown, &error)),
        }
        load(path, &shown)
    }
}

fn unusable(shown: &str, why: impl Into<String>, hint: &'static str) -> VaultError {
    VaultError::KeyFile { path: shown.into(), why: why.into(), hint }
}

fn refuse_inside(path: &Path, data: &Path, shown: &str) -> Result<(), VaultError> {
    let data = fs::canonicalize(data)
        .map_err(|error| VaultError::disk("find", &data.display().to_string(), &error))?;
    let place = resolve(path).map_err(|error| VaultError::disk("find", shown, &error))?;
    let Some(place) = place else {
        return Err(unusable(shown, "its path goes through a folder that does not exist", HINT_PLACE));
    };
    if place.starts_with(&data) {
        return Err(unusable(shown, "it lies inside the data folder that it is to protect", HINT_PLACE));
    }
    Ok(())
}

/// Where the path leads, links followed as far as it exists; `None` for a `..` beyond that.
fn resolve(path: &Path) -> io::Result<Option<PathBuf>> {
    let absolute = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut known = absolute.as_path();
    loop {
        match fs::canonicalize(known) {
            Ok(mut found) => {
                found.extend(missing.iter().rev());
                return Ok(Some(found));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        match (known.components().next_back(), known.parent()) {
            (Some(Component::Normal(name)), Some(parent)) => {
                missing.push(name.to_owned());
                known = parent;
            }
            _ => return Ok(None),
        }
    }
}

/// Written whole under another name and then linked to its own, which fails where a file stands by then.
fn create(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    // What a killed process of the same number left.
    let _ = fs::remove_file(&part);
    let written = write_private(&part, key).and_then(|()| match fs::hard_link(&part, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    let removed = fs::remove_file(&part);
    written.and(removed)?;
    File::open(folder)?.sync_all()
}

fn write_private(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let text = Zeroizing::new(format!("{HEAD}\n{}\n", *Zeroizing::new(STANDARD.encode(key))));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn load(path: &Path, shown: &str) -> Result<Kek, VaultError> {
    let failed = |error: &io::Error| VaultError::disk("read", shown, error);
    let file = File::open(path).map_err(|error| failed(&error))?;
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(unusable(shown, "it is not a regular file", HINT_PLACE));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata);
        if mode & 0o077 != 0 {
            let why = format!("others than its owner may use it (mode {:o})", mode & 0o777);
            return Err(unusable(shown, why, "run `chmod 600` on it, if you are sure that nobody read it"));
        }
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| failed(&error))?;
    let mut lines = text.lines();
    let key = match (lines.next(), lines.next(), lines.next()) {
        (Some(HEAD), Some(key), None) => STANDARD.decode(key).ok().map(Zeroizing::new),
        _ => None,
    };
    let key = key.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    key.map(Kek::from_bytes)
        .ok_or_else(|| unusable(shown, format!("it is no key file of form `{HEAD}`"), HINT_BACKUP))
}
