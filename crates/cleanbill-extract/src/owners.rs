//! Which package of the operating system owns a file: what a distribution patched in its own
//! way is not judged a second time by the language's advisories.

use std::collections::{HashMap, HashSet};

use cleanbill_core::rootfs::{Resolution, Rootfs};

use crate::facts::Owned;

/// The owners of those of the asked-for files (paths after all links) that have one.
///
/// Lists name files as their packages were built (`/lib/x`), the image may have them elsewhere
/// (`/usr/lib/x`): each listed path is resolved, but only if its last name is asked for at all.
pub(crate) fn owners<'a>(
    root: &Rootfs,
    asked: &HashSet<&str>,
    lists: impl Iterator<Item = &'a Owned>,
) -> HashMap<String, String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let names: HashSet<String> = asked.iter().map(|path| last(path)).collect();
    let mut found = HashMap::new();
    if names.is_empty() {
        return found;
    }
    for Owned { package, files } in lists {
        let mut cursor = files.cursor();
        while let Some(path) = cursor.next() {
            let name = path.rsplit('/').next().unwrap_or(path);
            if !names.contains(name) {
                continue;
            }
            if asked.contains(path) {
                found.insert(path.to_owned(), package.clone());
            } else if let Resolution::File { path, .. } = root.resolve(path)
                && asked.contains(path.as_str())
            {
                found.insert(path, package.clone());
            }
        }
    }
    found
}
