//! Dart packages, by OSV's zip of Pub.

use cleanbill_core::package::PackageKind;
use serde_json::{Value, json};

use super::super::osv::{entry, ranges, with};
use super::check;

#[test]
fn packages() {
    let of = |name: &str, events: &str| -> Value { ranges("Pub", name, &[("SEMVER", events)]) };
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2020-35669"],
            &[of("http", "introduced 0 fixed 0.13.3")],
        ),
        entry("GHSA-0002-0002-0002", &["CVE-2024-2"], &[of("dio", "introduced 4.0.0 fixed 5.0.0")]),
        entry(
            "GHSA-0003-0003-0003",
            &["CVE-2024-3"],
            &[of("built", "introduced 1.0.0 fixed 1.0.0+2")],
        ),
        entry(
            "GHSA-0004-0004-0004",
            &["CVE-2024-4"],
            &[of("last", "introduced 0 last_affected 2.0.0")],
        ),
        with(
            entry("GHSA-0005-0005-0005", &["CVE-2024-5"], &[of("gone", "introduced 0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("never", "introduced 0")]),
    ];
    check(
        PackageKind::Pub,
        &entries,
        &[
            (
                "below the fix is affected",
                "http",
                "0.13.2",
                &["http CVE-2020-35669 HIGH fixed [0.13.3]"],
            ),
            ("the fixed version is clean", "http", "0.13.3", &[]),
            ("before the first affected version is clean", "dio", "3.0.10", &[]),
            (
                "a prerelease of the fix is affected",
                "dio",
                "5.0.0-dev.1",
                &["dio CVE-2024-2 HIGH fixed [5.0.0]"],
            ),
            (
                "what stands behind a plus has an order here",
                "built",
                "1.0.0+1",
                &["built CVE-2024-3 HIGH fixed [1.0.0+2]"],
            ),
            ("and the build of the fix is clean", "built", "1.0.0+2", &[]),
            ("builds are compared as numbers", "built", "1.0.0+10", &[]),
            (
                "a build is above the version without one",
                "built",
                "1.0.0",
                &["built CVE-2024-3 HIGH fixed [1.0.0+2]"],
            ),
            (
                "the last affected version is affected",
                "last",
                "2.0.0",
                &["last CVE-2024-4 HIGH affected []"],
            ),
            ("a build of the last affected version is above it", "last", "2.0.0+1", &[]),
            ("a withdrawn entry is nothing", "gone", "1.0.0", &[]),
            (
                "what is never fixed affects every version",
                "never",
                "99.0.0",
                &["never CVE-2024-6 HIGH affected []"],
            ),
            (
                "a version that does not parse is a gap",
                "http",
                "any",
                &["unparseable-version http any"],
            ),
        ],
    );
}
