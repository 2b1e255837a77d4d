//! The registry source against scripted servers on loopback, and against a real registry.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

mod server;

mod addresses;
mod blobs;
mod login;
mod pull;
mod push;
mod real;
mod tls;

use std::time::Duration;

use cleanbill_core::reference::ImageRef;
use cleanbill_oci::registry::{AddressRule, Registry, RegistryOptions};

/// Options for talking to these loopback hosts without TLS and without long waits.
fn options(hosts: &[String]) -> RegistryOptions {
    let mut options = RegistryOptions::new(AddressRule::Open);
    options.plain_http = hosts.to_vec();
    options.backoff = Duration::from_millis(2);
    options
}

fn registry(hosts: &[String]) -> Registry {
    Registry::new(options(hosts)).unwrap()
}

fn image(host: &str, rest: &str) -> ImageRef {
    format!("{host}/{rest}").parse().unwrap()
}
