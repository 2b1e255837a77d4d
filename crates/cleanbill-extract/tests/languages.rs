//! Packages of languages: wherever they lie, by the layer that brought them, with the package of
//! the operating system that owns them.

mod support;

use cleanbill_core::layer::EntryKind::{Hardlink, Opaque, Whiteout};
use cleanbill_core::package::PackageKind;
use cleanbill_extract::{Options, merge};
use support::{Layer, entry, file, gaps, id, inventory, link, packages};

const FLASK: &str = "Metadata-Version: 2.1\nName: Flask\nVersion: 3.1.3\n\n";
const SITE: &str = "usr/lib/python3/dist-packages/flask-3.1.3.dist-info/METADATA";
const PACKAGE: &str = r#"{"name":"a","version":"1.0.0"}"#;

fn check(layers: &[Layer], expected: &[&str], expected_gaps: &[&str]) {
    let inventory = inventory(layers);
    assert_eq!(packages(&inventory), expected);
    assert_eq!(gaps(&inventory), expected_gaps);
}

#[test]
fn what_a_later_layer_took_away_is_gone() {
    let lower = vec![file(SITE, FLASK), file("app/node_modules/a/package.json", PACKAGE)];
    let both = ["Flask 3.1.3", "a 1.0.0"];
    check(std::slice::from_ref(&lower), &both, &[]);
    check(&[lower.clone(), vec![entry(SITE, Whiteout)]], &["a 1.0.0"], &[]);
    check(&[lower.clone(), vec![entry("app", Opaque)]], &["Flask 3.1.3"], &[]);
    let newer = file(SITE, FLASK.replace("3.1.3", "3.2"));
    let image = [lower, vec![newer]];
    check(&image, &["Flask 3.2", "a 1.0.0"], &[]);
    let layers: Vec<_> = inventory(&image).packages.iter().map(|p| p.layer).collect();
    assert_eq!(layers, [Some(id(1)), Some(id(0))]);
}

#[test]
fn links_do_not_hide_packages_or_double_them() {
    let store = "opt/store/flask/meta";
    let linked = vec![file(store, FLASK), link(SITE, "/opt/store/flask/meta")];
    check(&[linked], &["Flask 3.1.3"], &[]);
    let hard = vec![file(store, FLASK), entry(SITE, Hardlink(store.into()))];
    check(&[hard], &["Flask 3.1.3"], &[]);
    let folder = vec![
        file("opt/flask-3.1.3.dist-info/METADATA", FLASK),
        link("usr/lib/python3/dist-packages", "/opt"),
        link("venv/flask.dist-info", "../opt/flask-3.1.3.dist-info"),
    ];
    check(&[folder], &["Flask 3.1.3"], &[]);
    // The link outlives the name that the layer gave the file.
    let renamed = vec![file(SITE, FLASK), entry("kept", Hardlink(SITE.into()))];
    let image = [renamed, vec![entry(SITE, Whiteout)]];
    check(&image, &["Flask 3.1.3"], &[]);
    assert_eq!(inventory(&image).packages[0].evidence, "kept");
    // A link to nothing brings nothing; one in a circle is told.
    let os = file("etc/os-release", "ID=x\nPRETTY_NAME=X\n");
    let unknown = "unknown-distribution: X: named by etc/os-release, and not one we know";
    check(&[vec![os.clone(), link(SITE, "nowhere")]], &[], &[unknown]);
    check(
        &[vec![os, link(SITE, "METADATA")]],
        &[],
        &[
            unknown,
            &format!("unresolved-link: {SITE}: leads through more than 40 links, or in a circle"),
        ],
    );
}

#[test]
fn a_program_under_a_manifest_s_name_is_told() {
    let program = [b"\x7fELF".as_slice(), &[2; 200]].concat();
    check(
        &[vec![file("etc/hostname", "x"), file(SITE, &program)]],
        &[],
        &[
            &format!("unreadable-database: {SITE}: has no Name in its head"),
            "nothing-recognised: image: 2 files, no package and no distribution recognised",
        ],
    );
}

#[test]
fn real_go_programs_of_this_machine_are_read() {
    // Debian builds without modules' versions: the toolchain is all that these tell.
    for (path, version) in [("/usr/bin/skopeo", "v1.19.8"), ("/usr/bin/docker-registry", "v1.19.8")]
    {
        let Ok(bytes) = std::fs::read(path) else {
            println!("skipped: {path} (not on this machine)");
            continue;
        };
        let inventory = inventory(&[vec![file("usr/bin/program", &bytes)]]);
        assert_eq!(inventory.packages[0].kind, PackageKind::Go);
        assert_eq!(packages(&inventory), [format!("stdlib {version}")], "{path}");
        assert_eq!(inventory.packages[0].purl, format!("pkg:golang/stdlib@{version}"));
        println!("{path}: {:?}", gaps(&inventory));
    }
}

#[test]
fn crates_of_a_rust_program_are_read_in_a_second_pass() {
    let program = include_bytes!("../../../fuzz/seeds/rust_crates/small");
    let lower = vec![file("etc/hostname", "x"), file("usr/bin/app", b"#!/bin/sh\n")];
    let upper = vec![file("usr/bin/app", program)];
    check(&[lower.clone(), upper.clone()], &["time 0.1.42"], &[]);
    // What a later layer took away is not read at all.
    let nothing = "nothing-recognised: image: 2 files, no package and no distribution recognised";
    check(&[upper.clone(), lower], &[], &[nothing]);
    // Whoever does not read it a second time is told that something is missing.
    let facts = [(None, support::examine(&upper, &Options::default(), 1000))];
    assert_eq!(merge(&facts).missing().len(), 1);
    let inventory = merge(&facts).inventory();
    let unread = "unreadable-database: usr/bin/app: its list of crates was not read";
    assert!(gaps(&inventory).iter().any(|gap| gap == unread), "{:?}", gaps(&inventory));
}
