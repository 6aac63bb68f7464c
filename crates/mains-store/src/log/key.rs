//! The file of the log's key: made once by a caller who brings the entropy, readable by its owner only. It
//! belongs outside the log's folder, which is copied and handed out.

use super::disk::LogError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mains_ledger::Ed25519Signer;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use zeroize::Zeroizing;

const HEAD: &str = "mains-ledger-key-v1";
/// Longer than any key file.
const FILE_BYTES_MAX: u64 = 4096;

/// Writes a new key file for the log `name` from 32 fresh secret bytes, and gives the key. An existing file is
/// never overwritten.
pub fn create(path: &Path, name: &str, seed: &[u8; 32]) -> Result<Ed25519Signer, LogError> {
    let shown = path.display().to_string();
    let signer = Ed25519Signer::from_seed(name, seed).map_err(|error| LogError::refused(&shown, error.0))?;
    let text = Zeroizing::new(format!("{HEAD}\n{name}\n{}\n", *Zeroizing::new(STANDARD.encode(seed))));
    write_new(path, text.as_bytes()).map_err(|error| LogError::disk("write", &shown, &error))?;
    Ok(signer)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        // Half a key would be refused at every later start.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads a key file. Refused where others than its owner may read it. [`LogError::Disk`] where there is
/// none.
pub fn load(path: &Path) -> Result<Ed25519Signer, LogError> {
    let shown = path.display().to_string();
    let failed = |error: &io::Error| LogError::disk("read", &shown, error);
    let file = File::open(path).map_err(|error| failed(&error))?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().map_err(|error| failed(&error))?);
        if mode & 0o077 != 0 {
            let why = format!("others may read it (mode {:o}); run `chmod 600` on it", mode & 0o777);
            return Err(LogError::refused(&shown, why));
        }
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| failed(&error))?;
    let mut lines = text.lines();
    let seed = match (lines.next(), lines.next(), lines.next(), lines.next()) {
        (Some(HEAD), Some(name), Some(seed), None) => STANDARD
            .decode(seed)
            .ok()
            .map(Zeroizing::new)
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
            .map(|seed| (name, Zeroizing::new(seed))),
        _ => None,
    };
    let Some((name, seed)) = seed else {
        return Err(LogError::refused(&shown, format!("it is no key file of form `{HEAD}`")));
    };
    Ed25519Signer::from_seed(name, &seed).map_err(|error| LogError::refused(&shown, error.0))
}
