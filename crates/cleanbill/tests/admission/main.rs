//! `AdmissionReview`: what is read from a body, and that the API server would take our answers.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod answers;
mod creations;
mod hostile;
mod objects;
mod pinning;
mod questions;
mod rfc6902;
mod uids;
mod updates;
mod verify;
