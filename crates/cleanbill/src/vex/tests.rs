//! What each format's files leave out, what they do not, and what is said of it: one table a
//! format, through [`check`].

mod csaf;
mod cyclonedx;
mod hostile;
mod ignore;
mod openvex;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::severity::Severity;
use cleanbill_core::suppression::{Judge, Rules, Subject};
use serde_json::Value;

use super::{Notes, parse_ignore_file, parse_vex};
use crate::report::suppressed::Said;

const DJANGO: &str = "pkg:pypi/django@3.2";

/// CVE-2021-1, also GHSA-aaaa, in Django 3.2.
pub(super) fn finding() -> Finding {
    let package = Package {
        kind: PackageKind::Python,
        name: "Django".into(),
        version: "3.2".into(),
        source: None,
        arch: None,
        purl: DJANGO.into(),
        layer: None,
        evidence: "usr/lib/Django-3.2.dist-info/METADATA".into(),
        owner: None,
        changed_from: None,
        module: None,
        repository: None,
        vendor: None,
    };
    Finding::new(
        package,
        Diagnosis {
            id: "CVE-2021-1".into(),
            aliases: vec!["GHSA-aaaa".into()],
            errata: Vec::new(),
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

/// What becomes of the finding in the image `registry.example/team/app:1`, and the first note.
fn became(rules: &Rules, notes: &Notes) -> String {
    use cleanbill_core::suppression::Ruling;
    let now: Timestamp = "2026-08-30T12:00:00Z".parse().unwrap();
    let subject = Subject {
        name: Some("registry.example/team/app:1".parse().unwrap()),
        digests: Vec::new(),
        architecture: Some("amd64".into()),
    };
    let became = match Judge::new(rules, &subject, &[], now).rule(&finding()) {
        Ruling::Counts => "counts".to_owned(),
        Ruling::CountsThough(remark) => {
            let said = Said::remark(&remark);
            format!("counts: {} {}", said.status, said.place)
        }
        Ruling::Suppressed(by) => {
            let said = Said::by(&by);
            format!("hidden: {} {} {}", said.status, said.place, said.statement)
        }
    };
    match notes.kept().first() {
        Some(note) => format!("{} | {}{}", became.trim_end(), note.place, note.message),
        None => became.trim_end().to_owned(),
    }
}

/// The same for the text of a file, or why it is none.
fn read(name: &str, text: &[u8]) -> String {
    let mut notes = Notes::default();
    let mut rules = Rules::default();
    if name.ends_with(".json") {
        match parse_vex(name, text, &mut notes) {
            Ok(document) => rules.documents.push(document),
            Err(failure) => return format!("error: {failure}"),
        }
    } else {
        match parse_ignore_file(name, text, &mut notes) {
            Ok(file) => rules.ignore_files.push(file),
            Err(failure) => return format!("error: {failure}"),
        }
    }
    became(&rules, &notes)
}

/// Reads each file and holds it against what must become of the finding. A row that ends in `…`
/// says only how it begins.
fn check(name: &str, table: &[(&str, String)]) {
    for (expected, text) in table {
        let became = read(name, text.as_bytes());
        let same = match expected.strip_suffix('…') {
            Some(start) => became.starts_with(start),
            None => became == *expected,
        };
        assert!(same, "{text}\n became {became}\n   not {expected}");
    }
}

/// The same for JSON documents.
fn check_json(table: Vec<(&str, Value)>) {
    let table: Vec<_> = table.into_iter().map(|(e, v)| (e, v.to_string())).collect();
    check("v.json", &table);
}
