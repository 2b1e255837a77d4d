//! The gate over real TLS on loopback, with made-up evidence: who may ask, what is answered, and
//! that nothing that goes wrong ends in "allowed".

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod admission;
mod again;
mod curl;
mod examinations;
mod faults;
mod handshakes;
mod nameless;
mod plain;
mod questions;
mod registrations;
mod reload;
mod renewal;
mod rig;
