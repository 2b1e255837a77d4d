//! The whole running program, `cleanbill serve` as a process of its own, while what it stands on
//! fails: each fault ends in no "allowed" and, when it is over, in the right answer.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod checker;
mod checkers;
mod clock;
mod disk;
mod files;
mod killed;
#[allow(dead_code)]
#[path = "../kubernetes/server.rs"]
mod kubernetes;
mod memory;
mod registries;
mod registry;
mod reload;
mod rig;
mod secrets;
mod signals;
