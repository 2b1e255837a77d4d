//! Red Hat Enterprise Linux, by Red Hat's VEX documents.

use cleanbill_core::package::Package;

use super::support::{Feeds, Image, found, found_from, of_source, rpm};

/// Products of the documents here, with their CPEs.
const PRODUCTS: [(&str, &str); 13] = [
    ("BaseOS-9", "cpe:/o:redhat:enterprise_linux:9::baseos"),
    ("AppStream-9", "cpe:/a:redhat:enterprise_linux:9::appstream"),
    ("AppStream-8", "cpe:/a:redhat:enterprise_linux:8::appstream"),
    ("rhel-9", "cpe:/o:redhat:enterprise_linux:9"),
    ("rhel-8", "cpe:/o:redhat:enterprise_linux:8"),
    ("AppStream-9.2-EUS", "cpe:/a:redhat:rhel_eus:9.2::appstream"),
    // As they are called since 2026.
    ("rhel-9.7.z::appstream", "cpe:/a:redhat:enterprise_linux:9::appstream"),
    ("rhel-br-9.7.z::baseos", "cpe:/o:redhat:enterprise_linux:9::baseos"),
    ("rhel-9.8", "cpe:/a:redhat:enterprise_linux:9"),
    ("rhel-9.9", "cpe:/a:redhat:enterprise_linux:9"),
    ("rhel-9.2.0.z", "cpe:/a:redhat:rhel_eus:9.2"),
    ("rhel-10.1.z", "cpe:/o:redhat:enterprise_linux:10.1"),
    ("rhel-10.2.z", "cpe:/o:redhat:enterprise_linux:10.2"),
];

/// A document: for each status products with package URLs, and a remedy for what is not fixed.
pub(super) fn vex(
    cve: &str,
    impact: &str,
    remedy: (&str, &str),
    said: &[(&str, &str, &str)],
) -> (String, Vec<u8>) {
    let product = |(id, cpe): &(&str, &str)| {
        format!(
            r#"{{"category":"product_name","name":"n","product":{{"name":"n","product_id":"{id}","product_identification_helper":{{"cpe":"{cpe}"}}}}}}"#
        )
    };
    let component = |(_, _, purl): &(&str, &str, &str)| {
        format!(
            r#"{{"category":"product_version","name":"n","product":{{"name":"n","product_id":"{purl}","product_identification_helper":{{"purl":"{purl}"}}}}}}"#
        )
    };
    let branches: Vec<String> =
        PRODUCTS.iter().map(product).chain(said.iter().map(component)).collect();
    let part = |(_, product, purl): &(&str, &str, &str)| {
        format!(
            r#"{{"category":"default_component_of","full_product_name":{{"name":"n","product_id":"{product}:{purl}"}},"product_reference":"{purl}","relates_to_product_reference":"{product}"}}"#
        )
    };
    let parts: Vec<String> = said.iter().map(part).collect();
    let ids = |of: &str| {
        let of = said.iter().filter(|(status, ..)| *status == of);
        let ids: Vec<String> =
            of.map(|(_, product, purl)| format!("\"{product}:{purl}\"")).collect();
        ids.join(",")
    };
    let statuses: Vec<String> =
        ["fixed", "known_affected", "known_not_affected", "under_investigation"]
            .map(|status| format!("\"{status}\":[{}]", ids(status)))
            .to_vec();
    let number = cve.trim_start_matches("CVE-").replace('-', "");
    let json = format!(
        r#"{{"document":{{"category":"csaf_vex","tracking":{{"id":"{cve}","status":"final","current_release_date":"2026-08-20T00:00:00+00:00"}}}},"product_tree":{{"branches":[{{"branches":[{branches}]}}],"relationships":[{parts}]}},"vulnerabilities":[{{"cve":"{cve}","product_status":{{{statuses}}},"threats":[{{"category":"impact","details":"{impact}","product_ids":[]}}],"remediations":[{{"category":"vendor_fix","url":"https://access.redhat.com/errata/RHSA-2026:{number}","details":"x","product_ids":[{fixed}]}},{{"category":"{category}","details":"{details}","product_ids":[{affected}]}}]}}]}}"#,
        branches = branches.join(","),
        parts = parts.join(","),
        statuses = statuses.join(","),
        fixed = ids("fixed"),
        affected = ids("known_affected"),
        category = remedy.0,
        details = remedy.1,
    );
    let year = &cve[4..8];
    (format!("redhat/documents/{year}/{}.json", cve.to_lowercase()), json.into_bytes())
}

fn usual() -> Feeds {
    let none = ("none_available", "Affected");
    vec![
        vex(
            "CVE-2024-0727",
            "Low",
            none,
            &[
                (
                    "fixed",
                    "BaseOS-9",
                    "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&epoch=1",
                ),
                ("fixed", "BaseOS-9", "pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=src&epoch=1"),
                (
                    "fixed",
                    "AppStream-9.2-EUS",
                    "pkg:rpm/redhat/openssl-libs@3.0.7-99.el9_2?arch=x86_64&epoch=1",
                ),
                ("known_not_affected", "rhel-9", "pkg:rpm/redhat/compat-openssl11?arch=src"),
            ],
        ),
        vex(
            "CVE-2023-4911",
            "Important",
            none,
            // Of the source alone it is said what is fixed.
            &[("fixed", "AppStream-9", "pkg:rpm/redhat/glibc@2.34-60.el9_2.7?arch=src")],
        ),
        vex(
            "CVE-2023-0001",
            "Moderate",
            ("no_fix_planned", "Will not fix"),
            &[("known_affected", "rhel-9", "pkg:rpm/redhat/tar?arch=src")],
        ),
        vex(
            "CVE-2023-0002",
            "Moderate",
            ("no_fix_planned", "Out of support scope"),
            &[("known_affected", "rhel-9", "pkg:rpm/redhat/gzip?arch=src")],
        ),
        vex(
            "CVE-2023-0003",
            "Moderate",
            ("none_available", "Fix deferred"),
            &[("known_affected", "rhel-9", "pkg:rpm/redhat/bzip2?arch=src")],
        ),
        vex(
            "CVE-2023-0004",
            "Moderate",
            none,
            &[("known_affected", "rhel-9", "pkg:rpm/redhat/krb5?arch=src")],
        ),
        vex(
            "CVE-2023-0005",
            "Moderate",
            none,
            &[("under_investigation", "rhel-9", "pkg:rpm/redhat/xz?arch=src")],
        ),
        vex(
            "CVE-2024-22020",
            "Moderate",
            none,
            &[
                (
                    "fixed",
                    "AppStream-8",
                    "pkg:rpm/redhat/nodejs@20.16.0-1.module%2Bel8?arch=x86_64&epoch=1&rpmmod=nodejs:20:1:a",
                ),
                ("known_affected", "rhel-8", "pkg:rpmmod/redhat/nodejs:18/nodejs"),
            ],
        ),
    ]
}

fn check(release: &'static str, package: Package, want: &[&str]) {
    let about = format!("{} {} {:?}", package.name, package.version, package.module);
    let image = Image { distribution: ("rhel", release), packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

#[test]
fn a_fix_counts_from_its_build_on_with_its_epoch() {
    check(
        "9",
        of_source(rpm("openssl-libs", "1:3.0.7-25.el9_3"), "openssl"),
        &["openssl-libs CVE-2024-0727 LOW fixed [1:3.0.7-27.el9]"],
    );
    check("9", of_source(rpm("openssl-libs", "1:3.0.7-27.el9"), "openssl"), &[]);
}

#[test]
fn an_extended_streams_fix_is_not_this_streams() {
    // It would be affected by the fix for 9.2 EUS, which has a higher number.
    check("9", of_source(rpm("openssl-libs", "1:3.0.7-28.el9_4"), "openssl"), &[]);
}

#[test]
fn what_is_not_fixed_is_found_with_what_red_hat_says_of_it() {
    let table = [
        ("tar", "CVE-2023-0001", "will_not_fix"),
        ("gzip", "CVE-2023-0002", "end_of_life"),
        ("bzip2", "CVE-2023-0003", "fix_deferred"),
        ("krb5", "CVE-2023-0004", "affected"),
        ("xz", "CVE-2023-0005", "under_investigation"),
    ];
    for (package, cve, status) in table {
        check("9", rpm(package, "1-1.el9"), &[&format!("{package} {cve} MEDIUM {status} []")]);
    }
}

#[test]
fn what_is_said_of_a_source_is_said_of_all_that_is_built_from_it() {
    let built = of_source(rpm("bzip2-libs", "1.0.8-8.el9"), "bzip2");
    check("9", built, &["bzip2-libs CVE-2023-0003 MEDIUM fix_deferred []"]);
}

#[test]
fn a_package_of_the_sources_name_from_another_source_is_not_meant() {
    check("9", of_source(rpm("tar", "1-1.el9"), "other"), &[]);
}

#[test]
fn a_source_that_is_fixed_is_compared_by_the_sources_version() {
    check(
        "9",
        of_source(rpm("glibc-common", "2.34-60.el9"), "glibc"),
        &["glibc-common CVE-2023-4911 HIGH fixed [2.34-60.el9_2.7]"],
    );
    check("9", of_source(rpm("glibc-common", "2.34-60.el9_2.7"), "glibc"), &[]);
}

#[test]
fn what_is_known_not_to_be_affected_is_clean() {
    check("9", of_source(rpm("compat-openssl11", "1:1.1.1k-4.el9"), "compat-openssl11"), &[]);
}

#[test]
fn another_release_is_not_judged_by_this_ones_state() {
    // Version 8 is covered by the documents that speak of it, and says nothing of tar.
    check("8", rpm("tar", "1-1.el8"), &[]);
    let gap = "no-advisory-source Red Hat:enterprise_linux:10";
    check("10", rpm("tar", "1-1.el10"), &[gap]);
}

#[test]
fn streams_of_a_module_are_lines_of_their_own() {
    let of = |version: &str, module: &str| Package {
        module: Some(module.into()),
        ..of_source(rpm("nodejs", version), "nodejs")
    };
    check(
        "8",
        of("1:20.10.0-1.module+el8", "nodejs:20:2:b"),
        &["nodejs CVE-2024-22020 MEDIUM fixed [1:20.16.0-1.module+el8]"],
    );
    check(
        "8",
        of("1:18.10.0-1.module+el8", "nodejs:18:2:b"),
        &["nodejs CVE-2024-22020 MEDIUM affected []"],
    );
    check("8", of("1:22.10.0-1.module+el8", "nodejs:22:2:b"), &[]);
}

#[test]
fn a_package_of_another_vendor_is_a_gap() {
    let foreign = Package { vendor: Some("Fedora Project".into()), ..rpm("tar", "1-1.el9") };
    check("9", foreign, &["no-advisory-source tar 1-1.el9"]);
    let own = Package { vendor: Some("Red Hat, Inc.".into()), ..rpm("tar", "1-1.el9") };
    check("9", own, &["tar CVE-2023-0001 MEDIUM will_not_fix []"]);
}

pub(super) const BASE: &str = "rhel-9-for-x86_64-baseos-rpms";
pub(super) const APPS: &str = "rhel-9-for-x86_64-appstream-rpms";
pub(super) const EUS: &str = "rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2";
pub(super) const EUS_APPS: &str = "rhel-9-for-x86_64-appstream-eus-rpms__9_DOT_2";
const OCP: &str = "rhocp-4.16-for-rhel-9-x86_64-rpms";

/// The documents, with the list of repositories.
fn with_list() -> Feeds {
    usual().into_iter().chain([list()]).collect()
}

/// The list of repositories.
pub(super) fn list() -> (String, Vec<u8>) {
    let list = [
        (BASE, "cpe:/o:redhat:enterprise_linux:9::baseos"),
        (APPS, "cpe:/a:redhat:enterprise_linux:9::appstream"),
        (EUS, "cpe:/o:redhat:rhel_eus:9.2::baseos"),
        (EUS_APPS, "cpe:/a:redhat:rhel_eus:9.2::appstream"),
        (OCP, "cpe:/a:redhat:openshift:4.16::el9"),
    ];
    let list = list.map(|(name, cpe)| format!(r#""{name}":{{"cpes":["{cpe}"]}}"#)).join(",");
    let json = format!(r#"{{"data":{{{list}}}}}"#).into_bytes();
    ("redhat/repository-to-cpe.json".into(), json)
}

/// A package of an image of version 9 that names these repositories.
fn check_from(feeds: &Feeds, repositories: &[&str], package: Package, want: &[&str]) {
    let about = format!("{} {} {repositories:?}", package.name, package.version);
    let image = Image { distribution: ("rhel", "9"), packages: vec![package] };
    assert_eq!(found_from(feeds, image, repositories), want, "{about}");
}

#[test]
fn an_extended_streams_image_is_judged_by_its_own_fix() {
    let openssl = |version: &str| of_source(rpm("openssl-libs", version), "openssl");
    let fixed = "openssl-libs CVE-2024-0727 LOW fixed [1:3.0.7-99.el9_2]";
    check_from(&with_list(), &[EUS, EUS_APPS], openssl("1:3.0.7-28.el9_2"), &[fixed]);
    check_from(&with_list(), &[EUS, EUS_APPS], openssl("1:3.0.7-99.el9_2"), &[]);
    // An image of the main stream is not.
    check_from(&with_list(), &[BASE, APPS], openssl("1:3.0.7-28.el9_4"), &[]);
    check_from(&with_list(), &[], openssl("1:3.0.7-28.el9_4"), &[]);
}

#[test]
fn what_is_not_fixed_or_fixed_in_the_main_stream_alone_is_found_in_an_extended_stream() {
    let tar = "tar CVE-2023-0001 MEDIUM will_not_fix []";
    let glibc = || of_source(rpm("glibc-common", "2.34-60.el9"), "glibc");
    let fixed = "glibc-common CVE-2023-4911 HIGH fixed [2.34-60.el9_2.7]";
    for repositories in [&[EUS, EUS_APPS][..], &[BASE, APPS]] {
        check_from(&with_list(), repositories, rpm("tar", "1-1.el9"), &[tar]);
        check_from(&with_list(), repositories, glibc(), &[fixed]);
    }
}

#[test]
fn what_is_not_known_of_a_repository_is_a_gap() {
    let tar = "tar CVE-2023-0001 MEDIUM will_not_fix []";
    let package = || rpm("tar", "1-1.el9");
    let gap = |subject: &str| format!("no-advisory-source {subject}");
    // The list does not have it, or its product is not read.
    check_from(&with_list(), &[BASE, "other-rpms"], package(), &[tar, &gap("other-rpms")]);
    let product = gap("Red Hat:openshift:4.16::el9");
    check_from(&with_list(), &[EUS, EUS_APPS, OCP], package(), &[tar, &product]);
    // Without the list, where it makes a difference.
    check_from(&usual(), &[BASE, APPS], package(), &[tar]);
    check_from(&usual(), &[BASE, EUS_APPS], package(), &[tar, &gap(EUS_APPS)]);
}
