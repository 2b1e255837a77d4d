//! Denials as people read them.

use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::policy::{Action, Because, NamePattern, Policy};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Denial, Noted, Reason};

use super::{denial, unjudged, warning};

fn finding(
    id: &str,
    severity: Severity,
    package: &str,
    fixed: &[&str],
    exploited: bool,
) -> Finding {
    let package = Package {
        kind: PackageKind::Apk,
        name: package.into(),
        version: "1.0-r0".into(),
        source: None,
        arch: None,
        vendor: None,
        module: None,
        repository: None,
        purl: String::new(),
        layer: None,
        evidence: "lib/apk/db/installed".into(),
        owner: None,
        changed_from: None,
    };
    let why = Why {
        feed: "alpine-secdb".into(),
        stream: Stream::release(Ecosystem::Alpine, "v3.9"),
        looked_up: package.name.clone(),
        compared: package.version.clone(),
        range: "< 2".into(),
    };
    Finding::new(
        package,
        Diagnosis {
            id: id.into(),
            aliases: Vec::new(),
            errata: Vec::new(),
            severity,
            cvss: None,
            status: if fixed.is_empty() { Status::Affected } else { Status::Fixed },
            fixed_versions: fixed.iter().map(|v| (*v).to_owned()).collect(),
            known_exploited: exploited,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss: None,
            published: None,
            modified: None,
            why,
        },
    )
}

#[test]
fn a_denial_is_one_paragraph() {
    let mut findings = vec![
        finding("CVE-2021-36159", Severity::Critical, "apk-tools", &["2.10.7-r0"], true),
        finding("CVE-2019-14697", Severity::Critical, "musl", &["1.1.20-r5", "1.1.22-r3"], false),
        finding("CVE-2018-0001", Severity::Unknown, "zlib", &[], false),
    ];
    let lesser = |n| finding(&format!("CVE-2017-{n}"), Severity::High, "openssl", &["2"], false);
    findings.extend((1000..1004).map(lesser));
    let source = |n: u32| {
        let subject = format!("package {n}");
        Gap::new(GapKind::UnparseableVersion, subject, "it has no number in it")
    };
    let mut gaps = vec![Gap::new(GapKind::EndOfLife, "alpine 3.9", "support ended on 2020-11-01")];
    gaps.extend((1..4).map(source));
    let allowed = vec![NamePattern::try_from("registry.example/*".to_owned()).unwrap()];
    let said = denial(
        &Denial {
            refused: vec![
                (
                    "alpine:3.9".into(),
                    vec![
                        Reason::DigestRequired,
                        Reason::Severity { highest: Severity::Medium, findings },
                        Reason::Gaps(gaps),
                    ],
                ),
                ("evil.example/x".into(), vec![Reason::NameNotAllowed { allowed }]),
            ],
            undecided: vec![("slow".into(), "it is still being examined; try again".into())],
        },
        &Policy { name: "production".into(), ..Policy::default() },
        "0123456789abcdefghjk",
        None,
    );
    insta::assert_snapshot!(said, @"alpine:3.9: it must be named by digest, as name@sha256:… (rule `digest_required`); 7 flaws above MEDIUM, the highest severity that policy production allows (rule `highest_severity`): CVE-2021-36159 CRITICAL in apk-tools 1.0-r0 (fixed in 2.10.7-r0; known to be exploited), CVE-2019-14697 CRITICAL in musl 1.0-r0 (fixed in 1.1.20-r5 or 1.1.22-r3), CVE-2018-0001 UNKNOWN (counts as CRITICAL) in zlib 1.0-r0 (no fix known), CVE-2017-1000 HIGH in openssl 1.0-r0 (fixed in 2), CVE-2017-1001 HIGH in openssl 1.0-r0 (fixed in 2), and 2 more; not examined (rule `accept_gaps`): `end-of-life` alpine 3.9 (support ended on 2020-11-01), `unparseable-version` package 1 (it has no number in it, and 2 more of the kind). evil.example/x: images may only come from registry.example/* (rule `allowed`). slow: could not be judged: it is still being examined; try again. Decision 0123456789abcdefghjk.");
}

#[test]
fn hostile_and_endless_words_are_escaped_and_bounded() {
    let evil = format!("a\n\u{1b}[31m\u{202e}{}", "x".repeat(3_000));
    let gaps = GapKind::ALL.iter().map(|k| Gap::new(*k, evil.clone(), evil.clone())).collect();
    let mut bad = finding(&evil, Severity::High, &evil, &[&evil, &evil, &evil], true);
    std::sync::Arc::make_mut(&mut bad.package).version = evil.clone();
    let refused = Reason::Severity { highest: Severity::Low, findings: vec![bad; 20] };
    let all = Denial {
        refused: vec![(evil.clone(), vec![refused, Reason::Gaps(gaps)]); 8],
        undecided: vec![(evil.clone(), evil.clone()); 8],
    };
    let named = Policy { name: evil.clone(), ..Policy::default() };
    for said in [denial(&all, &named, "id", None), unjudged(&evil, "id")] {
        assert!(said.len() < 13_000, "{}", said.len());
        assert!(!said.contains(|c: char| c.is_control() || c == '\u{202e}'), "{said}");
        assert!(said.ends_with(" Decision id."), "{said}");
    }
    for (count, wanted) in [
        (5, ""),
        (6, "And 1 more image not judged: i5."),
        (7, "And 2 more images not judged: i5, i6."),
        (22, "And 17 more images not judged: i5, i6, "),
        (22, "i19, and 2 more."),
    ] {
        let undecided = (0..count).map(|n| (format!("i{n}"), "b".into())).collect();
        let many = Denial { undecided, ..Denial::default() };
        let said = denial(&many, &Policy::default(), "id", None);
        assert!(said.contains(wanted) && (count > 5 || !said.contains("And ")), "{count}: {said}");
    }
}

#[test]
fn a_rules_message_is_said_whole_in_its_owners_letters() {
    let told = format!("{} Fragen an: härtung@example.com", "Nur geprüfte Abbilder. ".repeat(12));
    let reason = |message: String| Reason::Rule {
        name: "geprüft".into(),
        message: Some(message),
        because: vec![Because::Always],
    };
    let said = |message| {
        let refused = vec![("app".to_owned(), vec![reason(message)])];
        let all = Denial { refused, ..Denial::default() };
        denial(&all, &Policy::default(), "id", None)
    };
    let whole = said(told.clone());
    assert!(whole.starts_with(&format!("app: {told}: ")), "{whole}");
    let evil = said("a\n\u{1b}[31m\u{202e}b".into());
    assert!(evil.starts_with("app: a\\n\\u{1b}[31m\\u{202e}b: "), "{evil}");
    // The API server cuts a warning after 256 characters: what was found must come before that.
    let noted = Noted { image: "app".into(), action: Action::Warn, reason: reason(told) };
    let warned = warning(&noted, &Policy::default());
    assert!(warned.ends_with("(rule `gepr\\u{fc}ft`)") && warned.chars().count() < 256, "{warned}");
}
