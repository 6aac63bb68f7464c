//! Secrets that lie outside the settings: in a variable, in a private file, or made here once.

use crate::{Entropy, HostError, files};
use mains_config::KeyRef;
use mains_units::Secret;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// No key or password is longer; a file that is was named by mistake.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// The key that a reference of the settings points to. Relative paths begin at `base`, the folder of
/// `mains.toml`.
pub fn resolve_key(reference: &KeyRef, base: &Path) -> Result<Secret, HostError> {
    match reference {
        KeyRef::Environment(name) => from_variable(name, std::env::var_os(name)),
        KeyRef::File(path) => read_secret(&base.join(path)),
        KeyRef::Sealed(name) => Err(HostError::new(format!("`sealed:{name}` is not supported yet"))
            .hint("write `file:PATH` with a file of mode 0600, or `env:NAME`")),
    }
}

fn from_variable(name: &str, value: Option<std::ffi::OsString>) -> Result<Secret, HostError> {
    let Some(value) = value else {
        return Err(HostError::new(format!("the variable `{name}` is not set"))
            .hint(format!("set it before Mains starts: `export {name}=…`")));
    };
    let value = value.into_string().map_err(|_| {
        HostError::new(format!("the variable `{name}` does not hold text")).hint("set it again as plain text")
    })?;
    sound(value, &format!("the variable `{name}`"))
}

/// Reads a secret from a file that only its owner may read. Spaces and line ends around it do not count.
pub fn read_secret(path: &Path) -> Result<Secret, HostError> {
    let failed = |error: std::io::Error| HostError::io("read", path, &error);
    let shown = path.display();
    // Not waiting: a pipe in this place would hold the start up for ever.
    let wait = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(wait).open(path).map_err(failed)?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(HostError::new(format!("`{shown}` is not a regular file")));
    }
    check_access(metadata.mode(), metadata.uid(), rustix::process::geteuid().as_raw()).map_err(
        |message| {
            HostError::new(format!("{message} the secret in `{shown}`"))
                .hint(format!("run `chmod 600 {shown}`"))
        },
    )?;
    let mut text = String::new();
    let read = file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text);
    // From here on what was read is overwritten when it is dropped.
    let text = Secret::new(text);
    let read = read.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => HostError::new(format!("`{shown}` does not hold text")),
        _ => failed(error),
    })?;
    if read as u64 > SECRET_BYTES_MAX {
        return Err(HostError::new(format!("`{shown}` is too long to be a secret")));
    }
    sound(text.expose().to_owned(), &format!("`{shown}`"))
}

/// Our own files must be ours alone. Those of another owner, mostly root's in a container, may be read by
/// more, because we cannot change them; but nobody else may write them.
fn check_access(mode: u32, owner: u32, me: u32) -> Result<(), &'static str> {
    if mode & 0o022 != 0 {
        return Err("others may change");
    }
    if owner == me && mode & 0o077 != 0 {
        return Err("others may read");
    }
    Ok(())
}

/// One line of visible text: a secret goes into headers, where a line break would end one.
fn sound(text: String, place: &str) -> Result<Secret, HostError> {
    let whole = Secret::new(text);
    let secret = Secret::new(whole.expose().trim().to_owned());
    if secret.expose().is_empty() {
        return Err(HostError::new(format!("{place} is empty")).hint("put the key there, and nothing else"));
    }
    if !secret.expose().chars().all(|c| c.is_ascii_graphic()) {
        return Err(HostError::new(format!("{place} holds more than one word of visible ASCII characters"))
            .hint("put the key there, and nothing else"));
    }
    Ok(secret)
}

/// 32 secret bytes kept in a private file: read, or drawn and written when there is none. Of two
/// processes that start at once both get the same.
pub fn secret_file(path: &Path, entropy: &Entropy) -> Result<[u8; 32], HostError> {
    if !path.try_exists().map_err(|error| HostError::io("look for", path, &error))? {
        let text = Secret::new(hex(&entropy.key()?));
        files::create_private(path, text.expose().as_bytes())?;
    }
    let text = read_secret(path)?;
    parse_hex(text.expose()).ok_or_else(|| {
        HostError::new(format!("`{}` does not hold 64 hexadecimal digits", path.display()))
            .hint("restore it from a backup; with a new one every key that was made before is refused")
    })
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(folder: &Path, text: &[u8], mode: u32) -> std::path::PathBuf {
        let path = folder.join("secret");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_of_ones_own_is_read_and_an_open_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), b"  sk-very-secret\r\n", 0o600);
        assert_eq!(read_secret(&path).unwrap().expose(), "sk-very-secret");
        let reference = KeyRef::File("secret".into());
        assert_eq!(resolve_key(&reference, folder.path()).unwrap().expose(), "sk-very-secret");
        for mode in [0o640, 0o604, 0o660, 0o602] {
            let error = read_secret(&file(folder.path(), b"sk-very-secret", mode)).unwrap_err().to_string();
            assert!(error.contains("hint: run `chmod 600") && !error.contains("very"), "{error}");
        }
        assert_eq!(check_access(0o100_444, 0, 1000), Ok(()));
        assert_eq!(check_access(0o100_464, 0, 1000), Err("others may change"));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_repeating_it() {
        let folder = tempfile::tempdir().unwrap();
        for text in [&b""[..], b" \n", b"very secret", b"very\nsecret", "verysécret".as_bytes(), b"very\xff"]
        {
            let error = read_secret(&file(folder.path(), text, 0o600)).unwrap_err().to_string();
            assert!(!error.contains("very"), "{error}");
        }
        let long = vec![b'x'; 70_000];
        assert!(read_secret(&file(folder.path(), &long, 0o600)).is_err());
        assert!(read_secret(folder.path()).unwrap_err().to_string().contains("not a regular file"));
        assert!(read_secret(&folder.path().join("absent")).is_err());
    }

    #[test]
    fn variables_are_resolved_and_missing_ones_are_named() {
        assert_eq!(from_variable("A", Some("sk-1\n".into())).unwrap().expose(), "sk-1");
        let error = from_variable("A", None).unwrap_err().to_string();
        assert_eq!(error, "the variable `A` is not set\nhint: set it before Mains starts: `export A=…`");
        assert!(from_variable("A", Some("".into())).is_err());
        let sealed = resolve_key(&KeyRef::Sealed("groq".into()), Path::new(".")).unwrap_err().to_string();
        assert!(sealed.contains("not supported yet") && sealed.contains("hint: "), "{sealed}");
    }

    #[test]
    fn a_secret_file_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pepper");
        let entropy = Entropy::system().unwrap();
        let first = secret_file(&path, &entropy).unwrap();
        assert_eq!(secret_file(&path, &entropy).unwrap(), first);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "not hexadecimal").unwrap();
        assert!(secret_file(&path, &entropy).unwrap_err().to_string().contains("hint: "));
        let others = folder.path().join("raced");
        let seen: std::collections::HashSet<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| secret_file(&others, &entropy).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(seen.len(), 1);
    }
}
