//! Walks a tree in parallel and hands the bytes of every text file to a function.
//!
//! Dot files are read; `.gitignore`, `.ignore` and `.mainsignore` are honoured; links are not followed, so a
//! loop cannot hold the walk. What is left out is counted by reason, what should have been read and was not
//! is listed: a walk never passes over a file in silence.

use ignore::{DirEntry, WalkBuilder, WalkState};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Larger files are listed instead of read: sources are not that long.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// A zero byte among so many first bytes means that a file is not text.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

/// What a walk came by, everything sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk<T> {
    /// What the function returned, with the path relative to the root, in forward slashes.
    pub found: Vec<(String, T)>,
    /// Files handed to the function.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files and folders left out by rule, counted by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Files and folders that should have been read and were not, with the reason.
    pub unread: Vec<(String, String)>,
}

/// Why a walk could not begin.
#[derive(Debug)]
pub struct WalkError {
    path: PathBuf,
    source: std::io::Error,
}

impl fmt::Display for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot read `{}`: {}\nhint: name a file or folder that exists",
            self.path.display(),
            self.source
        )
    }
}

impl std::error::Error for WalkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// What all threads add to.
struct Collected<T> {
    found: Mutex<Vec<(String, T)>>,
    skipped: Mutex<BTreeMap<&'static str, u64>>,
    unread: Mutex<Vec<(String, String)>>,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl<T> Collected<T> {
    fn skip(&self, reason: &'static str) {
        let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        *skipped.entry(reason).or_default() += 1;
    }

    fn unread(&self, path: String, reason: String) {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).push((path, reason));
    }
}

/// Reads every text file under `root` and calls `read` with its relative path and bytes, on as many threads
/// as the machine has cores. `root` may be a single file. What `read` returns as `Some` is kept.
///
/// # Errors
/// When `root` does not exist or cannot be opened. Trouble further down is listed in the result.
pub fn walk<T, F>(root: &Path, read: F) -> Result<Walk<T>, WalkError>
where
    T: Send,
    F: Fn(&str, &[u8]) -> Option<T> + Sync,
{
    let trouble = |source| WalkError { path: root.to_owned(), source };
    let real = root.canonicalize().map_err(trouble)?;
    let is_folder = real.metadata().map_err(trouble)?.is_dir();
    if is_folder {
        std::fs::read_dir(&real).map_err(trouble)?;
    } else {
        std::fs::File::open(&real).map_err(trouble)?;
    }
    let all: Collected<T> = Collected {
        found: Mutex::default(),
        skipped: Mutex::default(),
        unread: Mutex::default(),
        files: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    };
    let folders_skipped = Arc::new(AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let (collected, read, base) = (&all, &read, real.as_path());
    builder(&real, threads, &folders_skipped).build_parallel().run(|| {
        let mut buffer = Vec::new();
        Box::new(move |entry| {
            match entry {
                Ok(entry) => visit(base, &entry, collected, read, &mut buffer),
                Err(error) => collected.unread(path_of(&error, base), error.to_string()),
            }
            WalkState::Continue
        })
    });
    Ok(finish(all, folders_skipped.load(Ordering::Relaxed)))
}

fn finish<T>(all: Collected<T>, folders: u64) -> Walk<T> {
    let mut skipped = all.skipped.into_inner().unwrap_or_else(PoisonError::into_inner);
    if folders > 0 {
        skipped.insert("folders of dependencies or build output", folders);
    }
    let mut found = all.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut unread = all.unread.into_inner().unwrap_or_else(PoisonError::into_inner);
    unread.sort();
    Walk { found, files: all.files.into_inner(), bytes: all.bytes.into_inner(), skipped, unread }
}

fn builder(root: &Path, threads: usize, folders_skipped: &Arc<AtomicU64>) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    let skipped = Arc::clone(folders_skipped);
    builder
        .hidden(false)
        .require_git(false)
        // The user's own global file would make the result depend on the machine.
        .git_global(false)
        .follow_links(false)
        .threads(threads)
        .add_custom_ignore_filename(".mainsignore")
        .filter_entry(move |entry| {
            let is_folder = entry.depth() > 0 && entry.file_type().is_some_and(|kind| kind.is_dir());
            if !is_folder {
                return true;
            }
            let Some(name) = entry.file_name().to_str() else { return true };
            if matches!(name, ".git" | ".hg" | ".svn" | ".jj") {
                return false;
            }
            let left_out = is_not_ours(name);
            skipped.fetch_add(u64::from(left_out), Ordering::Relaxed);
            !left_out
        });
    builder
}

/// Folders that hold other people's code or what a build made.
fn is_not_ours(folder: &str) -> bool {
    matches!(
        folder,
        "node_modules"
            | "bower_components"
            | "vendor"
            | "third_party"
            | "site-packages"
            | "dist"
            | ".venv"
            | "venv"
            | ".tox"
            | ".nox"
            | "__pycache__"
            | ".mypy_cache"
            | ".pytest_cache"
            | ".ruff_cache"
            | ".next"
            | ".nuxt"
            | ".svelte-kit"
            | ".gradle"
            | ".terraform"
            | ".yarn"
            | ".mains"
    )
}

/// Files that no one writes by hand, by their name.
fn made_by_tools(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let locks = [
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "poetry.lock",
        "pipfile.lock",
        "uv.lock",
        "pdm.lock",
        "cargo.lock",
        "go.sum",
        "composer.lock",
        "gemfile.lock",
        "packages.lock.json",
        "flake.lock",
        "deno.lock",
    ];
    if locks.contains(&lower.as_str()) {
        return Some("lock files");
    }
    if lower.contains(".min.") || lower.ends_with("-min.js") || lower.ends_with(".bundle.js") {
        return Some("minified files");
    }
    if Path::new(&lower).extension().is_some_and(|ending| ending == "map") {
        return Some("source maps");
    }
    None
}

fn visit<T>(
    root: &Path,
    entry: &DirEntry,
    all: &Collected<T>,
    read: &impl Fn(&str, &[u8]) -> Option<T>,
    buffer: &mut Vec<u8>,
) {
    let Some(kind) = entry.file_type() else { return };
    if kind.is_symlink() {
        all.skip("links");
        return;
    }
    if !kind.is_file() {
        return;
    }
    let path = relative(root, entry.path());
    if let Some(reason) = made_by_tools(&entry.file_name().to_string_lossy()) {
        all.skip(reason);
        return;
    }
    match read_text(entry.path(), buffer) {
        Ok(Content::Text) => {}
        Ok(Content::Binary) => {
            all.skip("binary files");
            return;
        }
        Ok(Content::TooLarge) => {
            let reason = format!("larger than {} MiB", FILE_BYTES_MAX >> 20);
            all.unread(path, reason);
            return;
        }
        Err(error) => {
            all.unread(path, error.to_string());
            return;
        }
    }
    all.files.fetch_add(1, Ordering::Relaxed);
    all.bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
    if let Some(found) = read(&path, buffer) {
        all.found.lock().unwrap_or_else(PoisonError::into_inner).push((path, found));
    }
}

/// What a file turned out to hold.
enum Content {
    Text,
    Binary,
    TooLarge,
}

/// Reads a text file into `buffer`. Of a binary file only the first bytes are read; one that grew meanwhile
/// beyond the limit is too large.
fn read_text(path: &Path, buffer: &mut Vec<u8>) -> std::io::Result<Content> {
    buffer.clear();
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    let room = usize::try_from(length.min(FILE_BYTES_MAX)).unwrap_or(0) + 1;
    buffer.reserve(room.max(BINARY_PROBE_BYTES));
    file.by_ref().take(BINARY_PROBE_BYTES as u64).read_to_end(buffer)?;
    if buffer.contains(&0) {
        return Ok(Content::Binary);
    }
    if length > FILE_BYTES_MAX {
        return Ok(Content::TooLarge);
    }
    if buffer.len() == BINARY_PROBE_BYTES {
        file.take(FILE_BYTES_MAX + 1 - BINARY_PROBE_BYTES as u64).read_to_end(buffer)?;
    }
    Ok(if buffer.len() as u64 > FILE_BYTES_MAX { Content::TooLarge } else { Content::Text })
}

/// The path below the root in forward slashes; for a root that is a file, its name.
fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let below = if below.as_os_str().is_empty() { path.file_name().map_or(path, Path::new) } else { below };
    below.to_string_lossy().replace('\\', "/")
}

/// The path that an error of the walk is about.
fn path_of(error: &ignore::Error, root: &Path) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => relative(root, path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err, root)
        }
        _ => ".".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder of this test alone, removed at the end.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mains-walk-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            self
        }

        fn paths(&self) -> Vec<String> {
            self.walk().found.into_iter().map(|(path, _)| path).collect()
        }

        fn walk(&self) -> Walk<usize> {
            walk(&self.0, |_, bytes| Some(bytes.len())).unwrap()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn dot_files_are_read_and_what_is_ignored_is_not() {
        let tree = Tree::new("ignored");
        tree.file(".gitignore", "secret.txt\n").file(".mainsignore", "mine/\n").file(".env", "A=1");
        tree.file("secret.txt", "x")
            .file("mine/a.py", "x")
            .file(".github/workflows/ci.yml", "x")
            .file("src/a.py", "x");
        tree.file(".git/config", "x").file("node_modules/a/index.js", "x");
        assert_eq!(
            tree.paths(),
            [".env", ".github/workflows/ci.yml", ".gitignore", ".mainsignore", "src/a.py"]
        );
        assert_eq!(tree.walk().skipped.get("folders of dependencies or build output"), Some(&1));
    }

    #[test]
    fn what_is_left_out_is_counted_and_what_cannot_be_read_is_listed() {
        let tree = Tree::new("left-out");
        tree.file("a.bin", b"ab\0cd").file("b.min.js", "x").file("c.js.map", "x").file("Cargo.lock", "x");
        tree.file("big.json", vec![b'x'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1]);
        tree.file("edge.json", vec![b'x'; usize::try_from(FILE_BYTES_MAX).unwrap()]);
        let walked = tree.walk();
        assert_eq!(walked.files, 1);
        assert_eq!(walked.bytes, FILE_BYTES_MAX);
        assert_eq!(walked.unread, [("big.json".to_owned(), "larger than 8 MiB".to_owned())]);
        let reasons: Vec<_> = walked.skipped.into_iter().collect();
        let expected = [("binary files", 1), ("lock files", 1), ("minified files", 1), ("source maps", 1)];
        assert_eq!(reasons, expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_its_own_folder_does_not_hold_the_walk() {
        let tree = Tree::new("loop");
        tree.file("src/a.py", "x");
        std::os::unix::fs::symlink(&tree.0, tree.0.join("src/again")).unwrap();
        let walked = tree.walk();
        assert_eq!(walked.files, 1);
        assert_eq!(walked.skipped.get("links"), Some(&1));
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error_and_a_file_is_a_tree_of_one() {
        let tree = Tree::new("root");
        tree.file("one.py", "abc");
        let missing = walk(&tree.0.join("nothing"), |_, _| Some(())).unwrap_err().to_string();
        assert!(missing.contains("cannot read") && missing.contains("hint:"), "{missing}");
        let one = walk(&tree.0.join("one.py"), |_, bytes| Some(bytes.len())).unwrap();
        assert_eq!(one.found, [("one.py".to_owned(), 3)]);
    }

    #[test]
    fn two_walks_give_the_same() {
        let tree = Tree::new("same");
        for n in 0..200 {
            tree.file(&format!("d{}/f{n}.txt", n % 7), n.to_string());
        }
        assert_eq!(tree.walk(), tree.walk());
        assert_eq!(tree.walk().files, 200);
    }
}
