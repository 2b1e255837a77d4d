//! The gate's log: one line an event on standard error, as text or JSON. Passwords, keys and
//! tokens are never given to it; names and reasons are quoted by it, so that no name can forge
//! a line.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::failure::{Failure, Result};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins logging for the whole process.
///
/// # Errors
/// When `level` is no filter, or logging has begun already.
pub fn begin(format: Format, level: &str) -> Result<()> {
    let filter = EnvFilter::try_new(level).map_err(|e| {
        Failure::new(format!("{level:?} is no log level: {e}"))
            .next("use error, warn, info, debug or trace")
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let begun = match format {
        Format::Text => lines.with_ansi(false).try_init(),
        Format::Json => lines.json().try_init(),
    };
    begun.map_err(|e| Failure::new(format!("logging cannot begin: {e}")))
}
