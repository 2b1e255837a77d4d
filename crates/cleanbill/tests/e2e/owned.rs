//! A real Debian's packages own their Python metadata and Go program, until somebody changes them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cleanbill::examine::{Examiner, examine_folder};
use cleanbill_oci::limits::Limits;

use crate::parts::run;
use crate::{images, parts};

#[test]
fn real_packages_own_their_files_until_they_are_changed() {
    if !parts::there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let packages = ["python3-urllib3", "runc"];
    let Some(tar) = images::bookworm(folder.path(), "debian-languages.tar", &packages) else {
        return;
    };
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    // Devices are no files of packages, and only root can make them.
    run(Command::new("tar").arg("-xf").arg(tar).arg("-C").arg(&root).arg("--exclude=./dev/*"));
    let before = owners(&root);
    assert!(before.iter().all(|(_, own, from)| own.is_some() && from.is_none()), "{before:?}");
    let changed: Vec<&str> = before
        .iter()
        .filter(|(_, own, _)| own.as_deref().is_some_and(|own| packages.contains(&own)))
        .map(|(path, ..)| path.as_str())
        .collect();
    assert!(changed.iter().any(|path| path.ends_with("PKG-INFO")), "{before:?}");
    assert!(changed.contains(&"usr/sbin/runc"), "{before:?}");
    for path in &changed {
        let mut file = OpenOptions::new().append(true).open(root.join(path)).unwrap();
        file.write_all(b"\n").unwrap();
    }
    for ((path, own, _), (same, now, from)) in before.iter().zip(owners(&root)) {
        assert_eq!(path, &same);
        let expected = if changed.contains(&path.as_str()) { (&None, own) } else { (own, &None) };
        assert_eq!((&now, &from), expected, "{path}");
    }
}

/// Of each language package: its file, who brought it as it is, and whose it was.
fn owners(root: &Path) -> Vec<(String, Option<String>, Option<String>)> {
    let limits = Arc::new(Limits::default());
    let (inventory, _) = examine_folder(root, &limits, &Examiner::options(&limits)).unwrap();
    let languages = inventory.packages.into_iter().filter(|package| !package.kind.is_os());
    let mut all: Vec<_> = languages.map(|p| (p.evidence, p.owner, p.changed_from)).collect();
    all.dedup();
    all
}
