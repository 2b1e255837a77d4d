//! Red Hat's VEX documents, one a flaw, in the form of CSAF 2.0
//! (<https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>): for each product
//! and package where the flaw stands, what is not fixed included. OSV's zip of Red Hat is made of
//! errata, and knows of fixes alone.
//!
//! Kept is what is said of Red Hat Enterprise Linux, in the streams that OSV gives it
//! (`Red Hat:enterprise_linux:9::baseos`), and of its streams with longer support
//! (`Red Hat:rhel_eus:9.2::baseos`), which images are looked up in that name their repositories. Other
//! products are counted. Beside the documents, `repository-to-cpe.json` says which products Red Hat's
//! repositories have; without it nothing is known of these.

use std::path::Path;

use super::csaf::{Names, Publisher};
use crate::error::Result;
use crate::gather::Gathered;
use crate::limits::Limits;

mod cpe;
mod products;
mod repositories;
mod statements;
#[cfg(test)]
mod tests;

pub(crate) use repositories::FILE as REPOSITORIES;

/// The documents.
pub(crate) static RED_HAT: Publisher = Publisher {
    id: "redhat",
    archive: "vex.tar.zst",
    names: Names::ByYear,
    others: "other products than Red Hat Enterprise Linux, or other things than its packages",
    said: statements::read,
    covered_with: products::covered_with,
};

/// Reads the documents below `folder`. As old as the newest document.
///
/// # Errors
/// When there are none, one of the files is damaged, or too much is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    repositories::read(folder, limits, into)?;
    RED_HAT.read(folder, limits, into)
}

/// Reads one document: the entry for tests and fuzzing.
///
/// # Errors
/// When it is no such document, or too much of it is not understood.
pub fn parse(json: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    RED_HAT.parse(json, limits, into)
}

/// Reads a list of repositories: the entry for tests and fuzzing.
///
/// # Errors
/// When it is no such list, or too much of it is not understood.
pub fn parse_repositories(json: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    repositories::parse(json, limits, into)
}

/// Reads an archive of documents, packed or not: the entry for fuzzing.
///
/// # Errors
/// When it is none, or too much of it is not understood.
pub fn parse_archive(bytes: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    RED_HAT.parse_archive(bytes, limits, into)
}
