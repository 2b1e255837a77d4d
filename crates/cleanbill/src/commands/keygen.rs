//! `cleanbill keygen`: a key that signs break-glass tokens and receipts.

use std::io::Write as _;
use std::path::PathBuf;

use cleanbill_trust::SigningKey;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::key_file;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill keygen --out breakglass.key
  cleanbill keygen --out /var/lib/cleanbill/receipts.key

Make one key for each purpose: whoever has the key that signs break-glass tokens can let any
image in. Only FILE.pub belongs on the gate; FILE itself stays with whoever signs.";

/// Arguments of `keygen`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File for the private key (mode 0600); the public key goes to FILE.pub
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When one of the files is there already, or cannot be written.
pub fn run(args: &Args) -> Result<Exit> {
    let key = SigningKey::generate().map_err(|e| Failure::new(e.to_string()))?;
    let public = key_file::write(&args.out, &key)?;
    let said = format!(
        "wrote {} (private: keep it from everyone else)\nwrote {}\nkey   {}\n",
        args.out.display(),
        public.display(),
        key.public().id()
    );
    std::io::stdout()
        .lock()
        .write_all(said.as_bytes())
        .map_err(|e| Failure::new(format!("the key is written, but saying so failed: {e}")))?;
    Ok(Exit::DONE)
}
