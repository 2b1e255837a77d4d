//! `cleanbill impact`: what other advisories mean for the images that the gate knows.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::policy::Policy;

use crate::commands::output::exit_code;
use crate::commands::record::{self, Format, FormatArgs, StateArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::impact::{Between, Impact, Pace, Record, compare};
use crate::report::text::printable_lines;
use crate::serve::load;
use crate::snapshot_choice;
use crate::store::{InForce, Store};

mod json;
#[cfg(test)]
mod tests;
mod text;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill impact -c /etc/cleanbill/cleanbill.yaml
  cleanbill impact --state-dir /var/lib/cleanbill --to new.cbdb --exit-code 1
  cleanbill impact -f json | jq -r '.images[] | select(.changed) | .name'

What was found in each image is matched by both snapshots and judged by the same policy, as for a
new pod now; nothing is contacted or written. docs/output.md describes the JSON.
Exit codes: 0 done; with --exit-code, N if an outcome changed, else 3 if an image could not be
judged; 2 failed.";

/// Arguments of `impact`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    state: StateArgs,
    /// The advisories of then (default: with --to those in force, else their .previous)
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The advisories of now (default: those that the gate has in force)
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// The policy to judge by (default: the one that the gate has in force)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    shown: FormatArgs,
    /// Exit N if an outcome changed, else 3 if an image could not be judged
    #[arg(long, value_name = "N", value_parser = exit_code)]
    exit_code: Option<u8>,
}

/// Runs the command.
///
/// # Errors
/// When the record, the policy or the advisories cannot be read.
pub fn run(args: &Args) -> Result<Exit> {
    let store = args.state.look()?;
    let to = to(&store, args.to.as_deref())?;
    let from = match (&args.from, &args.to) {
        // What is to come is held against what is.
        (None, Some(_)) => self::to(&store, None)?,
        (named, _) => from(&store, named.as_deref())?,
    };
    let policy = match args.policy.as_deref() {
        Some(path) => load::policy(path)?,
        None => policy(&store)?,
    };
    let between = Between { from: &from, to: &to, policy: &policy, now: Timestamp::now() };
    let impact = ask(&store, between)?;
    let text = match args.shown.format {
        Format::Table => printable_lines(&text::page(&impact, between)),
        Format::Json => record::pretty(&json::value(&impact, between))?,
    };
    record::put(&text)?;
    Ok(exit(&impact, args.exit_code))
}

fn ask(store: &Store, between: Between<'_>) -> Result<Impact> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pace = Pace { threads, gently: false, stop: &AtomicBool::new(false) };
    compare(store, Record::read(store, &|| true)?, between, pace)
}

fn exit(impact: &Impact, code: Option<u8>) -> Exit {
    let changed = |judged: &crate::impact::Judged| judged.changed();
    let open = !impact.unknown.is_empty() || impact.images.iter().any(|i| i.result.is_err());
    match code {
        None | Some(0) => Exit::DONE,
        Some(n) if impact.images.iter().any(|i| i.result.as_ref().is_ok_and(changed)) => {
            Exit::chosen(n)
        }
        Some(_) if open => Exit::GAPS,
        Some(_) => Exit::DONE,
    }
}

fn to(store: &Store, named: Option<&Path>) -> Result<Snapshot> {
    if let Some(path) = named {
        return snapshot_choice::choose(Some(path));
    }
    let none = || {
        Failure::new("the gate has noted no advisories yet").next("name both with --from and --to")
    };
    let digest = store.in_force(InForce::Snapshot)?.ok_or_else(none)?;
    store.open_snapshot(&digest)?.map_err(|why| {
        Failure::new(format!("the advisories in force cannot be had: {why}"))
            .next("name a snapshot with --from or --to")
    })
}

fn from(store: &Store, named: Option<&Path>) -> Result<Snapshot> {
    if let Some(path) = named {
        return snapshot_choice::choose(Some(path));
    }
    let next = "name those of then with --from";
    let digest = store.in_force(InForce::Snapshot)?;
    let noted = digest.map(|digest| store.snapshot(&digest)).transpose()?.flatten();
    let file = noted.ok_or_else(|| {
        Failure::new("the gate has noted no advisories yet, so that none are before them")
            .next(next)
    })?;
    let mut path = PathBuf::from(file.from).into_os_string();
    path.push(".previous");
    let path = PathBuf::from(path);
    if !path.exists() {
        let what = format!("there are no advisories of then: no {}", path.display());
        return Err(Failure::new(what).next(next));
    }
    snapshot_choice::choose(Some(&path))
}

fn policy(store: &Store) -> Result<Policy> {
    let next = "name one with --policy";
    let digest = store.in_force(InForce::Policy)?;
    let text = digest.map(|digest| store.policy(&digest)).transpose()?.flatten();
    let text = text.ok_or_else(|| Failure::new("the gate has noted no policy yet").next(next))?;
    serde_json::from_str(&text).map_err(|e| {
        Failure::new(format!("the policy in force cannot be understood: {e}")).next(next)
    })
}
