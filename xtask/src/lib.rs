//! The chores of the workspace, as a library so that tests can run them. Never shipped, so it
//! may print, run programs and read the tree; it may not be depended on by any crate.

#![expect(clippy::print_stdout, reason = "a chore's output is what it prints")]

pub mod bench;
pub mod dist;
pub mod fuzz;
pub mod inputs;
pub mod kube_assets;
pub mod nightly;
pub mod order;
pub mod parity;
pub mod starter;
pub mod tidy;
pub mod tools;

use std::path::PathBuf;

/// A chore's result: what went wrong is told to a person and to nobody else.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The workspace's root folder.
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// Prints a line of a chore's result.
pub fn say(line: &str) {
    println!("{line}");
}
