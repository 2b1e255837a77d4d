//! `cleanbill warm`: examines images before anybody asks about them, as the gate would.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Registered, refuse_by_name};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::text::printable;
use crate::serve::access::Access;
use crate::serve::config::Config;
use crate::serve::examiner::Deadline;
use crate::serve::load;
use crate::store::{Owner, Store};
use crate::wiring::Looking;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill warm --config cleanbill.yaml registry.example/app:1 registry.example/db@sha256:…
  kubectl get pods -A -o jsonpath=\"{.items[*].spec['initContainers', 'containers'][*].image}\" |
    tr -s '[:space:]' '\\n' | sort -u | cleanbill warm --config cleanbill.yaml -

Run it as the gate's user: what is found goes into the gate's own store. No registry is asked for
names that the policy refuses, nor for local images: those are known where they are registered.

Exit codes: 0 all are known now; 2 at least one is not (each is named): it could not be examined,
the policy refuses its name, or it is a local image that is not registered, or was registered
without being examined.";

/// The most images of one run.
const MOST: usize = 100_000;

/// Arguments of `warm`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of the images; - reads them from standard input, one a line
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// The gate's configuration
    #[arg(long, short = 'c', value_name = "FILE", default_value = "cleanbill.yaml")]
    config: PathBuf,
    /// Show no progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

/// Runs the command.
///
/// # Errors
/// When the configuration or the store cannot be used, or an image could not be examined.
pub fn run(args: &Args) -> Result<Exit> {
    let images = names(&args.images)?;
    let loaded = load::load(&args.config)?;
    let (config, policy) = (loaded.0, loaded.1);
    let store = Arc::new(Store::open(&config.state_dir, Owner::Gate)?);
    let looking = Looking::new(&config, Some(store))?;
    let progress = Progress::new(!args.quiet);
    let mut failed = 0_usize;
    let mut lines = String::new();
    for (at, image) in images.iter().enumerate() {
        progress.step(&format!("{} of {}: {}", at + 1, images.len(), printable(image)));
        let shown = printable(image);
        let line = match warm(&looking, &policy, image, &config) {
            Ok(known) => format!("{known}  {shown}"),
            Err(Unknown { word, why }) => {
                failed += 1;
                format!("{word}  {shown}: {}", printable(&why))
            }
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    progress.clear();
    match std::io::stdout().lock().write_all(lines.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(Failure::new(format!("cannot write: {e}")));
        }
        _ => {}
    }
    if failed == 0 { Ok(Exit::DONE) } else { Ok(Exit::FAILED) }
}

/// An image that is not known afterwards.
struct Unknown {
    /// What became of it, in eight characters.
    word: &'static str,
    why: String,
}

impl Unknown {
    fn failed(why: impl std::fmt::Display) -> Self {
        Self { word: "failed  ", why: why.to_string() }
    }
}

/// One image: what became of it in a word of eight characters.
fn warm(
    looking: &Looking,
    policy: &Policy,
    image: &str,
    config: &Config,
) -> std::result::Result<&'static str, Unknown> {
    let reference: ImageRef = image.parse().map_err(Unknown::failed)?;
    if refuse_by_name(&reference, policy).is_some() {
        let why = "the policy does not allow the name".to_owned();
        return Err(Unknown { word: "refused ", why });
    }
    if policy.is_local(&reference) {
        return registered(looking, &reference);
    }
    let access = Access::none();
    let until = || Deadline::after(config.work.examination);
    let digest = match reference.digest() {
        Some(digest) => *digest,
        None => looking.resolve(&reference, &access, until()).map_err(Unknown::failed)?,
    };
    let known = looking.examine(&reference.pinned(digest), &access, until());
    known.map(|_| "examined").map_err(Unknown::failed)
}

/// An image that no registry has is known by its registration, as the gate reads it.
fn registered(looking: &Looking, name: &ImageRef) -> std::result::Result<&'static str, Unknown> {
    let all = looking.registered(name).map_err(Unknown::failed)?;
    let meant = |r: &Registered| name.digest().is_none_or(|digest| *digest == r.digest);
    let mut meant = all.iter().filter(|r| meant(r)).peekable();
    if meant.peek().is_none() {
        let why = "no registry is asked for it, and no image is registered under the name: \
                   cleanbill register NAME --input ARCHIVE"
            .to_owned();
        return Err(Unknown { word: "missing ", why });
    }
    match meant.find(|r| r.evidence.is_none()) {
        None => Ok("local   "),
        Some(unseen) => {
            let node = &unseen.node;
            let why = format!("it was registered for node {node} without being examined");
            Err(Unknown { word: "unknown ", why })
        }
    }
}

fn names(given: &[String]) -> Result<Vec<String>> {
    if given != ["-"] {
        return Ok(given.to_vec());
    }
    let mut names = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| Failure::new(format!("standard input cannot be read: {e}")))?;
        let name = line.trim();
        if !name.is_empty() && !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
        if names.len() > MOST {
            return Err(Failure::new(format!("more than {MOST} images at once")));
        }
    }
    Ok(names)
}
