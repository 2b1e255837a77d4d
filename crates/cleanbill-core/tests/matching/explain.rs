//! Why an image has a flaw, or why not: the answers, and that they are those of matching.

use std::collections::BTreeSet;

use cleanbill_core::advisory::{Advisory, FlawFacts, State};
use cleanbill_core::finding::Finding;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{
    Answer, Because, Explanation, Matcher, MemoryAdvisories, NotAffected, Outcome,
};
use cleanbill_core::package::{Package, PackageKind};

use crate::support::{advisory, distribution, home, memory, package, run, stream, supported, time};

fn explain(inventory: &Inventory, memory: &MemoryAdvisories, id: &str) -> Explanation {
    let mut gaps = inventory.gaps.clone();
    gaps.extend(run(inventory, memory).gaps);
    let Ok(explanation) = Matcher::new(memory).explain(inventory, &gaps, id);
    explanation
}

fn short(outcome: &Outcome) -> String {
    let reason = |one: &NotAffected| match &one.because {
        Because::SaidSo => "said so".to_owned(),
        Because::Fixed(version) => format!("fixed in {version}"),
        Because::AfterLast(version) => format!("after {version}"),
        Because::NotBelow(version) => format!("not below {version}"),
        Because::BeforeFirst(version) => format!("before {version}"),
        Because::NotListed(count) => format!("none of {count}"),
        Because::NothingNamed => "nothing named".to_owned(),
        Because::NoKernel => "no kernel".to_owned(),
        Because::OtherFlavour(version) => format!("another flavour, {version}"),
        Because::OtherPackages { arches, module } => {
            format!("others {} {}", arches.join(","), module.as_deref().unwrap_or("-"))
        }
    };
    match outcome {
        Outcome::Affected(f) => format!("{} [{}]", f.why.range, f.fixed_versions.join(" ")),
        Outcome::NotAffected(all) => all.iter().map(reason).collect::<Vec<_>>().join(", "),
        Outcome::Unreadable(gap) | Outcome::NotCompared(gap) => gap.kind.to_string(),
        Outcome::LeftToDistribution { owner, otherwise } => {
            format!("left to {owner}, else {}", short(otherwise))
        }
    }
}

fn shown(explanation: &Explanation) -> String {
    let each = explanation.packages.iter().map(|p| format!("{}: {}", p.id, short(&p.outcome)));
    each.chain([format!("{:?}", explanation.answer(&[]))]).collect::<Vec<_>>().join(" | ")
}

#[test]
fn one_package_and_why() {
    use PackageKind::{Apk, Deb, Go, Npm, Python, Rpm};
    // kind, installed, advisories, the id that is asked for → what is said
    let table: &[(PackageKind, &str, &[&str], &str, &str)] = &[
        (Apk, "1-r4", &["CVE-1: 0..1-r5"], "CVE-1", "CVE-1: < 1-r5 [1-r5] | Affected"),
        (Apk, "1-r4", &["CVE-1: 0..1-r5"], "cve-1", "CVE-1: < 1-r5 [1-r5] | Affected"),
        (Apk, "1-r5", &["CVE-1: 0..1-r5"], "CVE-1", "CVE-1: fixed in 1-r5 | NotAffected"),
        (Apk, "1-r4", &["CVE-1: 0..0"], "CVE-1", "CVE-1: said so | NotAffected"),
        (
            Rpm,
            "1-1.el9",
            &["CVE-1: 0..10:2-1.el9_fips"],
            "CVE-1",
            "CVE-1: another flavour, 10:2-1.el9_fips | NotAffected",
        ),
        (Apk, "1-r4", &["CVE-1: 0..5-1-r2"], "CVE-1", "CVE-1: unreadable-advisory | Open"),
        (Apk, "x", &["CVE-1: 0..1-r5"], "CVE-1", "CVE-1: unparseable-version | Open"),
        // What cannot be compared is no matter of an id that does not name it.
        (Apk, "x", &["CVE-1: 0..1-r5"], "CVE-7", "NotNamed"),
        (Apk, "1-r4", &["CVE-1: 0..5-1-r2"], "CVE-7", "NotNamed"),
        (Apk, "1-r4", &["CVE-1: 0..1-r5"], "CVE-9", "Unknown"),
        (Apk, "1-r4", &[], "CVE-9", "Unknown"),
        (Deb, "2-1", &["CVE-1: 3-1.."], "CVE-1", "CVE-1: before 3-1 | NotAffected"),
        (Deb, "1-1", &["CVE-1: 0.."], "CVE-1", "CVE-1: every version [] | Affected"),
        (Deb, "1-1", &["CVE-1: "], "CVE-1", "CVE-1: nothing named | NotAffected"),
        (Rpm, "1:3-2.el9", &["CVE-1: 0..9-1"], "CVE-1", "CVE-1: fixed in 9-1 | NotAffected"),
        (Python, "2", &["CVE-1: 0..=1.9"], "CVE-1", "CVE-1: after 1.9 | NotAffected"),
        (Python, "2", &["CVE-1: 0..<2.0"], "CVE-1", "CVE-1: not below 2.0 | NotAffected"),
        (Python, "2", &["CVE-1: ;1.8 1.9"], "CVE-1", "CVE-1: none of 2 | NotAffected"),
        (
            Python,
            "2",
            &["CVE-1: 1..1.5 3..4;1.7"],
            "CVE-1",
            "CVE-1: fixed in 1.5, before 3, none of 1 | NotAffected",
        ),
        // By any id of the flaw, and through all advisories that it is joined from.
        (
            Python,
            "2",
            &["PYSEC-1=GHSA-1: 0..2", "CVE-1=GHSA-1: 0..3"],
            "PYSEC-1",
            "CVE-1: < 3 [3] | Affected",
        ),
        (
            Python,
            "2",
            &["A=CVE-1: 0..1", "B=CVE-1: 3..4", "CVE-2: 0.."],
            "B",
            "CVE-1: fixed in 1, before 3 | NotAffected",
        ),
        (Python, "2", &["A=CVE-1: x..9", "B=CVE-1: 0..3"], "A", "CVE-1: < 3 [3 9] | Affected"),
        (
            Python,
            "2",
            &["A=CVE-1: x..9", "B=CVE-1: 0..1"],
            "B",
            "CVE-1: unreadable-advisory | Open",
        ),
        (Python, "2z-x", &["CVE-1: ;2z-x"], "CVE-1", "CVE-1: = 2z-x [] | Affected"),
        (Npm, "2.0.0", &["GHSA-1: 0..2.0.0"], "GHSA-1", "GHSA-1: fixed in 2.0.0 | NotAffected"),
        (Go, "(devel)", &["GO-1: 0..1.2.4"], "GO-1", "GO-1: unidentified-version | Open"),
    ];
    for (kind, version, advisories, id, want) in table {
        let mut memory = memory();
        for text in *advisories {
            memory.add(stream(*kind), "pkg", advisory(text));
        }
        let known = FlawFacts { exploited: true, ..FlawFacts::default() };
        memory.flaws.insert("CVE-7".into(), known);
        supported(&mut memory, home(*kind).as_ref());
        let inventory = Inventory {
            distribution: home(*kind),
            packages: vec![package(*kind, "pkg", version)],
            ..Inventory::default()
        };
        let explanation = explain(&inventory, &memory, id);
        assert_eq!(shown(&explanation), *want, "{kind:?} {version} {advisories:?} {id}");
        let [looked] = explanation.streams.as_slice() else { panic!("{explanation:?}") };
        assert_eq!((&looked.stream, looked.names), (&stream(*kind), 1));
        assert!(looked.feed.is_some());
    }
}

#[test]
fn what_an_advisory_says_beyond_versions() {
    let with = |change: fn(&mut Advisory)| {
        let mut one = advisory("CVE-1: 0..2");
        change(&mut one);
        one
    };
    let table = [
        (vec![with(|a| a.state = State::NotAffected)], "CVE-1", "CVE-1: said so | NotAffected"),
        (
            vec![with(|a| a.arches = vec!["s390x".into()])],
            "CVE-1",
            "CVE-1: others s390x - | NotAffected",
        ),
        // One that concerns the package answers for those that do not.
        (
            vec![with(|a| a.arches = vec!["s390x".into()]), with(|a| a.arches = Vec::new())],
            "CVE-1",
            "CVE-1: < 2 [2] | Affected",
        ),
        (
            vec![
                with(|a| a.errata = vec!["DSA-1".into()]),
                with(|a| (a.id, a.errata) = ("CVE-2".into(), vec!["DSA-1".into()])),
                with(|a| a.id = "CVE-3".into()),
            ],
            "DSA-1",
            "CVE-1: < 2 [2] | CVE-2: < 2 [2] | Affected",
        ),
    ];
    for (advisories, id, want) in table {
        let mut memory = memory();
        supported(&mut memory, home(PackageKind::Deb).as_ref());
        for one in advisories {
            memory.add(stream(PackageKind::Deb), "pkg", one);
        }
        let mut package = package(PackageKind::Deb, "pkg", "1-1");
        package.arch = Some("amd64".into());
        let (packages, distribution) = (vec![package], home(PackageKind::Deb));
        let inventory = Inventory { packages, distribution, ..Inventory::default() };
        assert_eq!(shown(&explain(&inventory, &memory, id)), want);
    }
}

#[test]
fn what_was_not_examined_keeps_the_answer_open() {
    let gap = |kind, subject: &str| Gap::new(kind, subject, "why");
    let none: &[GapKind] = &[];
    // the inventory's gap, what is accepted → the answer to a flaw that is fixed, how many gaps
    let table = [
        (None, none, Answer::NotAffected, 0),
        (Some(gap(GapKind::UnreadableDatabase, "var/x")), none, Answer::Open, 1),
        (
            Some(gap(GapKind::UnreadableDatabase, "var/x")),
            &[GapKind::UnreadableDatabase],
            Answer::NotAffected,
            1,
        ),
        (Some(gap(GapKind::OverLimit, "var/x")), &[GapKind::StaleFeed], Answer::Open, 1),
        // An extractor's: the program may be the one. A matcher's would be of another package.
        (Some(gap(GapKind::UnidentifiedVersion, "bin/x")), none, Answer::Open, 1),
        (Some(gap(GapKind::UnknownImageFact, "user")), none, Answer::NotAffected, 0),
        (Some(gap(GapKind::MutableReference, "app:1")), none, Answer::NotAffected, 0),
    ];
    for (gap, accepted, answer, count) in table {
        let mut memory = memory();
        supported(&mut memory, home(PackageKind::Apk).as_ref());
        memory.add(stream(PackageKind::Apk), "pkg", advisory("CVE-1: 0..1-r0"));
        memory.add(stream(PackageKind::Apk), "odd", advisory("CVE-2: 0..1-r0"));
        let inventory = Inventory {
            distribution: home(PackageKind::Apk),
            packages: vec![
                package(PackageKind::Apk, "odd", "what"),
                package(PackageKind::Apk, "pkg", "2-r0"),
            ],
            gaps: gap.iter().cloned().collect(),
            ..Inventory::default()
        };
        let explanation = explain(&inventory, &memory, "CVE-1");
        assert_eq!(explanation.answer(accepted), answer, "{gap:?} {accepted:?}");
        assert_eq!(explanation.gaps.len(), count, "{explanation:?}");
        // What concerns a package that the id names is never accepted.
        let explanation = explain(&inventory, &memory, "CVE-2");
        assert_eq!(explanation.answer(GapKind::ALL), Answer::Open, "{gap:?}");
    }
}

#[test]
fn a_stream_that_no_feed_covers_keeps_the_answer_open() {
    let mut memory = memory();
    memory.add("Alpine:v3.9".parse().unwrap(), "pkg", advisory("CVE-1: 0..1-r0"));
    let inventory = Inventory {
        distribution: distribution("alpine", "3.8.0", "3.8"),
        packages: vec![package(PackageKind::Apk, "pkg", "0-r0")],
        ..Inventory::default()
    };
    memory.flaws.insert("CVE-1".into(), FlawFacts { exploited: true, ..FlawFacts::default() });
    let explanation = explain(&inventory, &memory, "CVE-1");
    assert_eq!(shown(&explanation), "Open");
    let [looked] = explanation.streams.as_slice() else { panic!("{explanation:?}") };
    assert_eq!((looked.stream.to_string(), looked.feed.is_none()), ("Alpine:v3.8".into(), true));
}

#[test]
fn what_is_left_to_the_distribution_is_said_to_be() {
    // the distribution's advisory about the owner, the version that Python's files name
    let table = [
        ("CVE-9: 0..1-1", "1", "CVE-1: left to owner, else < 2 [2] | NotAffected"),
        ("CVE-9: 0..1-1", "2", "CVE-1: left to owner, else fixed in 2 | NotAffected"),
        ("CVE-9: 0..1-1", "x", "CVE-1: left to owner, else unparseable-version | NotAffected"),
        (
            "CVE-1: 0..9-1",
            "1",
            "CVE-1: < 9-1 [9-1] | CVE-1: left to owner, else < 2 [2] | Affected",
        ),
    ];
    for (owners, version, want) in table {
        let mut memory = memory();
        supported(&mut memory, home(PackageKind::Deb).as_ref());
        memory.add(stream(PackageKind::Deb), "owner", advisory(owners));
        memory.add(stream(PackageKind::Python), "pkg", advisory("CVE-1: 0..2"));
        let mut python = package(PackageKind::Python, "pkg", version);
        python.owner = Some("owner".into());
        let packages = vec![package(PackageKind::Deb, "owner", "2-1"), python];
        let distribution = home(PackageKind::Deb);
        let inventory = Inventory { packages, distribution, ..Inventory::default() };
        assert_eq!(shown(&explain(&inventory, &memory, "CVE-1")), want);
    }
}

#[test]
fn modules_vendors_and_headers_of_the_kernel() {
    type Change = fn(&mut Package, &mut Advisory);
    let table: &[(&str, Change, &str)] = &[
        ("pkg", |_, _| (), "CVE-1: < 9-1 [9-1] | Affected"),
        ("pkg", |_, a| a.module = Some("x:1".into()), "CVE-1: others  x:1 | NotAffected"),
        ("pkg", |p, _| p.module = Some("x:1".into()), "CVE-1: others  - | NotAffected"),
        ("kernel-headers", |_, _| (), "CVE-1: no kernel | NotAffected"),
        ("pkg", |p, _| p.vendor = Some("Somebody Else".into()), "Open"),
    ];
    for (name, change, want) in table {
        let mut memory = memory();
        supported(&mut memory, home(PackageKind::Rpm).as_ref());
        memory.flaws.insert("CVE-1".into(), FlawFacts { exploited: true, ..Default::default() });
        let mut one = advisory("CVE-1: 0..9-1");
        let mut package = package(PackageKind::Rpm, name, "1-1");
        change(&mut package, &mut one);
        memory.add(stream(PackageKind::Rpm), name, one);
        let (packages, distribution) = (vec![package], home(PackageKind::Rpm));
        let inventory = Inventory { packages, distribution, ..Inventory::default() };
        assert_eq!(shown(&explain(&inventory, &memory, "CVE-1")), *want, "{name}");
    }
}

fn has(finding: &Finding, id: &str) -> bool {
    finding.id == id || finding.aliases.iter().chain(&finding.errata).any(|other| other == id)
}

#[test]
fn affected_is_said_of_exactly_the_findings_of_matching() {
    let mut memory = memory();
    for (stream, name, text) in [
        ("Alpine:v3.9", "pkg", "CVE-1: 0..2-r0"),
        ("Alpine:v3.9", "pkg", "CVE-5=X-5: 0..0"),
        ("Alpine:edge", "pkg", "CVE-1: 0..3-r0"),
        ("Debian:12", "pkg", "CVE-2: 0.."),
        ("PyPI", "pkg", "GHSA-1=CVE-1: 0..2"),
        ("PyPI", "pkg", "PYSEC-1=GHSA-1: 0..3;x"),
        ("PyPI", "pkg", "CVE-4: what..3"),
        ("Go", "pkg", "GO-1=CVE-2: 1.1.0..1.2.0"),
    ] {
        let mut one = advisory(text);
        one.errata = if text.contains("CVE-2") { vec!["E-1".into()] } else { Vec::new() };
        one.arches = if text.contains("0..3-r0") { vec!["arm".into()] } else { Vec::new() };
        one.published = Some(time("2026-08-20T00:00:00Z"));
        memory.add(stream.parse().unwrap(), name, one);
    }
    let with = |kind, name: &str, version: &str, change: fn(&mut Package)| {
        let mut one = package(kind, name, version);
        change(&mut one);
        one
    };
    use PackageKind::{Apk, Deb, Go, Python};
    let packages = [
        with(Apk, "pkg", "1-r0", |p| p.arch = Some("arm".into())),
        with(Apk, "pkg", "2-r0", |p| p.arch = Some("amd64".into())),
        with(Apk, "pkg", "what", |_| ()),
        with(Deb, "pkg", "1-1", |_| ()),
        with(Python, "pkg", "1", |_| ()),
        with(Python, "pkg", "2", |p| p.owner = Some("pkg".into())),
        with(Python, "pkg", "x", |_| ()),
        with(Go, "pkg", "v1.1.5", |_| ()),
        with(Go, "pkg", "(devel)", |_| ()),
    ];
    let ids = ["CVE-1", "CVE-2", "CVE-4", "CVE-5", "X-5", "GHSA-1", "PYSEC-1", "GO-1", "E-1", "?"];
    let releases = [
        None,
        distribution("alpine", "3.9.4", "3.9"),
        distribution("alpine", "edge", "edge"),
        distribution("debian", "12.5", "12"),
    ];
    let (mut affected, mut different) = (0, BTreeSet::new());
    let mut matcher = Matcher::new(&memory);
    for some in 0..1_u32 << packages.len() {
        for distribution in &releases {
            let chosen = packages.iter().enumerate().filter(|(at, _)| some & (1 << at) != 0);
            let packages = chosen.map(|(_, package)| package.clone()).collect();
            let distribution = distribution.clone();
            let inventory = Inventory { packages, distribution, ..Inventory::default() };
            let matched = run(&inventory, &memory);
            for id in ids {
                let Ok(explanation) = matcher.explain(&inventory, &matched.gaps, id);
                let mut said: Vec<Finding> = Vec::new();
                for one in &explanation.packages {
                    if let Outcome::Affected(finding) = &one.outcome {
                        assert_eq!(finding.id, one.id);
                        said.push(finding.clone());
                    }
                    if let Some(gap) = one.outcome.gap() {
                        assert!(matched.gaps.contains(gap), "{gap}");
                    }
                }
                let mut found: Vec<Finding> =
                    matched.findings.iter().filter(|f| has(f, id)).cloned().collect();
                let key = |f: &Finding| (f.id.clone(), f.package.clone());
                said.sort_by_key(key);
                found.sort_by_key(key);
                assert_eq!(said, found, "{id} in {inventory:?}");
                affected += said.len();
                let answer = explanation.answer(GapKind::ALL);
                assert_eq!(answer == Answer::Affected, !found.is_empty());
                assert!(explanation.gaps.iter().all(|gap| matched.gaps.contains(gap)));
                different.insert(shown(&explanation));
            }
        }
    }
    assert!(affected > 1000 && different.len() > 100, "{affected} {}", different.len());
}
