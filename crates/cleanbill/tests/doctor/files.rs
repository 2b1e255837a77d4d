//! Manifests, admission configurations, kubeconfigs and the gate's configuration that are wrong.

use crate::row::{Row, check};

mod configuration;
mod gate;
mod kubeconfig;
mod manifest;

#[test]
fn wrong_files() {
    check(&TABLES.concat());
}

pub const TABLES: [&[Row]; 4] = [manifest::ROWS, configuration::ROWS, kubeconfig::ROWS, gate::ROWS];
