//! Builds for FIPS and for Ksplice beside the plain ones: by fixes of their own flavour.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::Matcher;
use cleanbill_core::package::{Package, PackageKind, SourcePackage};

use super::support::{advisory, distribution, feed, gaps, memory, package, run, supported};

/// What an image of this distribution with one package shows, and what is said of `CVE-1` there.
fn check(named: (&str, &str), package: Package, advisories: &[(&str, &str)], want: &str) {
    let mut memory = memory();
    memory.feeds.push(feed("trivy:oracle", &["Oracle Linux:9"]));
    let fips = ["Ubuntu:Pro:FIPS:22.04:LTS", "Ubuntu:Pro:FIPS-updates:22.04:LTS"];
    memory.feeds.push(feed("osv:Ubuntu fips", &fips));
    for (stream, text) in advisories {
        memory.add(stream.parse().unwrap(), package.source_name(), advisory(text));
    }
    let (id, release) = named;
    let distribution = distribution(id, release, release);
    supported(&mut memory, distribution.as_ref());
    let about = format!("{} {advisories:?}", package.version);
    let inventory = Inventory { distribution, packages: vec![package], ..Inventory::default() };
    let matched = run(&inventory, &memory);
    let shown = matched
        .findings
        .iter()
        .map(|f| format!("{} {} [{}]", f.id, f.why.range, f.fixed_versions.join(" ")));
    let got = shown.chain(gaps(&matched)).collect::<Vec<_>>().join(" | ");
    assert_eq!(got, want, "{about}");
    // The same is told of the one flaw.
    let Ok(explanation) = Matcher::new(&memory).explain(&inventory, &matched.gaps, "CVE-1");
    let open = explanation.packages.iter().filter_map(|p| p.outcome.gap()).count();
    assert_eq!(open, matched.gaps.len(), "{about}");
}

#[test]
fn oracles_builds_are_judged_by_fixes_of_their_flavour() {
    let plain = "CVE-1: 0..1:3.0.7-25.0.1.el9_3";
    let fips = "CVE-1: 0..10:3.0.7-25.0.1.el9_3_fips";
    let ksplice = "CVE-1: 0..2:3.0.7-25.0.1.ksplice1.el9_3";
    let affected = |text: &str| {
        let fixed = text.split_once("..").unwrap().1;
        format!("CVE-1 < {fixed} [{fixed}]")
    };
    let open = "unreadable-advisory CVE-1".to_owned();
    let clean = String::new;
    let table: &[(&str, &[&str], String)] = &[
        // At the fix of its own flavour, whatever the others are.
        ("1:3.0.7-25.0.1.el9_3", &[plain, fips, ksplice], clean()),
        ("10:3.0.7-25.0.1.el9_3_fips", &[plain, fips, ksplice], clean()),
        ("2:3.0.7-25.0.1.ksplice1.el9_3", &[plain, fips, ksplice], clean()),
        // Below it.
        ("1:3.0.7-24.el9", &[fips, plain, ksplice], affected(plain)),
        ("10:3.0.7-24.el9_fips", &[plain, fips, ksplice], affected(fips)),
        ("2:3.0.7-24.ksplice1.el9", &[plain, fips, ksplice], affected(ksplice)),
        // In one advisory or several is the same.
        (
            "1:3.0.7-25.0.1.el9_3",
            &["CVE-1: 0..1:3.0.7-25.0.1.el9_3 0..10:3.0.7-25.0.1.el9_3_fips"],
            clean(),
        ),
        // Another flavour's fix is not about a plain package.
        ("1:3.0.7-24.el9", &[fips], clean()),
        // And a plain one not about another's: by its number it holds the fix, or nobody knows.
        ("10:3.0.7-24.el9_fips", &[plain], open.clone()),
        ("10:3.0.7-25.0.1.el9_3_fips", &[plain], clean()),
        ("10:3.0.7-27.0.1.el9_4_fips", &[plain, ksplice], clean()),
        ("2:3.0.7-24.ksplice1.el9", &[plain], open.clone()),
        ("2:3.0.7-25.0.1.ksplice1.el9_3", &[plain], clean()),
        ("10:3.0.7-24.el9_fips", &["CVE-1: 0..0"], clean()),
        // Its epoch tells nothing of where a plain version began.
        ("10:3.0.7-24.el9_fips", &["CVE-1: 1:9..1:9.1"], open.clone()),
        // What is fixed nowhere, or listed, is so in all of them.
        ("10:3.0.7-24.el9_fips", &["CVE-1: 0.."], "CVE-1 every version []".to_owned()),
        (
            "10:3.0.7-24.el9_fips",
            &["CVE-1: ;10:3.0.7-24.el9_fips"],
            "CVE-1 = 10:3.0.7-24.el9_fips []".to_owned(),
        ),
    ];
    for (version, said, want) in table {
        let said: Vec<_> = said.iter().map(|text| ("Oracle Linux:9", *text)).collect();
        check(("ol", "9"), package(PackageKind::Rpm, "openssl", version), &said, want);
    }
}

#[test]
fn ubuntus_builds_for_fips_are_judged_by_their_streams() {
    const PLAIN: &str = "Ubuntu:22.04:LTS";
    const PRO: &str = "Ubuntu:Pro:22.04:LTS";
    const FIPS: &str = "Ubuntu:Pro:FIPS-updates:22.04:LTS";
    let fixed = (PLAIN, "CVE-1: 0..3.0.2-0ubuntu1.18");
    type Row<'t> = (&'t str, &'t str, &'t [(&'t str, &'t str)], &'t str);
    // source, version, advisories by stream → as above
    let table: &[Row<'_>] = &[
        (
            "openssl",
            "3.0.2-0ubuntu1.15+Fips1",
            &[fixed, (FIPS, "CVE-1: 0..3.0.2-0ubuntu1.18+Fips1")],
            "CVE-1 < 3.0.2-0ubuntu1.18+Fips1 [3.0.2-0ubuntu1.18+Fips1]",
        ),
        (
            "openssl",
            "3.0.2-0ubuntu1.18+Fips1",
            &[fixed, (FIPS, "CVE-1: 0..3.0.2-0ubuntu1.18+Fips1")],
            "",
        ),
        (
            "openssl",
            "1.1.1f-1ubuntu2.fips.22",
            &[(PLAIN, "CVE-1: 0..1.1.1f-1ubuntu2.19"), (FIPS, "CVE-1: 0..")],
            "CVE-1 every version []",
        ),
        // They say nothing of the flaw: its number tells nothing.
        (
            "openssl",
            "1.1.1f-1ubuntu2.fips.22",
            &[(PLAIN, "CVE-1: 0..1.1.1f-1ubuntu2.23")],
            "unreadable-advisory CVE-1",
        ),
        (
            "openssl",
            "1.1.1f-1ubuntu2.fips.22",
            &[(PRO, "CVE-1: 0..1.1.1f-1ubuntu2.20+esm1")],
            "unreadable-advisory CVE-1",
        ),
        // But below a plain fix it is affected, which nobody of FIPS can take.
        ("openssl", "3.0.2-0ubuntu1.15+Fips1", &[fixed], "CVE-1 < 3.0.2-0ubuntu1.18 []"),
        ("openssl", "3.0.2-0ubuntu1.15+Fips1", &[(PLAIN, "CVE-1: 0..0")], ""),
        ("openssl", "3.0.2-0ubuntu1.15+Fips1", &[(PLAIN, "CVE-1: 9..10")], ""),
        ("openssl", "3.0.2-0ubuntu1.15+Fips1", &[(PLAIN, "CVE-1: 0..")], "CVE-1 every version []"),
        // A source of FIPS alone is known by its name.
        (
            "linux-fips",
            "5.15.0-73.80",
            &[(FIPS, "CVE-1: 0..5.15.0-92.102")],
            "CVE-1 < 5.15.0-92.102 [5.15.0-92.102]",
        ),
        ("linux-fips", "5.15.0-92.102", &[(FIPS, "CVE-1: 0..5.15.0-92.102")], ""),
        // To a plain build they say nothing.
        ("openssl", "3.0.2-0ubuntu1.15", &[(FIPS, "CVE-1: 0..3.0.2-0ubuntu1.18+Fips1")], ""),
        ("openssl", "3.0.2-0ubuntu1.18", &[fixed, (FIPS, "CVE-1: 0..")], ""),
    ];
    for (source, version, said, want) in table {
        let mut package = package(PackageKind::Deb, "built", version);
        package.source = Some(SourcePackage { name: (*source).into(), version: (*version).into() });
        check(("ubuntu", "22.04"), package, said, want);
    }
}
