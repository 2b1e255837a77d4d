//! `cleanbill db pull`: a snapshot from a registry, put where commands look for it.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::reference::ImageRef;

use super::chosen::Flags;
use super::origin::Origin;
use super::{config, load, teller, unwritten};
use crate::commands::access::AccessArgs;
use crate::commands::source::duration;
use crate::failure::{Failure, Result};
use crate::mirror::pull::{Pull, Pulled, pull};
use crate::progress::Progress;
use crate::report::text::printable_lines;
use crate::snapshot_choice::looked_for;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db pull registry.example/mirrors/advisories:1 --key advisories.key.pub
  cleanbill db pull registry.example/mirrors/advisories@sha256:…
The snapshot is read whole before it takes the place of the one in force, which stays as .previous.
A running gate takes the new one by itself. Without --key nobody vouches for it but the registry:
its digests prove that it is whole, not who made it. Flags come before the configuration, whose
settings of this snapshot hold besides (docs/advisories.md). A download that broke off goes on.";

/// Arguments of `db pull`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where from: [REGISTRY/]REPOSITORY[:TAG][@DIGEST] (default: the configuration's first snapshot)
    #[arg(value_name = "REF")]
    pub from: Option<ImageRef>,
    /// Configuration (default: ~/.config/cleanbill/db.yaml, else /etc/cleanbill/db.yaml)
    #[arg(long, short = 'c', value_name = "FILE")]
    pub config: Option<PathBuf>,
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
    let glance = Progress::new(true);
    let mut say = teller(progress, &glance);
    let config = config::read(args.config.as_deref(), &mut say)?;
    let from = args.from.or_else(|| config.snapshot().cloned()).ok_or_else(|| {
        Failure::new("no snapshot is named")
            .next("name one: cleanbill db pull REF; or write one into the configuration")
    })?;
    let origin = Origin::Snapshot(from.clone());
    let access = args.access.resolve(false)?;
    let flags = Flags { keys: &args.key, access, timeout: args.timeout };
    let (way, keys) = (flags.way(&origin, &config)?, flags.keys(&origin, &config)?);
    let place = args.out.or(config.out).map_or_else(looked_for, Ok)?;
    let wanted = Pull { name: &from, keys: &keys, out: place.clone(), force: args.force };
    let pulled = pull(&wanted, &way.registry(&from)?, &way.limits, &mut say)?;
    let text = load::said(&place, &pulled.loaded) + &said(&from, &pulled);
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
