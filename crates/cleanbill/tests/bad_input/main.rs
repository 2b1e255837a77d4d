//! Bad input as a user meets it, through the program itself: each way in which an image, its
//! archive or its name can be wrong, with the exit code and the exact words.
//!
//! What can only be seen below (ratios, long downloads, fuzzed bytes) is tested where it is
//! read; docs/security.md names those tests.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod archives;
mod documents;
mod layers;
mod program;
mod stdin;
