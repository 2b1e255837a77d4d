//! Registries as mirrors of snapshots, well and badly behaved: `db push`, `db pull` and the sources
//! of `db update`. Whatever goes wrong, the snapshot that was in force stays, and the error says so.
// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod configured;
mod faults;
mod feeds;
mod place;
mod real;
mod registry;
mod resumed;
mod round;
mod sources;
mod trust;
