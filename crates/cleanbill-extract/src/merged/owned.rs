//! Which files of the merged image are as a package of the operating system brought them, and what
//! has to be read a second time to know it.

use std::collections::{HashMap, HashSet};

use cleanbill_core::rootfs::{Item, Origin};

use super::{Merged, Wish, unread};
use crate::checksums::Sums;
use crate::extractors::Wanted;
use crate::facts::{Facts, Owned};
use crate::owners::owners;

impl Merged<'_> {
    /// Asks for the owners of all files that prove a language's package, and of those in formats
    /// that are not read. Files that are listed and were not summed up are
    /// [missing](Self::missing).
    pub(super) fn find_owners(&mut self, facts: &HashMap<Origin, Vec<(Wanted, &Facts)>>) {
        let mut at: HashMap<String, Origin> = HashMap::new();
        let of_language = |facts: &Facts| facts.claims.iter().any(|claim| !claim.kind.is_os());
        for live in &self.live {
            if of_language(live.facts) || live.facts.part.is_some() {
                at.insert(live.path.clone(), live.origin);
            }
        }
        self.root.walk(|path, item| {
            if let (Item::File(origin), Some(format)) = (item, unread::format(path)) {
                self.unread.push((format, path.to_owned()));
                at.insert(path.to_owned(), origin);
            }
        });
        let sums = |origin| -> Option<&Sums> {
            facts.get(origin).into_iter().flatten().find_map(|(_, facts)| facts.sums.as_ref())
        };
        let asked: HashMap<&str, Option<&Sums>> =
            at.iter().map(|(path, origin)| (path.as_str(), sums(origin))).collect();
        let claims = self.live.iter().flat_map(|l| &l.facts.claims);
        let installed: HashSet<&str> =
            claims.filter(|c| c.kind.is_os()).map(|c| c.name.as_str()).collect();
        // A list may stay behind when its package is gone.
        let lists = self.live.iter().flat_map(|l| &l.facts.owned);
        let lists = lists.filter(|o: &&Owned| installed.contains(o.package.as_str()));
        self.owners = owners(&self.root, &asked, lists);
        let unsummed = self.owners.unsummed.iter().filter_map(|path| at.get(path));
        let sums = unsummed.map(|origin| (*origin, Wanted::Checksums, None));
        let parts = self.live.iter().filter(|live| live.facts.part.is_some());
        let parts = parts.map(|live| (live.origin, live.wanted, live.facts.part));
        // No link makes them interesting.
        let wish = |(origin, wanted, part)| Wish { origin, wanted, named: None, part };
        self.wishes.extend(sums.chain(parts).map(wish));
    }
}
