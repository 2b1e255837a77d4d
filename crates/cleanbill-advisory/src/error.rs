//! The one error type of this crate.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// What went wrong with advisories: the thing, the cause, and where there is one the next step.
/// Opaque on purpose; [`Error::kind`] is what callers may branch on.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    /// Where there is no room.
    folder: Option<PathBuf>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Coarse classes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is not what it should be.
    Malformed,
    /// Bytes do not have the hash they were written with.
    Damaged,
    /// A limit was passed.
    OverLimit,
    /// A snapshot goes back behind the one in force.
    Older,
    /// The named thing is not there.
    NotFound,
    /// The network, or the server asked, failed.
    Network,
    /// There is no room for a file: on the disk, for this user, or by a limit on files.
    Full,
    /// Reading or writing a file failed.
    Io,
}

impl Error {
    /// An error of this kind; `message` names the thing and the cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), folder: None, source: None }
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let missing = source.kind() == io::ErrorKind::NotFound;
        match missing {
            true => Self::new(ErrorKind::NotFound, path.display().to_string()).because(source),
            false => Self::unwritten(path.display().to_string(), source).beside(path),
        }
    }

    /// A file that does not take what is written, or cannot be read.
    pub(crate) fn unwritten(message: impl Into<String>, source: io::Error) -> Self {
        let kind = if is_full(&source) { ErrorKind::Full } else { ErrorKind::Io };
        Self::new(kind, message).because(source)
    }

    /// The same error; where there was no room, it was beside this file.
    #[must_use]
    pub(crate) fn beside(mut self, path: &Path) -> Self {
        if self.kind == ErrorKind::Full && self.folder.is_none() {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            self.folder = Some(folder.unwrap_or(Path::new(".")).to_owned());
        }
        self
    }

    /// The folder where there is no room.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
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

    /// Its class.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Whether there is no more room: on the disk, for this user, or by a limit on files.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    [FileTooLarge, QuotaExceeded, StorageFull].contains(&error.kind())
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().and_then(std::error::Error::source)
    }
}
