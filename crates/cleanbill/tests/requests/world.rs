//! The images that the rows speak of, and what is in them.

use std::sync::LazyLock;
use std::time::Duration;

use cleanbill::serve::examiner::{Examined, Failed};
use cleanbill_core::advisory::Epss;
use cleanbill_core::digest::Digest;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{
    Evidence, FeedUse, ImageFacts, PlatformEvidence, RunsAs, SnapshotId,
};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::severity::Severity;
use cleanbill_trust::SigningKey;

/// The time of every row that does not say another.
pub const NOW: &str = "2026-08-30T12:00:00Z";
/// The date of the advisories.
pub const FEED: &str = "2026-08-29T00:00:00Z";
/// The digest of the advisories.
pub const SNAPSHOT: Digest = Digest::Sha256([2; 32]);

/// The key whose break-glass tokens the policies accept, and one of somebody else.
pub static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()]);

/// The digest of an image of the world.
pub fn digest(name: &str) -> Digest {
    crate::rig::digest_of(&format!("the image {name}"))
}

/// From a tag to a digest.
pub fn resolve(name: &ImageRef) -> Result<Digest, Failed> {
    match name.repository() {
        "lost" => Err(Failed::new("its registry cannot be reached", "secret-host:5000 refused")),
        repository => Ok(digest(repository)),
    }
}

/// Evidence about an image by digest.
pub fn examine(name: &ImageRef) -> Examined {
    match name.repository() {
        "lost" => Err(Failed::new("its registry cannot be reached", "secret-host:5000 refused")),
        "broken" => Err(Failed::new("its layers cannot be read", "secret detail")),
        "crash" => panic!("secret panic"),
        "slow" => {
            std::thread::sleep(Duration::from_millis(1500));
            Ok(evidence(name))
        }
        _ => Ok(evidence(name)),
    }
}

/// What is in the image of this name.
pub fn evidence(name: &ImageRef) -> Evidence {
    let repository = name.repository();
    let resolved = *name.digest().unwrap();
    let mut all = Evidence {
        reference: name.clone(),
        resolved,
        platforms: vec![platform(None, resolved)],
        gaps: Vec::new(),
        snapshot: SnapshotId {
            digest: SNAPSHOT,
            starter: false,
            known_exploited: Some(FeedUse { feed: "kev".into(), as_of: at(FEED) }),
            epss: Some(FeedUse { feed: "epss".into(), as_of: at(FEED) }),
        },
    };
    let only = &mut all.platforms[0];
    use Severity::{Critical, High, Low, Medium, Unknown};
    match repository {
        "critical" => only.findings.push(flaw("CVE-2026-0001", Critical, "openssl", "3.0.2-1")),
        "unfixed" => only.findings.push(flaw("CVE-2026-0002", Critical, "zlib", "")),
        "high" => only.findings.push(flaw("CVE-2026-0003", High, "curl", "8.1-1")),
        "medium" => only.findings.push(flaw("CVE-2026-0004", Medium, "tar", "2-1")),
        "low" => only.findings.push(flaw("CVE-2026-0005", Low, "gzip", "2-1")),
        "unrated" => only.findings.push(flaw("CVE-2026-0006", Unknown, "sed", "2-1")),
        "exploited" => {
            let mut flaw = flaw("CVE-2026-0007", Medium, "bash", "5.3-1");
            flaw.known_exploited = true;
            only.findings.push(flaw);
        }
        "likely" => only.findings.push(scored(12_345, 99_000)),
        "unlikely" => only.findings.push(scored(9_999, 94_999)),
        "old-likely" => {
            only.findings.push(scored(12_345, 99_000));
            all.snapshot.epss.as_mut().unwrap().as_of = at("2026-08-01T00:00:00Z");
        }
        "old-unlikely" => {
            only.findings.push(scored(9_999, 94_999));
            all.snapshot.epss.as_mut().unwrap().as_of = at("2026-08-01T00:00:00Z");
        }
        "no-epss" => {
            only.findings.push(flaw("CVE-2026-0008", Medium, "nano", "9-1"));
            all.snapshot.epss = None;
        }
        "two-unscored" => {
            only.findings.push(flaw("CVE-2026-0004", Medium, "tar", "2-1"));
            only.findings.push(flaw("CVE-2026-0005", Low, "gzip", "2-1"));
        }
        "seven" => {
            let flaw = |n| flaw(&format!("CVE-2026-010{n}"), High, "curl", "8.1-1");
            only.findings.extend((1..=7).map(flaw));
        }
        "mixed" => {
            only.findings.push(flaw("CVE-2026-0001", Critical, "openssl", "3.0.2-1"));
            only.findings.push(flaw("CVE-2026-0004", Medium, "tar", "2-1"));
        }
        "eol" => only.gaps.push(end_of_life()),
        "unread" => {
            let unread = |path: &str| {
                Gap::new(GapKind::UnreadableDatabase, path, "it ends in the middle of a record")
            };
            only.gaps.extend([unread("var/lib/dpkg/status"), unread("lib/apk/db/installed")]);
        }
        "partly" => all.gaps.push(Gap::new(
            GapKind::PlatformNotExamined,
            "linux/s390x",
            "it is not among the platforms of the nodes",
        )),
        "stale" => only.feeds[0].as_of = at("2026-08-01T00:00:00Z"),
        "root" => {
            only.config.user = Some("0".into());
            only.config.runs_as_root = RunsAs::Root;
        }
        "nobody-knows" => {
            only.config.user = Some("app".into());
            only.config.runs_as_root = RunsAs::Unknown("no /etc/passwd names app".into());
            only.config.created = None;
        }
        "old" => only.config.created = at("2025-01-01T00:00:00Z"),
        "miner" => only.packages.push(package("xmrig", "6.0-1")),
        "xz" => only.packages.push(package("xz-utils", "5.6.1-1")),
        "no-kev" => {
            only.findings.push(flaw("CVE-2026-0004", Medium, "tar", "2-1"));
            all.snapshot.known_exploited = None;
        }
        // From scratch: of no package, so of no feed.
        "no-feed" => only.feeds.clear(),
        "undated" => {
            only.feeds[0].as_of = None;
            (all.snapshot.known_exploited, all.snapshot.epss) = (None, None);
        }
        "two" => {
            let named = |text: &str| Some(text.parse().unwrap());
            let mut arm = platform(named("linux/arm64"), digest("two/arm64"));
            arm.findings.push(flaw("CVE-2026-0001", Critical, "openssl", "3.0.2-1"));
            arm.gaps.push(end_of_life());
            all.platforms = vec![platform(named("linux/amd64"), digest("two/amd64")), arm];
        }
        // What a wrong examiner would say.
        "empty" => all.platforms.clear(),
        "swapped" => all.resolved = digest("clean"),
        "elsewhere" => {
            let other = format!("registry.example/clean@{resolved}");
            all.reference = other.parse().unwrap();
        }
        _ => {}
    }
    all
}

fn end_of_life() -> Gap {
    Gap::new(GapKind::EndOfLife, "debian 10", "support ended on 2024-06-30")
}

pub fn platform(
    platform: Option<cleanbill_core::platform::Platform>,
    digest: Digest,
) -> PlatformEvidence {
    PlatformEvidence {
        platform,
        digest,
        distribution: None,
        config: ImageFacts {
            user: Some("1000".into()),
            runs_as_root: RunsAs::NotRoot(1000),
            created: at("2026-08-01T00:00:00Z"),
        },
        packages: Vec::new(),
        findings: Vec::new(),
        gaps: Vec::new(),
        feeds: vec![FeedUse { feed: "osv:Debian".into(), as_of: at(FEED) }],
    }
}

pub fn at(text: &str) -> Option<jiff::Timestamp> {
    Some(text.parse().unwrap())
}

pub fn package(name: &str, version: &str) -> Package {
    Package {
        kind: PackageKind::Deb,
        name: name.into(),
        version: version.into(),
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
    }
}

/// A flaw with an EPSS score, in hundred-thousandths.
fn scored(probability: u32, percentile: u32) -> Finding {
    let mut flaw = flaw("CVE-2026-0008", Severity::Medium, "nano", "9-1");
    flaw.epss = Some(Epss { probability, percentile });
    flaw
}

/// A flaw of version 1.0-1, fixed in a version or (empty) not.
pub fn flaw(id: &str, severity: Severity, name: &str, fixed: &str) -> Finding {
    Finding::new(
        package(name, "1.0-1"),
        Diagnosis {
            id: id.into(),
            aliases: vec![id.replace("CVE-", "GHSA-")],
            errata: Vec::new(),
            severity,
            cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
            status: if fixed.is_empty() { Status::Affected } else { Status::Fixed },
            fixed_versions: if fixed.is_empty() { Vec::new() } else { vec![fixed.into()] },
            known_exploited: false,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss: None,
            published: at("2026-06-01T00:00:00Z"),
            modified: None,
            why: Why {
                feed: "osv:Debian".into(),
                stream: Stream::release(Ecosystem::Debian, "12"),
                looked_up: name.into(),
                compared: "1.0-1".into(),
                range: "every version".into(),
            },
        },
    )
}
