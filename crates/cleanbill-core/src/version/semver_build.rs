//! Semver whose build metadata counts, after everything else: Pub's order (pub_semver: "build
//! versions are later than the version without") and Julia's (`VersionNumber`), where the same
//! source is built again as `1.2.3+1`. Rebuilt npm packages (`1.2.3+echo.1`) are ordered so too.

use super::semver::{self, Part, Semver};

/// A parsed version; the sequence of the fields is the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SemverBuild {
    version: Semver,
    /// Empty without metadata, which is lower than any.
    build: Vec<Part>,
}

pub(super) fn parse(text: &str) -> Result<SemverBuild, &'static str> {
    let version = semver::parse(text)?;
    let build = match text.split_once('+') {
        Some((_, build)) => semver::parts(build).ok_or("its build metadata is malformed")?,
        None => Vec::new(),
    };
    Ok(SemverBuild { version, build })
}
