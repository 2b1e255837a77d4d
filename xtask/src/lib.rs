//! The chores of the workspace, as a library so that tests can run them. Never shipped, so it
//! may print, run programs and read the tree; it may not be depended on by any crate.

pub mod tidy;

use std::path::PathBuf;

/// A chore's result: what went wrong is told to a person and to nobody else.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The workspace's root folder.
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
