//! Java packages, by OSV's zip of Maven.

use cleanbill_core::package::PackageKind;
use serde_json::json;

use super::super::osv::{affected, entry, with};
use super::check;

const LOG4J: &str = "org.apache.logging.log4j:log4j-core";

#[test]
fn archives() {
    let of = |name: &str, events: &str| affected("Maven", name, events);
    let known = |name: &str, last: &str| {
        let specific = json!({"last_known_affected_version_range": last});
        with(of(name, "introduced 0"), "database_specific", specific)
    };
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2021-44228"],
            &[
                of(LOG4J, "introduced 2.13.0 fixed 2.15.0"),
                of(LOG4J, "introduced 2.0-beta9 fixed 2.3.1"),
                of(LOG4J, "introduced 2.4 fixed 2.12.2"),
            ],
        ),
        entry(
            "GHSA-0002-0002-0002",
            &["CVE-2024-2"],
            &[of("a:guava", "introduced 1.0 fixed 32.0.0-android")],
        ),
        entry(
            "GHSA-0003-0003-0003",
            &["CVE-2024-3"],
            &[of("a:spring", "introduced 0 fixed 5.3.18")],
        ),
        entry("GHSA-0004-0004-0004", &["CVE-2024-4"], &[known("a:open", "<= 1.7")]),
        with(
            entry("GHSA-0005-0005-0005", &["CVE-2024-5"], &[of("a:gone", "introduced 0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("a:never", "introduced 0")]),
        entry(
            "GHSA-0007-0007-0007",
            &["CVE-2024-7"],
            &[of("a:qualified", "introduced 1.0 fixed 1.0.1")],
        ),
    ];
    check(
        PackageKind::Maven,
        &entries,
        &[
            (
                "each branch has its own fix",
                LOG4J,
                "2.3",
                &["org.apache.logging.log4j:log4j-core CVE-2021-44228 HIGH fixed [2.3.1]"],
            ),
            (
                "a beta is above an earlier beta",
                LOG4J,
                "2.0-beta9",
                &["org.apache.logging.log4j:log4j-core CVE-2021-44228 HIGH fixed [2.3.1]"],
            ),
            ("a beta is below the first affected one", LOG4J, "2.0-beta8", &[]),
            ("between two branches is clean", LOG4J, "2.12.2", &[]),
            (
                "2.14 and 2.14.0 are the same",
                LOG4J,
                "2.14",
                &["org.apache.logging.log4j:log4j-core CVE-2021-44228 HIGH fixed [2.15.0]"],
            ),
            (
                "a release candidate of the fix is affected",
                LOG4J,
                "2.15.0-rc1",
                &["org.apache.logging.log4j:log4j-core CVE-2021-44228 HIGH fixed [2.15.0]"],
            ),
            (
                "a snapshot of the fix is affected",
                "a:spring",
                "5.3.18-SNAPSHOT",
                &["a:spring CVE-2024-3 HIGH fixed [5.3.18]"],
            ),
            ("RELEASE behind the number is that release", "a:spring", "5.3.18.RELEASE", &[]),
            ("sp is above the release", "a:qualified", "1.0.1-sp1", &[]),
            (
                "a word that Maven does not know is above the release",
                "a:qualified",
                "1.0-jre",
                &["a:qualified CVE-2024-7 HIGH fixed [1.0.1]"],
            ),
            ("numbers are compared as numbers", "a:spring", "5.10.0", &[]),
            ("the group is part of the name", "b:spring", "5.3.0", &[]),
            (
                "a range without an end has the one that is known beside it",
                "a:open",
                "1.7",
                &["a:open CVE-2024-4 HIGH affected []"],
            ),
            ("and ends there", "a:open", "1.7.1", &[]),
            ("a withdrawn entry is nothing", "a:gone", "1", &[]),
            (
                "what is never fixed affects every version",
                "a:never",
                "99",
                &["a:never CVE-2024-6 HIGH affected []"],
            ),
        ],
    );
}
