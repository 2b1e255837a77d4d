//! Images by what is in them.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{
    Evidence, FeedUse, ImageFacts, PlatformEvidence, RunsAs, SnapshotId,
};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Outcome, Registered};

use super::Sight;

const DIGEST: Digest = Digest::Sha256([7; 32]);

/// Something about an image.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Id, severity, the version with a fix, whether it is known to be exploited.
    Flaw(&'static str, Severity, Option<&'static str>, bool),
    Gap(GapKind, &'static str),
    User(RunsAs),
    /// A feed, and its age in days.
    Feed(&'static str, Option<i64>),
    /// The advisories have no list of exploited flaws.
    NoList,
    /// No registry has it.
    Local,
    /// No registry has it, and nobody looked into it.
    Unexamined,
    /// What was found is about nothing.
    Nothing,
}

use Part::*;

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn day(ago: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_hours(24 * ago)
}

/// An image that runs as 1000 and has nothing wrong but these parts.
pub(super) fn sight(image: &str, parts: &[Part]) -> Sight {
    let image = image.replace("@7", &format!("@{DIGEST}"));
    let list = FeedUse { feed: "kev".into(), as_of: Some(day(1)) };
    let mut platform = PlatformEvidence {
        platform: None,
        digest: DIGEST,
        distribution: None,
        config: ImageFacts { runs_as_root: RunsAs::NotRoot(1000), ..ImageFacts::default() },
        packages: Vec::new(),
        findings: Vec::new(),
        gaps: Vec::new(),
        feeds: vec![FeedUse { feed: "osv:Debian".into(), as_of: Some(day(1)) }],
    };
    let (mut known_exploited, mut local, mut empty, mut examined) =
        (Some(list), false, false, true);
    for part in parts {
        match part.clone() {
            Flaw(id, severity, fix, exploited) => {
                platform.findings.push(flaw(id, severity, fix, exploited));
            }
            Gap(kind, subject) => platform.gaps.push(self::Gap::new(kind, subject, "so")),
            User(user) => platform.config.runs_as_root = user,
            Feed(feed, age) => {
                platform.feeds.push(FeedUse { feed: feed.into(), as_of: age.map(day) });
            }
            NoList => known_exploited = None,
            Local => local = true,
            Unexamined => (local, examined) = (true, false),
            Nothing => empty = true,
        }
    }
    let evidence = Arc::new(Evidence {
        reference: image.parse().unwrap(),
        resolved: DIGEST,
        platforms: if empty { Vec::new() } else { vec![platform] },
        gaps: Vec::new(),
        snapshot: SnapshotId { digest: DIGEST, starter: false, known_exploited, epss: None },
    });
    let outcome = if local {
        let evidence = examined.then_some(evidence);
        Outcome::Registered(vec![Registered { digest: DIGEST, node: "n1".into(), evidence }])
    } else {
        Outcome::Examined(evidence)
    };
    Sight::new(image.clone(), image.parse().unwrap(), outcome, now())
}

pub(super) fn flaw(
    id: &str,
    severity: Severity,
    fix: Option<&str>,
    known_exploited: bool,
) -> Finding {
    let name = format!("lib{}", id.to_ascii_lowercase());
    Finding::new(
        Package {
            kind: PackageKind::Deb,
            name: name.clone(),
            version: "1-1".into(),
            source: None,
            arch: None,
            vendor: None,
            module: None,
            repository: None,
            purl: String::new(),
            layer: None,
            evidence: "var/lib/dpkg/status".into(),
            owner: None,
            changed_from: None,
        },
        Diagnosis {
            id: id.into(),
            aliases: Vec::new(),
            errata: Vec::new(),
            severity,
            cvss: None,
            status: if fix.is_some() { Status::Fixed } else { Status::Affected },
            fixed_versions: fix.iter().map(ToString::to_string).collect(),
            known_exploited,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss: None,
            published: None,
            modified: None,
            why: Why {
                feed: "osv:Debian".into(),
                stream: Stream::release(Ecosystem::Debian, "12"),
                looked_up: name,
                compared: "1-1".into(),
                range: "every version".into(),
            },
        },
    )
}
