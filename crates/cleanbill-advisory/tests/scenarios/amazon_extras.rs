//! The extras of Amazon Linux 2: lines of their own, told by the repository that yum wrote down.

use cleanbill_core::package::Package;

use super::amazon::{build, erratum, feeds};
use super::support::{Feeds, Image, found, gzip, rpm};

/// The errata of an extra for one architecture.
fn extra(topic: &str, arch: &str, errata: &[String]) -> (String, Vec<u8>) {
    let path = format!("amazon/2/extras/{arch}/{topic}/updateinfo.xml.gz");
    (path, gzip(&format!("<updates>{}</updates>", errata.concat())))
}

fn catalogue(arch: &str, topics: &[&str]) -> (String, Vec<u8>) {
    let topics: Vec<String> = topics.iter().map(|topic| format!(r#"{{"n":"{topic}"}}"#)).collect();
    let json = format!(r#"{{"status":"ok","topics":[{}]}}"#, topics.join(","));
    (format!("amazon/2/extras/{arch}/catalogue.json"), json.into_bytes())
}

/// The core of both architectures: an erratum of `php`, and one of `curl`.
fn core() -> Feeds {
    let of = |arch| {
        let php = [build("php", arch, "0", "5.4.16", "46.amzn2.0.2")];
        let curl = [build("curl", arch, "0", "8.3.0", "1.amzn2.0.5")];
        [
            erratum("ALAS2-2019-1344", "critical", &["CVE-2019-11043"], &php),
            erratum("ALAS2-2024-2401", "medium", &["CVE-2023-46218"], &curl),
        ]
    };
    feeds("2", &of("x86_64"), &of("aarch64"))
}

fn usual() -> Feeds {
    let mut all = core();
    for arch in ["x86_64", "aarch64"] {
        let one = |id, cve, name, epoch, version, release| {
            erratum(id, "important", &[cve], &[build(name, arch, epoch, version, release)])
        };
        let docker =
            one("ALAS2DOCKER-1", "CVE-2024-0001", "docker", "0", "20.10.25", "1.amzn2.0.1");
        let php74 = one("ALAS2PHP7.4-1", "CVE-2022-0001", "php", "0", "7.4.33", "1.amzn2");
        let php80 = [
            one("ALAS2PHP8.0-1", "CVE-2022-0001", "php", "0", "8.0.25", "1.amzn2"),
            one("ALAS2PHP8.0-2", "CVE-2023-0001", "php", "0", "8.0.30", "1.amzn2"),
        ];
        all.push(extra("docker", arch, &[docker]));
        all.push(extra("php7.4", arch, &[php74]));
        all.push(extra("php8.0", arch, &php80));
        // One without errata, and one of which a half is missing.
        all.push(catalogue(arch, &["docker", "php7.4", "php8.0", "nginx1.12", "redis6"]));
    }
    let redis = [build("redis", "x86_64", "0", "6.2.14", "1.amzn2")];
    let redis = erratum("ALAS2REDIS6-1", "important", &["CVE-2023-0002"], &redis);
    all.push(extra("redis6", "x86_64", &[redis]));
    all
}

/// A package of a repository, none where that is empty.
fn of(repository: &str, name: &str, version: &str) -> Package {
    let repository = Some(repository.to_owned()).filter(|repository| !repository.is_empty());
    Package { repository, vendor: Some("Amazon Linux".into()), ..rpm(name, version) }
}

fn found_in(feeds: &Feeds, release: &'static str, package: Package) -> Vec<String> {
    found(feeds, Image { distribution: ("amzn", release), packages: vec![package] })
}

fn check(package: Package, want: &[&str]) {
    let about = format!("{} {} {:?}", package.name, package.version, package.repository);
    assert_eq!(found_in(&usual(), "2", package), want, "{about}");
}

#[test]
fn a_package_of_an_extra_is_judged_by_its_errata() {
    check(
        of("amzn2extra-docker", "docker", "20.10.17-1.amzn2.0.1"),
        &["docker CVE-2024-0001 HIGH fixed [20.10.25-1.amzn2.0.1]"],
    );
    check(of("amzn2extra-docker", "docker", "20.10.25-1.amzn2.0.1"), &[]);
}

#[test]
fn another_extra_with_a_package_of_that_name_says_nothing_of_it() {
    // By the errata of 8.0 it would be affected for ever.
    check(of("amzn2extra-php7.4", "php", "7.4.33-1.amzn2"), &[]);
    check(
        of("amzn2extra-php7.4", "php", "7.4.30-1.amzn2"),
        &["php CVE-2022-0001 HIGH fixed [7.4.33-1.amzn2]"],
    );
    // By the errata of 7.4 it would be clean.
    check(
        of("amzn2extra-php8.0", "php", "8.0.20-1.amzn2"),
        &[
            "php CVE-2022-0001 HIGH fixed [8.0.25-1.amzn2]",
            "php CVE-2023-0001 HIGH fixed [8.0.30-1.amzn2]",
        ],
    );
}

#[test]
fn neither_does_the_core_of_a_package_of_an_extra_nor_an_extra_of_one_of_the_core() {
    // By its version it would be affected by the core's erratum.
    check(of("amzn2extra-php7.4", "curl", "7.0-1.amzn2"), &[]);
    check(
        of("amzn2-core", "php", "5.4.16-46.amzn2.0.1"),
        &["php CVE-2019-11043 CRITICAL fixed [5.4.16-46.amzn2.0.2]"],
    );
    check(of("amzn2-core", "php", "5.4.16-46.amzn2.0.2"), &[]);
}

#[test]
fn a_package_of_which_nobody_tells_is_a_gap_where_an_extra_has_its_name() {
    // What the core says of it is told all the same.
    for repository in ["", "our-mirror", "installed"] {
        check(
            of(repository, "php", "5.4.16-46.amzn2.0.1"),
            &[
                "php CVE-2019-11043 CRITICAL fixed [5.4.16-46.amzn2.0.2]",
                "no-advisory-source php 5.4.16-46.amzn2.0.1",
            ],
        );
        check(
            of(repository, "docker", "20.10.25-1.amzn2.0.1"),
            &["no-advisory-source docker 20.10.25-1.amzn2.0.1"],
        );
        check(
            of(repository, "curl", "8.3.0-1.amzn2.0.1"),
            &["curl CVE-2023-46218 MEDIUM fixed [8.3.0-1.amzn2.0.5]"],
        );
        check(of(repository, "unnamed", "1-1.amzn2"), &[]);
    }
}

#[test]
fn an_extra_whose_errata_are_not_whole_is_a_gap() {
    check(
        of("amzn2extra-nginx1.12", "nginx", "1.12.2-1.amzn2"),
        &["no-advisory-source Amazon Linux:2::amzn2extra-nginx1.12"],
    );
    // What is there of it counts.
    check(
        of("amzn2extra-redis6", "redis", "6.2.6-1.amzn2"),
        &[
            "redis CVE-2023-0002 HIGH fixed [6.2.14-1.amzn2]",
            "no-advisory-source Amazon Linux:2::amzn2extra-redis6",
        ],
    );
}

#[test]
fn where_no_extras_are_read_a_package_of_one_is_a_gap() {
    let docker = || of("amzn2extra-docker", "docker", "20.10.25-1.amzn2.0.1");
    let gap = "no-advisory-source Amazon Linux:2::amzn2extra-docker";
    assert_eq!(found_in(&core(), "2", docker()), [gap]);
}

#[test]
fn other_releases_have_no_extras() {
    let openssl = [build("openssl", "x86_64", "1", "3.0.8", "1.amzn2023.0.10")];
    let openssl = [erratum("ALAS2023-2024-549", "medium", &["CVE-2023-5678"], &openssl)];
    let feeds = feeds("2023", &openssl, &openssl);
    assert_eq!(
        found_in(&feeds, "2023", of("amazonlinux", "openssl", "1:3.0.8-1.amzn2023.0.9")),
        ["openssl CVE-2023-5678 MEDIUM fixed [1:3.0.8-1.amzn2023.0.10]"]
    );
}
