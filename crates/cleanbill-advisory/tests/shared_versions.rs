//! Every version in the real feeds, where they are there: each parses under its ecosystem's
//! order, or stands in a list that says why it does not.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::version::{Scheme, Version};
use serde_json::Value;

/// Where a text stands.
struct Place {
    named: String,
    /// Whether a range begins or ends there; otherwise it is only listed.
    bound: bool,
}

type Texts = BTreeMap<Scheme, BTreeMap<String, Place>>;

fn add(into: &mut Texts, scheme: Scheme, text: &str, named: &str, bound: bool) {
    let new = || Place { named: named.to_owned(), bound };
    into.entry(scheme).or_default().entry(text.to_owned()).or_insert_with(new).bound |= bound;
}

fn shared() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !path.exists() {
        println!("skipped: the real feeds ({} is not there)", path.display());
        return None;
    }
    Some(path.to_owned())
}

/// The versions of one ecosystem's zip: what events name, and what is listed.
fn osv(zip: &Path, into: &mut Texts) {
    let mut zip = zip::ZipArchive::new(File::open(zip).unwrap()).unwrap();
    for number in 0..zip.len() {
        let mut text = String::new();
        zip.by_index(number).unwrap().read_to_string(&mut text).unwrap();
        let entry: Value = serde_json::from_str(&text).unwrap();
        for affected in entry["affected"].as_array().into_iter().flatten() {
            let Some(stream) = affected["package"]["ecosystem"].as_str() else { continue };
            let stream: Stream = stream.parse().unwrap();
            let (scheme, named) = (stream.scheme().unwrap(), format!("{stream} {}", entry["id"]));
            let ranges = affected["ranges"].as_array().into_iter().flatten();
            let events = ranges
                .filter(|r| r["type"] != "GIT")
                .flat_map(|r| r["events"].as_array().into_iter().flatten())
                .flat_map(|e| e.as_object().unwrap().values());
            for bound in events {
                add(into, scheme, bound.as_str().unwrap(), &named, true);
            }
            for listed in affected["versions"].as_array().into_iter().flatten() {
                add(into, scheme, listed.as_str().unwrap(), &named, false);
            }
        }
    }
}

/// The versions of Alpine's security database, which name the build that fixes.
fn secdb(file: &Path, into: &mut Texts) {
    let document: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    for package in document["packages"].as_array().into_iter().flatten() {
        let fixes = package["pkg"]["secfixes"].as_object().into_iter().flatten();
        let named = format!("{} {}", file.display(), package["pkg"]["name"]);
        for (version, _) in fixes {
            add(into, Scheme::Apk, version, &named, true);
        }
    }
}

/// Bounds that do not parse, with the reason. The matcher makes a gap of each.
const BOUNDS: &[(Scheme, &[&str], &str)] = &[
    (
        Scheme::Apk,
        &["1.11-20-r0", "2.7.16-33", "4.10-1-r1", "57-1-r2"],
        "slips of the database: a hyphen for a dot or for -r; apk takes none of them",
    ),
    (
        Scheme::Pep440,
        &["0.2.0-n653", "2019-09-12"],
        "no such version was ever a release on PyPI under PEP 440: a tag and a date",
    ),
    (Scheme::Bitnami, &["nightly.2026-03-10.0"], "a nightly image, which has no number"),
];

/// How many texts that do not parse are only listed, with the reason. The matcher compares these
/// letter by letter.
const LISTED: &[(Scheme, usize, &str)] = &[(
    Scheme::Pep440,
    75,
    "releases from before PEP 440 (0.3m1, 0.7.10p1, trunk), which pip does not install any more",
)];

#[test]
fn every_version_parses_or_is_explained() {
    let Some(from) = shared() else { return };
    let mut texts = Texts::new();
    for ecosystem in Ecosystem::ALL {
        let zip = from.join("osv").join(ecosystem.as_str()).join("all.zip");
        if zip.exists() {
            osv(&zip, &mut texts);
        }
    }
    for branch in fs::read_dir(from.join("alpine-secdb")).unwrap() {
        for file in fs::read_dir(branch.unwrap().path()).unwrap() {
            secdb(&file.unwrap().path(), &mut texts);
        }
    }
    let mut unexplained = Vec::new();
    for (scheme, texts) in &texts {
        let mut explained: BTreeSet<&str> = BOUNDS
            .iter()
            .filter(|(of, ..)| of == scheme)
            .flat_map(|(_, texts, _)| texts.iter().copied())
            .collect();
        let mut listed = 0;
        for (text, place) in texts {
            let Err(e) = Version::parse(*scheme, text) else { continue };
            if !place.bound {
                listed += 1;
            } else if !explained.remove(text.as_str()) {
                unexplained.push(format!("{}: {e}", place.named));
            }
        }
        println!("{scheme:?}: {} versions, {listed} listed ones do not parse", texts.len());
        let wanted: usize = LISTED.iter().filter(|(of, ..)| of == scheme).map(|(_, n, _)| n).sum();
        assert_eq!(listed, wanted, "{scheme:?}");
        assert!(explained.is_empty(), "{scheme:?}: not there, or they parse: {explained:?}");
    }
    assert!(unexplained.is_empty(), "{}\n{}", unexplained.len(), unexplained.join("\n"));
}
