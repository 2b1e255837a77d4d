//! The errata, read in the plainest way, and what rpm's comparison makes of them: on purpose nothing
//! here is the program's.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::Found;
use super::image::Installed;
use super::rpm::compare;

/// A build that closes something.
pub(crate) struct Fix {
    pub(crate) package: String,
    pub(crate) version: String,
    /// What it closes: flaws, or the erratum itself where it names none.
    ids: Vec<String>,
}

impl Fix {
    /// Whether it is the build of a module, as its release says.
    pub(crate) fn is_of_module(&self) -> bool {
        self.version.contains(".module")
    }
}

/// Every fix that the zip has for one release.
pub(crate) fn read(zip: &Path, release: &str) -> Vec<Fix> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut fixes = Vec::new();
    for at in 0..zip.len() {
        let mut text = String::new();
        zip.by_index(at).unwrap().read_to_string(&mut text).unwrap();
        let erratum: Value = serde_json::from_str(&text).unwrap();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut ids: Vec<String> = list(&erratum["related"]).iter().map(text).collect();
        ids.retain(|id| id.starts_with("CVE-"));
        if ids.is_empty() {
            ids.push(text(&erratum["id"]));
        }
        for affected in list(&erratum["affected"]) {
            if affected["package"]["ecosystem"] != release {
                continue;
            }
            for range in list(&affected["ranges"]) {
                let [first, fixed] = &list(&range["events"])[..] else { panic!("{range}") };
                assert_eq!(first["introduced"], "0");
                let (package, version) =
                    (text(&affected["package"]["name"]), text(&fixed["fixed"]));
                fixes.push(Fix { package, version, ids: ids.clone() });
            }
        }
    }
    fixes
}

/// Which flaws each package has: those of every fix of its name and line that is above it.
pub(crate) fn affected(fixes: &[Fix], installed: &[Installed], never: &[&str]) -> BTreeSet<Found> {
    let mut pairs = Vec::new();
    for one in installed.iter().filter(|one| !never.contains(&one.name)) {
        let of_line =
            |fix: &&Fix| fix.package == one.name && fix.is_of_module() == one.module.is_some();
        pairs.extend(fixes.iter().filter(of_line).map(|fix| (one, fix)));
    }
    let versions: Vec<(&str, &str)> =
        pairs.iter().map(|(one, fix)| (one.version.as_str(), fix.version.as_str())).collect();
    let orders = compare(&versions);
    let below = pairs.iter().zip(orders).filter(|(_, order)| *order < 0);
    let each = below.flat_map(|((one, fix), _)| {
        let of = |id: &String| (one.name.to_owned(), one.version.clone(), id.clone());
        fix.ids.iter().map(of)
    });
    each.collect()
}
