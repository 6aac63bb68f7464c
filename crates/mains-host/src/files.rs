//! Files that are whole or not there: writing by a new name and a rename, and folders of one's own.

use crate::HostError;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: mode 0600, whatever it had before.
    Private,
    /// As before; a new file as the user's own settings say.
    Usual,
}

/// Puts `bytes` in place of the file, or makes it. Whoever reads at any moment, even after a power cut,
/// finds the old bytes or the new ones, never a mixture. A symbolic link stays one; its target is written.
pub fn write_atomic(path: &Path, bytes: &[u8], access: Access) -> Result<(), HostError> {
    let path = &behind_link(path);
    let failed = |error: std::io::Error| HostError::io("write", path, &error);
    let mode = match access {
        Access::Private => Some(0o600),
        Access::Usual => std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777),
    };
    let part = Part::create(path, mode).map_err(failed)?;
    part.fill(bytes, mode).map_err(failed)?;
    std::fs::rename(&part.path, path).map_err(failed)?;
    part.keep();
    sync_folder(path).map_err(failed)
}

/// Makes a private file unless there is one already; `false` when there is. Of two processes that try at
/// the same moment exactly one makes it, and neither ever sees half of it.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<bool, HostError> {
    let failed = |error: std::io::Error| HostError::io("create", path, &error);
    let part = Part::create(path, Some(0o600)).map_err(failed)?;
    part.fill(bytes, Some(0o600)).map_err(failed)?;
    // A second name for the finished file: unlike a rename, this never replaces anything.
    match std::fs::hard_link(&part.path, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed(error)),
    }
    drop(part);
    sync_folder(path).map_err(failed)?;
    Ok(true)
}

/// Makes a folder that only its owner may enter, mode 0700, with the folders above it. One that is there
/// already is taken as it is, unless it belongs to someone else or anyone else may write into it.
pub fn private_folder(path: &Path) -> Result<(), HostError> {
    let failed = |error: std::io::Error| HostError::io("create the folder", path, &error);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let shown = path.display();
    if !metadata.is_dir() {
        return Err(HostError::new(format!("`{shown}` is not a folder")).hint("name another data folder"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(HostError::new(format!("the folder `{shown}` belongs to another user"))
            .hint("name a folder of your own, or run Mains as its owner"));
    }
    if metadata.permissions().mode() & 0o022 != 0 {
        return Err(HostError::new(format!("others may write into the folder `{shown}`"))
            .hint(format!("run `chmod 700 {shown}`")));
    }
    Ok(())
}

/// Where a link points, so that a settings file kept elsewhere stays there.
fn behind_link(path: &Path) -> PathBuf {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
        }
        _ => path.to_owned(),
    }
}

/// A rename is on the disk only when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// A file under a name of its own beside its future name; taken away unless it is kept.
struct Part {
    path: PathBuf,
    kept: std::cell::Cell<bool>,
}

/// Tells the parts of one process apart.
static PARTS: AtomicU64 = AtomicU64::new(0);

impl Part {
    fn create(path: &Path, mode: Option<u32>) -> std::io::Result<Self> {
        let Some(name) = path.file_name() else {
            return Err(std::io::Error::new(ErrorKind::InvalidInput, "this path names no file"));
        };
        loop {
            let mut own = std::ffi::OsString::from(".");
            own.push(name);
            own.push(format!(".part-{}-{}", std::process::id(), PARTS.fetch_add(1, Ordering::Relaxed)));
            let part = path.with_file_name(own);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(mode.unwrap_or(0o666));
            match options.open(&part) {
                Ok(_) => return Ok(Self { path: part, kept: std::cell::Cell::new(false) }),
                // A killed process with our number left one; take the next name.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn fill(&self, bytes: &[u8], mode: Option<u32>) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        file.write_all(bytes)?;
        if let Some(mode) = mode {
            // The mode given at creation is cut by the process's mask; this one is not.
            file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        file.sync_all()
    }

    fn keep(&self) {
        self.kept.set(true);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept.get() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_write_replaces_the_whole_and_keeps_mode_and_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mains.toml");
        std::fs::write(&path, "a longer text that was there").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_atomic(&link, b"new", Access::Usual).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(mode(&path), 0o640);
        write_atomic(&path, b"private", Access::Private).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(names(folder.path()), ["link.toml", "mains.toml"]);
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there_and_no_scraps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("inside"), "x").unwrap();
        let error = write_atomic(&path, b"new", Access::Usual).unwrap_err().to_string();
        assert!(error.starts_with("failed to write `"), "{error}");
        assert_eq!(names(folder.path()), ["taken"]);
        let error = write_atomic(&folder.path().join("absent/file"), b"", Access::Usual).unwrap_err();
        assert!(error.to_string().ends_with("no such file or directory"), "{error}");
        assert!(write_atomic(Path::new("/"), b"", Access::Usual).is_err());
    }

    #[test]
    fn a_private_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let made: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8_u8)
                .map(|number| {
                    let path = &path;
                    scope.spawn(move || create_private(path, &[number; 1000]).unwrap())
                })
                .collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(made, 1);
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() == 1000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(names(folder.path()), ["secret"]);
    }

    #[test]
    fn a_folder_is_private_and_an_open_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/.mains");
        private_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        private_folder(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = private_folder(&path).unwrap_err().to_string();
        assert!(error.contains("hint: run `chmod 700"), "{error}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(private_folder(&file).unwrap_err().to_string().contains("is not a folder"));
    }
}
