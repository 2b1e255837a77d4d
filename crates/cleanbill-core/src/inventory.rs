//! What is in one image of one platform: packages, distribution and gaps, no judgement yet.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::distribution::Distribution;
use crate::gap::Gap;
use crate::image::ImageFacts;
use crate::package::Package;

/// Everything that the merged image was found to hold. It depends on the image and on the
/// engine's version alone, never on advisories or policy, so it can be kept and judged again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The distribution, where the image names one.
    pub distribution: Option<Distribution>,
    /// What the image's configuration and files together say of how it runs.
    #[serde(default)]
    pub config: ImageFacts,
    /// All packages, sorted, each once.
    pub packages: Vec<Package>,
    /// What could not be examined.
    pub gaps: Vec<Gap>,
}

/// Names everything that the raw facts of one layer depend on.
///
/// The blob is part of it although its facts depend on the uncompressed bytes alone: an image's
/// configuration may claim any diff id for any blob, and only a pair that was read and compared
/// once may be believed without reading again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayerKey {
    /// Digest of the uncompressed layer.
    pub diff_id: Digest,
    /// Digest of the layer as it is stored.
    pub blob: Digest,
    /// The media type it was read as.
    pub media_type: String,
    /// The extraction engine's version; raised whenever an extractor reads something else.
    pub engine: u32,
    /// A digest of the options that change what is extracted (limits included).
    pub options: Digest,
}

/// Names everything that the inventory of a merged image depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InventoryKey {
    /// Its layers, lowest first.
    pub layers: Vec<LayerKey>,
    /// The digest of the image's configuration.
    pub config: Digest,
}
