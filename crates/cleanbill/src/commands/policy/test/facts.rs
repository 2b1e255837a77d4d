//! What a case says was found in an image, in short.

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Epss;
use cleanbill_core::digest::Digest;
use cleanbill_core::distribution::Distribution;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{Evidence, FeedUse, PlatformEvidence, SnapshotId};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::Gap;
use cleanbill_core::image::{ImageFacts, RunsAs, User};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::severity::Severity;
use sha2::{Digest as _, Sha256};

use crate::policy_file::kinds;
use crate::policy_file::node::Placed;
use crate::policy_file::read::Reader;

/// Every key of `evidence`; the last two name an image to be looked at ([`super::found`]).
pub(super) const EVIDENCE_KEYS: [&str; 9] =
    ["packages", "flaws", "gaps", "user", "created", "distribution", "platform", "image", "input"];
/// Every key of a package.
pub(super) const PACKAGE_KEYS: [&str; 4] = ["name", "version", "kind", "source"];
/// Every key of a flaw.
pub(super) const FLAW_KEYS: [&str; 11] = [
    "id",
    "severity",
    "package",
    "version",
    "kind",
    "fixed",
    "kev",
    "epss",
    "epss_percentile",
    "published",
    "cvss",
];
/// Every key of a gap.
pub(super) const GAP_KEYS: [&str; 2] = ["kind", "subject"];

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    packages: Vec<Package>,
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
    user: Option<String>,
    created: Option<Timestamp>,
    distribution: Option<Distribution>,
    platform: Option<Platform>,
}

impl Facts {
    /// The evidence about an image of this name; the advisories are of that time.
    pub(super) fn evidence(&self, reference: &ImageRef, now: Timestamp) -> Evidence {
        let made = Digest::Sha256(Sha256::digest(reference.to_string().as_bytes()).into());
        let resolved = reference.digest().copied().unwrap_or(made);
        let runs_as_root = match User::parse(self.user.as_deref()) {
            User::Decided(number) => number.into(),
            User::Named("root") => RunsAs::Root,
            User::Named(_) => RunsAs::Unknown("the case gives a user's name, not a number".into()),
        };
        let config = ImageFacts { user: self.user.clone(), runs_as_root, created: self.created };
        let told = |feed: &str| Some(FeedUse { feed: feed.into(), as_of: Some(now) });
        let (known_exploited, epss) = (told("kev"), told("epss"));
        Evidence {
            reference: reference.clone(),
            resolved,
            platforms: vec![PlatformEvidence {
                platform: self.platform.clone(),
                digest: resolved,
                distribution: self.distribution.clone(),
                config,
                packages: self.packages.clone(),
                findings: self.findings.clone(),
                gaps: self.gaps.clone(),
                feeds: Vec::new(),
            }],
            gaps: Vec::new(),
            snapshot: SnapshotId { digest: made, starter: false, known_exploited, epss },
        }
    }
}

/// Reads what stands under `evidence`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Placed) -> Facts {
    let mut facts = Facts::default();
    for (key, value) in reader.entries(node, "\"evidence\"", &EVIDENCE_KEYS) {
        match key {
            "packages" => {
                for entry in reader.list(key, value) {
                    facts.packages.extend(package(reader, entry));
                }
            }
            "flaws" => {
                for entry in reader.list(key, value) {
                    facts.findings.extend(flaw(reader, entry));
                }
            }
            "gaps" => {
                for entry in reader.list(key, value) {
                    facts.gaps.extend(gap(reader, entry));
                }
            }
            "user" => facts.user = reader.text(key, value),
            "created" => facts.created = time(reader, key, value),
            "distribution" => facts.distribution = distribution(reader, key, value),
            "platform" => facts.platform = platform(reader, key, value),
            // `entries` gives none but the known keys, and `found` has looked for the others.
            _ => {}
        }
    }
    facts
}

/// A time (RFC 3339) or a day, which is its beginning in UTC.
pub(super) fn time(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Option<Timestamp> {
    let text = reader.text(key, node)?;
    let time = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok();
    if time.is_none() {
        let hint = "write it as 2026-06-01 or 2026-06-01T12:00:00Z";
        reader.problem(node.referenced, format!("\"{key}\" is no time"), hint);
    }
    time
}

fn made(kind: PackageKind, name: String, version: String) -> Package {
    let (purl, evidence) = (String::new(), "a case".to_owned());
    Package {
        kind,
        name,
        version,
        source: None,
        arch: None,
        vendor: None,
        module: None,
        repository: None,
        purl,
        layer: None,
        evidence,
        owner: None,
        changed_from: None,
    }
}

fn package(reader: &mut Reader<'_>, node: &Placed) -> Option<Package> {
    let (mut name, mut version, mut kind, mut source) = (None, None, PackageKind::Deb, None);
    let entries = reader.entries(node, "a package", &PACKAGE_KEYS);
    let hint = "a package has a name and a version";
    reader.demand("the package", node, &entries, &["name", "version"], hint);
    for (key, value) in entries {
        match key {
            "name" => name = reader.text(key, value),
            "version" => version = reader.text(key, value),
            "kind" => kind = reader.word(key, value, &kinds()).unwrap_or(kind),
            _ => source = reader.text(key, value),
        }
    }
    let mut package = made(kind, name?, version?);
    let version = package.version.clone();
    package.source = source.map(|name| cleanbill_core::package::SourcePackage { name, version });
    Some(package)
}

fn flaw(reader: &mut Reader<'_>, node: &Placed) -> Option<Finding> {
    let (mut id, mut name, mut version) = (None, "package".to_owned(), "1".to_owned());
    let (mut severity, mut kind, mut fixed) = (Severity::Unknown, PackageKind::Deb, Vec::new());
    let (mut known_exploited, mut published, mut cvss) = (false, None, None);
    let (mut probability, mut percentile) = (None, None);
    let entries = reader.entries(node, "a flaw", &FLAW_KEYS);
    reader.demand("the flaw", node, &entries, &["id"], "such as id: CVE-2023-4911");
    for (key, value) in entries {
        match key {
            "id" => id = reader.text(key, value),
            "severity" => severity = reader.rated(key, value).unwrap_or_default(),
            "package" => name = reader.text(key, value).unwrap_or_default(),
            "version" => version = reader.text(key, value).unwrap_or_default(),
            "kind" => kind = reader.word(key, value, &kinds()).unwrap_or(kind),
            "fixed" => fixed = reader.texts(key, value),
            "kev" => known_exploited = reader.boolean(key, value),
            "epss" => probability = reader.share(key, value),
            "epss_percentile" => percentile = reader.share(key, value),
            "published" => published = time(reader, key, value),
            _ => cvss = reader.text(key, value),
        }
    }
    // One of the two alone: the other as low as can be, so that no rule refuses by it.
    let epss = (probability.is_some() || percentile.is_some()).then(|| Epss {
        probability: probability.unwrap_or_default(),
        percentile: percentile.unwrap_or_default(),
    });
    let package = made(kind, name, version);
    let why = Why {
        feed: "case".into(),
        stream: Stream::release(Ecosystem::Debian, "12"),
        looked_up: package.name.clone(),
        compared: package.version.clone(),
        range: "as the case says".into(),
    };
    let status = if fixed.is_empty() { Status::Affected } else { Status::Fixed };
    Some(Finding::new(
        package,
        Diagnosis {
            id: id?,
            aliases: Vec::new(),
            errata: Vec::new(),
            severity,
            cvss,
            status,
            fixed_versions: fixed,
            known_exploited,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss,
            published,
            modified: None,
            why,
        },
    ))
}

fn gap(reader: &mut Reader<'_>, node: &Placed) -> Option<Gap> {
    let (mut kind, mut subject) = (None, "the image".to_owned());
    let entries = reader.entries(node, "a gap", &GAP_KEYS);
    reader.demand("the gap", node, &entries, &["kind"], "say which kind: docs/policy.md");
    for (key, value) in entries {
        match key {
            "kind" => kind = reader.gap_kind(key, value),
            _ => subject = reader.text(key, value).unwrap_or_default(),
        }
    }
    Some(Gap::new(kind?, subject, "as the case says"))
}

/// `alpine 3.19`.
fn distribution(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Option<Distribution> {
    let text = reader.text(key, node)?;
    let (id, version) = text.split_once(' ').unwrap_or((&text, ""));
    let (id, version) = (id.to_owned(), version.to_owned());
    let (release, evidence) = (version.clone(), "a case".to_owned());
    let (pretty_name, content_sets) = (text.clone(), Vec::new());
    Some(Distribution { id, version, release, pretty_name, evidence, content_sets })
}

fn platform(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Option<Platform> {
    let platform = reader.text(key, node)?.parse().ok();
    if platform.is_none() {
        let hint = "write OS/ARCH, such as linux/amd64";
        reader.problem(node.referenced, format!("\"{key}\" is no platform"), hint);
    }
    platform
}
