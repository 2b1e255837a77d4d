//! Everything a decision rests on, as one value: what was asked, what was found, by which data.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::distribution::Distribution;
use crate::finding::Finding;
use crate::gap::Gap;
use crate::package::Package;
use crate::platform::Platform;
use crate::reference::ImageRef;

pub use crate::image::{ImageFacts, RunsAs};

/// Which advisories were used: enough to find the same snapshot again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotId {
    /// The digest of the snapshot's content.
    pub digest: Digest,
    /// Whether it is the starter snapshot that is built into the binary.
    pub starter: bool,
    /// The feed in it that says which flaws are known to be exploited; `None`: there is none, so
    /// that [`Finding::known_exploited`] is `false` because nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_exploited: Option<FeedUse>,
    /// The feed in it that says how likely flaws are to be exploited; `None`: there is none, so
    /// that [`Finding::epss`] is absent because nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<FeedUse>,
}

/// How old a feed was that was used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedUse {
    /// The feed's id.
    pub feed: String,
    /// How old its facts are; `None` where it carries no date (which is a gap of its own).
    pub as_of: Option<crate::Timestamp>,
}

/// What was found in one platform's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformEvidence {
    /// The platform, where the image names one.
    pub platform: Option<Platform>,
    /// The digest of its manifest (a root filesystem folder: of its listing).
    pub digest: Digest,
    /// The distribution.
    pub distribution: Option<Distribution>,
    /// What its configuration says of how it runs; of a folder, nothing.
    #[serde(default)]
    pub config: ImageFacts,
    /// All packages that were recognised, sorted, each once.
    pub packages: Vec<Package>,
    /// Flaws, worst first.
    pub findings: Vec<Finding>,
    /// What was not examined, inventory's and matcher's.
    pub gaps: Vec<Gap>,
    /// The feeds that were used.
    pub feeds: Vec<FeedUse>,
}

/// What is known about one image name of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The name as it was asked for, completed.
    pub reference: ImageRef,
    /// The digest that the name was resolved to, once, before anything was read.
    pub resolved: Digest,
    /// One entry for every platform that was judged; never empty.
    pub platforms: Vec<PlatformEvidence>,
    /// Gaps about the image as a whole (mutable reference, platform not examined).
    pub gaps: Vec<Gap>,
    /// The advisories used.
    pub snapshot: SnapshotId,
}
