//! Every step of a decision fails in every way it can, not by chance: none of it ends in "allowed",
//! and once the fault is gone the next question is answered.
//!
//! [`points`] lists the steps and their faults; [`path`] is the gate that they strike.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod path;
mod points;
// Shared with the tests of the gate, which use all of it.
#[allow(dead_code)]
#[path = "../gate/rig.rs"]
mod rig;
// Shared with the tests of pull secrets, which use all of it.
#[allow(dead_code)]
#[path = "../kubernetes/server.rs"]
mod server;
mod strike;
