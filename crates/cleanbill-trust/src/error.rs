//! The one error type of this crate.

use std::fmt;

/// Why something signed, or a key, was not accepted or not made: the thing, the cause, and where
/// there is one the next step. Opaque on purpose; [`Error::kind`] is what callers may branch on.
///
/// No error quotes a private key, or more of the input than a short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Coarse classes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is not what it should be.
    Malformed,
    /// A bound was passed.
    OverLimit,
    /// No accepted key made this signature: forged, changed, or by somebody else.
    Signature,
    /// The key cannot be used.
    Key,
    /// The system gives no random numbers.
    Random,
}

impl Error {
    /// An error of this kind; `message` names the thing and the cause.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    pub(crate) fn over_limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::OverLimit, message)
    }

    /// Its class.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
