//! `cargo xtask nightly`: what takes longer than a commit should wait. Every part runs even if
//! another failed, and the result names all that did.

use std::process::Command;

use crate::{Result, bench, fuzz, parity, root, say};

/// One part: its name, and what it does.
type Part = (&'static str, fn() -> Result<()>);

const PARTS: &[Part] = &[
    ("big limits", big_limits),
    ("fuzz, 5 minutes each target", || fuzz::run_task(&["300".into()])),
    ("parity, the large archive too", || parity::run_task(&["large".into()])),
    ("bench", || bench::run_task(&["5".into()])),
    ("the gate under load, ten minutes of it", || {
        bench::run_task(&["gate".into(), "--long".into()])
    }),
    ("advisories about our dependencies", advisories),
];

/// `cargo xtask nightly`.
///
/// # Errors
/// When any part failed; the error names them.
pub fn run_task(_args: &[String]) -> Result<()> {
    let mut failed = Vec::new();
    for (name, part) in PARTS {
        say(&format!("== {name}"));
        if let Err(error) = part() {
            say(&format!("FAILED: {error}"));
            failed.push(*name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join("; ")).into()),
    }
}

/// Tests that write gigabytes or take minutes are `#[ignore]`d in the commit's tier.
fn big_limits() -> Result<()> {
    visible(&["test", "--release", "--workspace", "--", "--ignored"])
}

fn advisories() -> Result<()> {
    visible(&["deny", "check", "advisories"])
}

/// Runs cargo with its output shown.
fn visible(args: &[&str]) -> Result<()> {
    let status = Command::new("cargo").current_dir(root()).args(args).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("cargo {}: {status}", args.join(" ")).into()),
    }
}
