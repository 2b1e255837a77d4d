//! `cleanbill explain`: how one decision of the gate came about, what to do about it, and whether
//! what it rests on is still there and says the same.

use crate::commands::record::{self, Format, FormatArgs, StateArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::report::Look;
use crate::report::text::printable_lines;
use grounds::Grounds;

mod facts;
mod grounds;
pub(in crate::commands) mod json;
#[cfg(test)]
mod tests;
mod text;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill explain 4k2jq8m0v5x7c1d9ghtn -c /etc/cleanbill/cleanbill.yaml
  cleanbill explain 4k2jq8m0v5x7c1d9ghtn --state-dir /var/lib/cleanbill -f json

The id stands in every denial and in the audit annotations. It is judged again from what was kept,
and matched again with the advisories of then; nothing is contacted or written. docs/output.md
describes the JSON.";

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The decision's id
    id: String,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    shown: FormatArgs,
}

/// Runs the command.
///
/// # Errors
/// When there is no such decision, or the record cannot be read.
pub fn run(args: &Args) -> Result<Exit> {
    let store = args.state.look()?;
    let decision = record::find(&store, &args.id)?;
    let grounds = Grounds::of(&store, &decision)?;
    match args.shown.format {
        Format::Table => {
            let text = text::page(&decision, &grounds, Look::of_stdout().width);
            record::done(&printable_lines(&text))
        }
        Format::Json => record::done(&record::pretty(&json::value(&decision, &grounds))?),
    }
}
