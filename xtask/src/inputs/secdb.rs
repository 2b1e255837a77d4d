//! A package database of Alpine's form with every package that Alpine's own security database knows, at
//! versions around each fix: what is compared by it are versions and look-ups, and not an image.
//!
//! A package is left out where it is known what differs: one of several fixed versions of a flaw, lines
//! that name another thing than a CVE, and versions that apk refuses (docs/parity.md has these).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use cleanbill_core::version::{Scheme, Version};
use serde_json::Value;

use super::layers::{layer, pack};
use crate::Result;
use crate::tools::{inputs_dir, shared_data};

/// The branch whose packages are compared.
const BRANCH: &str = "v3.11";
const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.11.0\nPRETTY_NAME=\"Alpine Linux v3.11\"\n";

/// What each package has fixed: flaws by the version.
type Fixes = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The layer.
pub(super) fn alpine() -> Result<PathBuf> {
    layer("alpine-secdb", |part| {
        let mut fixes = Fixes::new();
        for file in ["main.json", "community.json"] {
            let path = shared_data()?.join("alpine-secdb").join(BRANCH).join(file);
            read(&serde_json::from_slice(&fs::read(path)?)?, &mut fixes);
        }
        let folder = tempfile::tempdir_in(inputs_dir()?)?;
        let root = folder.path().join("root");
        for (path, text) in [
            ("etc/os-release", OS_RELEASE),
            ("etc/alpine-release", "3.11.0\n"),
            ("lib/apk/db/installed", &installed(&fixes)),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().ok_or("no folder")?)?;
            fs::write(path, text)?;
        }
        pack(part, ".", &root)
    })
}

fn read(repository: &Value, into: &mut Fixes) {
    for package in repository["packages"].as_array().into_iter().flatten() {
        let package = &package["pkg"];
        let name = package["name"].as_str().unwrap_or_default();
        for (version, lines) in package["secfixes"].as_object().into_iter().flatten() {
            let lines = lines.as_array().into_iter().flatten().filter_map(Value::as_str);
            let known = into.entry(name.to_owned()).or_default().entry(version.clone());
            known.or_default().extend(lines.map(str::to_owned));
        }
    }
}

/// Each package below all fixes, above all, and around each: at it, below it by a prerelease, and above
/// it by a patch and by a build. A package by its own name each, of the source that is meant.
fn installed(fixes: &Fixes) -> String {
    let mut out = String::new();
    for (name, by_version) in fixes.iter().filter(|(_, by_version)| is_plain(by_version)) {
        let mut versions = vec!["0-r0".to_owned()];
        for fixed in by_version.keys().filter(|fixed| *fixed != "0") {
            let (version, _) = fixed.rsplit_once("-r").unwrap_or((fixed, ""));
            versions.push(fixed.clone());
            versions.extend([format!("{fixed}0"), format!("{version}_p1-r0")]);
            versions.push(format!("{version}_rc1-r0"));
        }
        versions.push("99999-r0".to_owned());
        for (at, version) in versions.iter().enumerate() {
            // Writing to a text cannot fail.
            _ = write!(out, "P:{name}-{at}\nV:{version}\nA:x86_64\no:{name}\n\n");
        }
    }
    out
}

fn is_plain(by_version: &BTreeMap<String, Vec<String>>) -> bool {
    let ids = || by_version.values().flatten();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_cve = |id: &String| {
        let parts = id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
        parts.is_some_and(|(year, number)| digits(year) && digits(number))
    };
    let is_version = |text: &String| {
        text == "0" || text.contains("-r") && Version::parse(Scheme::Apk, text).is_ok()
    };
    let once = ids().collect::<BTreeSet<_>>().len() == ids().count();
    once && ids().all(is_cve) && by_version.keys().all(is_version)
}

#[cfg(test)]
mod tests {
    use super::{Fixes, installed, read};
    use serde_json::json;

    #[test]
    fn versions_around_each_fix_of_what_is_plain() {
        let package = |name: &str, fixes| json!({"pkg": {"name": name, "secfixes": fixes}});
        let repository = json!({"packages": [
            package("a", json!({"0": ["CVE-2019-1"], "1.0-r1": ["CVE-2019-2", "CVE-2019-3"]})),
            package("twice", json!({"1.0-r1": ["CVE-2019-2"], "1.0-r2": ["CVE-2019-2"]})),
            package("other", json!({"1.0-r1": ["XSA-1"]})),
            package("more", json!({"1.0-r1": ["CVE-2019-2 (+ fix)"]})),
            package("odd", json!({"4.10-1-r1": ["CVE-2019-2"]})),
            package("none", json!({})),
        ]});
        let mut fixes = Fixes::new();
        read(&repository, &mut fixes);
        let text = installed(&fixes);
        let versions: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("V:")).collect();
        assert_eq!(versions, ["0-r0", "1.0-r1", "1.0-r10", "1.0_p1-r0", "1.0_rc1-r0", "99999-r0"]);
        assert!(text.starts_with("P:a-0\nV:0-r0\nA:x86_64\no:a\n\nP:a-1\n"));
        assert!(!text.contains("o:twice") && !text.contains("o:odd"));
    }
}
