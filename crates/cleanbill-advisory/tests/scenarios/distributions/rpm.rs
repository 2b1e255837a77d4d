//! Mageia, openEuler and Azure Linux by both of its names: OSV's zips, which name sources of rpm packages.

use cleanbill_core::package::{Package, SourcePackage};
use serde_json::{Value, json};

use super::super::osv::{affected, entry, with, zip};
use super::super::support::rpm;
use super::check;

/// One of the siblings.
struct Sibling {
    ecosystem: &'static str,
    distribution: (&'static str, &'static str),
    stream: &'static str,
    other: &'static str,
    /// What the ids of its entries begin with.
    prefix: &'static str,
    /// What its releases end with.
    tag: &'static str,
    vendor: &'static str,
}

impl Sibling {
    fn rules(&self) {
        let v = |version: &str| format!("{version}{}", self.tag);
        let of = |number: u32, cves: &[&str], stream: &str, name: &str, fixed: &str| -> Value {
            let end = if fixed.is_empty() { String::new() } else { format!(" fixed {}", v(fixed)) };
            let affected = affected(stream, name, &format!("introduced 0{end}"));
            let entry = entry(&format!("{}{number:04}", self.prefix), &[], &[affected]);
            with(entry, "upstream", json!(cves))
        };
        let own = |number, cves: &[&str], name, fixed| of(number, cves, self.stream, name, fixed);
        let entries = [
            own(1, &["CVE-2024-0001"], "openssl", "3.0.12-9"),
            own(2, &["CVE-2024-0002", "CVE-2024-0003"], "curl", "8.4.0-22"),
            own(3, &["CVE-2024-0004"], "bind", "32:9.18.21-2"),
            // The same flaw again, for the build that fixes it at last.
            own(4, &["CVE-2024-0005"], "git", "2.43.0-1"),
            own(5, &["CVE-2024-0005"], "git", "2.43.0-3"),
            with(
                own(6, &["CVE-2024-0006"], "zlib", ""),
                "withdrawn",
                json!("2026-08-01T00:00:00Z"),
            ),
            own(7, &["CVE-2024-0007"], "kernel", "6.6.0-107"),
            own(8, &["CVE-2024-0008"], "glibc", ""),
            of(9, &["CVE-2024-0009"], self.other, "vim", "9.1-1"),
        ];
        let built = |name: &str, version: &str, source: &str| {
            let source = Some(SourcePackage { name: source.into(), version: v(version) });
            Package { source, ..rpm(name, &v(version)) }
        };
        let by =
            |package: Package, vendor: &str| Package { vendor: Some(vendor.into()), ..package };
        let odd = |name: &str| {
            let source = Some(SourcePackage { name: name.into(), version: "1 3".into() });
            Package { source, ..rpm(name, "1 3") }
        };
        let ssl = format!("openssl-libs CVE-2024-0001 HIGH fixed [{}]", v("3.0.12-9"));
        let curl = |cve: &str| format!("libcurl {cve} HIGH fixed [{}]", v("8.4.0-22"));
        let (one, two) = (curl("CVE-2024-0002"), curl("CVE-2024-0003"));
        let bind = format!("bind-libs CVE-2024-0004 HIGH fixed [{}]", v("32:9.18.21-2"));
        let git = format!("git-core CVE-2024-0005 HIGH fixed [{}]", v("2.43.0-3"));
        let kernel = format!("kernel CVE-2024-0007 HIGH fixed [{}]", v("6.6.0-107"));
        let foreign = format!("no-advisory-source openssl-libs {}", v("3.0.12-9"));
        let table: &[super::Rule<'_>] = &[
            (
                "every package of a source is judged by it",
                built("openssl-libs", "3.0.12-8", "openssl"),
                &[&ssl],
            ),
            ("the fixed build is clean", built("openssl-libs", "3.0.12-9", "openssl"), &[]),
            ("releases are counted as numbers", built("openssl-libs", "3.0.12-10", "openssl"), &[]),
            (
                "what stands before a release is below it",
                built("openssl-libs", "3.0.12~rc1-10", "openssl"),
                &[&ssl],
            ),
            (
                "a source of a similar name is another one",
                built("openssl", "1-1", "openssl-fork"),
                &[],
            ),
            (
                "each flaw of an erratum is a finding",
                built("libcurl", "8.4.0-19", "curl"),
                &[&one, &two],
            ),
            ("no epoch is held against a source", built("bind-libs", "9.18.21-2", "bind"), &[]),
            (
                "and what is lower without one is affected",
                built("bind-libs", "9.18.21-1", "bind"),
                &[&bind],
            ),
            (
                "a flaw that was fixed again is fixed by the later build",
                built("git-core", "2.43.0-2", "git"),
                &[&git],
            ),
            ("the later fix is one", built("git-core", "2.43.0-3", "git"), &[]),
            ("what was withdrawn is nothing", built("zlib-devel", "1.2-1", "zlib"), &[]),
            ("the kernel is judged", built("kernel", "6.6.0-106", "kernel"), &[&kernel]),
            ("its headers are not the kernel", built("kernel-headers", "6.6.0-106", "kernel"), &[]),
            (
                "what nobody has fixed affects every version",
                built("glibc-common", "2.38-59", "glibc"),
                &["glibc-common CVE-2024-0008 HIGH affected []"],
            ),
            (
                "what another release has is not this one's",
                built("vim-minimal", "9.0-1", "vim"),
                &[],
            ),
            (
                "a package of another vendor is a gap",
                by(built("openssl-libs", "3.0.12-9", "openssl"), "Docker"),
                &[&foreign],
            ),
            (
                "one of its own is none",
                by(built("openssl-libs", "3.0.12-9", "openssl"), self.vendor),
                &[],
            ),
            (
                "a version that cannot be compared is a gap where an entry names the source",
                odd("git"),
                &["unparseable-version git 1 3"],
            ),
            ("and none where no entry does", odd("unnamed"), &[]),
        ];
        check(&zip(self.ecosystem, &entries), self.distribution, self.stream, table);
    }
}

#[test]
fn mageia() {
    let (ecosystem, distribution) = ("Mageia", ("mageia", "9"));
    let (stream, other, prefix) = ("Mageia:9", "Mageia:8", "MGASA-2024-");
    let (tag, vendor) = (".mga9", "Mageia.Org");
    Sibling { ecosystem, distribution, stream, other, prefix, tag, vendor }.rules();
}

#[test]
fn open_euler() {
    let (ecosystem, distribution) = ("openEuler", ("openeuler", "24.03"));
    let (stream, other) = ("openEuler:24.03-LTS-SP1", "openEuler:24.03-LTS");
    let (prefix, tag, vendor) = ("OESA-2024-", ".oe2403sp1", "http://openeuler.org");
    Sibling { ecosystem, distribution, stream, other, prefix, tag, vendor }.rules();
}

#[test]
fn azure_linux() {
    let (ecosystem, distribution) = ("Azure Linux", ("azurelinux", "3"));
    let (stream, other, prefix) = ("Azure Linux:3", "Azure Linux:2", "AZL-");
    let (tag, vendor) = (".azl3", "Microsoft Corporation");
    Sibling { ecosystem, distribution, stream, other, prefix, tag, vendor }.rules();
}

#[test]
fn mariner() {
    let (ecosystem, distribution) = ("Azure Linux", ("mariner", "2"));
    let (stream, other, prefix) = ("Azure Linux:2", "Azure Linux:3", "AZL-");
    let (tag, vendor) = (".cm2", "Microsoft Corporation");
    Sibling { ecosystem, distribution, stream, other, prefix, tag, vendor }.rules();
}
