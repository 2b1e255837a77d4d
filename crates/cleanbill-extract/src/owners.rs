//! Which package of the operating system brought a file: what a distribution patched in its own
//! way is not judged a second time by the language's advisories, as long as the file is the one
//! that the package brought. Whatever took its place is judged for itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cleanbill_core::rootfs::{Resolution, Rootfs};

use crate::checksums::Sums;
use crate::facts::Owned;

/// What the lists of packages say of the files that were asked about.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// Files that are as their package brought them, with its name.
    pub(crate) own: BTreeMap<String, String>,
    /// Files that a package lists, but not with the checksum that they have.
    pub(crate) changed: BTreeMap<String, String>,
    /// Files that a package lists with a checksum, whose content was not summed up yet.
    pub(crate) unsummed: BTreeSet<String>,
}

/// Looks these files up in the lists of packages: each by its path after all links, with what its
/// content sums up to, once that is known.
///
/// Lists name files as their packages were built (`/lib/x`), the image may have them elsewhere
/// (`/usr/lib/x`): each listed path is resolved, but only if its last name is asked for at all.
pub(crate) fn owners<'a>(
    root: &Rootfs,
    asked: &HashMap<&str, Option<&Sums>>,
    lists: impl Iterator<Item = &'a Owned>,
) -> Owners {
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let names: BTreeSet<String> = asked.keys().map(|path| last(path)).collect();
    let mut found = Owners::default();
    if names.is_empty() {
        return found;
    }
    for owned in lists {
        let mut cursor = owned.files.cursor();
        let mut number = 0;
        while let Some(path) = cursor.next() {
            let file = number;
            number += 1;
            if !names.contains(path.rsplit('/').next().unwrap_or(path)) {
                continue;
            }
            if let Some(sums) = asked.get(path) {
                found.listed(path.to_owned(), *sums, owned, file);
            } else if let Resolution::File { path, .. } = root.resolve(path)
                && let Some(sums) = asked.get(path.as_str())
            {
                found.listed(path, *sums, owned, file);
            }
        }
    }
    found.changed.retain(|path, _| !found.own.contains_key(path));
    found.unsummed.retain(|path| !found.own.contains_key(path));
    found
}

impl Owners {
    /// Notes that a package lists this file, under this number.
    fn listed(&mut self, path: String, sums: Option<&Sums>, owned: &Owned, file: usize) {
        match sums {
            Some(sums) if owned.sums.fits(file, sums) => {
                self.own.insert(path, owned.package.clone());
            }
            None if owned.sums.has(file) => {
                self.unsummed.insert(path);
            }
            Some(_) | None => {
                self.changed.insert(path, owned.package.clone());
            }
        }
    }
}
