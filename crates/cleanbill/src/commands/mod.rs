//! One file a command: its arguments ([`clap::Args`]), the examples under its help (`AFTER`) and
//! `run(args) -> failure::Result<Exit>`. To add one: add a file, and a line in `cli::Command`.
//!
//! What several commands share: [`access`] (how registries are spoken to), [`source`] (where an
//! image comes from), [`facts`] (which advisories, how old), [`output`] (what is shown and how),
//! [`suppress`] (what is left out), [`trivy`] (flags we do not have yet), [`record`] (where the gate's
//! record is, and decisions as JSON).

pub mod access;
pub mod breakglass;
pub mod check;
pub mod db;
pub mod decisions;
pub mod doctor;
pub mod explain;
pub mod facts;
pub mod impact;
pub mod keygen;
pub mod output;
pub mod policy;
pub mod practice;
pub mod quickstart;
pub mod receipt;
pub mod record;
pub mod register;
pub mod replay;
pub mod rootfs;
pub mod scan;
pub mod serve;
pub mod setup;
pub mod simulate;
pub mod source;
pub mod suppress;
pub mod trivy;
pub mod warm;
pub mod why;
