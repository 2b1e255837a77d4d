//! Reading the Kubernetes API over TLS, the logins that come of it, and whose images a running gate
//! finds with them.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod client;
mod pods;
mod registry;
// Shared with the tests of the gate, which use all of it.
#[allow(dead_code)]
#[path = "../gate/rig.rs"]
mod rig;
mod secrets;
mod server;
