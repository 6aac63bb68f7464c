//! What the machine outside refused, and what to do about it.

use std::fmt;
use std::path::Path;

/// A failure of the machine outside: lower case, what and where, and a hint. Never the content of a file
/// or a variable, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    message: String,
    hint: Option<String>,
}

impl HostError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `failed to read `mains.toml`: no such file`, with the hint that the kind of failure suggests.
    pub(crate) fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let failed = Self::new(format!("failed to {doing} `{}`: {}", path.display(), lowered(error)));
        match error.kind() {
            ErrorKind::PermissionDenied => failed.hint("give the user that runs Mains the right to do this"),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                failed.hint("free some space; what was there before is unchanged")
            }
            ErrorKind::ReadOnlyFilesystem => failed.hint("choose a folder on a disk that can be written to"),
            _ => failed,
        }
    }
}

/// The system's text begins with a capital and ends with its number; ours do not.
fn lowered(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for HostError {}
