//! A command that failed: the thing, the cause, and the next step. Always exit code 2.
//!
//! Not for flaws (findings), nor for what was not examined (gaps): with those a command has
//! succeeded.

use std::fmt;
use std::io::Write as _;

use crate::exit::Exit;
use crate::report::text;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    message: String,
    next: Option<String>,
}

/// A result of a command.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure; `message` names the thing and the cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), next: None }
    }

    /// The same with what the person can do about it.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    /// The thing and the cause, without the next step.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same, told from further up: `context: message`.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.next {
            Some(next) => write!(f, "\n  next: {next}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<cleanbill_oci::Error> for Failure {
    fn from(error: cleanbill_oci::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Says on standard error what went wrong.
pub fn report(failure: &Failure) -> Exit {
    // The message may quote an image's or a server's words; none of them reaches the terminal raw.
    let shown = text::printable_lines(&format!("error: {failure}"));
    // If even this cannot be written, the exit code still says it.
    _ = writeln!(std::io::stderr().lock(), "{shown}");
    Exit::FAILED
}

/// Prints a help text that was asked for.
pub fn print_help(help: &str) -> Exit {
    match std::io::stdout().lock().write_all(help.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Exit::FAILED,
        _ => Exit::DONE,
    }
}
