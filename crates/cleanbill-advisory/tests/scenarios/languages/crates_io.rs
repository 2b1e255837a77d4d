//! Rust crates, by OSV's zip of crates.io: RustSec's advisories and GitHub's.

use cleanbill_core::package::PackageKind;
use serde_json::{Value, json};

use super::super::osv::{entry, ranges, with};
use super::check;

fn of(name: &str, events: &str) -> Value {
    ranges("crates.io", name, &[("SEMVER", events)])
}

#[test]
fn crates() {
    let informational = with(
        of("old", "introduced 0.0.0-0"),
        "database_specific",
        json!({"informational": "unmaintained"}),
    );
    let entries = [
        entry(
            "RUSTSEC-2020-0071",
            &["CVE-2020-26235", "GHSA-0001-0001-0001"],
            &[of("time", "introduced 0.1.0 fixed 0.2.0 introduced 0.2.1 fixed 0.2.23")],
        ),
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2020-26235"],
            &[of("time", "introduced 0.1.0 fixed 0.2.23")],
        ),
        entry(
            "RUSTSEC-2021-0003",
            &["CVE-2021-25900"],
            &[of("smallvec", "introduced 0.6.3 fixed 0.6.14 introduced 1.0.0 fixed 1.6.1")],
        ),
        entry("RUSTSEC-2024-0001", &[], &[of("serde_yml", "introduced 0.0.0-0")]),
        entry("RUSTSEC-2024-0002", &[], &[informational]),
        with(
            entry("RUSTSEC-2024-0003", &[], &[of("gone", "introduced 0.0.0-0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry(
            "RUSTSEC-2024-0004",
            &[],
            &[with(
                of("listed", "introduced 2.0.0 fixed 2.0.1"),
                "versions",
                json!(["1.0.0-rc.1"]),
            )],
        ),
        entry(
            "RUSTSEC-2024-0005",
            &["CVE-2024-5"],
            &[of("until", "introduced 0 last_affected 1.4.0")],
        ),
    ];
    check(
        PackageKind::Cargo,
        &entries,
        &[
            (
                "two entries of one flaw are one finding, with the fix that both accept",
                "time",
                "0.1.42",
                &["time CVE-2020-26235 HIGH fixed [0.2.23]"],
            ),
            (
                "what one of them calls fixed the other still names",
                "time",
                "0.2.0",
                &["time CVE-2020-26235 HIGH fixed [0.2.23]"],
            ),
            ("the fixed version is clean", "time", "0.2.23", &[]),
            (
                "each branch has its own fix",
                "smallvec",
                "0.6.13",
                &["smallvec CVE-2021-25900 HIGH fixed [0.6.14]"],
            ),
            ("between two branches is clean", "smallvec", "0.6.14", &[]),
            (
                "a branch begins with its first affected version",
                "smallvec",
                "1.0.0",
                &["smallvec CVE-2021-25900 HIGH fixed [1.6.1]"],
            ),
            (
                "a prerelease of the first affected version is below it",
                "smallvec",
                "1.0.0-alpha.1",
                &[],
            ),
            (
                "a prerelease of the fixed version is affected",
                "smallvec",
                "1.6.1-rc.2",
                &["smallvec CVE-2021-25900 HIGH fixed [1.6.1]"],
            ),
            ("build metadata has no place in the order", "smallvec", "1.6.1+build.5", &[]),
            ("hyphen and underscore are different names", "serde-yml", "0.0.12", &[]),
            (
                "what is never fixed affects every version",
                "serde_yml",
                "99.0.0",
                &["serde_yml RUSTSEC-2024-0001 HIGH affected []"],
            ),
            ("a withdrawn entry is nothing", "gone", "1.0.0", &[]),
            (
                "a version that is listed alone is affected",
                "listed",
                "1.0.0-rc.1",
                &["listed RUSTSEC-2024-0004 HIGH fixed [2.0.1]"],
            ),
            (
                "the last affected version is affected",
                "until",
                "1.4.0",
                &["until CVE-2024-5 HIGH affected []"],
            ),
            ("what comes after the last affected version is clean", "until", "1.4.1", &[]),
            (
                "a version that does not parse is a gap",
                "time",
                "latest",
                &["unparseable-version time latest"],
            ),
        ],
    );
}
