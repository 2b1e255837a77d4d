//! Amazon Linux, by the errata of its repositories.

use cleanbill_core::package::Package;

use super::support::{Feeds, Image, found, gzip, rpm};

/// A build in an erratum.
pub(crate) fn build(name: &str, arch: &str, epoch: &str, version: &str, release: &str) -> String {
    format!(
        r#"<package name="{name}" arch="{arch}" epoch="{epoch}" version="{version}" release="{release}"/>"#
    )
}

pub(crate) fn erratum(id: &str, severity: &str, cves: &[&str], builds: &[String]) -> String {
    let cves: String =
        cves.iter().map(|cve| format!(r#"<reference type="cve" id="{cve}"/>"#)).collect();
    let builds = builds.concat();
    format!(
        r#"<update type="security" status="final"><id>{id}</id><issued date="2026-08-01 10:00:00"/><severity>{severity}</severity><references>{cves}</references><pkglist><collection>{builds}</collection></pkglist></update>"#
    )
}

/// The lists of one release, of both architectures.
pub(crate) fn feeds(release: &str, x86: &[String], arm: &[String]) -> Feeds {
    let file = |arch: &str, errata: &[String]| {
        let path = format!("amazon/{release}/core/{arch}/updateinfo.xml.gz");
        (path, gzip(&format!("<updates>{}</updates>", errata.concat())))
    };
    vec![file("x86_64", x86), file("aarch64", arm)]
}

/// Amazon Linux 2023 with a handful of errata.
fn usual() -> Feeds {
    let openssl = |arch| {
        let builds = [
            build("openssl", arch, "1", "3.0.8", "1.amzn2023.0.10"),
            build("openssl-libs", arch, "1", "3.0.8", "1.amzn2023.0.10"),
        ];
        let cves = ["CVE-2023-5678", "CVE-2024-0727"];
        erratum("ALAS2023-2024-549", "medium", &cves, &builds)
    };
    let again = |arch| {
        let builds = [build("openssl-libs", arch, "1", "3.0.8", "1.amzn2023.0.14")];
        erratum("ALAS2023-2024-699", "important", &["CVE-2024-0727"], &builds)
    };
    let nodejs = build("nodejs", "x86_64", "1", "18.20.4", "1.amzn2023.0.1");
    let nodejs = erratum("ALAS2023-2024-700", "important", &["CVE-2024-22020"], &[nodejs]);
    let certificates = build("ca-certificates", "noarch", "0", "2023.2.68", "1.amzn2023");
    let certificates = erratum("ALAS2023-2024-701", "low", &[], &[certificates]);
    let x86 = [openssl("x86_64"), again("x86_64"), nodejs, certificates.clone()];
    feeds("2023", &x86, &[openssl("aarch64"), again("aarch64"), certificates])
}

fn check(package: Package, want: &[&str]) {
    let about = format!("{} {} {:?}", package.name, package.version, package.arch);
    let image = Image { distribution: ("amzn", "2023"), packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

fn on(arch: &str, package: Package) -> Package {
    Package { arch: Some(arch.into()), ..package }
}

#[test]
fn an_erratum_is_as_many_findings_as_it_has_flaws() {
    check(
        rpm("openssl", "1:3.0.8-1.amzn2023.0.9"),
        &[
            "openssl CVE-2023-5678 MEDIUM fixed [1:3.0.8-1.amzn2023.0.10]",
            "openssl CVE-2024-0727 MEDIUM fixed [1:3.0.8-1.amzn2023.0.10]",
        ],
    );
}

#[test]
fn the_fixed_build_and_later_ones_are_clean() {
    check(rpm("openssl", "1:3.0.8-1.amzn2023.0.10"), &[]);
    check(rpm("openssl", "1:3.2.2-1.amzn2023.0.1"), &[]);
}

#[test]
fn an_epoch_outweighs_the_version() {
    // Without its epoch the version would be the higher one.
    check(
        rpm("nodejs", "20.1.0-1.amzn2023.0.1"),
        &["nodejs CVE-2024-22020 HIGH fixed [1:18.20.4-1.amzn2023.0.1]"],
    );
    check(rpm("nodejs", "1:20.1.0-1.amzn2023.0.1"), &[]);
}

#[test]
fn a_flaw_that_was_closed_again_is_fixed_by_the_later_build() {
    check(
        // As bad as the erratum says that closed it again.
        rpm("openssl-libs", "1:3.0.8-1.amzn2023.0.12"),
        &["openssl-libs CVE-2024-0727 HIGH fixed [1:3.0.8-1.amzn2023.0.14]"],
    );
}

#[test]
fn numbers_in_a_release_are_compared_as_numbers() {
    // As text, `.9` would be behind `.10`.
    check(rpm("openssl-libs", "1:3.0.8-1.amzn2023.0.14"), &[]);
    check(rpm("openssl-libs", "1:3.0.8-1.amzn2023.0.100"), &[]);
}

#[test]
fn what_is_said_of_one_architecture_is_not_said_of_another() {
    let old = || rpm("nodejs", "1:18.12.1-1.amzn2023.0.1");
    check(on("x86_64", old()), &["nodejs CVE-2024-22020 HIGH fixed [1:18.20.4-1.amzn2023.0.1]"]);
    check(on("aarch64", old()), &[]);
}

#[test]
fn what_is_said_of_every_architecture_is_said_of_any() {
    for arch in ["x86_64", "aarch64", "i686", "riscv64"] {
        check(
            on(arch, rpm("openssl", "1:3.0.8-1.amzn2023.0.1")),
            &[
                "openssl CVE-2023-5678 MEDIUM fixed [1:3.0.8-1.amzn2023.0.10]",
                "openssl CVE-2024-0727 MEDIUM fixed [1:3.0.8-1.amzn2023.0.10]",
            ],
        );
    }
}

#[test]
fn an_erratum_without_flaws_is_found_by_its_own_name() {
    check(
        on("noarch", rpm("ca-certificates", "2023.2.62-1.amzn2023")),
        &["ca-certificates ALAS2023-2024-701 LOW fixed [2023.2.68-1.amzn2023]"],
    );
}

#[test]
fn a_package_is_not_another_of_the_same_source() {
    check(
        super::support::of_source(rpm("openssl-devel", "1:3.0.8-1.amzn2023.0.1"), "openssl"),
        &[],
    );
}

#[test]
fn another_release_is_not_judged_by_this_ones_errata() {
    let packages = vec![rpm("openssl", "1:1.0.2k-24.amzn2.0.1")];
    let image = Image { distribution: ("amzn", "2"), packages };
    assert_eq!(found(&usual(), image), ["no-advisory-source Amazon Linux:2"]);
}

#[test]
fn a_package_of_another_vendor_is_a_gap() {
    let foreign = Package { vendor: Some("Docker".into()), ..rpm("openssl", "1:3.0.8-1") };
    check(foreign, &["no-advisory-source openssl 1:3.0.8-1"]);
    let own = Package {
        vendor: Some("Amazon Linux".into()),
        ..rpm("openssl", "1:3.0.8-1.amzn2023.0.10")
    };
    check(own, &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_erratum_names_the_package() {
    check(rpm("openssl", "1:3 0"), &["unparseable-version openssl 1:3 0"]);
    check(rpm("unnamed", "1:3 0"), &[]);
}
