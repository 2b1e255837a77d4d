//! `cargo xtask starter [FOLDER]`: makes the snapshot that is part of the program from a folder
//! of feeds, and says what is in it. It is committed; a test holds that it is what this makes.

use std::path::PathBuf;

use cleanbill_advisory::{Snapshot, starter};

use crate::{Result, root, say};

/// Runs the chore; the argument says where the feeds are, by default the folder `shared/data`
/// beside the repository.
///
/// # Errors
/// When the feeds cannot be read or the result is too large.
pub fn run(args: &[String]) -> Result<()> {
    let from = args.first().map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let out = root().join("crates/cleanbill-advisory/data/starter.cbdb");
    let report = starter::make(&from, &out)?;
    Snapshot::open(&out)?.verify()?;
    say(&format!("{} bytes, {}", report.bytes, report.digest));
    for feed in &report.feeds {
        let date = feed.as_of.map_or_else(|| "no date".to_owned(), |t| t.to_string());
        say(&format!("{:14} {:7} {date} {}", feed.id, feed.advisories, feed.licence));
    }
    for ignored in &report.ignored {
        say(&format!("ignored: {ignored}"));
    }
    Ok(())
}
