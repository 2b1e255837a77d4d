//! Reading the Kubernetes API over TLS, and the logins that come of it.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod client;
mod secrets;
mod server;
