//! Which advisories tell of one flaw, and which ids are those of a group.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::PackageKind;

use super::support::{advisory, memory, package, run};

/// An advisory as [`advisory`] reads it, behind a slash its errata.
fn check(version: &str, advisories: &[&str], want: &[&str]) {
    // In any order they say the same.
    for turn in 0..advisories.len() {
        let mut memory = memory();
        for at in 0..advisories.len() {
            let text = advisories[(at + turn) % advisories.len()];
            let (text, errata) = text.split_once(" / ").unwrap_or((text, ""));
            let mut one = advisory(text);
            one.errata = errata.split_whitespace().map(str::to_owned).collect();
            memory.add("PyPI".parse().unwrap(), "pkg", one);
        }
        let packages = vec![package(PackageKind::Python, "pkg", version)];
        let matched = run(&Inventory { packages, ..Inventory::default() }, &memory);
        let shown = matched.findings.iter().map(|f| {
            let (aliases, errata) = (f.aliases.join(" "), f.errata.join(" "));
            format!("{} ({aliases}) / {errata}", f.id)
        });
        assert_eq!(shown.collect::<Vec<_>>(), want, "{version} {advisories:?} from {turn}");
    }
}

#[test]
fn an_id_of_several_cves_joins_none_of_them() {
    // As it is filed: an advisory for each CVE, and those that call it their alias.
    let own = [
        "CVE-A: 0..2.0 / GHSA-1 GHSA-2 PYSEC-X",
        "CVE-B: 0..3.0 / GHSA-1 GHSA-2 PYSEC-X",
        "CVE-A=GHSA-1=PYSEC-X: 0..2.0",
        "CVE-B=GHSA-2=PYSEC-X: 0..3.0",
    ];
    check("2.1", &own, &["CVE-B (GHSA-2 PYSEC-X) / GHSA-1"]);
    check("1.9", &own, &["CVE-A (GHSA-1 PYSEC-X) / GHSA-2", "CVE-B (GHSA-2 PYSEC-X) / GHSA-1"]);
    check("3.0", &own, &[]);
    // Where its own entry is not there.
    check("2.1", &own[2..], &["CVE-B (GHSA-2 PYSEC-X) / "]);
    check("1.9", &own[2..], &["CVE-A (GHSA-1 PYSEC-X) / ", "CVE-B (GHSA-2 PYSEC-X) / "]);
    // Others that know the CVE are joined by that.
    check(
        "1.9",
        &[own[2], own[3], "GHSA-1=CVE-A: 0..2.1"],
        &["CVE-A (GHSA-1 PYSEC-X) / ", "CVE-B (GHSA-2 PYSEC-X) / "],
    );
}

#[test]
fn what_is_said_of_a_group_is_no_flaw_of_its_own() {
    let each = ["CVE-A: 0..2.0 / GHSA-1 GO-1", "CVE-B: 0..2.0 / GHSA-1 GO-1"];
    let two = ["CVE-A () / GHSA-1 GO-1", "CVE-B () / GHSA-1 GO-1"];
    check("1.9", &[each[0], each[1], "GHSA-1: 0..2.0"], &two);
    check("1.9", &[each[0], each[1], "GHSA-1=GO-1: 0..2.0"], &two);
    // Whom it calls affected has each of them.
    check("2.1", &[each[0], each[1], "GHSA-1: 0..2.2"], &two);
    check("2.2", &[each[0], each[1], "GHSA-1: 0..2.2"], &[]);
    // It may name the group by an alias alone.
    check("2.1", &[each[0], each[1], "X-1=GHSA-1: 0..2.2"], &two);
    // Nobody else knows flaws of the group: it is one.
    check("1.9", &["GHSA-1: 0..2.0", "CVE-C: 0..2.0"], &["CVE-C () / ", "GHSA-1 () / "]);
    check("1.9", &["GHSA-1: 0..2.0 / GHSA-1"], &["GHSA-1 () / "]);
    check("1.9", &["X-1: 0..2.0 / X-2", "X-2: 0..2.0 / X-1"], &["X-1 () / X-2", "X-2 () / X-1"]);
}

#[test]
fn all_ids_beside_one_cve_are_names_of_it() {
    check(
        "1.9",
        &["CVE-A=GHSA-1=PYSEC-1: 0..2.0", "GO-1=GHSA-1: 0..2.0", "X-1=PYSEC-1: 0..2.0"],
        &["CVE-A (GHSA-1 GO-1 PYSEC-1 X-1) / "],
    );
    // Two CVEs that somebody calls one are one.
    check("1.9", &["CVE-A=CVE-B: 0..2.0", "CVE-A=GHSA-1: 0..2.0"], &["CVE-A (CVE-B GHSA-1) / "]);
    // An erratum is none of them, and joins nothing.
    check(
        "1.9",
        &["CVE-A: 0..2.0 / E-1", "CVE-B=GHSA-1: 0..2.0 / E-1"],
        &["CVE-A () / E-1", "CVE-B (GHSA-1) / E-1"],
    );
}
