//! `cleanbill db`: fetch or build a snapshot of advisories, and see what is in one.

use std::io::Write;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::{Failure, Result};

pub mod build;
pub mod status;
pub mod update;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db update
  cleanbill db status
  cleanbill db build --from feeds/ --out advisories.cbdb";

/// Arguments of `db`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Db,
}

/// The commands about snapshots.
#[derive(Debug, Subcommand)]
enum Db {
    /// Build a snapshot from a folder of feeds
    #[command(after_help = build::AFTER)]
    Build(build::Args),
    /// Fetch the feeds that changed and build the snapshot that commands use
    #[command(after_help = update::AFTER)]
    Update(update::Args),
    /// Say which feeds a snapshot holds and how old they are
    #[command(after_help = status::AFTER)]
    Status(status::Args),
}

/// Runs the command.
///
/// # Errors
/// When it could not do what was asked.
pub fn run(args: Args) -> Result<Exit> {
    let mut text = Vec::new();
    match args.command {
        Db::Build(args) => build::run(&args, &mut text)?,
        Db::Update(args) => {
            let progress = &mut std::io::stderr().lock();
            update::run(&args, jiff::Timestamp::now(), progress, &mut text)?;
        }
        Db::Status(args) => status::run(&args, jiff::Timestamp::now(), &mut text)?,
    }
    match std::io::stdout().lock().write_all(&text) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(unwritten(&e)),
        Ok(()) | Err(_) => Ok(Exit::DONE),
    }
}

/// The output could not be written.
fn unwritten(error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write the output: {error}"))
}
