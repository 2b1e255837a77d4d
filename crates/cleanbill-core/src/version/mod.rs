//! Version orders, one file a scheme, all of one shape: `parse` a text or say why not, then
//! compare. A version that does not parse is never equal, lower or higher: it is an error that
//! the matcher turns into a gap, the same way for every scheme.

use serde::{Deserialize, Serialize};

/// How versions of an ecosystem are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scheme {
    /// Alpine's apk-tools.
    Apk,
    /// Debian's dpkg (deb-version(7)).
    Deb,
    /// Python's PEP 440.
    Pep440,
    /// Semantic Versioning 2.0.0 as npm reads it.
    Semver,
    /// Go modules: semver with `v`, `+incompatible`, pseudo-versions, and toolchains (`go1.22rc1`).
    Go,
}
