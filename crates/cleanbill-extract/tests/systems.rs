//! Operating systems: real package lists, and images put together from layers.

mod support;

use cleanbill_core::inventory::Inventory;
use cleanbill_core::layer::EntryKind::{Hardlink, Opaque, Whiteout};
use cleanbill_core::package::PackageKind;
use cleanbill_extract::{LayerFacts, Options, merge};
use support::{Layer, data, entry, examine, file, gaps, id, inventory, inventory_with, link};
use support::{packages, untar};

const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.9.4\nPRETTY_NAME=\"Alpine Linux v3.9\"\n";
const MUSL: &str = "P:musl\nV:1.1.20-r5\nA:x86_64\no:musl\nF:lib\nR:ld.so\n\n";
const ZLIB: &str = "P:zlib\nV:1.2.11-r1\nA:x86_64\no:zlib\n\n";
const DEBIAN: &str = "ID=debian\nVERSION_ID=\"12\"\n";
const BASH: &str =
    "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n";

fn alpine(database: &str) -> Layer {
    vec![file("etc/os-release", OS_RELEASE), file("lib/apk/db/installed", database)]
}

#[test]
fn real_alpine_images_are_read_whole() {
    for (release, version, count) in [
        ("3.8", "3.8.5", 13),
        ("3.9", "3.9.6", 14),
        ("3.15", "3.15.11", 14),
        ("3.20", "3.20.3", 14),
    ] {
        let Some(path) = data(&format!("rootfs/alpine-{release}-metadata.tar.gz")) else { return };
        let inventory = inventory(&[untar(&path)]);
        let distribution = inventory.distribution.clone().unwrap();
        assert_eq!(
            (distribution.id.as_str(), distribution.release.as_str()),
            ("alpine", release),
            "{distribution:?}"
        );
        assert!(distribution.version.starts_with(release), "{distribution:?}");
        println!(
            "alpine {release}: {} ({} packages)",
            distribution.version,
            inventory.packages.len()
        );
        assert_eq!((distribution.version.as_str(), inventory.packages.len()), (version, count));
        assert_eq!(gaps(&inventory), [""; 0]);
        assert!(
            inventory.packages.iter().all(|p| p.kind == PackageKind::Apk && p.source.is_some())
        );
    }
}

#[test]
fn this_machine_s_dpkg_is_read_whole() {
    let Ok(status) = std::fs::read_to_string("/var/lib/dpkg/status") else {
        return println!("skipped: dpkg (this machine has none)");
    };
    let installed = status.matches("\nStatus: install ok installed\n").count();
    let layer = vec![file("etc/os-release", DEBIAN), file("var/lib/dpkg/status", &status)];
    let inventory = inventory(&[layer]);
    assert!(inventory.packages.len() >= installed && installed > 0);
    assert_eq!(gaps(&inventory), [""; 0]);
}

#[test]
fn who_maintains_a_package_is_kept() {
    let docker = "Docker <support@docker.com>";
    let deb = BASH.replace("Version", &format!("Maintainer: {docker}\nVersion"));
    let long =
        BASH.replace("Version", &format!("Maintainer: {} <a@b.c>\nVersion", "ä".repeat(200)));
    let apk = MUSL.replace("A:x86_64", &format!("A:x86_64\nm:{docker}"));
    let debian =
        |status: &str| vec![file("etc/os-release", DEBIAN), file("var/lib/dpkg/status", status)];
    let kept = |layer: Layer| inventory(&[layer]).packages[0].vendor.clone();
    assert_eq!(kept(debian(BASH)), None);
    assert_eq!(kept(debian(&deb)).as_deref(), Some(docker));
    assert_eq!(kept(alpine(&apk)).as_deref(), Some(docker));
    // Of a long one the end, where the address is.
    let kept = kept(debian(&long)).unwrap();
    assert!(kept.len() <= 256 && kept.ends_with("ä <a@b.c>"), "{kept}");
}

#[test]
fn every_distribution_that_can_be_matched_is_known() {
    let ids = ["wolfi", "chainguard", "minimos", "alpaquita", "alpine"];
    for id in ids {
        let layer =
            vec![file("etc/os-release", format!("ID={id}\n")), file("lib/apk/db/installed", MUSL)];
        check(&[layer], &["musl 1.1.20-r5"], &[]);
    }
    for id in ["mageia", "openeuler", "sles", "centos"] {
        let layer = vec![file("etc/os-release", format!("ID={id}\nVERSION_ID=9\n"))];
        let gap = format!(
            "unreadable-database: var/lib/rpm: has no package in it, although etc/os-release says {id}"
        );
        check(&[layer], &[], &[&gap]);
    }
    let layer = vec![file("etc/os-release", "ID=other\n")];
    let gap = "unknown-distribution: other: named by etc/os-release, and not one we know";
    check(&[layer], &[], &[gap]);
}

/// Layers, expected packages, expected gaps.
fn check(layers: &[Layer], expected: &[&str], expected_gaps: &[&str]) {
    let inventory = inventory(layers);
    assert_eq!(packages(&inventory), expected);
    assert_eq!(gaps(&inventory), expected_gaps);
}

#[test]
fn the_last_database_counts() {
    let (musl, both) = (["musl 1.1.20-r5"], ["musl 1.1.20-r5", "zlib 1.2.11-r1"]);
    check(&[alpine(MUSL)], &musl, &[]);
    let upper = vec![file("lib/apk/db/installed", format!("{MUSL}{ZLIB}"))];
    check(&[alpine(MUSL), upper.clone()], &both, &[]);
    let layered = inventory(&[alpine(MUSL), upper]);
    let brought: Vec<_> = layered.packages.iter().map(|p| p.layer).collect();
    assert_eq!(brought, [Some(id(0)), Some(id(1))], "each by the layer that brought it");

    let gone = "unreadable-database: lib/apk/db/installed: has no package in it, although \
                etc/os-release says Alpine Linux v3.9";
    check(&[alpine(MUSL), vec![entry("lib/apk", Whiteout)]], &[], &[gone]);
    check(&[alpine(MUSL), vec![entry("lib/apk/db", Opaque)]], &[], &[gone]);
    check(&[alpine("")], &[], &[gone]);
    check(
        &[vec![file("opt/x", "x")]],
        &[],
        &["nothing-recognised: image: 1 files, no package and no distribution recognised"],
    );
    check(&[vec![]], &[], &[]);
}

#[test]
fn links_to_databases_are_followed_or_told() {
    let os = file("etc/os-release", OS_RELEASE);
    let musl = ["musl 1.1.20-r5"];
    // lib is a link to usr/lib: both places are one.
    let merged_usr =
        vec![os.clone(), link("lib", "usr/lib"), file("usr/lib/apk/db/installed", MUSL)];
    check(&[merged_usr], &musl, &[]);
    // The file lies where nobody looks: only the link makes it interesting.
    for target in ["../../../opt/db", "/opt/db", "../../../../../../opt/db"] {
        let lower = vec![os.clone(), file("opt/db", MUSL)];
        check(&[lower, vec![link("lib/apk/db/installed", target)]], &musl, &[]);
    }
    let hard = vec![os.clone(), file("opt/db", MUSL)];
    check(&[hard, vec![entry("lib/apk/db/installed", Hardlink("opt/db".into()))]], &musl, &[]);
    let folder = vec![os.clone(), link("lib/apk", "/opt"), file("opt/db/installed", MUSL)];
    check(&[folder], &musl, &[]);

    let empty = "unreadable-database: lib/apk/db/installed: has no package in it, although \
                 etc/os-release says Alpine Linux v3.9";
    check(
        &[vec![os.clone(), link("lib/apk/db/installed", "/none")]],
        &[],
        &[empty, "unresolved-link: lib/apk/db/installed: is a link to nowhere"],
    );
    check(
        &[vec![os.clone(), link("lib/apk", "apk")]],
        &[],
        &[
            empty,
            "unresolved-link: lib/apk/db/installed: leads through more than 40 links, or in a circle",
        ],
    );
    let nowhere = entry("lib/apk/db/installed", Hardlink("none".into()));
    check(
        &[vec![os.clone(), nowhere]],
        &[],
        &[empty, "unresolved-link: lib/apk/db/installed: is a hard link to nothing"],
    );
    // Without a second pass what only a link leads to is a gap.
    let layer = vec![os, file("opt/db", MUSL), link("lib/apk/db/installed", "/opt/db")];
    let facts = [(Some(id(0)), examine(&layer, &Options::default(), 10))];
    assert_eq!(
        gaps(&merge(&facts).inventory())[1],
        "unresolved-link: lib/apk/db/installed: leads to opt/db of layer 1, which was not read"
    );
}

#[test]
fn damage_is_told_with_its_place() {
    let broken = format!("P:bad\nA:x86_64\n\n{MUSL}");
    check(
        &[alpine(&broken)],
        &["musl 1.1.20-r5"],
        &[
            "unreadable-database: lib/apk/db/installed: the package at line 1, bad, has no version (V:)",
        ],
    );
    let options = Options { file_bytes: 70, ..Options::default() };
    let inventory = inventory_with(&[alpine(&MUSL.repeat(3))], &options);
    assert_eq!(
        gaps(&inventory),
        [
            "unreadable-database: lib/apk/db/installed: has no package in it, although etc/os-release \
         says Alpine Linux v3.9",
            "over-limit: lib/apk/db/installed: 150 bytes, more than the 70 of a file's limit",
        ]
    );
    // Damage that a later layer mended is none.
    check(&[alpine(&broken), alpine(MUSL)], &["musl 1.1.20-r5"], &[]);
}

#[test]
fn distributions_we_do_not_know_are_told() {
    let arch = vec![
        file("etc/os-release", "ID=arch\nPRETTY_NAME=\"Arch Linux\"\n"),
        file("var/lib/pacman/local/bash-5.2-1/desc", "%NAME%\nbash\n"),
    ];
    check(
        &[arch],
        &[],
        &[
            "unknown-distribution: Arch Linux: named by etc/os-release, and not one we know",
            "unreadable-database: var/lib/pacman/local: a package database of pacman, which is not \
         read yet",
        ],
    );
    check(
        &[vec![file("lib/apk/db/installed", MUSL)]],
        &["musl 1.1.20-r5"],
        &["unknown-distribution: lib/apk/db/installed: has packages, but no file names the \
         distribution that they are of"],
    );
    check(
        &[vec![file("etc/os-release", "NAME=x\n"), file("lib/apk/db/installed", MUSL)]],
        &["musl 1.1.20-r5"],
        &[
            "unknown-distribution: lib/apk/db/installed: has packages, but no file names the \
         distribution that they are of",
            "unreadable-database: etc/os-release: names no distribution",
        ],
    );
}

#[test]
fn distroless_images_keep_a_file_a_package() {
    let layer = vec![
        file("etc/os-release", DEBIAN),
        file(
            "var/lib/dpkg/status.d/base",
            "Package: base-files\nVersion: 12.4\nArchitecture: amd64",
        ),
        file("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\n"),
        file("var/lib/dpkg/status.d/base.md5sums", "00  etc/debian_version\n"),
    ];
    let upper = vec![entry("var/lib/dpkg/status.d/tzdata", Whiteout)];
    check(std::slice::from_ref(&layer), &["base-files 12.4", "tzdata 2024a"], &[]);
    check(&[layer, upper], &["base-files 12.4"], &[]);
}

#[test]
fn content_sets_are_those_of_every_layers_manifests() {
    const PLACE: &str = "usr/share/buildinfo/content-sets.json";
    let of = |sets: &str| format!(r#"{{"content_sets":[{sets}]}}"#);
    let table: &[(Vec<Layer>, &[&str], &[&str])] = &[
        (vec![alpine(MUSL)], &[], &[]),
        (vec![alpine(MUSL), vec![file(PLACE, of(r#""b","a""#))]], &["a", "b"], &[]),
        // Builds give each layer's the same name, and packages of all layers are there.
        (
            vec![
                alpine(MUSL),
                vec![file(PLACE, of(r#""b""#))],
                vec![file(PLACE, of(r#""a","b""#))],
            ],
            &["a", "b"],
            &[],
        ),
        (
            vec![alpine(MUSL), vec![file(PLACE, of(r#""b""#))], vec![entry(PLACE, Whiteout)]],
            &["b"],
            &[],
        ),
        (
            vec![
                alpine(MUSL),
                vec![
                    file("root/buildinfo/content_manifests/base.json", of(r#""a""#)),
                    file("root/buildinfo/content_manifests/own.json", "{"),
                    file("usr/share/buildinfo/labels.json", "{"),
                ],
            ],
            &["a"],
            &[
                "unreadable-database: root/buildinfo/content_manifests/own.json: no content manifest: \
               EOF while parsing an object at line 1 column 1",
            ],
        ),
    ];
    for (layers, sets, told) in table {
        let inventory = inventory(layers);
        let named = &inventory.distribution.as_ref().unwrap().content_sets;
        assert_eq!(named, sets, "{layers:?}");
        assert_eq!(gaps(&inventory), *told, "{layers:?}");
        // Of an image that names none the inventory is written as before there were any.
        let json = serde_json::to_string(&inventory).unwrap();
        assert_eq!(json.contains("content_sets"), !sets.is_empty());
        assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), inventory);
    }
}

#[test]
fn the_release_is_found_in_all_its_places() {
    type Row<'a> = (&'a [(&'a str, &'a str)], [&'a str; 3]);
    let table: &[Row<'_>] = &[
        (&[("etc/os-release", OS_RELEASE)], ["alpine", "3.9.4", "3.9"]),
        (&[("usr/lib/os-release", DEBIAN)], ["debian", "12", "12"]),
        (
            &[("usr/lib/os-release", DEBIAN), ("etc/debian_version", "12.5\n")],
            ["debian", "12.5", "12"],
        ),
        (
            &[("etc/os-release", "ID=debian\n"), ("etc/debian_version", "trixie/sid\n")],
            ["debian", "", "sid"],
        ),
        (&[("etc/debian_version", "11.9\n")], ["debian", "11.9", "11"]),
        (&[("etc/alpine-release", "3.9.4\n")], ["alpine", "3.9.4", "3.9"]),
        (
            &[
                ("etc/os-release", OS_RELEASE),
                ("etc/apk/repositories", "http://a/alpine/v3.10/main\n"),
            ],
            ["alpine", "3.9.4", "3.10"],
        ),
        (
            &[
                ("etc/os-release", OS_RELEASE),
                ("etc/apk/repositories", "http://a/alpine/edge/main\n"),
            ],
            ["alpine", "3.9.4", "edge"],
        ),
        (
            &[
                ("etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n"),
                ("etc/debian_version", "bookworm/sid\n"),
            ],
            ["ubuntu", "22.04", "22.04"],
        ),
        (
            &[("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=20.04\n")],
            ["ubuntu", "20.04", "20.04"],
        ),
    ];
    for (files, [id, version, release]) in table {
        let layer: Layer = files.iter().map(|(path, text)| file(path, text)).collect();
        let found = inventory(&[layer]).distribution.unwrap();
        assert_eq!(
            [&found.id, &found.version, &found.release],
            [id, version, release],
            "{files:?}"
        );
    }
    let linked =
        vec![link("etc/os-release", "../usr/lib/os-release"), file("usr/lib/os-release", DEBIAN)];
    assert_eq!(inventory(&[linked]).distribution.unwrap().evidence, "usr/lib/os-release");
}

#[test]
fn facts_survive_being_stored_and_do_not_depend_on_chunks() {
    let mut layer = alpine(MUSL);
    layer.push(file("var/lib/dpkg/status", BASH));
    layer.push(link("a", "b"));
    let facts = examine(&layer, &Options::default(), 1000);
    for chunk in [1, 7, 512] {
        assert_eq!(examine(&layer, &Options::default(), chunk), facts);
    }
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<LayerFacts>(&json).unwrap(), facts);
}

#[test]
fn language_packages_that_are_not_read_are_gaps_unless_the_system_owns_them() {
    // Of both the list has the MD5 of "PK".
    let sum = "d71bdd22c8bb93b8d287dce6f46aed25";
    let listed = format!("{sum}  usr/share/java/own.jar\n{sum}  usr/share/java/other.jar\n");
    let layer = vec![
        file("etc/os-release", DEBIAN),
        file("var/lib/dpkg/status", BASH),
        file("var/lib/dpkg/info/bash.md5sums", listed),
        file("usr/share/java/own.jar", "PK"),
        file("usr/share/java/other.jar", "PK, but another"),
        file("app/a.jar", "PK"),
        file("app/b.jar", "PK"),
        file("app/web.deps.json", "{}"),
    ];
    let expected = [
        "unreadable-database: app/a.jar: Java archives, which are not read yet (3 of them)",
        "unreadable-database: app/web.deps.json: one of the .NET dependency manifests, which are \
         not read yet",
    ];
    assert_eq!(gaps(&inventory(&[layer])), expected);
}
