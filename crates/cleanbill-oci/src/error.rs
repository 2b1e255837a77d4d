//! The one error type of this crate.

use std::fmt;

/// What went wrong while an image was read: the thing, the cause, and where there is one the
/// next step. Opaque on purpose; [`Error::kind`] is what callers may branch on.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Coarse classes of errors, for exit codes, retries and what users are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is not what it should be (malformed, inconsistent, of an unknown form).
    Malformed,
    /// Bytes do not have the digest they were promised to have.
    DigestMismatch,
    /// The image passes a limit. Of a layer whose bytes are the promised ones a caller may make
    /// a gap.
    OverLimit,
    /// The named thing is not there.
    NotFound,
    /// Credentials were refused or are missing.
    Unauthorized,
    /// The rule on addresses forbids the connection.
    Forbidden,
    /// Reading a file, or the network, failed, or took longer than allowed.
    Io,
}

impl Error {
    /// An error of this kind; `message` names the thing and the cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error, told from further up: `context: message`.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// A file that could not be opened or read, told apart by whether it is there.
    pub(crate) fn io(what: impl Into<String>, error: std::io::Error) -> Self {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let kind = if missing { ErrorKind::NotFound } else { ErrorKind::Io };
        Self::new(kind, what).because(error)
    }

    /// Its class.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
