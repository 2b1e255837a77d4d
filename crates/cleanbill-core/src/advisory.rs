//! What a feed says about one package in one stream.

use serde::{Deserialize, Serialize};

use crate::ecosystem::Stream;
use crate::severity::Severity;
use crate::{Date, Timestamp};

/// A stretch of affected versions: from `introduced` on (`None`: from the very first), up to
/// its end. Versions are kept as the feed wrote them; comparing is the matcher's work.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// First affected version; `None` when everything from the beginning is.
    pub introduced: Option<String>,
    /// Where it ends.
    pub end: RangeEnd,
}

/// How a range ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RangeEnd {
    /// The first version that is not affected any more.
    Fixed(String),
    /// The last version that is affected; no fix is named.
    LastAffected(String),
    /// No end is known: every later version is affected.
    Open,
}

/// One flaw as one feed states it for one package of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The id the finding goes by: a CVE where one is known, else the feed's own id.
    pub id: String,
    /// Every other id of the same flaw (aliases), the feed's own included.
    pub aliases: Vec<String>,
    /// Ids that group several flaws (errata such as ALSA): shown, never used to join flaws.
    pub errata: Vec<String>,
    /// The severity; where this feed gives none, the highest that another feed of the snapshot
    /// gives to the same id; else `Unknown`.
    pub severity: Severity,
    /// The CVSS vector it was computed from, where there is one.
    pub cvss: Option<String>,
    /// Affected stretches; a version in any of them is affected.
    pub ranges: Vec<Range>,
    /// Affected versions listed one by one; an *or* to the ranges.
    pub versions: Vec<String>,
    /// Versions for which the feed says that the flaw never applied (Alpine's `0`).
    pub not_affected: bool,
    /// What of this entry could not be understood, such as a range of an unknown type.
    pub unreadable: Option<String>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
}

/// A feed as the snapshot describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its id, such as `osv:PyPI`, `alpine-secdb`, `kev`, `eol`.
    pub id: String,
    /// The date of its newest entry, or the date the publisher gives: how old the facts are.
    pub as_of: Option<Timestamp>,
    /// The licence under which its publisher offers it.
    pub licence: String,
    /// Advisories taken from it.
    pub advisories: u64,
    /// Entries that could not be understood at all.
    pub not_understood: u64,
    /// The streams that it covers.
    pub streams: Vec<Stream>,
}

/// The life of one release of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseLife {
    /// First day without regular support; `None` where it has not been announced.
    pub end_of_life: Option<Date>,
}

/// Where the matcher gets its advisories: a snapshot file, or a list in memory.
///
/// A look-up that fails is an error, never an empty list.
pub trait Advisories {
    /// What a failed look-up returns.
    type Error;

    /// All advisories about the package `name` (as the ecosystem normalises it) in `stream`.
    ///
    /// # Errors
    /// When the data cannot be read or fails its checksum.
    fn lookup(&self, stream: &Stream, name: &str) -> Result<Vec<Advisory>, Self::Error>;

    /// The feed that covers `stream`, or `None`: no advisory source.
    fn covering(&self, stream: &Stream) -> Option<&Feed>;

    /// The life of a release (`alpine`, `3.9`), or `None` where no date is known.
    ///
    /// # Errors
    /// When the data cannot be read or fails its checksum.
    fn release_life(
        &self,
        distribution: &str,
        release: &str,
    ) -> Result<Option<ReleaseLife>, Self::Error>;

    /// Whether the flaw is in CISA's catalogue of known exploited vulnerabilities.
    ///
    /// # Errors
    /// When the data cannot be read or fails its checksum.
    fn known_exploited(&self, id: &str) -> Result<bool, Self::Error>;
}
