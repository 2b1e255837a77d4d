//! A real kube-apiserver in front of the gate: what it sends, and what it makes of the answers.
//!
//! Without one (`KUBEBUILDER_ASSETS`) the tests say that they were skipped; CI sets
//! `CLEANBILL_REQUIRE_PARTS`, which makes that a failure.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod applied;
mod assets;
mod client;
mod cluster;
mod counting;
mod doctor;
mod image_policy;
mod renewal;
mod setup_files;
mod table;
mod webhook;
mod webhooks;
// The gate as a process, and a registry that it asks, as the tests of the whole gate have them.
#[allow(dead_code)]
#[path = "../whole_gate/registry.rs"]
mod registry;
#[allow(dead_code)]
#[path = "../whole_gate/rig.rs"]
mod rig;
// The simulator's table, which is played here too.
#[allow(dead_code)]
#[path = "../simulate/pki.rs"]
mod pki;
#[allow(dead_code)]
#[path = "../simulate/webhook.rs"]
mod playing;
#[allow(dead_code)]
#[path = "../simulate/rows.rs"]
mod rows;
// What a kubelet does with a manifest.
#[path = "../setup/node/supervisor.rs"]
mod supervisor;
