//! `cleanbill db load`: a snapshot that was made elsewhere, put where commands look for it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use cleanbill_advisory::ErrorKind;
use cleanbill_advisory::load::{Load, Loaded, MOST};
use cleanbill_core::digest::Digest;

use super::{status, unwritten};
use crate::failure::{Failure, Result};
use crate::report::text::printable_lines;
use crate::snapshot_choice::{failed, looked_for, make_room};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db load /media/usb/advisories.cbdb
  cleanbill db load advisories.cbdb --digest sha256:…
  ssh elsewhere cat advisories.cbdb | cleanbill db load -
For machines without a network. The file is read whole before it takes the place of the one in
force, which stays as .previous. A running gate takes the new one by itself. The hashes in the file
prove that it is whole, not who made it: --digest does, when the digest comes another way.";

/// Arguments of `db load`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Snapshot file, or - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Digest that it must have
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<Digest>,
    /// Take it too where feeds go back to older dates or are missing
    #[arg(long)]
    pub force: bool,
    /// Snapshot file to replace (default: the one that commands look for)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Loads it and says what is in force now.
///
/// # Errors
/// When it is not taken: what was in force stays.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let named = args.file.as_os_str() != "-";
    let name = if named { args.file.display().to_string() } else { "standard input".into() };
    let mut source: Box<dyn Read> = match named {
        true => Box::new(File::open(&args.file).map_err(|e| {
            Failure::new(format!("{name}: {e}"))
                .next("name a snapshot file, or - for standard input")
        })?),
        false => Box::new(std::io::stdin().lock()),
    };
    let load = Load {
        name: name.clone(),
        out: args.out.clone().map_or_else(looked_for, Ok)?,
        digest: args.digest,
        force: args.force,
        most: MOST,
    };
    let loaded = cleanbill_advisory::load(&mut source, &load).map_err(|e| next_step(&e))?;
    out.write_all(said(&load.out, &loaded).as_bytes()).map_err(|e| unwritten(&e))
}

/// What is in force now, and how it came about.
pub fn said(place: &Path, loaded: &Loaded) -> String {
    let mut text = status::table(&status::rows(&loaded.feeds, None));
    for back in &loaded.back {
        text += &format!("note: {back}\n");
    }
    text += &format!("{}: {} bytes, {}\n", place.display(), loaded.bytes, loaded.digest);
    text += &super::holds(&loaded.contents);
    if loaded.already {
        text += "It was in force already: nothing is changed.\n";
    }
    printable_lines(&text)
}

fn next_step(error: &cleanbill_advisory::Error) -> Failure {
    let step = match error.kind() {
        ErrorKind::Older => "fetch or build a newer one, or take this one with --force",
        ErrorKind::Malformed | ErrorKind::Damaged | ErrorKind::OverLimit => {
            "bring the file here again, from where `cleanbill db verify` accepts it"
        }
        ErrorKind::Full => &make_room(error),
        ErrorKind::NotFound | ErrorKind::Network | ErrorKind::Io => "mend that and load it again",
    };
    failed(error).next(format!("{step}; what was in force stays as it was"))
}
