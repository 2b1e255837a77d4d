//! `cargo xtask bench gate`: the gate under load, next to a server that answers a constant with
//! the same TLS and HTTP, in one run on the same processors.
//!
//! Both servers are processes of their own; the gate is `cleanbill serve` with a configuration
//! made by `cleanbill setup`, its records on, and 10,000 images in its store. Everything else is
//! in this process, which builds itself anew with the release profile first.

mod beside;
mod client;
mod constant;
mod images;
mod oha;
mod process;
mod registry;
mod rig;
mod steps;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Result, dist, root, say};

/// How long, and how often.
struct Plan {
    rounds: usize,
    round: Duration,
    mixed: Duration,
    images: usize,
    /// `evidence_memory` of the gate, in MiB.
    memory: u64,
}

/// `cargo xtask bench gate [--long] [--rounds N] [--seconds N] [--images N]
/// [--memory MiB] [--beside PROGRAM,…] [--oha PROGRAM]`.
///
/// # Errors
/// When a server does not start, or an answer is another than it should be.
pub fn run_task(args: &[String]) -> Result<()> {
    if let [what, folder, port] = args
        && what == "constant"
    {
        return constant::serve(folder.as_ref(), port.parse()?);
    }
    if cfg!(debug_assertions) {
        return again(args);
    }
    let number = |flag: &str, default: u64| -> Result<u64> {
        match args.iter().position(|a| a == flag) {
            None => Ok(default),
            Some(at) => Ok(args.get(at + 1).ok_or(format!("{flag} wants a number"))?.parse()?),
        }
    };
    let mixed = if args.iter().any(|a| a == "--long") { 600 } else { 30 };
    let plan = Plan {
        rounds: usize::try_from(number("--rounds", 5)?)?,
        round: Duration::from_secs(number("--seconds", 4)?),
        mixed: Duration::from_secs(number("--mixed", mixed)?),
        images: usize::try_from(number("--images", 10_000)?)?,
        memory: number("--memory", 256)?,
    };
    if let Some(at) = args.iter().position(|a| a == "--beside") {
        let programs = args.get(at + 1).ok_or("--beside wants programs")?;
        return beside::all(&plan, &programs.split(',').map(Into::into).collect::<Vec<_>>());
    }
    let ours = dist::program()?;
    say(&super::machine()?);
    if let Some(at) = args.iter().position(|a| a == "--oha") {
        return oha::all(&plan, &ours, args.get(at + 1).ok_or("--oha wants a program")?.as_ref());
    }
    steps::all(&plan, &ours)
}

/// Puts a gate to work for a while and ends it in order.
///
/// # Errors
/// As [`run_task`].
pub fn work(program: &Path) -> Result<()> {
    let folder = tempfile::tempdir_in(crate::tools::inputs_dir()?)?;
    let rig = rig::Rig::new(folder.path(), program, 1000, 256)?;
    let gate = rig.gate()?;
    steps::work(&rig, &gate)?;
    gate.stop()
}

/// The same with the release profile: a slow client would make every server look the same.
fn again(args: &[String]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root())
        .args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench", "gate"])
        .args(args)
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("bench gate: {status}").into()),
    }
}
