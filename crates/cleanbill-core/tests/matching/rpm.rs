//! Packages of distributions by rpm: streams, vendors, modules, and the kernel's headers.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::MemoryAdvisories;
use cleanbill_core::package::{Package, PackageKind, SourcePackage};

use crate::support::{advisory, distribution, feed, gaps, package, run, supported};

/// One package of a distribution, and advisories `stream name: …` → findings, else gaps.
fn check(
    (id, release, pretty): (&str, &str, &str),
    package: Package,
    advisories: &[(&str, &str, &str)],
    want: &str,
) {
    let mut memory = MemoryAdvisories::default();
    for (stream, name, text) in advisories {
        memory.feeds.push(feed(&format!("feed of {stream}"), &[stream]));
        let (module, text) = match text.split_once(" of ") {
            Some((text, module)) => (Some(module.to_owned()), text),
            None => (None, *text),
        };
        let mut one = advisory(text);
        one.module = module;
        memory.add(stream.parse().unwrap(), name, one);
    }
    let mut named = distribution(id, release, release);
    if let Some(named) = &mut named {
        named.pretty_name = pretty.into();
    }
    supported(&mut memory, named.as_ref());
    let about = format!("{} {} by {:?}", package.name, package.version, package.vendor);
    let inventory =
        Inventory { distribution: named, packages: vec![package], ..Inventory::default() };
    let matched = run(&inventory, &memory);
    let found = matched.findings.iter().map(|f| format!("{} {}", f.id, f.why.range));
    let got = found.chain(gaps(&matched)).collect::<Vec<_>>().join(" | ");
    assert_eq!(got, want, "{id} {release} {about} {advisories:?}");
}

fn rpm(name: &str, version: &str) -> Package {
    package(PackageKind::Rpm, name, version)
}

#[test]
fn each_distribution_is_looked_up_in_its_own_streams() {
    let apk = |name: &str| package(PackageKind::Apk, name, "1-r0");
    // id, release, name for people, package, stream that is looked into
    let table: &[(&str, &str, &str, Package, &str)] = &[
        ("almalinux", "9", "", rpm("a", "1-1"), "AlmaLinux:9"),
        ("rocky", "9", "", rpm("a", "1-1"), "Rocky Linux:9"),
        ("ol", "9", "", rpm("a", "1-1"), "Oracle Linux:9"),
        ("amzn", "2023", "", rpm("a", "1-1"), "Amazon Linux:2023"),
        ("photon", "5.0", "", rpm("a", "1-1"), "Photon OS:5.0"),
        ("azurelinux", "3", "", rpm("a", "1-1"), "Azure Linux:3"),
        ("mageia", "9", "", rpm("a", "1-1"), "Mageia:9"),
        ("rhel", "9", "", rpm("a", "1-1"), "Red Hat:enterprise_linux:9::baseos"),
        ("rhel", "9", "", rpm("a", "1-1"), "Red Hat:enterprise_linux:9::appstream"),
        ("rhel", "7", "", rpm("a", "1-1"), "Red Hat:enterprise_linux:7::server"),
        ("opensuse-leap", "15.6", "openSUSE Leap 15.6", rpm("a", "1-1"), "openSUSE:Leap 15.6"),
        ("opensuse-tumbleweed", "", "openSUSE Tumbleweed", rpm("a", "1-1"), "openSUSE:Tumbleweed"),
        (
            "sles",
            "15.5",
            "SUSE Linux Enterprise Server 15 SP5",
            rpm("a", "1-1"),
            "SUSE:Linux Enterprise Server 15 SP5",
        ),
        (
            "openeuler",
            "24.03",
            "openEuler 24.03 (LTS-SP1)",
            rpm("a", "1-1"),
            "openEuler:24.03-LTS-SP1",
        ),
        ("openeuler", "23.09", "openEuler 23.09", rpm("a", "1-1"), "openEuler:23.09"),
        ("wolfi", "20230201", "", apk("a"), "Wolfi"),
        ("chainguard", "", "", apk("a"), "Chainguard"),
        ("minimos", "", "", apk("a"), "MinimOS"),
        ("alpaquita", "23", "", apk("a"), "Alpaquita:23"),
        ("alpine", "edge", "", apk("a"), "Alpine:edge"),
    ];
    for (id, release, pretty, package, stream) in table {
        let fixed = if package.kind == PackageKind::Apk { "2-r0" } else { "2-1" };
        let text = format!("CVE-1: 0..{fixed}");
        check(
            (id, release, pretty),
            package.clone(),
            &[(stream, "a", &text)],
            &format!("CVE-1 < {fixed}"),
        );
    }
    // Neither is another release's stream looked into, nor is a distribution guessed.
    check(
        ("rocky", "8", ""),
        rpm("a", "1-1"),
        &[("Rocky Linux:9", "a", "CVE-1: 0..2-1")],
        "no-advisory-source Rocky Linux:8",
    );
    check(("fedora", "44", ""), rpm("a", "1-1"), &[], "unknown-distribution fedora 44");
    check(("rhel", "", ""), rpm("a", "1-1"), &[], "unknown-distribution rhel");
    check(("sles", "15.5", "Other"), rpm("a", "1-1"), &[], "unknown-distribution sles 15.5");
}

#[test]
fn a_package_that_another_vendor_built_is_a_gap() {
    // distribution, release, vendor → the distribution's own
    let table = [
        ("almalinux", "9", Some("AlmaLinux"), true),
        ("almalinux", "9", Some("Fedora Project"), false),
        ("rocky", "9", Some("Rocky Enterprise Software Foundation"), true),
        ("rocky", "9", Some("Docker"), false),
        ("rhel", "9", Some("Red Hat, Inc."), true),
        ("rhel", "9", Some("Fedora Project"), false),
        ("amzn", "2023", Some("Amazon Linux"), true),
        ("amzn", "2", Some("Amazon.com"), true),
        ("ol", "9", Some("Oracle America"), true),
        ("opensuse-leap", "15.6", Some("SUSE LLC <https://www.suse.com/>"), true),
        ("opensuse-leap", "15.6", Some("obs://build.opensuse.org/home:someone"), true),
        ("azurelinux", "3", Some("Microsoft Corporation"), true),
        // Nobody says that it is another's.
        ("rocky", "9", None, true),
    ];
    for (id, release, vendor, own) in table {
        let stream = match id {
            "almalinux" => "AlmaLinux:9",
            "rocky" => "Rocky Linux:9",
            "rhel" => "Red Hat:enterprise_linux:9::baseos",
            "amzn" if release == "2" => "Amazon Linux:2",
            "amzn" => "Amazon Linux:2023",
            "ol" => "Oracle Linux:9",
            "azurelinux" => "Azure Linux:3",
            _ => "openSUSE:Leap 15.6",
        };
        let mut one = rpm("a", "1-1");
        one.vendor = vendor.map(str::to_owned);
        let want = if own { "CVE-1 < 2-1" } else { "no-advisory-source a 1-1" };
        check((id, release, "openSUSE Leap 15.6"), one, &[(stream, "a", "CVE-1: 0..2-1")], want);
    }
}

#[test]
fn modules_are_lines_of_their_own() {
    const LABEL: &str = "nodejs:18:8090020240101:abc";
    // label of the package, its version, the advisory, found
    let table: &[(Option<&str>, &str, &str, bool)] = &[
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..1:18.2-1.module_el8 of nodejs:18", true),
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..1:20.2-1.module_el8 of nodejs:20", false),
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..1:20.2-1.module_el8 of nodejs:1", false),
        // A feed that names no module shows by the fix that it means one.
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..1:18.2-1.module_el8", true),
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..1:18.2-1.el8", false),
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..", true),
        // Without a label the release shows it.
        (None, "1:18.1-1.module_el8", "CVE-1: 0..1:18.2-1.module_el8", true),
        (None, "1:18.1-1.module_el8", "CVE-1: 0..1:18.2-1.el8", false),
        (None, "1:18.1-1.el8", "CVE-1: 0..1:18.2-1.module_el8", false),
        (None, "1:18.1-1.el8", "CVE-1: 0..1:18.2-1.module_el8 of nodejs:18", false),
        (None, "1:18.1-1.el8", "CVE-1: 0..1:18.2-1.el8", true),
        (None, "1:18.1-1.el8", "CVE-1: 0..", true),
    ];
    for (label, version, text, found) in table {
        let mut one = rpm("nodejs", version);
        one.module = label.map(str::to_owned);
        let bound = text.split("..").nth(1).unwrap().split(" of ").next().unwrap();
        let range = if bound.is_empty() { "every version".into() } else { format!("< {bound}") };
        let want = if *found { format!("CVE-1 {range}") } else { String::new() };
        check(("almalinux", "8", ""), one, &[("AlmaLinux:8", "nodejs", text)], &want);
    }
}

#[test]
fn what_is_built_from_the_kernels_source_is_not_always_the_kernel() {
    // kind, package, source, found
    let table = [
        (PackageKind::Deb, "linux-image-6.1.0-10-amd64", Some("linux"), true),
        (PackageKind::Deb, "linux-libc-dev", Some("linux"), false),
        (PackageKind::Deb, "linux-headers-6.1.0-10-common", Some("linux"), false),
        (PackageKind::Deb, "linux-headers-tool", Some("tool"), true),
        (PackageKind::Deb, "perf", Some("linux"), true),
        (PackageKind::Rpm, "kernel-core", None, true),
        (PackageKind::Rpm, "kernel-headers", None, false),
        (PackageKind::Apk, "linux-headers", None, false),
        (PackageKind::Apk, "linux-lts", None, true),
    ];
    for (kind, name, source, found) in table {
        let (of, stream, version, fixed) = match kind {
            PackageKind::Deb => (("debian", "12", ""), "Debian:12", "1-1", "2-1"),
            PackageKind::Rpm => (("rocky", "9", ""), "Rocky Linux:9", "1-1", "2-1"),
            PackageKind::Apk | PackageKind::Python | PackageKind::Npm | PackageKind::Go => {
                (("alpine", "3.9", ""), "Alpine:v3.9", "1-r0", "2-r0")
            }
        };
        let mut one = package(kind, name, version);
        one.source =
            source.map(|s| SourcePackage { name: s.to_owned(), version: version.to_owned() });
        let text = format!("CVE-1: 0..{fixed}");
        let want = if found { format!("CVE-1 < {fixed}") } else { String::new() };
        check(of, one, &[(stream, source.unwrap_or(name), &text)], &want);
    }
}
