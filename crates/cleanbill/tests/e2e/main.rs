//! End to end, with nothing of ours but the program: Debian's registry, skopeo, curl and OpenSSL
//! around it, on loopback. Without those parts the tests say that they were skipped; CI sets
//! `CLEANBILL_REQUIRE_PARTS`, which makes a missing part a failure.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod clients;
mod decisions;
mod gate;
mod images;
mod inventories;
mod owned;
mod parts;
mod registry;
