//! AlmaLinux's errata against databases that rpm itself made: what the program finds in a root
//! filesystem, and what comes of rpm's own comparison of versions, have to be one and the same.
//!
//! Needs rpm's tools and the real errata (`../shared/data/osv/AlmaLinux/all.zip`). What is missing is
//! said and skipped, unless `CLEANBILL_REQUIRE_PARTS` is set.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // Helpers of tests.

mod errata;
mod image;
mod rpm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Installed, Line};

/// Packages and whether the build of a module is meant: with and without an epoch, with one erratum
/// and with a hundred, of modules and beside them.
const LINES: [(&str, Option<&str>); 13] = [
    ("bash", None),
    ("bind-libs", None),
    ("curl-minimal", None),
    ("expat", None),
    ("glibc", None),
    ("kernel-core", None),
    ("libxml2", None),
    ("nodejs", None),
    ("nodejs", Some("nodejs:18:9020020230301:rhel9")),
    ("openssl-libs", None),
    ("python3-urllib3", None),
    ("vim-minimal", None),
    ("xz-libs", None),
];

/// What errata name and is never found: headers are built from the kernel's source, and are not it.
const NEVER: [&str; 1] = ["kernel-headers"];

#[test]
fn what_is_found_is_what_rpms_own_comparison_says() {
    let Some(zip) = there() else { return };
    let dir = tempfile::tempdir().unwrap();
    let errata = errata::read(&zip, "AlmaLinux:9");
    let names = LINES.map(|(name, module)| Line { name, module });
    let never = NEVER.map(|name| Line { name, module: None });
    let installed: Vec<Installed> =
        names.iter().chain(&never).flat_map(|line| image::levels(line, &errata)).collect();
    image::make(dir.path(), &installed);

    let wanted = errata::affected(&errata, &installed, &NEVER);
    let found = found(dir.path(), &zip);
    // Neither of the two may be right by saying nothing.
    assert!(wanted.len() > 500 && wanted.len() > installed.len(), "{}", wanted.len());
    let clean = |one: &&Installed| !wanted.iter().any(|w| w.0 == one.name && w.1 == one.version);
    assert!(installed.iter().filter(clean).count() >= LINES.len(), "nothing is clean");
    let only = |a: &BTreeSet<Found>, b| a.difference(b).take(20).cloned().collect::<Vec<_>>();
    assert_eq!(
        (only(&found, &wanted), only(&wanted, &found)),
        (vec![], vec![]),
        "only the program's, and only rpm's, of {} and {}",
        found.len(),
        wanted.len()
    );
    println!("{} packages, {} findings", installed.len(), wanted.len());
}

/// A package, its version, and the flaw that it has.
type Found = (String, String, String);

/// What the program finds in the root filesystem by a snapshot made of the errata.
fn found(dir: &Path, zip: &Path) -> BTreeSet<Found> {
    let feeds = dir.join("feeds/osv/AlmaLinux");
    std::fs::create_dir_all(&feeds).unwrap();
    std::fs::copy(zip, feeds.join("all.zip")).unwrap();
    let program = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cleanbill"));
        rpm::run(command.current_dir(dir).env_clear().args(args))
    };
    program(&["db", "build", "--from", "feeds", "--out", "test.cbdb"]);
    let report = program(&["rootfs", "-q", "-f", "json", "--db", "test.cbdb", "root"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let results = report["Results"].as_array().unwrap();
    let each = results.iter().filter_map(|r| r["Vulnerabilities"].as_array()).flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    each.map(|v| (text(&v["PkgName"]), text(&v["InstalledVersion"]), text(&v["VulnerabilityID"])))
        .collect()
}

/// The errata, where they and rpm's tools are there.
fn there() -> Option<PathBuf> {
    let zip =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/osv/AlmaLinux/all.zip");
    let missing = match (rpm::missing(), zip.exists()) {
        (Some(tools), _) => tools,
        (None, true) => return Some(zip),
        (None, false) => format!("{} is not there", zip.display()),
    };
    let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
    assert!(!required, "required: {missing}");
    println!("skipped: real rpm databases with real errata ({missing})");
    None
}
