//! All that is not about flaws: where images come from, how they are named, as whom they run, how
//! old the advisories are, and what could not be examined. Where something has to be given way to,
//! it is because the judge refused an image for it.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::glob::Glob;
use cleanbill_core::image::RunsAs;
use cleanbill_core::policy::{AcceptedGap, NamePattern, Policy, Scope};
use cleanbill_core::verdict::Reason;

use super::MOST_ENTRIES;
use super::seen::{Sight, patterns};

/// The ages of advisories that are tried, in days. The first is the strict profile's: below it, one
/// failed update would stop a cluster.
pub(super) const AGES: [u32; 11] = [3, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650];

/// A gap that stands in the way, and the repositories that have it.
type Open = BTreeMap<(GapKind, Option<String>), BTreeSet<String>>;

/// The repositories that images may come from.
pub(super) fn allowed(sights: &[Sight]) -> Vec<NamePattern> {
    let of = |local: bool| -> BTreeSet<String> {
        sights.iter().filter(|s| s.is_local() == local).map(Sight::repository).collect()
    };
    // The list cannot be empty. Where every image is local, it names those: nothing else runs.
    let (remote, local) = (of(false), of(true));
    patterns(if remote.is_empty() { &local } else { &remote })
}

/// Whether every image that a registry has is named by digest.
pub(super) fn all_pinned(sights: &[Sight]) -> bool {
    sights.iter().filter(|s| !s.is_local()).all(|s| s.name.digest().is_some())
}

/// The repositories with an image that runs as root.
pub(super) fn root(sights: &[Sight]) -> BTreeSet<String> {
    let as_root = |s: &&Sight| {
        let mut platforms = s.evidence().flat_map(|e| &e.platforms);
        platforms.any(|p| p.config.runs_as_root == RunsAs::Root)
    };
    sights.iter().filter(as_root).map(Sight::repository).collect()
}

/// The least age of advisories past which at most so many repositories have older ones. What those
/// have is accepted for them alone, and what has no date whatever its age may be.
pub(super) fn feed_age(sights: &[Sight], policy: &Policy, spared: usize) -> u32 {
    let stale = |days: u32| {
        let aged = Policy { max_feed_age_days: days, ..policy.clone() };
        let mut open = open(sights, &aged);
        open.retain(|(kind, _), _| *kind == GapKind::StaleFeed);
        open
    };
    let few = |open: &Open| open.values().flatten().collect::<BTreeSet<_>>().len() <= spared;
    let [.., oldest] = AGES;
    let undated = stale(oldest);
    let fits = |days: &u32| {
        let open = stale(*days);
        open == undated || few(&open)
    };
    AGES.into_iter().find(fits).unwrap_or(oldest)
}

/// What has to be accepted: each kind where it is there, and for what stays the same from one
/// image to the next also what it is about.
pub(super) fn accepted_gaps(sights: &[Sight], policy: &Policy) -> Vec<AcceptedGap> {
    let every: BTreeSet<String> = sights.iter().map(Sight::repository).collect();
    let mut accepted = Vec::new();
    let open = open(sights, policy);
    for ((kind, subject), repositories) in &open {
        let (kind, mut repositories) = (*kind, repositories.clone());
        if subject.is_some()
            && let Some(any) = open.get(&(kind, None))
        {
            // There, it is accepted whatever it is about.
            repositories.retain(|name| !any.contains(name));
        }
        let subject = subject.as_ref().map(Glob::new);
        if repositories == every {
            // Nothing else is allowed to run.
            accepted.push(AcceptedGap { kind, subject, scope: Scope::default() });
            continue;
        }
        for part in patterns(&repositories).chunks(MOST_ENTRIES) {
            let scope = Scope { repositories: part.to_vec(), ..Scope::default() };
            accepted.push(AcceptedGap { kind, subject: subject.clone(), scope });
        }
    }
    accepted
}

/// The gaps for which the judge refuses images.
fn open(sights: &[Sight], policy: &Policy) -> Open {
    let mut open = Open::new();
    for sight in sights {
        let refused = sight.refused(policy).into_iter().flat_map(|denial| denial.refused);
        for gap in refused.flat_map(|(_, reasons)| reasons).flat_map(gaps) {
            let subject = lasts(gap.kind)
                .then_some(gap.subject)
                .filter(|text| super::written(text) && !text.contains('*'));
            open.entry((gap.kind, subject)).or_default().insert(sight.repository());
        }
    }
    open
}

fn gaps(reason: Reason) -> Vec<Gap> {
    match reason {
        Reason::Gaps(gaps) => gaps,
        Reason::NameNotAllowed { .. }
        | Reason::NoReference(_)
        | Reason::NotRegistered
        | Reason::DigestRequired
        | Reason::Severity { .. }
        | Reason::Rule { .. }
        | Reason::Checker { .. }
        | Reason::NothingAsked
        | Reason::WrongEvidence => Vec::new(),
    }
}

/// Whether what such a gap is about is the same in the repository's next image: a distribution, a
/// feed, a question. A package with its version, a path, a layer or a tag is not.
fn lasts(kind: GapKind) -> bool {
    match kind {
        GapKind::UnknownDistribution
        | GapKind::NoAdvisorySource
        | GapKind::EndOfLife
        | GapKind::UnknownEndOfLife
        | GapKind::StaleFeed
        | GapKind::PlatformNotExamined
        | GapKind::CheckerSilent
        | GapKind::UnknownImageFact => true,
        GapKind::UnreadableDatabase
        | GapKind::UnparseableVersion
        | GapKind::UnidentifiedVersion
        | GapKind::NothingRecognised
        | GapKind::OverLimit
        | GapKind::ForeignLayer
        | GapKind::EncryptedLayer
        | GapKind::UnknownLayerType
        | GapKind::UnresolvedLink
        | GapKind::MutableReference
        | GapKind::UnreadableAdvisory
        | GapKind::UnexaminedRegistration => false,
    }
}
