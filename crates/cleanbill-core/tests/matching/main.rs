//! Matching by tables: what is found, and what is a gap.
#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

mod elsewhere;
mod explain;
mod fixes;
mod flavours;
mod joined;
mod kernel;
mod many;
mod publishers;
mod red_hat;
mod rpm;
mod said;
mod support;

use cleanbill_core::Date;
use cleanbill_core::advisory::{FlawFacts, State};
use cleanbill_core::distribution::Distribution;
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::finding::Status;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::Matcher;
use cleanbill_core::package::{PackageKind, SourcePackage};
use cleanbill_core::severity::Severity;

use support::{
    NOW, advisory, distribution, gaps, home, memory, package, run, stream, supported, time,
};

#[test]
fn one_package_and_its_advisories() {
    use PackageKind::{Apk, Deb, Go, Npm, Python, Rpm};
    // kind, installed, advisories → `id range [fixes]` for findings, else gaps or nothing.
    let table: &[(PackageKind, &str, &[&str], &str)] = &[
        (Apk, "1.0.2q-r0", &["CVE-1: 0..1.0.2r-r0"], "CVE-1 < 1.0.2r-r0 [1.0.2r-r0]"),
        (Apk, "1.0.2r-r0", &["CVE-1: 0..1.0.2r-r0"], ""),
        (Apk, "1.0-r0", &["CVE-1: 0..0"], ""),
        (Apk, "1.0-r0", &["CVE-1: 0..57-1-r2"], "unreadable-advisory CVE-1"),
        (Apk, "x", &["CVE-1: 0..2-r0"], "unparseable-version pkg x"),
        (Apk, "x", &[], ""),
        (Deb, "1.0-1", &["CVE-1: 0.."], "CVE-1 every version []"),
        (Deb, "1.0-1", &["CVE-1: 0..0:1.0-1"], ""),
        (Deb, "1:1.0-1", &["CVE-1: 0..2.0-1"], ""),
        (Deb, "1.0-1", &["CVE-1: 0..1:0.1-1"], "CVE-1 < 1:0.1-1 [1:0.1-1]"),
        (Deb, "1.0-1~deb12u1", &["CVE-1: 0..1.0-1"], "CVE-1 < 1.0-1 [1.0-1]"),
        (
            Rpm,
            "1:3.0.7-24.el9",
            &["CVE-1: 0..1:3.0.7-27.el9"],
            "CVE-1 < 1:3.0.7-27.el9 [1:3.0.7-27.el9]",
        ),
        (Rpm, "1:3.0.7-27.el9", &["CVE-1: 0..1:3.0.7-27.el9"], ""),
        (Rpm, "1:3.0.7-27.el9", &["CVE-1: 0..9.0-1.el9"], ""),
        (
            Rpm,
            "5.1.8-6.el9",
            &["CVE-1: 0..0:5.1.8-6.el9_1"],
            "CVE-1 < 0:5.1.8-6.el9_1 [0:5.1.8-6.el9_1]",
        ),
        (Python, "2.0", &["CVE-1: 1.0..2.0"], ""),
        (Python, "2.0", &["CVE-1: 1.0..=2.0.0"], "CVE-1 >= 1.0, <= 2.0.0 []"),
        // It ends there, and nobody says that it was mended.
        (Python, "1.9", &["CVE-1: 1.0..<2.0.0"], "CVE-1 >= 1.0, < 2.0.0 []"),
        (Python, "2.0", &["CVE-1: 1.0..<2.0.0"], ""),
        (Python, "2.0", &["CVE-1: ;2.0.0"], "CVE-1 = 2.0.0 []"),
        // A local build is one of the version that is named, and above the fix of it.
        (Python, "2.0+cu118", &["CVE-1: 1.0..=2.0.0"], "CVE-1 >= 1.0, <= 2.0.0 []"),
        (Python, "2.0+cu118", &["CVE-1: ;2.0.0"], "CVE-1 = 2.0.0 []"),
        (Python, "2.0+cu118", &["CVE-1: 1.0..2.0.0", "CVE-2: ;1.9 2.0+cu117"], ""),
        (Python, "2.0.post1+cu118", &["CVE-1: 0..=2.0.0;2.0.0"], ""),
        (Python, "2.0", &["CVE-1: ;1.0dev-r3 3"], ""),
        (
            Python,
            "1.0dev-x3",
            &["CVE-1: ;1.0dev-x3"],
            "CVE-1 = 1.0dev-x3 [] | unparseable-version pkg 1.0dev-x3",
        ),
        (Python, "2.0", &["CVE-1: 0..1.5 1.8..2.0.1 3..3.1"], "CVE-1 >= 1.8, < 2.0.1 [2.0.1]"),
        // A bound that does not matter may be unreadable; one that does is a gap.
        (Python, "2.0", &["CVE-1: 3..what"], ""),
        (Python, "2.0", &["CVE-1: what..1"], ""),
        (Python, "2.0", &["CVE-1: what..3"], "unreadable-advisory CVE-1"),
        (Python, "2.0", &["CVE-1: what..3 1..3"], "CVE-1 >= 1, < 3 [3]"),
        // One flaw is one finding, joined through aliases, under its CVE.
        (
            Python,
            "1.0",
            &["PYSEC-1=GHSA-1: 0..2", "CVE-1=GHSA-1: 0..3"],
            "CVE-1 (GHSA-1 PYSEC-1) < 2 [3]",
        ),
        (Python, "1.0", &["A=B: 0..2", "C=D: 0..2", "B=C: 0..2"], "A (B C D) < 2 [2]"),
        (Python, "1.0", &["CVE-1: 0..2", "CVE-2: 0..3"], "CVE-1 < 2 [2] | CVE-2 < 3 [3]"),
        // One of them says affected, the other not, or cannot be read: it is affected.
        (Python, "1.0", &["A=CVE-1: 2..3", "B=CVE-1: 0..2"], "CVE-1 (A B) < 2 [3]"),
        (Python, "1.0", &["A=CVE-1: what..3", "B=CVE-1: 0..2"], "CVE-1 (A B) < 2 [2 3]"),
        (Python, "1.0", &["A=CVE-1: 0..", "B=CVE-1: 0..2"], "CVE-1 (A B) every version [2]"),
        (Npm, "4.17.20", &["GHSA-1: 0..4.17.21"], "GHSA-1 < 4.17.21 [4.17.21]"),
        (Npm, "2.0.0-rc.1", &["GHSA-1: 0..2.0.0"], "GHSA-1 < 2.0.0 [2.0.0]"),
        (Go, "v1.2.3+incompatible", &["GO-1: 0..1.2.4"], "GO-1 < 1.2.4 [1.2.4]"),
        (
            Go,
            "v0.0.0-20190308221718-c2843e01d9a2",
            &["GO-1: 0..0.0.0-20211202192323-5770296d904e"],
            "GO-1 < 0.0.0-20211202192323-5770296d904e [0.0.0-20211202192323-5770296d904e]",
        ),
        (Go, "(devel)", &["GO-1: 0..1.2.4"], "unidentified-version pkg (devel)"),
        (Go, "", &["GO-1: 0..1.2.4"], "unidentified-version pkg"),
        (
            Go,
            "v0.0.0-20240101000000-abcdefabcdef+dirty",
            &["GO-1: 0..1.2.4"],
            "unidentified-version pkg v0.0.0-20240101000000-abcdefabcdef+dirty",
        ),
        (Go, "(devel)", &[], ""),
    ];
    for (kind, version, advisories, want) in table {
        let mut memory = memory();
        for text in *advisories {
            memory.add(stream(*kind), "pkg", advisory(text));
        }
        supported(&mut memory, home(*kind).as_ref());
        let inventory = Inventory {
            distribution: home(*kind),
            packages: vec![package(*kind, "pkg", version)],
            ..Inventory::default()
        };
        let matched = run(&inventory, &memory);
        let shown = matched.findings.iter().map(|f| {
            let others = match f.aliases.is_empty() {
                true => String::new(),
                false => format!(" ({})", f.aliases.join(" ")),
            };
            assert_eq!(f.status == Status::Fixed, !f.fixed_versions.is_empty());
            format!("{}{others} {} [{}]", f.id, f.why.range, f.fixed_versions.join(" "))
        });
        let got = shown.chain(gaps(&matched)).collect::<Vec<_>>().join(" | ");
        assert_eq!(got, *want, "{kind:?} {version} {advisories:?}");
    }
}

#[test]
fn names_and_versions_that_advisories_use() {
    use PackageKind::{Apk, Deb, Go, Npm, Python, Rpm};
    let source = Some(SourcePackage { name: "source".into(), version: "1.0-1".into() });
    // kind, name, has a source package, name in the advisory, found
    let table: &[(PackageKind, &str, bool, &str, bool)] = &[
        (Deb, "libx1", true, "source", true),
        (Deb, "libx1", true, "libx1", false),
        (Apk, "x-libs", true, "source", false), // its source's version is 1.0-1: no apk version
        (Apk, "x", false, "x", true),
        (Rpm, "openssl-libs", true, "openssl-libs", true),
        (Rpm, "openssl-libs", true, "source", false),
        (Python, "Zope.Interface__X", false, "zope-interface-x", true),
        (Npm, "@Scope/Name", false, "@Scope/Name", true),
        (Npm, "@Scope/Name", false, "@scope/name", false),
        (Go, "stdlib", false, "stdlib", true),
        (Go, "toolchain", false, "toolchain", false),
    ];
    for (kind, name, sourced, advised, found) in table {
        let mut memory = memory();
        memory.add(stream(*kind), advised, advisory("CVE-1: 0..99"));
        let mut package = package(*kind, name, "1.1");
        package.source = source.clone().filter(|_| *sourced);
        let packages = vec![package];
        let inventory = Inventory { distribution: home(*kind), packages, ..Inventory::default() };
        assert_eq!(!run(&inventory, &memory).findings.is_empty(), *found, "{kind:?} {name}");
    }
}

#[test]
fn distributions_and_their_streams() {
    use PackageKind::{Apk, Deb, Python, Rpm};
    let table: &[(PackageKind, Option<Distribution>, &str, &str)] = &[
        (Apk, distribution("alpine", "3.9.4", "3.9"), "Alpine:v3.9", "CVE-1"),
        (Apk, distribution("alpine", "3.21_alpha", "edge"), "Alpine:edge", "CVE-1"),
        (
            Apk,
            distribution("alpine", "3.20.1", "3.20"),
            "Alpine:v3.9",
            "no-advisory-source Alpine:v3.20",
        ),
        (
            Apk,
            distribution("gentoo", "2023", "2023"),
            "Alpine:v3.9",
            "unknown-distribution gentoo 2023",
        ),
        (Apk, distribution("debian", "12", "12"), "Alpine:v3.9", "unknown-distribution debian 12"),
        (Apk, None, "Alpine:v3.9", "unknown-distribution apk"),
        (Deb, distribution("debian", "12.5", "12"), "Debian:12", "CVE-1"),
        (Deb, distribution("debian", "", ""), "Debian:12", "unknown-distribution debian"),
        (Deb, distribution("debian", "11", "11"), "Debian:12", "no-advisory-source Debian:11"),
        (Deb, distribution("ubuntu", "22.04", "22.04"), "Ubuntu:22.04:LTS", "CVE-1"),
        (Deb, distribution("ubuntu", "22.04", "22.04"), "Ubuntu:Pro:22.04:LTS", "CVE-1"),
        (Deb, distribution("ubuntu", "24.10", "24.10"), "Ubuntu:24.10", "CVE-1"),
        (
            Deb,
            distribution("ubuntu", "20.04", "20.04"),
            "Ubuntu:22.04:LTS",
            "no-advisory-source Ubuntu:20.04",
        ),
        (Rpm, distribution("almalinux", "9.4", "9"), "AlmaLinux:9", "CVE-1"),
        (
            Rpm,
            distribution("almalinux", "8.10", "8"),
            "AlmaLinux:9",
            "no-advisory-source AlmaLinux:8",
        ),
        (Rpm, distribution("rocky", "9.4", "9"), "Rocky Linux:9", "CVE-1"),
        (Rpm, distribution("fedora", "40", "40"), "AlmaLinux:9", "unknown-distribution fedora 40"),
        (Rpm, distribution("debian", "12", "12"), "Debian:12", "unknown-distribution debian 12"),
        (Rpm, None, "AlmaLinux:9", "unknown-distribution rpm"),
        // No package of the system was recognised, but its system is not one we could judge.
        (
            Python,
            distribution("fedora", "40", "40"),
            "PyPI",
            "CVE-1 | unknown-distribution fedora 40",
        ),
        (Python, None, "PyPI", "CVE-1"),
    ];
    for (kind, distribution, stream, want) in table {
        let mut memory = memory();
        memory.add(stream.parse().unwrap(), "pkg", advisory("CVE-1: 0..9"));
        supported(&mut memory, distribution.as_ref());
        let two = ["pkg", "other"].map(|name| package(*kind, name, "1.0")).to_vec();
        let inventory =
            Inventory { distribution: distribution.clone(), packages: two, ..Inventory::default() };
        let matched = run(&inventory, &memory);
        let ids = matched.findings.iter().map(|f| f.id.clone());
        let got = ids.chain(gaps(&matched)).collect::<Vec<_>>().join(" | ");
        assert_eq!(got, *want, "{distribution:?}");
    }
}

#[test]
fn a_release_whose_support_nobody_dated_is_a_gap() {
    let table = [
        ("3.9", "unknown-end-of-life alpine 3.9"),
        // Where nothing covers the release, that alone is said.
        ("3.99", "no-advisory-source Alpine:v3.99"),
    ];
    for (release, want) in table {
        let mut memory = memory();
        memory.add("Alpine:v3.9".parse().unwrap(), "pkg", advisory("CVE-1: 9..10"));
        let packages = vec![package(PackageKind::Apk, "pkg", "1.0-r0")];
        let distribution = distribution("alpine", release, release);
        let inventory = Inventory { distribution, packages, ..Inventory::default() };
        assert_eq!(gaps(&run(&inventory, &memory)).join(" | "), want);
    }
}

#[test]
fn an_end_of_life_is_a_gap_unless_the_release_is_seen_to_live() {
    let end = |text: &str| Some(text.parse::<Date>().unwrap());
    let table: &[(Option<Date>, Option<&str>, bool)] = &[
        (end("2026-08-29"), None, true),
        (end("2026-08-30"), None, false),
        (None, None, false),
        // An advisory of its own, after the end, and lately.
        (end("2026-07-11"), Some("2026-08-01T00:00:00Z"), false),
        (end("2026-07-11"), Some("2026-07-11T10:00:00Z"), true),
        (end("2020-11-01"), Some("2020-11-20T00:00:00Z"), true),
        (end("2026-07-11"), Some("2026-08-31T00:00:00Z"), false),
        (end("2026-07-11"), Some("2098-01-01T00:00:00Z"), true),
    ];
    for (end, newest, gap) in table {
        let mut memory = memory();
        memory.end_of_life.insert(("debian".into(), "12".into()), *end);
        // Fresh facts of another release prove nothing about this one.
        let mut elsewhere = advisory("CVE-2: 0..1");
        elsewhere.published = Some(time(NOW));
        memory.add("PyPI".parse().unwrap(), "pkg", elsewhere.clone());
        memory.add("Alpine:edge".parse().unwrap(), "pkg", elsewhere);
        let mut own = advisory("CVE-1: 0..1");
        own.published = newest.map(time);
        memory.add("Debian:12".parse().unwrap(), "pkg", own);
        let packages = vec![
            package(PackageKind::Deb, "pkg", "2.0-1"),
            package(PackageKind::Python, "pkg", "2.0"),
        ];
        let distribution = home(PackageKind::Deb);
        let matched = run(&Inventory { distribution, packages, ..Inventory::default() }, &memory);
        let want: &[&str] = if *gap { &["end-of-life debian 12"] } else { &[] };
        assert_eq!(gaps(&matched), want, "{end:?} {newest:?}");
    }
}

#[test]
fn old_and_undated_feeds_are_gaps_where_they_are_used() {
    let table: &[(Option<&str>, &[&str])] = &[
        (Some("2026-08-23T00:00:00Z"), &[]),
        (Some("2026-08-22T23:59:59Z"), &["stale-feed osv:PyPI"]),
        // Clocks may differ by a day.
        (Some("2026-08-31T23:59:59Z"), &[]),
        (Some("2026-09-01T00:00:00Z"), &["stale-feed osv:PyPI"]),
        (Some("2098-01-01T00:00:00Z"), &["stale-feed osv:PyPI"]),
        (None, &["stale-feed osv:PyPI"]),
    ];
    for (as_of, want) in table {
        let mut memory = memory();
        for feed in &mut memory.feeds {
            feed.as_of = as_of.map(time);
        }
        let packages =
            vec![package(PackageKind::Python, "a", "1"), package(PackageKind::Python, "b", "1")];
        let matched = run(&Inventory { packages, ..Inventory::default() }, &memory);
        assert_eq!(gaps(&matched), *want, "{as_of:?}");
        assert_eq!(matched.feeds.len(), 1);
        assert_eq!(matched.feeds[0].feed, "osv:PyPI");
    }
}

#[test]
fn what_the_distribution_packaged_is_judged_once_and_only_by_who_knows_it() {
    // covered, the distribution has advisories for the owner, owner is installed → findings
    let table: &[(bool, bool, bool, usize)] = &[
        (true, true, true, 0),
        (true, false, true, 1),
        (false, true, true, 1),
        (true, true, false, 1),
    ];
    for (covered, known, installed, findings) in table {
        let mut memory = memory();
        if !covered {
            memory.feeds.retain(|f| f.id != "osv:Debian");
        }
        memory.add("PyPI".parse().unwrap(), "jinja2", advisory("CVE-1: 0..9"));
        if *known {
            memory.add("Debian:12".parse().unwrap(), "jinja2", advisory("CVE-1: 0..3.1.2-1"));
        }
        let mut language = package(PackageKind::Python, "Jinja2", "3.1.2");
        language.owner = Some("python3-jinja2".into());
        let mut owner = package(PackageKind::Deb, "python3-jinja2", "3.1.2-1");
        owner.source = Some(SourcePackage { name: "jinja2".into(), version: "3.1.2-1".into() });
        let packages = if *installed { vec![owner, language] } else { vec![language] };
        let distribution = home(PackageKind::Deb);
        let inventory = Inventory { distribution, packages, ..Inventory::default() };
        let matched = run(&inventory, &memory);
        assert_eq!(matched.findings.len(), *findings, "{covered} {known} {installed}");
        // What is not counted is not lost either.
        let Ok(left) = Matcher::new(&memory).left(&inventory);
        let told =
            left.iter().map(|l| format!("{} {} {}", l.finding.id, l.finding.package.name, l.owner));
        let want: &[&str] = if *findings == 0 { &["CVE-1 Jinja2 python3-jinja2"] } else { &[] };
        assert_eq!(told.collect::<Vec<_>>(), want, "{covered} {known} {installed}");
    }
}

#[test]
fn what_is_known_of_a_flaw_is_put_together() {
    let mut memory = memory();
    let python: Stream = "PyPI".parse().unwrap();
    let mut unrated = advisory("PYSEC-1=CVE-1: 0..2");
    unrated.published = Some(time("2026-02-01T00:00:00Z"));
    unrated.errata = vec!["ALSA-1".into()];
    let mut high = advisory("GHSA-1=CVE-1: 0..2");
    high.severity = Severity::High;
    high.cvss = Some("CVSS:3.1/x".into());
    high.published = Some(time("2026-01-01T00:00:00Z"));
    let mut critical = advisory("X-1=CVE-1: 0..2");
    critical.severity = Severity::Critical;
    let mut other = advisory("CVE-0: 0..2");
    other.errata = vec!["ALSA-1".into()]; // the same erratum, another flaw
    for one in [other, unrated, high, critical] {
        memory.add(python.clone(), "pkg", one);
    }
    memory.flaws.insert("GHSA-1".into(), FlawFacts { exploited: true, ..FlawFacts::default() });
    let packages = vec![package(PackageKind::Python, "pkg", "1")];
    let matched = run(&Inventory { packages, ..Inventory::default() }, &memory);
    let [first, second] = matched.findings.as_slice() else { panic!("{:?}", matched.findings) };
    assert_eq!((first.id.as_str(), first.severity), ("CVE-1", Severity::High));
    assert_eq!(first.cvss.as_deref(), Some("CVSS:3.1/x"));
    assert_eq!(first.published, Some(time("2026-01-01T00:00:00Z")));
    assert_eq!(first.errata, ["ALSA-1"]);
    assert!(first.known_exploited && !second.known_exploited);
    assert_eq!((first.why.feed.as_str(), first.why.looked_up.as_str()), ("osv:PyPI", "pkg"));
    assert_eq!((second.id.as_str(), second.severity), ("CVE-0", Severity::Unknown));
}

#[test]
fn an_advisory_that_is_partly_unreadable_is_a_gap_of_its_package_only() {
    let mut memory = memory();
    let mut one = advisory("CVE-1: 5..6");
    one.unreadable = Some("a range of type WHAT".into());
    let mut never = advisory("CVE-2: 0..");
    never.state = State::NotAffected;
    memory.add("npm".parse().unwrap(), "pkg", one);
    memory.add("npm".parse().unwrap(), "pkg", never);
    let packages = ["pkg", "other"].map(|n| package(PackageKind::Npm, n, "1.0.0")).to_vec();
    let matched = run(&Inventory { packages, ..Inventory::default() }, &memory);
    assert_eq!(matched.findings, []);
    let shown: Vec<String> = matched.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["unreadable-advisory: CVE-1: concerns pkg 1.0.0: a range of type WHAT"]);
}
