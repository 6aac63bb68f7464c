//! The real disk: a folder of the file system.

use super::disk::{Disk, Keep, LockGuard};
use mains_ledger::verify::names::UNFINISHED;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A folder of the file system.
pub struct FileDisk {
    root: PathBuf,
    /// Files that are appended to stay open: an open a leaf would cost more than the write.
    open: Mutex<HashMap<String, Arc<File>>>,
    /// One file is put in place at a time: they all pass through one unfinished name.
    replacing: Mutex<()>,
}

impl FileDisk {
    /// The folder at `root`, made if it is not there.
    pub fn create(root: &Path) -> io::Result<Self> {
        if !root.is_dir() {
            fs::create_dir_all(root)?;
            if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_folder(parent)?;
            }
        }
        Ok(Self::existing(root))
    }

    /// The folder at `root`, which must be there; for those who only read.
    pub fn existing(root: &Path) -> Self {
        Self { root: root.into(), open: Mutex::default(), replacing: Mutex::default() }
    }

    /// Where the folder is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn appending(&self, path: &str) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(OpenOptions::new().append(true).open(self.root.join(path))?);
        open.insert(path.into(), Arc::clone(&file));
        Ok(file)
    }
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        // A folder of partial files may go while its list is read: the writer is at work.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => match collect(&entry.path(), &path, found) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            Ok(_) => found.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Disk for FileDisk {
    fn append(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        (&*self.appending(path)?).write_all(bytes)
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        self.appending(path)?.sync_data()
    }

    fn replace(&self, path: &str, bytes: &[u8], keep: Keep) -> io::Result<()> {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let (unfinished, target) = (self.root.join(UNFINISHED), self.root.join(path));
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        if keep == Keep::Synced {
            file.sync_all()?;
        }
        let folder = target.parent().unwrap_or(&self.root);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(&unfinished, &target)?;
        if keep == Keep::Synced { sync_folder(folder) } else { Ok(()) }
    }

    fn read(&self, path: &str, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.root.join(path))?;
        file.seek(io::SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        collect(&self.root, "", &mut found)?;
        Ok(found)
    }

    fn truncate(&self, path: &str, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.root.join(path))?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn remove(&self, path: &str, keep: Keep) -> io::Result<()> {
        let target = self.root.join(path);
        fs::remove_file(&target)?;
        // An open handle would keep the bytes on the disk.
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        let folder = target.parent().unwrap_or(&self.root);
        if folder != self.root {
            // Refused by the system while the folder still holds something, which is what is wanted.
            let _ = fs::remove_dir(folder);
        }
        if keep == Keep::Synced && folder.is_dir() { sync_folder(folder) } else { Ok(()) }
    }

    fn lock(&self, path: &str) -> io::Result<LockGuard> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(self.root.join(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
