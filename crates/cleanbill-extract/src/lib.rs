//! The files of an image → its [`Inventory`](cleanbill_core::inventory::Inventory).
//!
//! Each ecosystem is one file: which paths it wants, and how it parses them into raw facts. The
//! [`LayerExaminer`] is pushed the entries of one layer with the content that it asks for and
//! gives [`LayerFacts`], which depend on that layer and the [`Options`] alone; [`merge`] judges
//! what crosses layers (whiteouts, links, which database is the last) on the merged tree.
//!
//! A package database that is there and cannot be read is a gap, never an empty list. All of it
//! is hostile input: nothing here recurses on it, indexes it or holds more of it than
//! [`Options::file_bytes`].
//!
//! This crate must not read files or the network, and must not know advisories or policy. What
//! a package database says is the image's own word; see `docs/security.md`.

mod apk;
mod bitnami;
mod checksums;
mod content_manifest;
mod dpkg;
mod elf;
mod examiner;
mod extractors;
mod facts;
mod go_binary;
mod merged;
mod node;
mod options;
mod os_release;
mod owners;
mod passwd;
mod program;
mod purl;
mod python;
mod room;
mod rpm;
mod rust_binary;
mod yum;

pub use examiner::{Interest, LayerExaminer};
pub use extractors::{Wanted, parse};
pub use facts::{LayerFacts, Part};
pub use merged::{Merged, merge};
pub use options::{Extra, Options};
pub use rpm::{fuzz_header as fuzz_rpm_header, fuzz_log as fuzz_rpm_log};

/// The version of this engine: raised whenever an extractor reads something else or reads it
/// otherwise, so that facts kept from before are not used again.
pub const ENGINE: u32 = 6;
