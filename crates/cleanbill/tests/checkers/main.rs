//! Checkers as they are asked for real: programs are started, servers are spoken to over TLS, and
//! whatever goes wrong is a gap within the time that was given.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod examples;
mod faults;
mod opinions;
// What the end-to-end tests use; not all of it is used here.
#[allow(dead_code)]
#[path = "../e2e/parts.rs"]
mod parts;
mod rig;
mod servers;
