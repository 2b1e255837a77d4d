//! `cleanbill receipt`: signed statements of what was decided, which anyone can check offline.

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Result;

pub mod verify;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill receipt verify receipt.json --key receipts.key.pub

docs/receipts.md says how to check one with nothing but openssl.";

/// Arguments of `receipt`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Receipt,
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
    match &args.command {
        Receipt::Verify(args) => verify::run(args),
    }
}
