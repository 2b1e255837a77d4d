//! Photon OS, by OSV's zip, which names packages.

use cleanbill_core::package::Package;
use serde_json::{Value, json};

use super::super::osv::{affected, entry, with, zip};
use super::super::support::{Feeds, of_source, rpm};
use super::check;

fn usual() -> Feeds {
    let of = |number: u32, cves: &[&str], affected: &[Value]| {
        with(entry(&format!("PHSA-2024-5.0-{number:04}"), &[], affected), "upstream", json!(cves))
    };
    let five = |name: &str, events: &str| affected("Photon OS:5.0", name, events);
    zip(
        "Photon OS",
        &[
            of(1, &["CVE-2024-0001"], &[five("tar", "introduced 0 fixed 1.34-3.ph5")]),
            of(
                2,
                &["CVE-2024-0002", "CVE-2024-0003"],
                &[
                    five("curl", "introduced 0 fixed 8.1.2-9.ph5"),
                    five("curl-libs", "introduced 0 fixed 8.1.2-9.ph5"),
                ],
            ),
            of(3, &["CVE-2024-0004"], &[five("bindutils", "introduced 0 fixed 1:9.16.50-1.ph5")]),
            of(4, &["CVE-2024-0005"], &[five("git", "introduced 0 fixed 2.39.0-1.ph5")]),
            of(5, &["CVE-2024-0005"], &[five("git", "introduced 0 fixed 2.39.4-1.ph5")]),
            with(
                of(6, &["CVE-2024-0006"], &[five("zlib", "introduced 0")]),
                "withdrawn",
                json!("2026-08-01T00:00:00Z"),
            ),
            of(
                7,
                &["CVE-2024-0007"],
                &[affected("Photon OS:4.0", "vim", "introduced 0 fixed 9.1-1.ph4")],
            ),
            of(8, &["CVE-2024-0008"], &[five("linux", "introduced 0 fixed 6.1.90-1.ph5")]),
        ],
    )
}

#[test]
fn packages() {
    let by = |package: Package, vendor: &str| Package { vendor: Some(vendor.into()), ..package };
    let table: &[super::Rule<'_>] = &[
        (
            "a package is judged by its name",
            rpm("tar", "1.34-2.ph5"),
            &["tar CVE-2024-0001 HIGH fixed [1.34-3.ph5]"],
        ),
        ("the fixed build is clean", rpm("tar", "1.34-3.ph5"), &[]),
        ("releases are counted as numbers", rpm("tar", "1.34-10.ph5"), &[]),
        (
            "each flaw of an erratum is a finding",
            rpm("curl-libs", "8.1.2-8.ph5"),
            &[
                "curl-libs CVE-2024-0002 HIGH fixed [8.1.2-9.ph5]",
                "curl-libs CVE-2024-0003 HIGH fixed [8.1.2-9.ph5]",
            ],
        ),
        ("a package of a similar name is another one", rpm("curl-devel", "8.1.2-8.ph5"), &[]),
        (
            "the source of a package is not its name",
            of_source(rpm("tar-lang", "1.34-2.ph5"), "tar-src"),
            &[],
        ),
        (
            "a missing epoch is nought",
            rpm("bindutils", "9.18.0-1.ph5"),
            &["bindutils CVE-2024-0004 HIGH fixed [1:9.16.50-1.ph5]"],
        ),
        ("an epoch comes before the version", rpm("bindutils", "1:9.16.50-1.ph5"), &[]),
        (
            "a flaw that was fixed again is fixed by the later build",
            rpm("git", "2.39.2-1.ph5"),
            &["git CVE-2024-0005 HIGH fixed [2.39.4-1.ph5]"],
        ),
        ("the later fix is one", rpm("git", "2.39.4-1.ph5"), &[]),
        ("what was withdrawn is nothing", rpm("zlib", "1.2-1.ph5"), &[]),
        ("what another release has is not this one's", rpm("vim", "9.0-1.ph5"), &[]),
        (
            "a package of another vendor is a gap",
            by(rpm("tar", "1.34-3.ph5"), "Docker"),
            &["no-advisory-source tar 1.34-3.ph5"],
        ),
        ("one of its own is none", by(rpm("tar", "1.34-3.ph5"), "VMware, Inc."), &[]),
        (
            "a version that cannot be compared is a gap where an entry names the package",
            rpm("git", "1 3"),
            &["unparseable-version git 1 3"],
        ),
        ("and none where no entry does", rpm("unnamed", "1 3"), &[]),
    ];
    check(&usual(), ("photon", "5.0"), "Photon OS:5.0", table);
}
