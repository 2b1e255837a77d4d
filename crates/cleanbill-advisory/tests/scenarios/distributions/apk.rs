//! Alpaquita and MinimOS, by OSV's zips: sources of apk packages.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::super::osv::{affected, entry, with, zip};
use super::super::support::{Feeds, of_source, package};
use super::check;

/// An entry of the distribution's own, of a flaw that others have named.
fn flaw(prefix: &str, number: u32, stream: &str, name: &str, events: &str) -> Value {
    let entry = entry(&format!("{prefix}{number:04}"), &[], &[affected(stream, name, events)]);
    let cve = format!("CVE-2024-{:04}", number % 1000);
    with(entry, "upstream", json!([cve, "GHSA-cfgh-jmpq-rvwx"]))
}

fn entries(ecosystem: &str, stream: &str, prefix: &str) -> Feeds {
    let of = |number, name, events| flaw(prefix, number, stream, name, events);
    let other = |stream: &str| flaw(prefix, 9, stream, "vim", "introduced 0 fixed 9.1.0-r0");
    let entries = [
        of(1, "openssl", "introduced 0 fixed 3.3.0-r8"),
        of(2, "curl", "introduced 8.0.0-r0 fixed 8.9.1-r0"),
        of(3, "busybox", "introduced 0"),
        // The same flaw again, for the build that fixes it at last.
        of(4, "git", "introduced 0 fixed 2.45.1-r0"),
        of(1004, "git", "introduced 0 fixed 2.45.2-r1"),
        with(of(5, "zlib", "introduced 0"), "withdrawn", json!("2026-08-01T00:00:00Z")),
        of(6, "linux-headers", "introduced 0 fixed 6.9-r0"),
        of(7, "expat", "introduced 0 last_affected 2.7.1-r0"),
        other(if stream == ecosystem { "MinimOS:next" } else { "Alpaquita:stream" }),
    ];
    zip(ecosystem, &entries)
}

fn apk(name: &str, version: &str, source: &str) -> Package {
    of_source(package(PackageKind::Apk, name, version, "x86_64"), source)
}

fn rules(ecosystem: &str, distribution: (&'static str, &'static str), stream: &str, prefix: &str) {
    let feeds = entries(ecosystem, stream, prefix);
    let table = [
        (
            "every package of a source is judged by it",
            apk("libssl3", "3.3.0-r7", "openssl"),
            &["libssl3 CVE-2024-0001 HIGH fixed [3.3.0-r8]"][..],
        ),
        ("the fixed build is clean", apk("libssl3", "3.3.0-r8", "openssl"), &[]),
        ("builds are counted as numbers", apk("libssl3", "3.3.0-r10", "openssl"), &[]),
        (
            "what stands before a release is below it",
            apk("libssl3", "3.3.0_rc1-r9", "openssl"),
            &["libssl3 CVE-2024-0001 HIGH fixed [3.3.0-r8]"],
        ),
        ("a source of a similar name is another one", apk("fips", "3.0-r0", "openssl-fips"), &[]),
        (
            "a package of the source's name, built from another",
            apk("openssl", "1-r0", "boringssl"),
            &[],
        ),
        (
            "the first affected version is affected",
            apk("curl", "8.0.0-r0", "curl"),
            &["curl CVE-2024-0002 HIGH fixed [8.9.1-r0]"],
        ),
        ("what is before it is clean", apk("curl", "7.88.1-r9", "curl"), &[]),
        (
            "what nobody has fixed affects every version",
            apk("busybox", "99-r0", "busybox"),
            &["busybox CVE-2024-0003 HIGH affected []"],
        ),
        (
            "a flaw that was fixed again is fixed by the later build",
            apk("git", "2.45.1-r0", "git"),
            &["git CVE-2024-0004 HIGH fixed [2.45.2-r1]"],
        ),
        ("the later fix is one", apk("git", "2.45.2-r1", "git"), &[]),
        ("what was withdrawn is nothing", apk("zlib", "1.3-r0", "zlib"), &[]),
        (
            "headers of the kernel are not the kernel",
            apk("linux-headers", "6.8-r0", "linux-headers"),
            &[],
        ),
        (
            "the last affected version is affected, and nothing fixes it",
            apk("libexpat", "2.7.1-r0", "expat"),
            &["libexpat CVE-2024-0007 HIGH affected []"],
        ),
        ("what another release has is not this one's", apk("vim", "9.0-r0", "vim"), &[]),
        (
            "a version that cannot be compared is a gap where an entry names the source",
            apk("git", "r1", "git"),
            &["unparseable-version git r1"],
        ),
        ("and none where no entry does", apk("unnamed", "r1", "unnamed"), &[]),
    ];
    check(&feeds, distribution, stream, &table);
}

#[test]
fn alpaquita() {
    rules("Alpaquita", ("alpaquita", "23"), "Alpaquita:23", "BELL-CVE-2024-");
}

#[test]
fn minimos() {
    rules("MinimOS", ("minimos", "20240101"), "MinimOS", "MINI-0000-0000-");
}
