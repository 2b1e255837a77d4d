//! Chainguard, by its security database; Wolfi's sibling, with advisories of its own.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::super::osv::{affected, entry, zip};
use super::super::support::{Feeds, of_source, owned, package};
use super::check;

fn database(folder: &str, packages: &[(&str, Value)]) -> Feeds {
    let packages: Vec<Value> = packages
        .iter()
        .map(|(name, fixes)| json!({"pkg": {"name": name, "secfixes": fixes}}))
        .collect();
    let json = json!({"apkurl": "x", "archs": ["x86_64"], "reponame": "os", "packages": packages});
    vec![(format!("{folder}/security.json"), json.to_string().into_bytes())]
}

fn usual() -> Feeds {
    let own = [
        ("openssl", json!({"3.3.0-r8": ["CVE-2024-4741", "GHSA-wwwp-mhcc-xxcf"]})),
        (
            "nodejs-20",
            json!({"20.11-r0": ["CVE-2024-22019", "CVE-2024-22020", "GHSA-wwwp-mhcc-xxcf"]}),
        ),
        ("go-1.22", json!({"0": ["CVE-2023-24534"], "1.22.3-r0": ["CVE-2024-24788"]})),
        ("git", json!({"2.45.1-r0": ["CVE-2024-32002"], "2.45.2-r1": ["CVE-2024-32002"]})),
        ("crane", json!({"0": ["CVE-2024-24790"]})),
        ("linux-headers", json!({"6.9-r0": ["CVE-2024-1086"]})),
    ];
    let stdlib = affected("Go", "stdlib", "introduced 0 fixed 1.22.4");
    let go = zip("Go", &[entry("GO-2024-2887", &["CVE-2024-24790"], &[stdlib])]);
    let wolfi = database("wolfi", &[("curl", json!({"8.9.1-r0": ["CVE-2024-7264"]}))]);
    database("chainguard", &own).into_iter().chain(wolfi).chain(go).collect()
}

fn apk(name: &str, version: &str, source: &str) -> Package {
    of_source(package(PackageKind::Apk, name, version, "x86_64"), source)
}

fn stdlib() -> Package {
    package(PackageKind::Go, "stdlib", "v1.22.3", "")
}

#[test]
fn packages() {
    let table = [
        (
            "each id of a longer list is a finding, one of GitHub's without digits too",
            apk("node", "20.0-r0", "nodejs-20"),
            &[
                "node CVE-2024-22019 UNKNOWN fixed [20.11-r0]",
                "node CVE-2024-22020 UNKNOWN fixed [20.11-r0]",
                "node GHSA-wwwp-mhcc-xxcf UNKNOWN fixed [20.11-r0]",
            ][..],
        ),
        (
            "a CVE and GitHub's id alone are one flaw",
            apk("libssl3", "3.3.0-r7", "openssl"),
            &["libssl3 CVE-2024-4741 UNKNOWN fixed [3.3.0-r8]"],
        ),
        ("the fixed build is clean", apk("libssl3", "3.3.0-r8", "openssl"), &[]),
        ("builds are counted as numbers", apk("libssl3", "3.3.0-r10", "openssl"), &[]),
        ("a source of a similar name is another one", apk("fips", "3.0-r0", "openssl-fips"), &[]),
        (
            "a nought means that it was never affected",
            apk("go-1.22", "1.22.2-r0", "go-1.22"),
            &["go-1.22 CVE-2024-24788 UNKNOWN fixed [1.22.3-r0]"],
        ),
        ("each line is a package of its own", apk("go-1.21", "1.21.0-r0", "go-1.21"), &[]),
        (
            "a flaw that was fixed again is fixed by the later build",
            apk("git", "2.45.1-r0", "git"),
            &["git CVE-2024-32002 UNKNOWN fixed [2.45.2-r1]"],
        ),
        ("the later fix is one", apk("git", "2.45.2-r1", "git"), &[]),
        (
            "headers of the kernel are not the kernel",
            apk("linux-headers", "6-r0", "linux-headers"),
            &[],
        ),
        (
            "what Wolfi says of its own package is not this one's",
            apk("curl", "8.0-r0", "curl"),
            &[],
        ),
        (
            "what no package owns is judged by the language",
            stdlib(),
            &["stdlib CVE-2024-24790 HIGH fixed [1.22.4]"],
        ),
        (
            "a version that cannot be compared is a gap where the database names the package",
            apk("git", "r1", "git"),
            &["unparseable-version git r1"],
        ),
        ("and none where it does not", apk("unnamed", "r1", "unnamed"), &[]),
    ];
    check(&usual(), ("chainguard", "20230214"), "Chainguard", &table);
}

#[test]
fn a_nought_holds_for_what_is_compiled_into_the_package() {
    use super::super::support::{Image, found};
    let packages = vec![apk("crane", "0.19-r0", "crane"), owned(stdlib(), "crane")];
    let image = Image { distribution: ("chainguard", "20230214"), packages };
    assert_eq!(found(&usual(), image), Vec::<String>::new());
}
