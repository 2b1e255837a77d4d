//! From which repository yum installed which package.

use std::collections::HashMap;

use cleanbill_core::rootfs::Resolution;

use super::Merged;
use crate::extractors::Wanted;
use crate::yum;

/// The most packages whose repositories are looked up; a full workstation has 5,000. Of those past it
/// nobody tells.
const MOST: usize = 100_000;

impl Merged<'_> {
    /// Repositories by package, as [`yum::named`] names it. A package that two of them are said to
    /// have is of neither.
    pub(super) fn repositories(&self) -> HashMap<String, String> {
        let said = self.said();
        let mut found: HashMap<String, Option<String>> = HashMap::new();
        let folders = self.root.children(yum::FOLDER);
        let folders = folders.into_iter().map(|(letter, _)| format!("{}/{letter}", yum::FOLDER));
        let packages = folders.flat_map(|folder| {
            let inside = self.root.children(&folder).into_iter();
            inside
                .map(|(name, _)| (name.to_owned(), format!("{folder}/{name}")))
                .collect::<Vec<_>>()
        });
        for (name, folder) in packages.take(MOST) {
            let Some(package) = yum::package(&name) else { continue };
            // yum makes one file of what it says of many packages, with many names.
            let file = self.root.resolve(&format!("{folder}/{}", yum::FROM));
            let Resolution::File { origin, .. } = file else { continue };
            let Some(repository) = said.get(&(origin.layer, origin.entry)) else { continue };
            let same = |known: &Option<String>| known.as_deref() == Some(*repository);
            match found.get_mut(package) {
                Some(known) if !same(known) => *known = None,
                Some(_) => {}
                None => drop(found.insert(package.to_owned(), Some((*repository).to_owned()))),
            }
        }
        found.into_iter().filter_map(|(package, of)| Some((package, of?))).collect()
    }

    /// What the files say, by their place.
    fn said(&self) -> HashMap<(u32, u32), &str> {
        let mut said = HashMap::new();
        for (layer, (_, facts)) in (0..).zip(self.layers) {
            for file in facts.files.iter().filter(|f| f.wanted == Wanted::YumRepository) {
                if let Some(repository) = &file.facts.repository {
                    said.insert((layer, file.entry), repository.as_str());
                }
            }
        }
        said
    }
}
