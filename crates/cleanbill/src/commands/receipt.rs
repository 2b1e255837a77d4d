//! `cleanbill receipt`: signed statements of what was decided, which anyone can check offline.

use std::path::PathBuf;

use clap::Subcommand;

use crate::commands::record::StateArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

pub mod export;
pub mod verify;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill receipt 4k2jq8m0v5x7c1d9ghtn --key receipts.key > receipt.json
  cleanbill receipt verify receipt.json --key receipts.key.pub

docs/receipts.md says how to check one with nothing but openssl.";

/// Arguments of `receipt`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Receipt>,
    /// The decision's id
    #[arg(required = true)]
    id: Option<String>,
    /// Private key to sign with (cleanbill keygen)
    #[arg(long, value_name = "FILE", required = true)]
    key: Option<PathBuf>,
    #[command(flatten)]
    state: StateArgs,
}

/// The commands about receipts.
#[derive(Debug, Subcommand)]
enum Receipt {
    /// Check a receipt's signature, and print what it says
    #[command(after_help = verify::AFTER)]
    Verify(verify::Args),
}

/// Runs the command.
///
/// # Errors
/// When it could not do what was asked, or a signature does not hold.
pub fn run(args: &Args) -> Result<Exit> {
    match (&args.command, &args.id, &args.key) {
        (Some(Receipt::Verify(args)), ..) => verify::run(args),
        (None, Some(id), Some(key)) => export::run(id, key, &args.state),
        (None, ..) => Err(Failure::new("no decision was named").next("cleanbill receipt --help")),
    }
}
