//! Gems, by OSV's zip of RubyGems (RubySec's own data have tests of their own).

use cleanbill_core::package::PackageKind;
use serde_json::json;

use super::super::osv::{affected, entry, with};
use super::check;

#[test]
fn gems() {
    let of = |name: &str, events: &str| affected("RubyGems", name, events);
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2022-30122"],
            &[of(
                "rack",
                "introduced 1.2 fixed 2.0.9.1 introduced 2.1.0 fixed 2.1.4.1 introduced 2.2.0 fixed 2.2.3.1",
            )],
        ),
        entry(
            "GHSA-0002-0002-0002",
            &["CVE-2024-2"],
            &[of("rails", "introduced 7.0.0.alpha1 fixed 7.0.0")],
        ),
        entry(
            "GHSA-0003-0003-0003",
            &["CVE-2024-3"],
            &[of("nokogiri", "introduced 0 fixed 1.13.4")],
        ),
        entry(
            "GHSA-0004-0004-0004",
            &["CVE-2024-4"],
            &[of("last", "introduced 0 last_affected 2.0")],
        ),
        with(
            entry("GHSA-0005-0005-0005", &["CVE-2024-5"], &[of("gone", "introduced 0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("never", "introduced 0")]),
        entry(
            "GHSA-0007-0007-0007",
            &["CVE-2022-30122"],
            &[of("rack", "introduced 2.2.0 fixed 2.2.4")],
        ),
    ];
    check(
        PackageKind::Gem,
        &entries,
        &[
            (
                "each branch has its own fix",
                "rack",
                "2.0.9",
                &["rack CVE-2022-30122 HIGH fixed [2.0.9.1]"],
            ),
            ("the fix of a branch is clean", "rack", "2.1.4.1", &[]),
            (
                "of two entries of one flaw both have to be fixed",
                "rack",
                "2.2.3.1",
                &["rack CVE-2022-30122 HIGH fixed [2.2.4]"],
            ),
            (
                "two entries of one flaw are one finding",
                "rack",
                "2.2.0",
                &["rack CVE-2022-30122 HIGH fixed [2.2.4]"],
            ),
            (
                "a letter makes a prerelease, which is below the release",
                "rails",
                "7.0.0.rc1",
                &["rails CVE-2024-2 HIGH fixed [7.0.0]"],
            ),
            ("prereleases have an order", "rails", "7.0.0.alpha", &[]),
            ("zeros at the end mean nothing", "rails", "7", &[]),
            (
                "a platform is no part of a version, which then has no place",
                "nokogiri",
                "1.13.4-x86_64-linux",
                &["unparseable-version nokogiri 1.13.4-x86_64-linux"],
            ),
            (
                "numbers are compared as numbers",
                "nokogiri",
                "1.9.1",
                &["nokogiri CVE-2024-3 HIGH fixed [1.13.4]"],
            ),
            (
                "the last affected version is affected",
                "last",
                "2.0.0",
                &["last CVE-2024-4 HIGH affected []"],
            ),
            ("what comes after it is clean", "last", "2.0.0.1", &[]),
            ("a withdrawn entry is nothing", "gone", "1.0", &[]),
            (
                "what is never fixed affects every version",
                "never",
                "99.0",
                &["never CVE-2024-6 HIGH affected []"],
            ),
            ("case is part of the name", "Rack", "2.0.9", &[]),
        ],
    );
}
