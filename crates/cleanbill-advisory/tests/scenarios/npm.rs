//! Node packages, by OSV's zip of npm, which is mostly made of GitHub's advisories.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::osv::{entry, ranges, unrelated, with, zip};
use super::support::{Feeds, found_alone, package};

fn of(name: &str, events: &str) -> Value {
    ranges("npm", name, &[("SEMVER", events)])
}

/// The same with the end that GitHub gives beside the range.
fn known_until(name: &str, events: &str, last: &str) -> Value {
    let specific = json!({"last_known_affected_version_range": last});
    with(of(name, events), "database_specific", specific)
}

fn usual() -> Feeds {
    zip(
        "npm",
        &[
            entry(
                "GHSA-0001-0001-0001",
                &["CVE-2024-1"],
                &[of("minimist", "introduced 0 fixed 0.2.1 introduced 1.0.0 fixed 1.2.3")],
            ),
            entry(
                "GHSA-0002-0002-0002",
                &["CVE-2024-2"],
                &[known_until("open", "introduced 0", "<= 2.1.0")],
            ),
            entry(
                "GHSA-0003-0003-0003",
                &["CVE-2024-3"],
                &[known_until("below", "introduced 1.0.0", "< 3.0.0")],
            ),
            // What stands beside a range that has its own end says nothing.
            entry(
                "GHSA-0004-0004-0004",
                &["CVE-2024-4"],
                &[known_until("ended", "introduced 0 fixed 2.0.0", "<= 9.9.9")],
            ),
            entry(
                "GHSA-0005-0005-0005",
                &["CVE-2024-5"],
                &[of("last", "introduced 1.0.0 last_affected 1.4.0")],
            ),
            with(
                entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("withdrawn", "introduced 0")]),
                "withdrawn",
                json!("2024-06-01T00:00:00Z"),
            ),
            entry(
                "GHSA-0007-0007-0007",
                &["CVE-2024-7"],
                &[of("@babel/traverse", "introduced 0 fixed 7.23.2")],
            ),
            entry(
                "GHSA-0008-0008-0008",
                &["CVE-2024-8"],
                &[of("twice", "introduced 0 fixed 2.0.0")],
            ),
            entry(
                "GHSA-0009-0009-0009",
                &["CVE-2024-8"],
                &[of("twice", "introduced 0 fixed 2.1.0")],
            ),
            // Malware: every version, some of them listed.
            entry(
                "MAL-2024-1",
                &[],
                &[with(of("evil", "introduced 0"), "versions", json!(["9.9.9"]))],
            ),
            entry(
                "MAL-2024-2",
                &["GHSA-0010-0010-0010"],
                &[
                    json!({"package": {"ecosystem": "npm", "name": "taken-over"}, "versions": ["2.0.1"]}),
                ],
            ),
            entry("GHSA-0011-0011-0011", &["CVE-2024-11"], &[of("never", "introduced 0")]),
        ],
    )
}

fn npm(name: &str, version: &str) -> Package {
    package(PackageKind::Npm, name, version, "")
}

fn check(name: &str, version: &str, want: &[&str]) {
    assert_eq!(found_alone(&usual(), vec![npm(name, version)]), want, "{name} {version}");
}

#[test]
fn each_branch_has_its_own_fix() {
    check("minimist", "0.0.8", &["minimist CVE-2024-1 HIGH fixed [0.2.1]"]);
    check("minimist", "1.2.0", &["minimist CVE-2024-1 HIGH fixed [1.2.3]"]);
    for clean in ["0.2.1", "0.9.0", "1.2.3", "1.10.0"] {
        check("minimist", clean, &[]);
    }
}

#[test]
fn a_range_without_an_end_has_the_one_that_is_known_beside_it() {
    check("open", "2.1.0", &["open CVE-2024-2 HIGH affected []"]);
    check("open", "2.1.1", &[]);
    check("below", "2.9.9", &["below CVE-2024-3 HIGH affected []"]);
    check("below", "3.0.0", &[]);
    check("below", "0.9.0", &[]);
}

#[test]
fn a_range_with_an_end_keeps_its_own() {
    check("ended", "1.9.9", &["ended CVE-2024-4 HIGH fixed [2.0.0]"]);
    check("ended", "2.0.0", &[]);
}

#[test]
fn the_last_affected_version_is_affected() {
    check("last", "1.4.0", &["last CVE-2024-5 HIGH affected []"]);
    check("last", "1.4.1", &[]);
    check("last", "0.9.9", &[]);
}

#[test]
fn what_was_never_fixed_affects_every_version() {
    check("never", "99.0.0", &["never CVE-2024-11 HIGH affected []"]);
}

#[test]
fn what_was_withdrawn_is_nothing() {
    check("withdrawn", "1.0.0", &[]);
}

#[test]
fn a_scope_is_part_of_the_name_and_case_counts() {
    check("@babel/traverse", "7.23.1", &["@babel/traverse CVE-2024-7 HIGH fixed [7.23.2]"]);
    for other in ["traverse", "babel/traverse", "@other/traverse", "@Babel/traverse"] {
        check(other, "7.23.1", &[]);
    }
}

#[test]
fn two_entries_of_one_flaw_are_one_finding_with_the_fix_that_both_accept() {
    check("twice", "1.0.0", &["twice CVE-2024-8 HIGH fixed [2.1.0]"]);
    check("twice", "2.0.0", &["twice CVE-2024-8 HIGH fixed [2.1.0]"]);
    check("twice", "2.1.0", &[]);
}

#[test]
fn what_stands_before_a_release_is_below_it() {
    let found = "minimist CVE-2024-1 HIGH fixed [1.2.3]";
    check("minimist", "1.2.3-beta.11", &[found]);
    check("minimist", "1.2.3-beta.2", &[found]);
    // And before the first that is affected.
    check("minimist", "1.0.0-rc.1", &[]);
    // What stands behind a plus is no part of the order.
    check("minimist", "1.2.3+build.1", &[]);
}

#[test]
fn malware_is_found_in_every_version_or_in_those_that_are_listed() {
    check("evil", "1.0.0", &["evil MAL-2024-1 HIGH affected []"]);
    check("taken-over", "2.0.1", &["taken-over MAL-2024-2 HIGH affected []"]);
    check("taken-over", "2.0.0", &[]);
    check("taken-over", "2.0.2", &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_entry_names_the_package() {
    check("minimist", "latest", &["unparseable-version minimist latest"]);
    check("unnamed", "latest", &[]);
}

#[test]
fn without_a_feed_for_npm_it_is_a_gap() {
    let feeds = unrelated();
    assert_eq!(found_alone(&feeds, vec![npm("minimist", "1.0.0")]), ["no-advisory-source npm"]);
}
