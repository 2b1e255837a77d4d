//! SUSE's VEX documents, one a flaw, in the form of CSAF 2.0
//! (<https://www.suse.com/support/security/csaf/>), for SUSE Linux Enterprise and openSUSE: for each
//! product and package where the flaw stands, what is not fixed included. OSV's zips of both are made
//! of errata, and know of fixes alone.
//!
//! Kept is what is said of products that some image is looked up in (see [`products`]), and mostly of
//! sources: SUSE says the same of all packages that are built from one (see [`statements`]).

use std::path::Path;

use super::csaf::{Names, Publisher};
use crate::error::Result;
use crate::gather::Gathered;
use crate::limits::Limits;

mod products;
mod statements;
#[cfg(test)]
mod tests;

/// The documents.
pub(crate) static SUSE: Publisher = Publisher {
    id: "suse",
    archive: "csaf-vex.tar.bz2",
    names: Names::InOneFolder,
    others: "other products than SUSE Linux Enterprise Server, its modules and openSUSE, or other \
             things than their packages",
    said: statements::read,
    covered_with: |_, _| Vec::new(),
};

/// Reads the documents below `folder`. As old as the newest document.
///
/// # Errors
/// When there are none, one of the files is damaged, or too much is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    SUSE.read(folder, limits, into)
}

/// Reads one document: the entry for tests and fuzzing.
///
/// # Errors
/// When it is no such document, or too much of it is not understood.
pub fn parse(json: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    SUSE.parse(json, limits, into)
}

/// Reads an archive of documents, packed or not: the entry for fuzzing.
///
/// # Errors
/// When it is none, or too much of it is not understood.
pub fn parse_archive(bytes: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    SUSE.parse_archive(bytes, limits, into)
}
