//! Python packages, by OSV's zip of PyPI.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::osv::{affected, entry, ranges, unrelated, with, zip};
use super::support::{Feeds, found_alone, package};

fn of(name: &str, events: &str) -> Value {
    affected("PyPI", name, events)
}

fn usual() -> Feeds {
    let listed = with(of("listed", "introduced 5 fixed 6"), "versions", json!(["1.0", "2.0.0"]));
    let odd = with(of("odd", "introduced 5 fixed 6"), "versions", json!(["2019-09-12"]));
    zip(
        "PyPI",
        &[
            // One flaw, told three times; the last is joined through the second alone.
            entry("PYSEC-2024-1", &["CVE-2024-1"], &[of("jinja2", "introduced 0 fixed 3.1.3")]),
            entry(
                "GHSA-aaaa-aaaa-aaaa",
                &["CVE-2024-1"],
                &[of("Jinja2", "introduced 0 fixed 3.1.3")],
            ),
            entry(
                "PYSEC-2024-2",
                &["GHSA-aaaa-aaaa-aaaa"],
                &[of("jinja2", "introduced 0 fixed 3.1.3")],
            ),
            // Another, that the first only calls related.
            with(
                entry("PYSEC-2024-3", &[], &[of("jinja2", "introduced 0 fixed 3.0")]),
                "related",
                json!(["CVE-2024-1"]),
            ),
            with(
                entry("PYSEC-2024-4", &["CVE-2024-4"], &[of("withdrawn", "introduced 0")]),
                "withdrawn",
                json!("2024-06-01T00:00:00Z"),
            ),
            entry("PYSEC-2024-5", &["CVE-2024-5"], &[of("last", "introduced 0 last_affected 1.4")]),
            entry(
                "PYSEC-2024-6",
                &["CVE-2024-6"],
                &[of(
                    "django",
                    "introduced 3.2 fixed 3.2.25 introduced 4.2 fixed 4.2.11 introduced 5.0 fixed 5.0.3",
                )],
            ),
            entry("PYSEC-2024-7", &["CVE-2024-7"], &[listed]),
            entry("PYSEC-2024-8", &["CVE-2024-8"], &[odd]),
            entry(
                "PYSEC-2024-9",
                &["CVE-2024-90", "CVE-2024-91"],
                &[of("two", "introduced 0 fixed 2")],
            ),
            // One entry of two flaws, which each have one of their own besides.
            entry(
                "PYSEC-2024-13",
                &["CVE-2024-130", "CVE-2024-131", "GHSA-1300", "GHSA-1310"],
                &[of("both", "introduced 0 fixed 3")],
            ),
            entry(
                "GHSA-1300",
                &["CVE-2024-130", "PYSEC-2024-13"],
                &[of("both", "introduced 0 fixed 3")],
            ),
            entry(
                "GHSA-1310",
                &["CVE-2024-131", "PYSEC-2024-13"],
                &[of("both", "introduced 0 fixed 4")],
            ),
            // The same of one that knows no CVE.
            entry(
                "PYSEC-2024-14",
                &["CVE-2024-140", "CVE-2024-141", "GHSA-1400"],
                &[of("some", "introduced 0 fixed 3")],
            ),
            entry("GHSA-1400", &["PYSEC-2024-14"], &[of("some", "introduced 0 fixed 3")]),
            entry(
                "PYSEC-2024-10",
                &["CVE-2024-10"],
                &[of("zope.interface", "introduced 0 fixed 6.0")],
            ),
            entry(
                "PYSEC-2024-11",
                &["CVE-2024-11"],
                &[ranges("PyPI", "commits", &[("GIT", "introduced 0 fixed abc")])],
            ),
            entry("PYSEC-2024-12", &["CVE-2024-12"], &[of("epochs", "introduced 0 fixed 1!1.0")]),
        ],
    )
}

fn python(name: &str, version: &str) -> Package {
    package(PackageKind::Python, name, version, "")
}

fn check(name: &str, version: &str, want: &[&str]) {
    assert_eq!(found_alone(&usual(), vec![python(name, version)]), want, "{name} {version}");
}

#[test]
fn one_flaw_under_several_names_is_one_finding() {
    check("Jinja2", "3.1.2", &["Jinja2 CVE-2024-1 HIGH fixed [3.1.3]"]);
    check("jinja2", "3.1.3", &[]);
}

#[test]
fn what_is_called_related_is_another_flaw() {
    check(
        "jinja2",
        "2.11",
        &["jinja2 CVE-2024-1 HIGH fixed [3.1.3]", "jinja2 PYSEC-2024-3 HIGH fixed [3.0]"],
    );
}

#[test]
fn an_entry_of_several_flaws_is_as_many_findings() {
    check("two", "1", &["two CVE-2024-90 HIGH fixed [2]", "two CVE-2024-91 HIGH fixed [2]"]);
    check("two", "2", &[]);
}

#[test]
fn an_entry_of_several_flaws_does_not_join_them() {
    check("both", "3.1", &["both CVE-2024-131 HIGH fixed [4]"]);
    check("both", "2", &["both CVE-2024-130 HIGH fixed [3]", "both CVE-2024-131 HIGH fixed [4]"]);
}

#[test]
fn an_entry_that_knows_no_cve_is_no_further_flaw_of_its_group() {
    check("some", "2", &["some CVE-2024-140 HIGH fixed [3]", "some CVE-2024-141 HIGH fixed [3]"]);
    check("some", "3", &[]);
}

#[test]
fn names_are_compared_as_python_does() {
    for name in ["zope.interface", "zope-interface", "Zope_Interface", "zope._-interface"] {
        check(name, "5.5", &[&format!("{name} CVE-2024-10 HIGH fixed [6.0]")]);
    }
    check("zopeinterface", "5.5", &[]);
}

#[test]
fn what_was_withdrawn_is_nothing() {
    check("withdrawn", "1", &[]);
}

#[test]
fn the_last_affected_version_is_affected() {
    check("last", "1.4", &["last CVE-2024-5 HIGH affected []"]);
    // Another way to write the same version.
    check("last", "1.4.0", &["last CVE-2024-5 HIGH affected []"]);
    check("last", "1.4.1", &[]);
    check("last", "1.4.post1", &[]);
    // Local builds of it are it, too.
    check("last", "1.4+cu118", &["last CVE-2024-5 HIGH affected []"]);
    check("last", "1.4.1+cu118", &[]);
}

#[test]
fn each_branch_has_its_own_fix() {
    check("django", "4.2.10", &["django CVE-2024-6 HIGH fixed [4.2.11]"]);
    check("django", "3.2.24", &["django CVE-2024-6 HIGH fixed [3.2.25]"]);
    for clean in ["3.1.9", "3.2.25", "4.1", "4.2.11", "5.0.3"] {
        check("django", clean, &[]);
    }
}

#[test]
fn what_stands_before_a_version_is_below_it() {
    for before in ["5.0.3rc1", "5.0.3.dev1", "5.0.3a0"] {
        check("django", before, &["django CVE-2024-6 HIGH fixed [5.0.3]"]);
    }
    // And before the first that is affected.
    check("django", "5.0rc1", &[]);
    for after in ["5.0.3.post1", "5.0.3+local.1"] {
        check("django", after, &[]);
    }
}

#[test]
fn listed_versions_count_beside_ranges() {
    check("listed", "1.0", &["listed CVE-2024-7 HIGH fixed [6]"]);
    check("listed", "2.0", &["listed CVE-2024-7 HIGH fixed [6]"]);
    check("listed", "2.0.0+cu118", &["listed CVE-2024-7 HIGH fixed [6]"]);
    check("listed", "1.1", &[]);
    check("listed", "5.5", &["listed CVE-2024-7 HIGH fixed [6]"]);
}

#[test]
fn an_epoch_outweighs_the_version() {
    check("epochs", "2024.1", &["epochs CVE-2024-12 HIGH fixed [1!1.0]"]);
    check("epochs", "1!1.0", &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_entry_names_the_package() {
    check("jinja2", "three", &["unparseable-version jinja2 three"]);
    check("unnamed", "three", &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_found_where_it_is_listed_letter_by_letter() {
    check(
        "odd",
        "2019-09-12",
        &["odd CVE-2024-8 HIGH affected []", "unparseable-version odd 2019-09-12"],
    );
}

#[test]
fn an_entry_that_knows_only_commits_is_a_gap_for_its_package_alone() {
    check("commits", "1.0", &["unreadable-advisory CVE-2024-11"]);
    check("last", "2.0", &[]);
}

#[test]
fn without_a_feed_for_python_it_is_a_gap() {
    let feeds = unrelated();
    let packages = vec![python("jinja2", "3.1.2")];
    assert_eq!(found_alone(&feeds, packages), ["no-advisory-source PyPI"]);
}
