//! From which repository yum installed a package, through layers and hard links.
#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod support;

use cleanbill_core::layer::EntryKind;
use support::{Layer, entry, file, inventory, link};

const YUMDB: &str = "var/lib/yum/yumdb";

/// The list of packages of an Amazon Linux 2: `name version epoch arch` a package.
fn system(packages: &[&str]) -> Layer {
    let line = |text: &&str| {
        let parts: Vec<&str> = text.split(' ').collect();
        let [name, version, epoch, arch] = parts[..] else { unreachable!("{text}") };
        format!(
            "{name}\t{version}\t1\t1\tAmazon Linux\t{epoch}\t1\t{arch}\t{epoch}\t{name}-1-1.src.rpm"
        )
    };
    let lines: Vec<String> = packages.iter().map(line).collect();
    vec![
        file("etc/os-release", "ID=\"amzn\"\nVERSION_ID=\"2\"\nPRETTY_NAME=\"Amazon Linux 2\"\n"),
        file("var/lib/rpmmanifest/container-manifest-2", lines.join("\n")),
    ]
}

/// `name repository` of each package.
fn check(layers: &[Layer], want: &[&str]) {
    let inventory = inventory(layers);
    let said = |p: &cleanbill_core::package::Package| {
        format!("{} {}", p.name, p.repository.as_deref().unwrap_or("-"))
    };
    let said: Vec<String> = inventory.packages.iter().map(said).collect();
    assert_eq!(said, want);
    assert_eq!(inventory.gaps, []);
}

fn path(package: &str) -> String {
    format!("{YUMDB}/{}/0a1b2c-{package}/from_repo", package.get(..1).unwrap_or_default())
}

#[test]
fn a_repository_is_that_of_the_package_in_its_version_and_architecture() {
    let all = ["curl 8.3-1 0 x86_64", "docker 20.10-1 0 x86_64", "php 7.4-1 1 x86_64"];
    let mut base = system(&all);
    base.push(file(&path("curl-8.3-1-x86_64"), "amzn2-core"));
    base.push(file(&path("php-7.4-1-x86_64"), "amzn2extra-php7.4"));
    // Of an earlier version, another architecture, and one that is not installed.
    base.push(file(&path("docker-19.03-1-x86_64"), "amzn2extra-docker"));
    base.push(file(&path("docker-20.10-1-aarch64"), "amzn2extra-docker"));
    base.push(file(&path("nginx-1.0-1-x86_64"), "amzn2extra-nginx1"));
    check(std::slice::from_ref(&base), &["curl amzn2-core", "docker -", "php amzn2extra-php7.4"]);
    // A later layer installs, and takes away.
    let later = vec![
        file(&path("docker-20.10-1-x86_64"), "amzn2extra-docker"),
        entry(&path("curl-8.3-1-x86_64"), EntryKind::Whiteout),
    ];
    check(&[base, later], &["curl -", "docker amzn2extra-docker", "php amzn2extra-php7.4"]);
}

#[test]
fn one_file_with_many_names_speaks_of_all_of_them() {
    let mut base = system(&["curl 8.3-1 0 x86_64", "glibc 2.26-1 0 x86_64", "zlib 1.2-1 0 x86_64"]);
    let first = path("curl-8.3-1-x86_64");
    base.push(file(&first, "amzn2-core"));
    for other in ["glibc-2.26-1-x86_64", "zlib-1.2-1-x86_64"] {
        base.push(entry(&path(other), EntryKind::Hardlink(first.clone())));
    }
    check(&[base], &["curl amzn2-core", "glibc amzn2-core", "zlib amzn2-core"]);
}

#[test]
fn what_is_contradicted_or_cannot_be_read_says_nothing() {
    let mut base = system(&["curl 8.3-1 0 x86_64", "glibc 2.26-1 0 x86_64", "zlib 1.2-1 0 x86_64"]);
    base.push(file(&path("curl-8.3-1-x86_64"), "amzn2-core"));
    base.push(file(&format!("{YUMDB}/c/ff-curl-8.3-1-x86_64/from_repo"), "amzn2extra-x"));
    base.push(file(&path("glibc-2.26-1-x86_64"), "two words"));
    base.push(link(&path("zlib-1.2-1-x86_64"), "/nowhere"));
    check(&[base], &["curl -", "glibc -", "zlib -"]);
}
