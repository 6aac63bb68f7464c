//! `cargo xtask tidy`: a test that reads the code.
//!
//! It checks what the drawing of the house promises: rows and purity (`rows`), sizes of files and functions
//! against a ratchet (`sizes`), and habits that a compiler cannot see (`habits`).

mod habits;
mod rows;
mod sizes;

use std::path::{Path, PathBuf};

/// One Rust source file of the workspace.
pub(crate) struct Source {
    /// Path relative to the workspace, with forward slashes.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

impl Source {
    /// The text before the first inline test module.
    pub(crate) fn production(&self) -> &str {
        self.text.find("\n#[cfg(test)]\nmod ").map_or(&self.text, |end| &self.text[..end])
    }

    /// Whether the whole file is test, bench, example or fuzz code.
    pub(crate) fn is_test(&self) -> bool {
        ["/tests/", "/benches/", "/examples/", "/fuzz/"].iter().any(|part| self.path.contains(part))
    }

    /// The crate that the file belongs to: `mains-relay`, or the folder's name for `sim` and `xtask`.
    pub(crate) fn package(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or(""),
            other => other.unwrap_or(""),
        }
    }
}

/// Runs every check; the answer is what is wrong, a line each.
pub(crate) fn run(root: &Path) -> Result<Vec<String>, String> {
    let sources = sources(root)?;
    let mut wrong = rows::check(root, &sources)?;
    wrong.extend(sizes::check(root, &sources)?);
    wrong.extend(habits::check(root, &sources)?);
    Ok(wrong)
}

fn sources(root: &Path) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    for folder in ["crates", "sim", "xtask"] {
        walk(&root.join(folder), &mut |path| {
            if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.to_path_buf());
            }
        })?;
    }
    found.sort();
    found.into_iter().map(|path| read(root, &path)).collect()
}

fn read(root: &Path, path: &PathBuf) -> Result<Source, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let relative = path.strip_prefix(root).unwrap_or(path);
    Ok(Source { path: relative.to_string_lossy().replace('\\', "/"), text })
}

/// Calls `found` for every file below `folder`, build outputs left out.
pub(crate) fn walk(folder: &Path, found: &mut dyn FnMut(&Path)) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | "corpus" | "artifacts" | ".git") {
                walk(&path, found)?;
            }
        } else {
            found(&path);
        }
    }
    Ok(())
}
