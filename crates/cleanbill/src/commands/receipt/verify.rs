//! `cleanbill receipt verify`: whether a receipt is whole and whose it is.

use std::io::Write as _;
use std::path::PathBuf;

use cleanbill_trust::dsse;
use cleanbill_trust::statement::{self, Attested, DECISION};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::key_file;
use crate::report::json::ascii;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill receipt verify receipt.json --key receipts.key.pub
  cleanbill receipt verify receipt.json --key receipts.key.pub | jq .predicate

What it says goes to standard output as JSON, and only when the signature holds.
Exit codes: 0 it holds; 2 it does not, or it is no receipt.";

/// Arguments of `receipt verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The receipt
    file: PathBuf,
    /// Public key that must have signed it; repeatable, one of them is enough
    #[arg(long, value_name = "PUB", required = true)]
    key: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the receipt was not signed by one of the keys, or is none.
pub fn run(args: &Args) -> Result<Exit> {
    let keys = args.key.iter().map(|path| key_file::public(path)).collect::<Result<Vec<_>>>()?;
    let envelope = key_file::read(&args.file, dsse::ENVELOPE_MAX)?;
    let attested = statement::verify(&envelope, DECISION, &keys)
        .map_err(|e| Failure::new(format!("{}: {e}", args.file.display())))?;
    let text = serde_json::to_string_pretty(&shown(&attested))
        .map_err(|e| Failure::new(format!("cannot put the receipt into JSON: {e}")))?;
    match std::io::stdout().lock().write_all((ascii(&text) + "\n").as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(Failure::new(format!("cannot write what the receipt says: {e}")));
        }
        Ok(()) | Err(_) => {}
    }
    // A courtesy: the exit code and the field `key` say the same.
    _ = writeln!(std::io::stderr().lock(), "the signature holds, by key {}", attested.key.id());
    Ok(Exit::DONE)
}

fn shown(attested: &Attested) -> Value {
    let subjects = attested.subjects.iter();
    json!({
        "key": attested.key.id(),
        "subjects": subjects.map(|s| json!({"name": s.name, "digest": s.digest})).collect::<Vec<_>>(),
        "predicateType": attested.predicate_type,
        "predicate": attested.predicate,
    })
}
