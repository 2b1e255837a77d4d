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
            "sles",
            "15.5",
            "SUSE Linux Enterprise Server 15 SP5",
            rpm("a", "1-1"),
            "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
        ),
        (
            "sles",
            "16.0",
            "SUSE Linux Enterprise Server 16.0",
            rpm("a", "1-1"),
            "SUSE:Linux Enterprise Server 16.0",
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
        ("amzn", "2023", Some("Amazon Linux"), true),
        ("amzn", "2", Some("Amazon.com"), true),
        ("ol", "9", Some("Oracle America"), true),
        ("opensuse-leap", "15.6", Some("SUSE LLC <https://www.suse.com/>"), true),
        ("opensuse-leap", "15.6", Some("openSUSE"), true),
        ("opensuse-leap", "15.6", Some("obs://build.opensuse.org/home:someone"), false),
        ("ol", "9", Some("Not Oracle"), false),
        ("azurelinux", "3", Some("Microsoft Corporation"), true),
        // Nobody says that it is another's.
        ("rocky", "9", None, true),
    ];
    for (id, release, vendor, own) in table {
        let stream = match id {
            "almalinux" => "AlmaLinux:9",
            "rocky" => "Rocky Linux:9",
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
        // One advisory may speak of both lines.
        (Some(LABEL), "1:18.1-1.module_el8", "CVE-1: 0..1:18.2-1.el8 0..1:18.2-1.module_el8", true),
        (None, "1:18.1-1.el8", "CVE-1: 0..1:18.2-1.el8 0..1:18.2-1.module_el8", true),
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
        let bound = text.split("..").nth(1).unwrap().split(' ').next().unwrap();
        let range = if bound.is_empty() { "every version".into() } else { format!("< {bound}") };
        let want = if *found { format!("CVE-1 {range}") } else { String::new() };
        check(("almalinux", "8", ""), one, &[("AlmaLinux:8", "nodejs", text)], &want);
    }
}

#[test]
fn red_hats_products_are_parts_that_each_have_to_be_covered() {
    const PARTS: [&str; 4] = ["baseos", "appstream", "crb", "highavailability"];
    let stream = |release: &str, part: &str| format!("Red Hat:enterprise_linux:{release}::{part}");
    let run = |package: Package, covered: &[&str], named: &str, want: &str| {
        let mut all: Vec<(String, &str, &str)> =
            covered.iter().map(|part| (stream("9", part), "other", "CVE-0: 0..1")).collect();
        all.push((named.to_owned(), "a", "CVE-1: 0..2-1"));
        let all: Vec<_> = all.iter().map(|(s, name, text)| (s.as_str(), *name, *text)).collect();
        check(("rhel", "9", ""), package, &all, want);
    };
    let by = |vendor: &str| Package { vendor: Some(vendor.into()), ..rpm("a", "1-1") };
    for part in PARTS {
        run(rpm("a", "1-1"), &PARTS, &stream("9", part), "CVE-1 < 2-1");
    }
    // What is not fixed is said of the release as a whole.
    run(rpm("a", "1-1"), &PARTS, "Red Hat:enterprise_linux:9", "CVE-1 < 2-1");
    // One that is covered does not speak for the others.
    let missing = "no-advisory-source Red Hat:enterprise_linux:9::crb | \
                   no-advisory-source Red Hat:enterprise_linux:9::highavailability";
    run(rpm("b", "1-1"), &["baseos"], &stream("9", "appstream"), missing);
    run(by("Red Hat, Inc."), &PARTS, &stream("9", "baseos"), "CVE-1 < 2-1");
    run(by("Fedora Project"), &PARTS, &stream("9", "baseos"), "no-advisory-source a 1-1");
}

#[test]
fn what_is_said_of_a_source_is_said_of_what_is_built_from_it() {
    const STREAM: &str = "Red Hat:enterprise_linux:9";
    let built = |name: &str, version: &str, source: &str, of: &str| Package {
        source: Some(SourcePackage { name: source.into(), version: of.into() }),
        ..rpm(name, version)
    };
    // package, name that the advisory is filed under, its ranges → the range it is found by
    let table = [
        (built("a-libs", "1-1", "a", "1-1"), "a", "0..", Some("every version")),
        (built("a", "1-1", "a", "1-1"), "a", "0..", Some("every version")),
        // Another package of the source's name is not it.
        (built("a", "1-1", "b", "1-1"), "a", "0..", None),
        (built("b-libs", "1-1", "b", "1-1"), "a", "0..", None),
        // The source's version is compared, and no epoch, which rpm does not write down of it.
        (built("a-libs", "7:9-1", "a", "1-1"), "a", "0..1-2", Some("< 1-2")),
        (built("a-libs", "7:9-1", "a", "1-2"), "a", "0..1-2", None),
        (built("a-libs", "1:1-1", "a", "1-1"), "a", "0..1:1-2", Some("< 1:1-2")),
        (built("a-libs", "1:1-2", "a", "1-2"), "a", "0..1:1-2", None),
        (built("a-libs", "1:1-3", "a", "1-3"), "a", "0..2:1-2", None),
        (rpm("a", "1:1-1"), "a", "0..1-2", Some("< 1-2")),
        (rpm("a", "1:1-2"), "a", "0..1-2", None),
    ];
    for (package, name, ranges, want) in table {
        let about = format!("{} {} {:?} {ranges}", package.name, package.version, package.source);
        let of = |stream: &str, id: &str, release: &str| {
            let mut memory = MemoryAdvisories::default();
            let parts = ["baseos", "appstream", "crb", "highavailability"]
                .map(|part| format!("Red Hat:enterprise_linux:9::{part}"));
            let covered = parts.iter().map(String::as_str).chain([stream]);
            memory.feeds.push(feed("vex", &covered.collect::<Vec<_>>()));
            let mut one = advisory(&format!("CVE-1: {ranges}"));
            one.arches = vec!["src".into()];
            memory.add(stream.parse().unwrap(), name, one);
            let named = distribution(id, release, release);
            supported(&mut memory, named.as_ref());
            let packages = vec![package.clone()];
            let inventory = Inventory { distribution: named, packages, ..Inventory::default() };
            let matched = run(&inventory, &memory);
            assert_eq!(gaps(&matched), [""; 0], "{about}");
            matched.findings.first().map(|f| (f.why.range.clone(), f.fixed_versions.join(" ")))
        };
        let found = of(STREAM, "rhel", "9");
        assert_eq!(found.as_ref().map(|(range, _)| range.as_str()), want, "{about}");
        if let Some((range, fixes)) = &found {
            assert_eq!(fixes, range.strip_prefix("< ").unwrap_or_default(), "{about}");
        }
        // Some others speak of sources so, and the rest do not.
        assert_eq!(of("Rocky Linux:9", "rocky", "9"), found, "{about}");
        assert_eq!(of("Photon OS:5.0", "photon", "5.0"), found, "{about}");
        assert_eq!(of("AlmaLinux:9", "almalinux", "9"), None, "{about}");
    }
}

#[test]
fn a_language_package_is_left_to_an_advisory_that_concerns_its_owner_only() {
    // label of the owner, module of the distribution's advisory → findings of the language
    for (label, module, findings) in [
        (None, None, 0),
        (None, Some("python39:3.9"), 1),
        (Some("python39:3.9:1:x"), Some("python39:3.9"), 0),
    ] {
        let mut memory = MemoryAdvisories::default();
        memory.feeds.push(feed("errata", &["AlmaLinux:8"]));
        memory.feeds.push(feed("osv:PyPI", &["PyPI"]));
        let mut own = advisory("CVE-1: 0..1-1");
        own.module = module.map(str::to_owned);
        memory.add("AlmaLinux:8".parse().unwrap(), "python3-a", own);
        memory.add("PyPI".parse().unwrap(), "a", advisory("CVE-2: 0..2"));
        let mut owner = rpm("python3-a", "1-1.module_el8");
        owner.module = label.map(str::to_owned);
        if label.is_none() {
            owner.version = "1-1.el8".into();
        }
        let mut language = package(PackageKind::Python, "a", "1");
        language.owner = Some("python3-a".into());
        let named = distribution("almalinux", "8.9", "8");
        supported(&mut memory, named.as_ref());
        let packages = vec![owner, language];
        let inventory = Inventory { distribution: named, packages, ..Inventory::default() };
        assert_eq!(run(&inventory, &memory).findings.len(), findings, "{label:?} {module:?}");
    }
}

#[test]
fn headers_of_the_kernel_are_no_reason_to_say_nothing_of_a_stream_without_a_feed() {
    let want = "no-advisory-source Rocky Linux:9";
    check(("rocky", "9", ""), rpm("kernel-headers", "1-1"), &[], want);
}
