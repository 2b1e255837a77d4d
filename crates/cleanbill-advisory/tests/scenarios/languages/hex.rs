//! Erlang and Elixir packages, by OSV's zip of Hex.

use cleanbill_core::package::PackageKind;
use serde_json::{Value, json};

use super::super::osv::{entry, ranges, with};
use super::check;

#[test]
fn packages() {
    let of = |name: &str, events: &str| -> Value { ranges("Hex", name, &[("SEMVER", events)]) };
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2024-1"],
            &[of("phoenix", "introduced 1.0.0 fixed 1.0.6 introduced 1.1.0 fixed 1.1.8")],
        ),
        entry("EEF-CVE-2024-2", &["CVE-2024-2"], &[of("plug", "introduced 0 fixed 1.16.2")]),
        entry("GHSA-0002-0002-0002", &["CVE-2024-2"], &[of("plug", "introduced 0 fixed 1.16.2")]),
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
        PackageKind::Hex,
        &entries,
        &[
            (
                "each branch has its own fix",
                "phoenix",
                "1.0.5",
                &["phoenix CVE-2024-1 HIGH fixed [1.0.6]"],
            ),
            ("between two branches is clean", "phoenix", "1.0.6", &[]),
            (
                "a prerelease of the fix is affected",
                "phoenix",
                "1.1.8-rc.0",
                &["phoenix CVE-2024-1 HIGH fixed [1.1.8]"],
            ),
            ("a prerelease of the first affected version is below it", "phoenix", "1.1.0-dev", &[]),
            (
                "two entries of one flaw are one finding",
                "plug",
                "1.16.1",
                &["plug CVE-2024-2 HIGH fixed [1.16.2]"],
            ),
            ("the fixed version is clean", "plug", "1.16.2", &[]),
            ("build metadata has no place in the order", "plug", "1.16.2+abc", &[]),
            (
                "numbers are compared as numbers",
                "plug",
                "1.9.0",
                &["plug CVE-2024-2 HIGH fixed [1.16.2]"],
            ),
            (
                "the last affected version is affected",
                "last",
                "2.0.0",
                &["last CVE-2024-4 HIGH affected []"],
            ),
            ("what comes after it is clean", "last", "2.0.1", &[]),
            ("a withdrawn entry is nothing", "gone", "1.0.0", &[]),
            (
                "what is never fixed affects every version",
                "never",
                "99.0.0",
                &["never CVE-2024-6 HIGH affected []"],
            ),
            ("case is part of the name", "Plug", "1.0.0", &[]),
            (
                "a version that does not parse is a gap",
                "plug",
                "main",
                &["unparseable-version plug main"],
            ),
        ],
    );
}
