//! Short ways to write findings, entries and statements.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::severity::Severity;
use cleanbill_core::suppression::{
    Aside, By, Document, Grounds, IgnoreEntry, IgnoreFile, Judge, Justification, PathPattern,
    Place, Product, Remark, Rules, Ruling, Said, Stance, Statement, Subject,
};

pub(crate) const DIGEST: &str =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";
pub(crate) const OTHER: &str =
    "sha256:2222222222222222222222222222222222222222222222222222222222222222";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    time("2026-08-30T12:00:00Z")
}

pub(crate) fn package(kind: PackageKind, purl: &str, evidence: &str) -> Package {
    Package {
        kind,
        name: "as written".into(),
        version: "1".into(),
        source: None,
        arch: None,
        purl: purl.into(),
        layer: None,
        evidence: evidence.into(),
        owner: None,
        changed_from: None,
        module: None,
        repository: None,
        vendor: None,
    }
}

pub(crate) fn django() -> Package {
    package(PackageKind::Python, "pkg:pypi/django@3.2", "usr/lib/Django-3.2.dist-info/METADATA")
}

/// CVE-2021-1, also GHSA-aaaa, in a package.
pub(crate) fn finding(package: Package) -> Finding {
    Finding::new(
        package,
        Diagnosis {
            id: "CVE-2021-1".into(),
            aliases: vec!["GHSA-aaaa".into()],
            errata: vec!["ALSA-1".into()],
            severity: Severity::High,
            rated_by: String::new(),
            cvss: None,
            ratings: Vec::new(),
            epss: None,
            status: Status::Affected,
            fixed_versions: Vec::new(),
            known_exploited: false,
            published: None,
            modified: None,
            why: Why {
                feed: "osv:PyPI".into(),
                stream: Stream::of(Ecosystem::PyPI),
                looked_up: "django".into(),
                compared: "3.2".into(),
                range: "< 4".into(),
            },
        },
    )
}

/// `IDS STANCE PRODUCTS [TIME]`: ids by `=`, products by `;`, subcomponents by `>` and `,`.
pub(crate) fn statement(text: &str, index: usize) -> Statement {
    let mut words = text.split(' ');
    let flaws = words.next().unwrap().split('=').map(str::to_owned).collect();
    let stance = match words.next().unwrap() {
        "not" => {
            let why = Justification::VulnerableCodeNotPresent;
            Stance::NotAffected(Grounds::new(Some(why), None).unwrap())
        }
        "fixed" => Stance::Fixed,
        "affected" => Stance::Affected,
        "unknown" => Stance::UnderInvestigation,
        other => panic!("{other}"),
    };
    let product = |text: &str| {
        let (purl, parts) = text.split_once('>').unwrap_or((text, ""));
        let parts = parts.split(',').filter(|p| !p.is_empty());
        let subcomponents = parts.map(|p| p.parse().unwrap()).collect();
        Arc::new(Product { purl: purl.parse().unwrap(), subcomponents })
    };
    let products = words.next().unwrap().split(';').map(product).collect();
    let time = words.next().map(|t| format!("{t}T00:00:00Z").parse().unwrap());
    let place = Place::Pointer(format!("/statements/{index}"));
    Statement { place, flaws, products, stance, time }
}

/// Documents by `||`, their statements by `|`.
pub(crate) fn documents(text: &str) -> Vec<Document> {
    let document = |(index, text): (usize, &str)| {
        let statements = text.split('|').map(str::trim).filter(|s| !s.is_empty());
        let statements = statements.enumerate().map(|(n, s)| statement(s, n)).collect();
        Document { file: format!("{index}.json").into(), statements }
    };
    text.split("||").enumerate().map(document).collect()
}

/// `ID [exp:DAY] [path:PATTERN] [purl:URL]`, by `|`.
pub(crate) fn ignore_file(text: &str) -> IgnoreFile {
    let entry = |(index, text): (usize, &str)| {
        let mut entry = IgnoreEntry {
            place: Place::Line(index as u64 + 1),
            id: String::new(),
            paths: Vec::new(),
            purls: Vec::new(),
            expires: None,
            statement: None,
        };
        for word in text.split_whitespace() {
            match word.split_once(':') {
                Some(("exp", day)) => entry.expires = Some(time(&format!("{day}:00:00Z"))),
                Some(("path", p)) => entry.paths.push(PathPattern::new(p).unwrap()),
                Some(("purl", p)) => entry.purls.push(p.parse().unwrap()),
                _ => entry.id = word.to_owned(),
            }
        }
        entry
    };
    IgnoreFile { file: "i".into(), entries: text.split('|').enumerate().map(entry).collect() }
}

/// What became of a finding, in short.
pub(crate) fn ruled(rules: &Rules, subject: &Subject, packages: &[Package], f: &Finding) -> String {
    match Judge::new(rules, subject, packages, now()).rule(f) {
        Ruling::Counts => "counts".into(),
        Ruling::CountsThough(Remark::Expired(file, e)) => {
            format!("expired {}{}", file.file, e.place)
        }
        Ruling::CountsThough(Remark::Vex(document, s)) => {
            format!("{} {}{}", s.stance.as_str(), document.file, s.place)
        }
        Ruling::Suppressed(By::Owner(owner)) => format!("hidden: left to {owner}"),
        Ruling::Suppressed(By::Unfixed) => "hidden: unfixed".into(),
        Ruling::Suppressed(By::Status(status)) => format!("hidden: {}", status.as_str()),
        Ruling::Suppressed(By::Ignored(file, e)) => format!("hidden: {}{}", file.file, e.place),
        Ruling::Suppressed(By::Vex(document, s)) => {
            format!("hidden: {} {}{}", s.stance.as_str(), document.file, s.place)
        }
    }
}

/// What does not count, in short.
pub(crate) fn aside(aside: &Aside<'_>) -> String {
    let said = match aside.said {
        Said::Entry(file, entry) => format!("{}{}", file.file, entry.place),
        Said::Statement(document, statement) => format!("{}{}", document.file, statement.place),
    };
    format!("{said} {:?}", aside.why)
}
