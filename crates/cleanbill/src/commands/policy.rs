//! `cleanbill policy`: see whether a policy is right, and what it means.

use std::io::Write as _;

use clap::Subcommand;
use cleanbill_core::Timestamp;

use crate::exit::Exit;
use crate::failure::{Failure, Result};

pub mod check;
pub mod explain;
mod looking;
pub mod suggest;
pub mod test;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill policy check policy.yaml
  cleanbill policy explain policy.yaml
  cleanbill policy test policies/tests/
  cleanbill policy suggest --config cleanbill.yaml --since 14d

docs/policy.md describes every key.";

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Policy,
}

/// The commands about policies.
#[derive(Debug, Subcommand)]
enum Policy {
    /// Say everything that is wrong with policy files, with line, column and hint
    #[command(after_help = check::AFTER)]
    Check(check::Args),
    /// Say in sentences what a policy means
    #[command(after_help = explain::AFTER)]
    Explain(explain::Args),
    /// Judge cases written in YAML, and say which do not come out as expected
    #[command(after_help = test::AFTER)]
    Test(Box<test::Args>),
    /// Suggest the strictest policy that images pass, with expiring exceptions for the rest
    #[command(after_help = suggest::AFTER)]
    Suggest(Box<suggest::Args>),
}

/// Runs the command.
///
/// # Errors
/// When it could not do what was asked.
pub fn run(args: &Args) -> Result<Exit> {
    let now = Timestamp::now();
    let (text, exit) = match &args.command {
        Policy::Check(args) => check::run(args, now)?,
        Policy::Test(args) => test::run(args, now)?,
        Policy::Suggest(args) => suggest::run(args, now)?,
        Policy::Explain(args) => (explain::run(args, now)?, Exit::DONE),
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the output: {e}")))
        }
        Ok(()) | Err(_) => Ok(exit),
    }
}
