//! What was scanned within one image, cut and named as Trivy does: the distribution's packages,
//! all Node packages, all Python packages, and each Go or Rust program by its path.
//!
//! Knows how far each target could be examined. Must not count a target as clean because nothing
//! could be looked up for it.

use std::collections::BTreeMap;

use cleanbill_core::finding::Finding;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::suppression::{By, Remark, Ruling};

use crate::report::ScanReport;

/// How far a target could be examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examined {
    /// All of it.
    Whole,
    /// Some of it was not: what is counted is the least there is.
    InPart,
}

/// One target.
#[derive(Debug)]
pub struct Target<'a> {
    /// Its name in JSON and as a heading.
    pub name: String,
    /// Trivy's class: `os-pkgs` or `lang-pkgs`.
    pub class: &'static str,
    /// Trivy's type: `alpine`, `gobinary`, …
    pub kind: String,
    /// All its packages.
    pub packages: Vec<&'a Package>,
    /// Its findings that are shown: by package, worst first.
    pub findings: Vec<&'a Finding>,
    /// Those that are left out, and by what; in the same order.
    pub suppressed: Vec<(&'a Finding, By<'a>)>,
    /// What was said of those that are shown; in the same order.
    pub remarks: Vec<(&'a Finding, Remark<'a>)>,
    /// How far it could be examined.
    pub examined: Examined,
}

/// Where a package belongs; sorts in the order of the report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Distribution,
    Language { name: String, kind: &'static str },
}

/// How Trivy tells packages of a language.
pub(super) struct Language {
    /// Its type.
    pub(super) kind: &'static str,
    /// The one target of all its packages; `None`: each file that holds some is a target.
    pub(super) target: Option<&'static str>,
}

/// How Trivy tells packages of this kind; `None` for those of the distribution.
pub(super) fn language(kind: PackageKind) -> Option<Language> {
    let (kind, target) = match kind {
        PackageKind::Apk | PackageKind::Deb | PackageKind::Rpm => return None,
        PackageKind::Npm => ("node-pkg", Some("Node.js")),
        PackageKind::Python => ("python-pkg", Some("Python")),
        PackageKind::Maven => ("jar", Some("Java")),
        PackageKind::Gem => ("gemspec", Some("Ruby")),
        PackageKind::Go => ("gobinary", None),
        PackageKind::Cargo => ("rustbinary", None),
        PackageKind::NuGet => ("dotnet-core", None),
        PackageKind::Composer => ("composer-vendor", None),
        PackageKind::Hex => ("hex", None),
        PackageKind::Pub => ("pub", None),
        PackageKind::Swift => ("swift", None),
        PackageKind::Bitnami => ("bitnami", None),
    };
    Some(Language { kind, target })
}

fn place(package: &Package) -> Place {
    let Some(Language { kind, target }) = language(package.kind) else {
        return Place::Distribution;
    };
    let file = package.evidence.as_str();
    // The application is its folder; the document in it only says so.
    let folder = if package.kind == PackageKind::Bitnami { file.rsplit_once('/') } else { None };
    let name = target.or(folder.map(|(folder, _)| folder)).unwrap_or(file);
    Place::Language { name: name.to_owned(), kind }
}

/// What was found in one place, by what becomes of it.
#[derive(Default)]
struct Found<'a> {
    packages: Vec<&'a Package>,
    findings: Vec<&'a Finding>,
    suppressed: Vec<(&'a Finding, By<'a>)>,
    remarks: Vec<(&'a Finding, Remark<'a>)>,
}

/// The targets of a report, with the findings that are of interest and what becomes of each.
pub fn of<'a>(
    report: &'a ScanReport,
    findings: impl Iterator<Item = (&'a Finding, Ruling<'a>)>,
) -> Vec<Target<'a>> {
    let mut places: BTreeMap<Place, Found<'_>> = BTreeMap::new();
    if report.inventory.distribution.is_some() {
        places.entry(Place::Distribution).or_default();
    }
    for package in &report.inventory.packages {
        places.entry(place(package)).or_default().packages.push(package);
    }
    for (finding, ruling) in findings {
        let found = places.entry(place(&finding.package)).or_default();
        match ruling {
            Ruling::Counts => found.findings.push(finding),
            Ruling::CountsThough(remark) => {
                found.findings.push(finding);
                found.remarks.push((finding, remark));
            }
            Ruling::Suppressed(by) => found.suppressed.push((finding, by)),
        }
    }
    let target = |(place, found): (Place, Found<'a>)| {
        let Found { packages, mut findings, mut suppressed, mut remarks } = found;
        findings.sort_by_cached_key(|f| order(f));
        suppressed.sort_by_cached_key(|(f, _)| order(f));
        remarks.sort_by_cached_key(|(f, _)| order(f));
        let (name, class, kind) = match place {
            Place::Distribution => distribution(report, &packages),
            Place::Language { name, kind } => (name, "lang-pkgs", kind.to_owned()),
        };
        let unexamined = |g: &Gap| concerns(g, class, &packages);
        let examined = if report.evidence.gaps.iter().any(unexamined) {
            Examined::InPart
        } else {
            Examined::Whole
        };
        Target { name, class, kind, packages, findings, suppressed, remarks, examined }
    };
    places.into_iter().map(target).collect()
}

/// Trivy's order: package, version, severity (worst first), id.
fn order(f: &Finding) -> impl Ord + use<> {
    let package = (f.package.name.clone(), f.package.version.clone());
    (package, std::cmp::Reverse(f.severity), f.id.clone(), f.package.evidence.clone())
}

fn distribution(report: &ScanReport, packages: &[&Package]) -> (String, &'static str, String) {
    let (what, kind) = match (&report.inventory.distribution, packages.first().map(|p| p.kind)) {
        (Some(d), _) => (format!("{} {}", d.id, d.version).trim_end().to_owned(), d.id.clone()),
        (None, Some(PackageKind::Deb)) => ("unknown distribution".into(), "dpkg".into()),
        (None, Some(PackageKind::Rpm)) => ("unknown distribution".into(), "rpm".into()),
        (None, _) => ("unknown distribution".into(), "apk".into()),
    };
    (format!("{} ({what})", report.artifact_name), "os-pkgs", kind)
}

/// Whether a gap means that this target was examined in part only. The age of a feed does not:
/// everything was looked up, in old facts, which the report says in its own place.
fn concerns(gap: &Gap, class: &str, packages: &[&Package]) -> bool {
    let os = class == "os-pkgs";
    let about = |p: &&Package| {
        let subject = gap.subject.strip_prefix(p.name.as_str());
        subject.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', ' ']))
            || gap.subject == p.evidence
    };
    match gap.kind {
        GapKind::EndOfLife | GapKind::UnknownEndOfLife | GapKind::UnknownDistribution => os,
        GapKind::NoAdvisorySource => {
            let of = |kind: PackageKind| kind.ecosystem().map(|of| of.as_str());
            let language = |name| PackageKind::ALL.into_iter().any(|kind| of(kind) == Some(name));
            let stream = |kind| match of(kind) {
                Some(name) => gap.subject == name,
                None => !language(&*gap.subject),
            };
            packages.iter().any(|p| stream(p.kind))
        }
        GapKind::UnparseableVersion
        | GapKind::UnidentifiedVersion
        | GapKind::UnreadableAdvisory
        | GapKind::UnreadableDatabase
        | GapKind::UnresolvedLink => {
            let database = ["apk/db/", "dpkg/", "/rpm"].iter().any(|d| gap.subject.contains(d));
            packages.iter().any(about) || (os && database)
        }
        GapKind::StaleFeed
        | GapKind::NothingRecognised
        | GapKind::OverLimit
        | GapKind::ForeignLayer
        | GapKind::EncryptedLayer
        | GapKind::UnknownLayerType
        | GapKind::MutableReference
        | GapKind::PlatformNotExamined
        | GapKind::CheckerSilent
        | GapKind::UnknownImageFact
        | GapKind::UnexaminedRegistration => false,
    }
}

/// Whether a gap is about a part of the image that no target stands for, so that it needs a row
/// of its own in the summary.
pub fn stands_alone(gap: &Gap, targets: &[Target<'_>]) -> bool {
    match gap.kind {
        GapKind::UnreadableDatabase | GapKind::UnresolvedLink => {
            !targets.iter().any(|t| concerns(gap, t.class, &t.packages))
        }
        GapKind::NothingRecognised
        | GapKind::OverLimit
        | GapKind::ForeignLayer
        | GapKind::EncryptedLayer
        | GapKind::UnknownLayerType => true,
        GapKind::UnknownDistribution | GapKind::NoAdvisorySource => {
            !targets.iter().any(|t| concerns(gap, t.class, &t.packages))
        }
        GapKind::EndOfLife
        | GapKind::UnknownEndOfLife
        | GapKind::StaleFeed
        | GapKind::UnparseableVersion
        | GapKind::UnidentifiedVersion
        | GapKind::UnreadableAdvisory
        | GapKind::MutableReference
        | GapKind::PlatformNotExamined
        | GapKind::CheckerSilent
        | GapKind::UnknownImageFact
        | GapKind::UnexaminedRegistration => false,
    }
}
