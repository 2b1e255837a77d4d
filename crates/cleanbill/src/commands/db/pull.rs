//! `cleanbill db pull`: a snapshot from a registry, put where commands look for it.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::reference::ImageRef;

use super::{load, unwritten};
use crate::commands::access::AccessArgs;
use crate::commands::source::duration;
use crate::failure::Result;
use crate::mirror::pull::{Pull, Pulled, pull};
use crate::report::text::printable_lines;
use crate::snapshot_choice::looked_for;
use crate::{key_file, mirror};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db pull registry.example/mirrors/advisories:1 --key advisories.key.pub
  cleanbill db pull registry.example/mirrors/advisories@sha256:…
The snapshot is read whole before it takes the place of the one in force, which stays as .previous.
A running gate takes the new one by itself. Without --key nobody vouches for it but the registry:
its digests prove that it is whole, not who made it.";

/// Arguments of `db pull`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where from: [REGISTRY/]REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REF")]
    pub from: ImageRef,
    /// Public key that must have signed it; repeatable, one of them is enough
    #[arg(long, value_name = "PUB")]
    pub key: Vec<PathBuf>,
    /// Take it too where feeds go back to older dates or are missing
    #[arg(long)]
    pub force: bool,
    /// Snapshot file to replace (default: the one that commands look for)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Time for all of it (default 1h)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// How registries are spoken to.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Pulls it and says what is in force now; `progress` is told what is fetched.
///
/// # Errors
/// When it is not taken: what was in force stays.
pub fn run(args: Args, progress: &mut dyn Write, out: &mut dyn Write) -> Result<()> {
    let keys = args.key.iter().map(|path| key_file::public(path)).collect::<Result<Vec<_>>>()?;
    let access = args.access.resolve(false)?;
    let limits = mirror::limits(args.timeout);
    let registry = access.registry(args.from.registry(), &limits)?;
    let place = args.out.map_or_else(looked_for, Ok)?;
    let wanted = Pull { name: &args.from, keys: &keys, out: place.clone(), force: args.force };
    // Progress is a courtesy: that it cannot be shown stops nothing.
    let mut say = |line: &str| _ = writeln!(progress, "{}", printable_lines(line));
    let pulled = pull(&wanted, &registry, &limits, &mut say)?;
    let text = load::said(&place, &pulled.loaded) + &said(&args.from, &pulled);
    out.write_all(text.as_bytes()).map_err(|e| unwritten(&e))
}

/// Where it came from, and who vouches for it.
pub fn said(from: &ImageRef, pulled: &Pulled) -> String {
    let mut text = format!("from {} with the manifest {}\n", from, pulled.manifest);
    if let Some(key) = pulled.by {
        text += &format!("signed by key {}\n", key.id());
    } else if pulled.unasked {
        text += "note: it is signed, and nobody checked by whom: give the public key with --key\n";
    }
    printable_lines(&text)
}
