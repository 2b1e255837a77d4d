//! Scenarios: an extract of a feed and an inventory, and the findings that come of them. Each is
//! named for the rule that it proves. They go the whole way: feeds in their publishers' form, a
//! snapshot, the matcher.
#![allow(clippy::unwrap_used, clippy::panic)]

mod almalinux;
mod alpine;
mod amazon;
mod amazon_extras;
mod bolt;
mod debian;
mod distributions;
mod go;
mod languages;
mod npm;
mod oracle_photon_azure;
mod osv;
mod python;
mod red_hat;
mod red_hat_minor;
mod rocky;
mod support;
mod suse;
mod suse_documents;
mod suse_sources;
mod ubuntu;
mod wolfi;
