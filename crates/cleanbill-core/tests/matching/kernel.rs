//! What is built from the kernel's source and holds none of it, and what is looked up under the source
//! that it was signed of.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::Matcher;
use cleanbill_core::package::{Package, PackageKind, SourcePackage};

use super::support::{advisory, distribution, gaps, memory, package, run, supported};

/// A package, with the name of its source and behind a blank the version of it.
fn built(kind: PackageKind, name: &str, version: &str, source: &str) -> Package {
    let (source, of) = source.split_once(' ').unwrap_or((source, version));
    let source = (!source.is_empty())
        .then(|| SourcePackage { name: source.to_owned(), version: of.to_owned() });
    Package { source, ..package(kind, name, version) }
}

/// Whether the package is affected by the only flaw of `named`, fixed in a version of it.
fn is_affected(package: Package, named: &str, fixed: &str) -> bool {
    let homes = [
        (PackageKind::Deb, ("debian", "12", "Debian:12")),
        (PackageKind::Rpm, ("rocky", "9", "Rocky Linux:9")),
        (PackageKind::Apk, ("alpine", "3.9", "Alpine:v3.9")),
    ];
    let (_, home) = homes.into_iter().find(|(kind, _)| *kind == package.kind).unwrap();
    let home = match package.version.contains("ubuntu") {
        true => ("ubuntu", "24.10", "Ubuntu:24.10"),
        false => home,
    };
    let (id, release, stream) = home;
    let mut memory = memory();
    memory.add(stream.parse().unwrap(), named, advisory(&format!("CVE-1: 0..{fixed}")));
    let distribution = distribution(id, release, release);
    supported(&mut memory, distribution.as_ref());
    let inventory = Inventory { distribution, packages: vec![package], ..Inventory::default() };
    let matched = run(&inventory, &memory);
    assert_eq!(gaps(&matched), [""; 0]);
    // What is explained was looked up under the same name.
    let Ok(explanation) = Matcher::new(&memory).explain(&inventory, &[], "CVE-1");
    assert!(matched.findings.is_empty() || explanation.packages.len() == 1);
    !matched.findings.is_empty()
}

#[test]
fn what_is_built_from_the_kernels_source_is_not_always_the_kernel() {
    use PackageKind::{Apk, Deb, Rpm};
    // Names as Debian's, Ubuntu's, Amazon's, SUSE's and Oracle's archives have them; whether each
    // is the kernel.
    let table: &[(PackageKind, &str, &[&str], bool)] = &[
        (
            Deb,
            "linux",
            &[
                "linux-image-6.1.0-10-amd64",
                "linux-image-6.1.0-10-amd64-unsigned",
                "linux-image-unsigned-6.5.0-14-generic",
                "linux-image-6.12.117+deb12-cloud-amd64",
                "linux-modules-6.5.0-14-generic",
                "linux-perf",
            ],
            true,
        ),
        (
            Deb,
            "linux",
            &[
                "linux-libc-dev",
                "linux-libc-dev-arm64-cross",
                "linux-headers-6.1.0-10-common",
                "linux-headers-amd64",
                "linux-doc-6.1",
                "linux-source-6.1",
                "linux-kbuild-6.1",
                "linux-config-6.1",
                "linux-compiler-gcc-12-x86",
                "linux-support-6.1.0-57",
                "linux-image-armmp",
                "linux-image-rt-amd64",
            ],
            false,
        ),
        (Deb, "linux-hwe-6.5", &["linux-hwe-6.5-headers-6.5.0-14", "linux-hwe-6.5-tools"], false),
        (Deb, "linux-aws", &["linux-aws-headers-5.15.0-1050"], false),
        (Deb, "tool", &["linux-headers-tool", "linux-doc", "perf"], true),
        (
            Rpm,
            "",
            &[
                "kernel",
                "kernel-core",
                "kernel6.12",
                "kernel-uek",
                "kernel-default",
                "kernelshark-doc",
            ],
            true,
        ),
        (
            Rpm,
            "",
            &[
                "kernel-headers",
                "kernel6.12-headers",
                "kernel-doc",
                "kernel-docs",
                "kernel-docs-html",
                "kernel-uek-doc",
            ],
            false,
        ),
        (Apk, "", &["linux-headers"], false),
        (Apk, "", &["linux-lts", "linux-pam"], true),
    ];
    for (kind, source, names, want) in table {
        for name in *names {
            // Tools of the kernel's source are judged by it.
            let want = *want || name.ends_with("-tools");
            let version = if *kind == Apk { "1-r0" } else { "1-1" };
            let named = if source.is_empty() { name } else { *source };
            let one = built(*kind, name, version, source);
            assert_eq!(is_affected(one, named, "2-r1"), want, "{kind:?} {name} of {source:?}");
        }
    }
}

#[test]
fn what_is_only_signed_is_looked_up_under_the_source_that_built_it() {
    // package, version, source → the source that advisories name, and the last version without and
    // the first with a fix there
    let table = [
        (
            "linux-image-6.1.0-18-amd64",
            "6.1.76-1",
            "linux-signed-amd64 6.1.76+1",
            "linux",
            "6.1.76-1",
        ),
        (
            "linux-image-6.1.0-18-arm64",
            "6.1.76-1",
            "linux-signed-arm64 6.1.76+1",
            "linux",
            "6.1.76-1",
        ),
        ("linux-image-6.1.0-18-686", "6.1.76-1", "linux-signed-i386 6.1.76+1", "linux", "6.1.76-1"),
        (
            "linux-image-5.10.0-0.deb10.30-amd64",
            "5.10.218-1~deb10u1",
            "linux-signed-5.10-amd64 5.10.218+1~deb10u1",
            "linux-5.10",
            "5.10.218-1~deb10u1",
        ),
        (
            "linux-image-6.5.0-14-generic",
            "6.5.0-14.14~22.04.1",
            "linux-signed-hwe-6.5 6.5.0-14.14~22.04.1",
            "linux-hwe-6.5",
            "6.5.0-14.14~22.04.1",
        ),
        ("linux-image-6.17.0-10-generic", "6.17.0-10.10", "linux-signed", "linux", "6.17.0-10.10"),
        ("grub-efi-amd64-signed", "1+2.06+13+deb12u1", "", "grub2", "2.06-13+deb12u1"),
        (
            "shim-signed-common",
            "1.51~1+deb12u1+16.1-2~deb12u1",
            "shim-signed 1.51~1+deb12u1",
            "shim",
            "16.1-2~deb12u1",
        ),
        ("shim-helpers-amd64-signed", "1+16.1+2~deb12u1", "", "shim", "16.1-2~deb12u1"),
        ("fwupd-amd64-signed", "1:1.4+1", "", "fwupd-efi", "1:1.4-1"),
        ("systemd-boot-efi-amd64-signed", "257.13+1~deb13u1", "", "systemd", "257.13-1~deb13u1"),
        // Ubuntu's have advisories of their own.
        ("shim-signed", "1.40.10+15.8-0ubuntu1", "shim-signed 1.40.10", "shim-signed", "1.40.10"),
        (
            "grub-efi-amd64-signed",
            "1.202+2.12-1ubuntu7",
            "grub2-signed 1.202",
            "grub2-signed",
            "1.202",
        ),
        // A name alone does not make it one.
        ("node-signed", "1-1", "node-signed", "node-signed", "1-1"),
    ];
    for (name, version, source, named, of) in table {
        let one = || built(PackageKind::Deb, name, version, source);
        assert!(!is_affected(one(), named, of), "{name} {version} at {named} {of}");
        assert!(is_affected(one(), named, &format!("{of}.1")), "{name} {version} below {of}.1");
    }
}
