//! `cleanbill quickstart`: the whole of it in a minute, on example images or one's own.

use std::path::Path;

use crate::commands::facts::FactsArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::quickstart::tour::{self, Theme};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill quickstart              two examples; needs no network
  cleanbill quickstart app.tar      an image of yours, from docker save or as an OCI layout
  cleanbill quickstart nginx:alpine

Scans, starts a gate on 127.0.0.1 with fresh certificates, asks it as kube-apiserver does, and
cleans up.";

/// Days that a feed may be old in the scans of the tour before they call it a gap.
const MAX_AGE_DAYS: u32 = 7;

/// Arguments of `quickstart`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An image file or name (default: two examples that the program carries)
    #[arg(value_name = "ARCHIVE|IMAGE")]
    image: Option<String>,
    #[command(flatten)]
    facts: FactsArgs,
}

/// Runs the command.
///
/// # Errors
/// When a step of the tour fails.
pub fn run(args: Args) -> Result<Exit> {
    let theme = match args.image {
        None => Theme::Examples,
        Some(path) if Path::new(&path).exists() => Theme::File(path.into()),
        Some(name) => Theme::Image(name.parse().map_err(|e| {
            Failure::new(format!("{e}, and there is no file of that name"))
                .next("name an image file, or an image as [REGISTRY/]REPOSITORY[:TAG][@DIGEST]")
        })?),
    };
    tour::walk(theme, &args.facts.wanted(MAX_AGE_DAYS)?)?;
    Ok(Exit::DONE)
}
