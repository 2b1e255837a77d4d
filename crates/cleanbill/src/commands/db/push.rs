//! `cleanbill db push`: a snapshot into a registry, for others to pull.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::reference::ImageRef;

use super::unwritten;
use crate::commands::access::AccessArgs;
use crate::commands::source::duration;
use crate::failure::{Failure, Result};
use crate::report::text::printable_lines;
use crate::snapshot_choice::choose;
use crate::{key_file, mirror};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db push registry.example/mirrors/advisories:1
  cleanbill db push registry.example/mirrors/advisories:1 --sign-key advisories.key
The snapshot is read whole before it is sent. With --sign-key (cleanbill keygen) whoever pulls can
demand it: cleanbill db pull --key advisories.key.pub. The licences of its feeds hold for copies too.";

/// Arguments of `db push`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to: [REGISTRY/]REPOSITORY[:TAG]
    #[arg(value_name = "REF")]
    pub to: ImageRef,
    /// Snapshot file (default: the one that commands use)
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// Private key that signs it
    #[arg(long, value_name = "FILE")]
    pub sign_key: Option<PathBuf>,
    /// Time for all of it (default 1h)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// How registries are spoken to.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Pushes it and says what it is there.
///
/// # Errors
/// When it cannot be read, signed or put there.
pub fn run(args: Args, out: &mut dyn Write) -> Result<()> {
    let key = args.sign_key.as_deref().map(key_file::signing).transpose()?;
    let access = args.access.resolve(false)?;
    let snapshot = choose(args.db.as_deref())?;
    if snapshot.is_starter() {
        return Err(Failure::new("there is only the starter, which every copy of the program has")
            .next("make a snapshot: cleanbill db update; or name one: --db FILE"));
    }
    let registry = access.registry(args.to.registry(), &mirror::limits(args.timeout))?;
    let pushed = mirror::push::push(&snapshot, &args.to, &registry, key.as_ref())?;
    let mut text = format!(
        "{}: {} bytes, {}\n{}@{}\n",
        snapshot.name(),
        snapshot.size(),
        snapshot.digest(),
        args.to,
        pushed.manifest
    );
    if let Some(key) = key {
        text += &format!("signed by key {}\n", key.public().id());
    }
    if !pushed.sent {
        text += "The registry had the snapshot already.\n";
    }
    out.write_all(printable_lines(&text).as_bytes()).map_err(|e| unwritten(&e))
}
