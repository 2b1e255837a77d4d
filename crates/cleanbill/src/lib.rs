//! The outermost room: command line, configuration, `assess` (the whole program read top-down),
//! admission server, setup and reports.
//!
//! The only crate that prints, reads the clock or knows the wire formats of the outside. It must
//! not judge: matching and deciding are `cleanbill-core`'s, and it has no way to say "allowed"
//! but to spend the permit that the judge gave.

pub mod apiserver;
pub mod assess;
pub mod checkers;
pub mod cli;
pub mod commands;
pub mod doctor;
pub mod examine;
pub mod exit;
pub mod failure;
pub mod impact;
pub mod key_file;
pub mod kube;
pub mod mirror;
pub mod needs;
pub mod policy_file;
pub mod practice;
pub mod progress;
pub mod quickstart;
pub mod rejudge;
pub mod report;
pub mod serve;
pub mod setup;
pub mod simulate;
pub mod snapshot_choice;
pub mod store;
pub mod subject;
pub mod trouble;
pub mod vex;
pub mod wiring;
