//! A root filesystem of AlmaLinux 9 whose packages stand below, at and above what errata fix.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::errata::Fix;
use super::rpm;

/// A package, of a module or not.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) module: Option<&'static str>,
}

/// One version of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Installed {
    pub(crate) name: &'static str,
    /// `epoch:version-release`, without an epoch of nought.
    pub(crate) version: String,
    pub(crate) module: Option<&'static str>,
}

/// Versions below all fixes of a package, at the lowest, at one in the middle, at the highest, just
/// below and above that, and, where fixes have an epoch, one that is higher but for the epoch.
pub(crate) fn levels(line: &Line, fixes: &[Fix]) -> BTreeSet<Installed> {
    let of_line =
        |fix: &&Fix| fix.package == line.name && fix.is_of_module() == line.module.is_some();
    let mut sorted: Vec<&str> =
        fixes.iter().filter(of_line).map(|fix| fix.version.as_str()).collect();
    sorted.sort_unstable();
    sorted.dedup();
    assert!(!sorted.is_empty(), "no erratum names {}", line.name);
    let pairs: Vec<(&str, &str)> =
        sorted.iter().flat_map(|a| sorted.iter().map(move |b| (*a, *b))).collect();
    let mut above = BTreeMap::new();
    for ((a, _), order) in pairs.iter().zip(rpm::compare(&pairs)) {
        *above.entry(*a).or_insert(0) += i32::from(order > 0);
    }
    sorted.sort_by_key(|version| above[version]);
    let (lowest, highest) = (sorted[0], sorted[sorted.len() - 1]);
    let (rest, _) = lowest.rsplit_once('-').unwrap();
    // The releases of modules say that they are: so do these.
    let suffix = if line.module.is_some() { ".module_el9" } else { "" };
    let (highest_version, _) = highest.rsplit_once('-').unwrap();
    let mut versions = vec![
        format!("{rest}-0{suffix}"),
        lowest.to_owned(),
        sorted[sorted.len() / 2].to_owned(),
        format!("{highest_version}-0{suffix}"),
        highest.to_owned(),
        format!("{highest}.1"),
        format!("{highest}~rc1"),
    ];
    if let Some((_, without_epoch)) = highest.split_once(':') {
        // rpm takes two that differ in nothing else for one.
        versions.push(format!("{without_epoch}.2"));
    }
    let of = |version: String| Installed { name: line.name, version, module: line.module };
    versions.into_iter().map(of).collect()
}

/// Makes it below `dir/root`, and checks that the database holds every package.
pub(crate) fn make(dir: &Path, installed: &[Installed]) {
    let root = dir.join("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    let release = "NAME=\"AlmaLinux\"\nID=\"almalinux\"\nVERSION_ID=\"9.4\"\n\
                   PRETTY_NAME=\"AlmaLinux 9.4 (Seafoam Ocelot)\"\n";
    std::fs::write(root.join("etc/os-release"), release).unwrap();
    // One specification cannot make two packages of one name.
    let mut rounds: Vec<Vec<&Installed>> = Vec::new();
    for one in installed {
        let free = |round: &&mut Vec<&Installed>| round.iter().all(|other| other.name != one.name);
        match rounds.iter_mut().find(free) {
            Some(round) => round.push(one),
            None => rounds.push(vec![one]),
        }
    }
    for round in rounds {
        rpm::install(dir, &root, &specification(&round));
    }
    let mut held: Vec<String> = rpm::installed(&root).lines().map(str::to_owned).collect();
    let mut wanted: Vec<String> = installed
        .iter()
        .map(|one| {
            let (epoch, version, release) = parts(&one.version);
            format!("{}|{epoch}|{version}|{release}", one.name)
        })
        .collect();
    held.sort();
    wanted.sort();
    assert_eq!(held, wanted);
}

/// Empty packages, so that building is quick.
fn specification(packages: &[&Installed]) -> String {
    let mut spec = "%define _build_id_links none\n%define _binary_payload w0.gzdio\n\
        %define __os_install_post %{nil}\n%define debug_package %{nil}\nAutoReqProv: no\n\
        License: MIT\nBuildArch: noarch\nSummary: s\nVendor: AlmaLinux\n\
        Name: all\nVersion: 1\nRelease: 1\n%description\nd\n"
        .to_owned();
    for one in packages {
        let (epoch, version, release) = parts(&one.version);
        let name = one.name;
        write!(spec, "%package -n {name}\nSummary: s\nVersion: {version}\nRelease: {release}\n")
            .unwrap();
        if epoch != "0" {
            writeln!(spec, "Epoch: {epoch}").unwrap();
        }
        if let Some(module) = one.module {
            writeln!(spec, "ModularityLabel: {module}").unwrap();
        }
        write!(spec, "%description -n {name}\nd\n%files -n {name}\n").unwrap();
    }
    spec
}

/// Epoch, version and release.
fn parts(text: &str) -> (&str, &str, &str) {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = rest.rsplit_once('-').unwrap();
    (epoch, version, release)
}
