//! AlmaLinux, by its own errata.

use cleanbill_core::package::Package;

use super::support::{Feeds, Image, found, of_source, rpm};

fn build(name: &str, arch: &str, epoch: &str, version: &str, module: &str) -> String {
    let (version, release) = version.split_once('-').unwrap();
    let module = match module {
        "" => String::new(),
        module => format!(r#","module":"{module}:1:c:{arch}""#),
    };
    format!(
        r#"{{"name":"{name}","epoch":"{epoch}","version":"{version}","release":"{release}","arch":"{arch}"{module}}}"#
    )
}

fn erratum(id: &str, severity: &str, cves: &[&str], builds: &[String]) -> String {
    let cves: Vec<String> =
        cves.iter().map(|c| format!(r#"{{"id":"{c}","type":"cve"}}"#)).collect();
    format!(
        r#"{{"id":"{id}","issued_date":1785578400,"severity":"{severity}","type":"security","packages":[{}],"references":[{}]}}"#,
        builds.join(","),
        cves.join(",")
    )
}

fn usual() -> Feeds {
    let everywhere = |name: &str, epoch: &str, version: &str| {
        ["x86_64", "aarch64", "ppc64le", "s390x"]
            .map(|arch| build(name, arch, epoch, version, ""))
            .to_vec()
    };
    let errata = [
        erratum(
            "ALSA-2024:1",
            "Moderate",
            &["CVE-2024-0727", "CVE-2023-5678"],
            &everywhere("openssl", "1", "3.0.7-27.el8"),
        ),
        erratum(
            "ALSA-2024:2",
            "Important",
            &["CVE-2024-22020"],
            &[
                build("nodejs", "x86_64", "1", "18.20.4-1.module_el8", "nodejs:18"),
                build("nodejs", "aarch64", "1", "18.20.4-2.module_el8", "nodejs:18"),
            ],
        ),
        erratum(
            "ALSA-2024:3",
            "Important",
            &["CVE-2024-22020"],
            &[build("nodejs", "x86_64", "1", "20.16.0-1.module_el8", "nodejs:20")],
        ),
        erratum("ALSA-2024:4", "None", &[], &[build("tzdata", "noarch", "0", "2024a-1.el8", "")]),
    ];
    let list = format!(r#"{{"schema_version":"1.0","data":[{}]}}"#, errata.join(","));
    vec![("almalinux/8/errata.full.json".into(), list.into_bytes())]
}

fn check(package: Package, want: &[&str]) {
    let about = format!("{} {} {:?}", package.name, package.version, package.module);
    let image = Image { distribution: ("almalinux", "8"), packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

fn nodejs(version: &str, module: &str, arch: &str) -> Package {
    let (module, arch) = (Some(format!("{module}:2:d")), Some(arch.to_owned()));
    Package { module, arch, ..rpm("nodejs", version) }
}

#[test]
fn an_erratum_is_as_many_findings_as_it_has_flaws() {
    check(
        rpm("openssl", "1:3.0.7-20.el8"),
        &[
            "openssl CVE-2023-5678 MEDIUM fixed [1:3.0.7-27.el8]",
            "openssl CVE-2024-0727 MEDIUM fixed [1:3.0.7-27.el8]",
        ],
    );
}

#[test]
fn the_fixed_build_is_clean() {
    check(rpm("openssl", "1:3.0.7-27.el8"), &[]);
}

#[test]
fn a_missing_epoch_is_nought() {
    let found = [
        "openssl CVE-2023-5678 MEDIUM fixed [1:3.0.7-27.el8]",
        "openssl CVE-2024-0727 MEDIUM fixed [1:3.0.7-27.el8]",
    ];
    check(rpm("openssl", "9.0-1.el8"), &found);
}

#[test]
fn a_modules_stream_is_judged_by_its_own_errata() {
    check(
        nodejs("1:18.12.0-1.module_el8", "nodejs:18", "x86_64"),
        &["nodejs CVE-2024-22020 HIGH fixed [1:18.20.4-1.module_el8]"],
    );
    check(nodejs("1:18.20.4-1.module_el8", "nodejs:18", "x86_64"), &[]);
}

#[test]
fn the_fix_of_one_stream_is_not_held_against_another() {
    // By the fix of nodejs:20 it would be affected for ever.
    check(nodejs("1:18.20.5-1.module_el8", "nodejs:18", "x86_64"), &[]);
    check(nodejs("1:16.20.2-1.module_el8", "nodejs:16", "x86_64"), &[]);
}

#[test]
fn each_architecture_has_its_own_build() {
    let fixed_elsewhere = |arch| nodejs("1:18.20.4-1.module_el8", "nodejs:18", arch);
    check(fixed_elsewhere("x86_64"), &[]);
    check(
        fixed_elsewhere("aarch64"),
        &["nodejs CVE-2024-22020 HIGH fixed [1:18.20.4-2.module_el8]"],
    );
}

#[test]
fn a_package_outside_of_modules_is_not_judged_by_theirs() {
    check(rpm("nodejs", "1:10.0.0-1.el8"), &[]);
}

#[test]
fn a_security_erratum_without_flaws_is_found_by_its_own_name() {
    check(rpm("tzdata", "2023c-1.el8"), &["tzdata ALSA-2024:4 UNKNOWN fixed [2024a-1.el8]"]);
}

#[test]
fn a_package_of_the_same_source_that_no_erratum_names_is_clean() {
    check(of_source(rpm("openssl-perl", "1:3.0.7-20.el8"), "openssl"), &[]);
}

#[test]
fn another_release_is_a_gap() {
    let image = Image { distribution: ("almalinux", "9"), packages: vec![rpm("openssl", "1:3-1")] };
    assert_eq!(found(&usual(), image), ["no-advisory-source AlmaLinux:9"]);
}
