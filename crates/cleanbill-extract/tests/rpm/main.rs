//! rpm: databases that its own tools made, databases made to hurt, and how layers bring them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of it is tests")]

#[path = "../support/mod.rs"]
mod support;

mod build;
mod hostile;
mod layers;
mod real;
mod seeds;
mod tools;

/// The database's paths, in the order of preference.
const SQLITE: &str = "var/lib/rpm/rpmdb.sqlite";
const NDB: &str = "usr/lib/sysimage/rpm/Packages.db";
const BERKELEY: &str = "var/lib/rpm/Packages";
const ALMALINUX: &str = "ID=\"almalinux\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"AlmaLinux 9.4\"\n";
