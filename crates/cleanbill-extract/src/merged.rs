//! The facts of all layers, judged on the merged tree: which database is the last, where links
//! lead, what was taken away again.

mod distribution;
mod inventory;
mod owned;
mod repositories;
mod rpm_log;
mod runs_as;
mod unread;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::package::LayerId;
use cleanbill_core::rootfs::{Item, Origin, Resolution, Rootfs};

use crate::extractors::{self, Wanted};
use crate::facts::{Facts, LayerFacts, Part};
use crate::options::Extra;
use crate::owners::Owners;
use crate::{apk, dpkg, os_release, passwd, rpm};

/// The most links to files wanted by a pattern that are followed.
const MAX_LINKS: usize = 10_000;

/// One image: its layers' facts and what is left of them in the merged tree.
#[derive(Debug)]
pub struct Merged<'a> {
    layers: &'a [(Option<LayerId>, LayerFacts)],
    root: Rootfs,
    /// What is there in the end, in the order of the places that were looked at.
    live: Vec<Live<'a>>,
    /// What is to be read again, until its paths are known.
    wishes: Vec<Wish>,
    missing: BTreeSet<(usize, Extra)>,
    /// Files of which more has to be known, or a part is to be read by itself.
    again: BTreeSet<(usize, Extra)>,
    owners: Owners,
    /// Files in formats that are not read, with the format.
    unread: Vec<(&'static str, String)>,
    gaps: Vec<Gap>,
}

/// A file that is to be read again.
#[derive(Debug)]
struct Wish {
    origin: Origin,
    wanted: Wanted,
    /// The link that makes it interesting, for which it is a gap while it is not read.
    named: Option<String>,
    /// Bytes of it that are wanted alone.
    part: Option<Part>,
}

/// A file with facts that is there in the merged image.
#[derive(Debug)]
struct Live<'a> {
    /// Its path after all links.
    path: String,
    /// The name by which it was looked for, where that is a fixed place.
    named: String,
    origin: Origin,
    wanted: Wanted,
    facts: &'a Facts,
}

/// Merges the facts of an image's layers, lowest first, each with its identity (a folder has
/// none).
pub fn merge(layers: &[(Option<LayerId>, LayerFacts)]) -> Merged<'_> {
    let root = Rootfs::merge(layers.iter().map(|(_, facts)| &facts.listing));
    let mut by_origin: HashMap<Origin, Vec<(Wanted, &Facts)>> = HashMap::new();
    for (layer, (_, facts)) in (0..).zip(layers) {
        for file in &facts.files {
            let origin = Origin { layer, entry: file.entry };
            by_origin.entry(origin).or_default().push((file.wanted, &file.facts));
        }
    }
    let mut merged = Merged {
        layers,
        root: Rootfs::merge([]),
        live: Vec::new(),
        wishes: Vec::new(),
        missing: BTreeSet::new(),
        again: BTreeSet::new(),
        owners: Owners::default(),
        unread: Vec::new(),
        gaps: Vec::new(),
    };
    let seen = HashSet::new();
    let mut finder = Finder { root: &root, by_origin: &by_origin, merged: &mut merged, seen };
    finder.fixed_places();
    finder.everywhere();
    merged.root = root;
    merged.find_owners(&by_origin);
    merged.resolve_wishes();
    merged
}

impl Merged<'_> {
    /// Files that only a link or a package's list makes interesting and that were not read, and
    /// parts of programs, with their layers (counted from the lowest): read them in a second pass
    /// over those layers with [`Options::extra_paths`](crate::Options::extra_paths) and merge again.
    /// What is missing still becomes a gap in [`inventory`](Self::inventory); only what a package
    /// lists and was not summed up counts as no package's own.
    pub fn missing(&self) -> Vec<(usize, Extra)> {
        self.missing.union(&self.again).cloned().collect()
    }

    /// Finds the paths of what is to be read again, as layers list them: each list is read once,
    /// since there may be as many wishes as it has entries.
    fn resolve_wishes(&mut self) {
        let wishes = std::mem::take(&mut self.wishes);
        let mut entries: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for Wish { origin, .. } in &wishes {
            entries.entry(origin.layer).or_default().insert(origin.entry);
        }
        let layers = self.layers;
        let of_layer = |(layer, entries): (u32, BTreeSet<u32>)| {
            let listing = layers.get(layer as usize).map(|(_, facts)| &facts.listing);
            (layer, listing.map(|listing| listing.paths_at(&entries)).unwrap_or_default())
        };
        let paths: BTreeMap<u32, BTreeMap<u32, String>> =
            entries.into_iter().map(of_layer).collect();
        for Wish { origin, wanted, named, part } in wishes {
            let path = paths.get(&origin.layer).and_then(|paths| paths.get(&origin.entry));
            let Some(path) = path else { continue };
            let whole = Extra::whole(path, wanted, named.as_deref().unwrap_or(path));
            let into = if named.is_some() { &mut self.missing } else { &mut self.again };
            into.insert((origin.layer as usize, Extra { part, ..whole }));
        }
    }
}

/// Looks files up in the tree and notes what became of them.
struct Finder<'m, 'a> {
    root: &'m Rootfs,
    by_origin: &'m HashMap<Origin, Vec<(Wanted, &'a Facts)>>,
    merged: &'m mut Merged<'a>,
    /// What is noted already: of several names of a file the first stands for all.
    seen: HashSet<(Origin, Wanted)>,
}

impl Finder<'_, '_> {
    /// Databases, release files and users, which have their places.
    fn fixed_places(&mut self) {
        for path in os_release::PATHS {
            self.look(path, Wanted::Release, false);
        }
        for path in apk::REPOSITORIES_PATHS {
            self.look(path, Wanted::ApkRepositories, false);
        }
        for path in apk::INSTALLED_PATHS {
            self.look(path, Wanted::ApkInstalled, true);
        }
        self.look(passwd::PATH, Wanted::Passwd, false);
        self.look(dpkg::STATUS_PATH, Wanted::DpkgStatus, true);
        for (path, wanted) in rpm::places() {
            self.look(&path, wanted, true);
        }
        self.rpm_logs();
        let root = self.root;
        for folder in [dpkg::STATUS_D, dpkg::INFO] {
            for (name, item) in root.children(folder) {
                let path = format!("{folder}/{name}");
                if item != Item::Directory
                    && let Some(wanted) = extractors::wanted(&path)
                {
                    self.look(&path, wanted, true);
                }
            }
        }
    }

    /// Everything wanted by a pattern, wherever it is.
    fn everywhere(&mut self) {
        let mut links = Vec::new();
        self.root.walk(|path, item| match item {
            Item::File(origin) => {
                for (wanted, facts) in self.by_origin.get(&origin).into_iter().flatten() {
                    if !wanted.has_place() && self.seen.insert((origin, *wanted)) {
                        let (path, named) = (path.to_owned(), path.to_owned());
                        let live = Live { path, named, origin, wanted: *wanted, facts };
                        self.merged.live.push(live);
                    }
                }
                if let Some(wanted) = extractors::wanted(path).filter(|w| !w.has_place()) {
                    links.push((path.to_owned(), wanted));
                }
            }
            Item::Symlink(_) => {
                if let Some(wanted) = extractors::wanted(path).filter(|w| !w.has_place()) {
                    links.push((path.to_owned(), wanted));
                }
            }
            Item::Directory | Item::Special => {}
        });
        if links.len() > MAX_LINKS {
            let detail = format!("more than {MAX_LINKS} files wanted by their names are links");
            self.merged.gaps.push(Gap::new(GapKind::OverLimit, "links", detail));
        }
        for (path, wanted) in links.into_iter().take(MAX_LINKS) {
            self.look(&path, wanted, false);
        }
    }

    /// Resolves one path: notes the file's facts, or that they are missing, or that a link
    /// leads nowhere (which matters where something must be there).
    fn look(&mut self, named: &str, wanted: Wanted, must: bool) {
        let gap = |detail: &str| Gap::new(GapKind::UnresolvedLink, named, detail);
        match self.root.resolve(named) {
            Resolution::File { origin, path } => {
                let facts = self.by_origin.get(&origin).into_iter().flatten();
                match facts.into_iter().rfind(|(w, _)| *w == wanted) {
                    Some((wanted, facts)) => {
                        if self.seen.insert((origin, *wanted)) {
                            let (named, wanted) = (named.to_owned(), *wanted);
                            self.merged.live.push(Live { path, named, origin, wanted, facts });
                        }
                    }
                    None => self.miss(named, wanted, origin),
                }
            }
            Resolution::Cycle => {
                self.merged.gaps.push(gap("leads through more than 40 links, or in a circle"));
            }
            Resolution::Dangling if must => self.merged.gaps.push(gap("is a link to nowhere")),
            Resolution::Directory(_) | Resolution::Special if must => {
                let gap = Gap::new(GapKind::UnreadableDatabase, named, "is no regular file");
                self.merged.gaps.push(gap);
            }
            Resolution::Dangling
            | Resolution::Directory(_)
            | Resolution::Special
            | Resolution::NotThere => {}
        }
    }

    fn miss(&mut self, named: &str, wanted: Wanted, origin: Origin) {
        let wish = Wish { origin, wanted, named: Some(named.to_owned()), part: None };
        self.merged.wishes.push(wish);
    }
}
