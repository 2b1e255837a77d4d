//! The simulator's table: configurations, kubeconfigs, replies and failures, each with what
//! kube-apiserver makes of it.
//!
//! The rows (`rows/*.yaml`) are played by the simulator here, and by a real kube-apiserver in
//! `tests/apiserver` where there is one: both must agree.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod cli;
mod doctor;
mod hostile;
mod pki;
mod rows;
mod table;
// Listening in another way is for an API server that goes on running.
#[allow(dead_code)]
mod webhook;
