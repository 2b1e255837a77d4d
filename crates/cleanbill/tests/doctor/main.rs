//! `doctor` on a folder that is right, and on many that were made from it by one change each: the
//! first error is the cause.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod certificates;
mod cluster;
mod files;
mod network;
mod node;
mod odd;
mod reports;
mod row;
