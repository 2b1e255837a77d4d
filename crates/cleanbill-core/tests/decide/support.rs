//! Findings and evidence to judge.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{Evidence, ImageFacts, PlatformEvidence, SnapshotId};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::Gap;
use cleanbill_core::package::{Package, PackageKind, SourcePackage};
use cleanbill_core::severity::Severity;

pub(crate) const DIGEST: Digest = Digest::Sha256([7; 32]);
pub(crate) const OTHER: Digest = Digest::Sha256([8; 32]);
pub(crate) const QUESTION: Digest = Digest::Sha256([1; 32]);

pub(crate) fn now() -> Timestamp {
    "2026-08-30T12:00:00Z".parse().unwrap()
}

pub(crate) fn pinned(name: &str) -> String {
    format!("{name}@{DIGEST}")
}

pub(crate) fn finding(id: &str, severity: Severity, status: Status) -> Finding {
    Finding::new(
        Package {
            kind: PackageKind::Deb,
            name: "libssl3".into(),
            version: "3.0-1".into(),
            source: Some(SourcePackage { name: "openssl".into(), version: "3.0-1".into() }),
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
            aliases: vec!["GHSA-1".into()],
            errata: vec!["ALSA-1".into()],
            severity,
            cvss: None,
            status,
            fixed_versions: Vec::new(),
            known_exploited: false,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss: None,
            published: None,
            modified: None,
            why: Why {
                feed: "osv:Debian".into(),
                stream: Stream::release(Ecosystem::Debian, "12"),
                looked_up: "openssl".into(),
                compared: "3.0-1".into(),
                range: "every version".into(),
            },
        },
    )
}

pub(crate) fn evidence(image: &str, findings: Vec<Finding>, gaps: Vec<Gap>) -> Evidence {
    Evidence {
        reference: image.parse().unwrap(),
        resolved: DIGEST,
        platforms: vec![PlatformEvidence {
            platform: None,
            digest: DIGEST,
            distribution: None,
            config: ImageFacts::default(),
            packages: Vec::new(),
            findings,
            gaps,
            feeds: Vec::new(),
        }],
        gaps: Vec::new(),
        snapshot: SnapshotId { digest: DIGEST, starter: false, known_exploited: None, epss: None },
    }
}
