//! What `cleanbill setup` makes, read back with other eyes than those that wrote it.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod cluster;
mod command;
mod edit;
mod made;
mod modes;
mod node;
