//! What feeds say: about one package in one stream, and about a flaw wherever it is.

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
    /// The first version of which nobody says that it is affected; nor that it is a fix.
    Before(String),
    /// No end is known: every later version is affected.
    Open,
}

impl RangeEnd {
    /// The version that it names.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Fixed(version) | Self::LastAffected(version) | Self::Before(version) => {
                Some(version)
            }
            Self::Open => None,
        }
    }
}

/// Where a flaw stands for a package in the eyes of who publishes the advisory, beyond which
/// versions it says are affected.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Affected, as the ranges say; nothing is said of what comes.
    #[default]
    Affected,
    /// No version is affected (Alpine's and Debian's `0`, a VEX `known_not_affected`).
    NotAffected,
    /// Affected, and the vendor will not fix it.
    WillNotFix,
    /// Affected, and the vendor will fix it some time (Debian's `postponed`).
    FixDeferred,
    /// Affected, and this stream gets no fixes any more.
    EndOfLife,
    /// The vendor does not know yet whether it is affected: it counts as affected.
    UnderInvestigation,
}

impl State {
    /// Every state, in the order of their numbers in snapshots: new ones come last.
    pub const ALL: [Self; 6] = [
        Self::Affected,
        Self::NotAffected,
        Self::WillNotFix,
        Self::FixDeferred,
        Self::EndOfLife,
        Self::UnderInvestigation,
    ];
}

/// One flaw as one feed states it for one package of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The id the finding goes by: a CVE where one is known, else the feed's own id.
    pub id: String,
    /// Every other id of the same flaw (aliases), the feed's own included.
    pub aliases: Vec<String>,
    /// Ids that group several flaws (errata such as ALSA): shown, never used to join flaws, even
    /// where another advisory has them as aliases.
    pub errata: Vec<String>,
    /// The severity that this feed gives; `Unknown` where it gives none.
    pub severity: Severity,
    /// The CVSS vector it was computed from, where there is one.
    pub cvss: Option<String>,
    /// Affected stretches; a version in any of them is affected.
    pub ranges: Vec<Range>,
    /// Affected versions listed one by one; an *or* to the ranges.
    pub versions: Vec<String>,
    /// What the feed says beyond the ranges.
    pub state: State,
    /// The module stream that it is about (`nodejs:18`): packages of another stream, or of none,
    /// are not its matter. `None`: packages outside of modules.
    pub module: Option<String>,
    /// The architectures that it is about, as package databases write them; empty: all.
    pub arches: Vec<String>,
    /// What of this entry could not be understood, such as a range of an unknown type.
    pub unreadable: Option<String>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
}

/// How bad a flaw is in the eyes of one source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rating {
    /// Who rates: `nvd`, `ghsa`, a distribution's id, or a feed's.
    pub source: String,
    /// How bad.
    pub severity: Severity,
    /// The CVSS vector that it was computed from, where there is one.
    pub cvss: Option<String>,
}

/// How likely a flaw is to be exploited in the next 30 days (FIRST's EPSS). In hundred-thousandths,
/// as EPSS is published with five decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epss {
    /// The probability, from 0 to 100,000.
    pub probability: u32,
    /// The share of flaws with the same or a lower one, from 0 to 100,000.
    pub percentile: u32,
}

/// What is known of a flaw, whatever package has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlawFacts {
    /// Every rating, sorted by source, one a source.
    pub ratings: Vec<Rating>,
    /// How likely it is to be exploited, where that was estimated.
    pub epss: Option<Epss>,
    /// Whether it is in CISA's catalogue of known exploited vulnerabilities.
    pub exploited: bool,
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

/// What is known of a repository of packages, which Red Hat calls a content set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentSet {
    /// Nothing is known of any repository: no list of them is there.
    NoList,
    /// The list does not have it.
    Unknown,
    /// The products that its packages belong to, by the streams of their advisories; empty: the
    /// list has it, and names none.
    Products(Vec<Stream>),
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

    /// Every feed there is.
    fn feeds(&self) -> &[Feed];

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

    /// What is known of a repository that an image of Red Hat's names, by its whole name.
    ///
    /// # Errors
    /// When the data cannot be read or fails its checksum.
    fn content_set(&self, name: &str) -> Result<ContentSet, Self::Error>;

    /// What is known of the flaw with this id; empty facts where nothing is.
    ///
    /// # Errors
    /// When the data cannot be read or fails its checksum.
    fn flaw(&self, id: &str) -> Result<FlawFacts, Self::Error>;
}
