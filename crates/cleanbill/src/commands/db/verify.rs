//! `cleanbill db verify`: whether a snapshot is whole, block by block and record by record.

use std::io::Write;
use std::path::PathBuf;

use super::{status, unwritten};
use crate::failure::Result;
use crate::report::text::printable_lines;
use crate::snapshot_choice::{choose, failed};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db verify
  cleanbill db verify advisories.cbdb
Every block is read, hashed and decoded. The hashes prove that the file is as it was written, not
who wrote it: compare the digest with the one that its maker names.";

/// Arguments of `db verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Snapshot file (default: the one that commands use)
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Reads all of it and says what it is.
///
/// # Errors
/// When any of it is damaged; the block is named.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let snapshot = choose(args.file.as_deref())?;
    let contents = snapshot.contents().map_err(|e| {
        failed(&e).next("make it again: cleanbill db update; or bring it again: cleanbill db load")
    })?;
    let mut text = status::table(&status::rows(snapshot.feeds(), None));
    text +=
        &format!("{}: whole: {} bytes, {}\n", snapshot.name(), snapshot.size(), snapshot.digest());
    text += &super::holds(&contents);
    out.write_all(printable_lines(&text).as_bytes()).map_err(|e| unwritten(&e))
}
