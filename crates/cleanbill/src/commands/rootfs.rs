//! `cleanbill rootfs`: the same as `scan` for a folder that holds a root filesystem.

use std::path::PathBuf;

use crate::commands::access::Access;
use crate::commands::facts::FactsArgs;
use crate::commands::output::OutputArgs;
use crate::commands::scan;
use crate::commands::source::{BoundsArgs, Source, Wanted};
use crate::exit::Exit;
use crate::failure::Result;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill rootfs /mnt/image
  cleanbill rootfs -f json -o report.json ./rootfs";

/// Arguments of `rootfs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder
    dir: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    bounds: BoundsArgs,
}

/// Runs the command.
///
/// # Errors
/// When the folder cannot be read or the report not be written.
pub fn run(args: Args) -> Result<Exit> {
    let source = Source {
        wanted: Wanted::Rootfs(args.dir),
        platform: None,
        access: Access::default(),
        limits: args.bounds.limits()?,
    };
    scan::report(&source, &args.output, &args.facts)
}
