//! One error for the whole crate: whose fault, what, where, and what to do about it.

use std::fmt;

/// Whose fault an error is, so that a caller can choose a status without reading the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The model file is damaged, hostile or not what its hash says.
    File,
    /// The file is well made but asks for something that this engine does not do.
    Unsupported,
    /// The request cannot be served as it stands: empty, or out of range.
    Request,
    /// The prompt does not fit the context.
    TooLong,
    /// The other end of the worker protocol sent something that is not a frame.
    Protocol,
    /// Reading or writing failed underneath.
    Io,
}

/// What went wrong, in lower case, with an optional hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    fault: Fault,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error of this fault with these words.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into(), hint: None }
    }

    /// The same error with advice on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The words alone, without the hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn file(message: impl Into<String>) -> Self {
        Self::new(Fault::File, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Fault::Unsupported, message)
    }

    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(Fault::Request, message)
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(Fault::Protocol, message)
    }

    pub(crate) fn io(what: &str, source: &std::io::Error) -> Self {
        Self::new(Fault::Io, format!("{what}: {source}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
