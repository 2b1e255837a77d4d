//! From a name to evidence: the whole program, step by step, in this order.
//!
//! ```text
//! name ─▶ refused by its name alone? ─▶ root digest ─▶ images of the platforms ─▶ layers
//!      ─▶ inventory ─▶ findings and gaps ─▶ evidence ─▶ (decide, in the core)
//! ```
//!
//! This module puts the rooms together. It has no policy and no clock of its own and prints
//! nothing; what cannot be examined becomes a gap in the evidence, what fails an error.

use std::sync::Arc;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{Evidence, FeedUse, PlatformEvidence, SnapshotId};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{LeftTo, Matcher};
use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::image::{PinnedImage, PlatformChoice};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::Registry;

use serde::{Deserialize, Serialize};

use crate::examine::Examiner;
use crate::failure::Failure;
use crate::trouble::Trouble;

type Result<T> = std::result::Result<T, Trouble>;

/// The advisories to judge by, and when "now" is.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The advisories.
    pub snapshot: &'a Snapshot,
    /// The time that ages and ends of life are measured by.
    pub now: Timestamp,
    /// How old a feed may be, in days, before its use is a gap.
    pub max_feed_age_days: u32,
}

/// What was found in an image, before any advisories: it can be judged again and again without
/// asking the registry for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The digest that was asked for.
    pub resolved: Digest,
    /// Its images, one for each platform.
    pub platforms: Vec<FoundPlatform>,
    /// Gaps about the image as a whole.
    pub gaps: Vec<Gap>,
}

/// What was found in the image of one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPlatform {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The platform, where the image names one.
    pub platform: Option<Platform>,
    /// What could not be read of it.
    pub gaps: Vec<Gap>,
    /// What is in it.
    pub inventory: Inventory,
}

/// Steps one to six for an image that a registry has: from its name to evidence. The rules on
/// the name alone are applied before, by whoever holds the policy.
///
/// # Errors
/// When the image cannot be reached or read, or the advisories cannot.
pub fn assess(
    reference: &ImageRef,
    registry: &Registry,
    choice: &PlatformChoice,
    limits: &Arc<Limits>,
    examiner: &Examiner,
    against: Against<'_>,
) -> Result<Evidence> {
    let found = look(reference, registry, choice, limits, examiner)?;
    judge_found(reference, &found, against)
}

/// Steps one to five: what is in the image.
///
/// # Errors
/// When it cannot be reached or read.
pub fn look(
    reference: &ImageRef,
    registry: &Registry,
    choice: &PlatformChoice,
    limits: &Arc<Limits>,
    examiner: &Examiner,
) -> Result<Found> {
    let root = registry.root(reference)?;
    let resolved = root.descriptor.digest;
    let images = cleanbill_oci::image::resolve(root.content, root.descriptor, choice, limits)?;
    look_into(reference, resolved, &images, examiner)
}

/// The same for images that are already pinned: an archive, a layout.
///
/// # Errors
/// When a layer cannot be read.
pub fn look_into(
    reference: &ImageRef,
    resolved: Digest,
    images: &[PinnedImage],
    examiner: &Examiner,
) -> Result<Found> {
    let mut gaps = Vec::new();
    if images.is_empty() {
        let detail = "the image has nothing for any platform that nodes may select";
        gaps.push(Gap::new(GapKind::PlatformNotExamined, reference.to_string(), detail));
    }
    let platforms = images.iter().map(|image| {
        Ok(FoundPlatform {
            digest: image.digest,
            platform: image.platform.clone(),
            gaps: image.gaps.clone(),
            inventory: examiner.examine(image, &|_| ())?,
        })
    });
    Ok(Found { resolved, platforms: platforms.collect::<Result<_>>()?, gaps })
}

/// Step six: what the advisories say to what was found.
///
/// # Errors
/// When the advisories cannot be read.
pub fn judge_found(reference: &ImageRef, found: &Found, against: Against<'_>) -> Result<Evidence> {
    judge_found_many(reference, found, &mut Matcher::new(against.snapshot), against)
}

/// The same by a matcher of these advisories that knows other images already.
///
/// # Errors
/// When the advisories cannot be read.
pub fn judge_found_many(
    reference: &ImageRef,
    found: &Found,
    matcher: &mut Matcher<'_, Snapshot>,
    against: Against<'_>,
) -> Result<Evidence> {
    let Against { now, max_feed_age_days, .. } = against;
    let judged = found.platforms.iter().map(|p| {
        let mut evidence = judge_many(matcher, p.digest, &p.inventory, now, max_feed_age_days)?;
        evidence.platform.clone_from(&p.platform);
        evidence.gaps.extend(p.gaps.iter().cloned());
        evidence.gaps.sort();
        evidence.gaps.dedup();
        Ok(evidence)
    });
    let (reference, resolved, gaps) = (reference.clone(), found.resolved, found.gaps.clone());
    let (platforms, snapshot) = (judged.collect::<Result<_>>()?, snapshot_id(against.snapshot));
    Ok(Evidence { reference, resolved, platforms, gaps, snapshot })
}

/// From images that are already pinned to evidence.
///
/// # Errors
/// When a layer or the advisories cannot be read.
pub fn evidence(
    reference: &ImageRef,
    resolved: Digest,
    images: &[PinnedImage],
    examiner: &Examiner,
    against: Against<'_>,
) -> Result<Evidence> {
    judge_found(reference, &look_into(reference, resolved, images, examiner)?, against)
}

/// What is known about one image of one platform, once its inventory is there.
///
/// # Errors
/// When the advisories cannot be read.
pub fn judge(
    image: &PinnedImage,
    inventory: &Inventory,
    against: Against<'_>,
) -> Result<PlatformEvidence> {
    let mut evidence = judge_inventory(image.digest, inventory, against)?;
    evidence.platform.clone_from(&image.platform);
    evidence.gaps.extend(image.gaps.iter().cloned());
    evidence.gaps.sort();
    evidence.gaps.dedup();
    Ok(evidence)
}

/// The same for what is no image: a root filesystem folder with a digest of its own.
///
/// # Errors
/// When the advisories cannot be read.
pub fn judge_inventory(
    digest: Digest,
    inventory: &Inventory,
    against: Against<'_>,
) -> Result<PlatformEvidence> {
    let Against { snapshot, now, max_feed_age_days } = against;
    judge_many(&mut Matcher::new(snapshot), digest, inventory, now, max_feed_age_days)
}

/// The same by a matcher that knows what it found out about packages of other inventories.
///
/// # Errors
/// When the advisories cannot be read.
pub fn judge_many(
    matcher: &mut Matcher<'_, Snapshot>,
    digest: Digest,
    inventory: &Inventory,
    now: Timestamp,
    max_feed_age_days: u32,
) -> Result<PlatformEvidence> {
    let matched = matcher.inventory(inventory, now, max_feed_age_days).map_err(unreadable)?;
    let mut gaps = inventory.gaps.clone();
    gaps.extend(matched.gaps);
    gaps.sort();
    gaps.dedup();
    Ok(PlatformEvidence {
        platform: None,
        digest,
        distribution: inventory.distribution.clone(),
        config: inventory.config.clone(),
        packages: inventory.packages.clone(),
        findings: matched.findings,
        gaps,
        feeds: matched.feeds,
    })
}

/// What the languages' advisories say of packages that the distribution packaged, and that count
/// only as far as the distribution's own advisories say so.
///
/// # Errors
/// When the advisories cannot be read.
pub fn left(inventory: &Inventory, snapshot: &Snapshot) -> Result<Vec<LeftTo>> {
    Ok(Matcher::new(snapshot).left(inventory).map_err(unreadable)?)
}

fn unreadable(why: cleanbill_advisory::Error) -> Failure {
    Failure::new(format!("the advisories cannot be read: {why}"))
        .next("build or fetch the snapshot anew: cleanbill db update")
}

/// Which advisories these are, for whoever judges again.
pub fn snapshot_id(snapshot: &Snapshot) -> SnapshotId {
    let used = |feed: &Feed| FeedUse { feed: feed.id.clone(), as_of: feed.as_of };
    SnapshotId {
        digest: snapshot.digest(),
        starter: snapshot.is_starter(),
        known_exploited: snapshot.known_exploited_feed().map(used),
        epss: snapshot.epss_feed().map(used),
    }
}
