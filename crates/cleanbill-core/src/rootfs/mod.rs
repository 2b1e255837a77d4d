//! The merged root filesystem: what a container would see, from the listings of its layers.
//!
//! The semantics are those of containerd's `apply` (each entry's parent is resolved through
//! symlinks inside the root; whatever is no directory replaces what was there; whiteouts and
//! opaque directories per the OCI image specification, layer.md), where the specification is
//! stricter the specification's: a whiteout hides lower layers only, wherever it stands.
//!
//! Nothing here touches a file system: it is a tree of names, and no link leaves it.

mod apply;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::layer::Listing;

/// The most symbolic links that one path may lead through (Linux's `MAXSYMLINKS`).
pub const MAX_LINKS: usize = 40;

/// The most components that one path may have after its links are put in.
const MAX_COMPONENTS: usize = 4096;

/// The most steps (components looked up) of one merge. Real images need a few million; hostile
/// ones could have every entry go through forty links of a thousand components.
const MAX_STEPS: u64 = 40_000_000;

/// The most memory of one tree, in bytes as [`Kind::cost`] reckons them. A million files whose
/// names have 90 bytes take 250 MB; an entry of 2 KB could make a hundred folders of 400 bytes each.
const MAX_HELD: u64 = 384 << 20;

const ROOT: u32 = 0;

/// The entry of a layer that a file's content comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Which layer, counted from the lowest.
    pub layer: u32,
    /// Which entry of it, counted from 0.
    pub entry: u32,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    /// The layer that made it, or that listed it last.
    layer: u32,
}

#[derive(Debug)]
enum Kind {
    Directory {
        children: BTreeMap<Box<str>, u32>,
        /// The layer in which all content of lower layers was taken out of it already.
        pruned: Option<u32>,
    },
    File(Origin),
    Symlink(Box<str>),
    Special,
}

impl Kind {
    /// What a node of this kind takes, with its name in the folder it is in: its place, that of
    /// its name, and, for a folder, the room in which its first names are. More rather than less.
    fn cost(&self, name: &str) -> u64 {
        let own = match self {
            Self::Directory { .. } => 240,
            Self::Symlink(target) => target.len(),
            Self::File(_) | Self::Special => 0,
        };
        (160 + name.len() + own) as u64
    }
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A regular file: where its content is, and its path after all links.
    File {
        /// The layer and entry with the content.
        origin: Origin,
        /// The path inside the root that the links led to.
        path: String,
    },
    /// A directory, with its path after all links.
    Directory(String),
    /// A device, pipe or socket.
    Special,
    /// Nothing has this name, in a directory that is there or in one that is not.
    NotThere,
    /// A link on the way leads to nothing.
    Dangling,
    /// More than [`MAX_LINKS`] links, or than 4,096 components with theirs.
    Cycle,
}

/// What a directory holds under one name, not following links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A directory.
    Directory,
    /// A regular file with its content's place.
    File(Origin),
    /// A symbolic link with its target.
    Symlink(&'a str),
    /// A device, pipe or socket.
    Special,
}

/// Why an entry of a layer could not be merged as a runtime would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A hard link's target is not there, or is a directory.
    HardlinkToNowhere,
    /// The path of its parent leads through more than [`MAX_LINKS`] links.
    ParentCycle,
    /// Its parent is a file: containerd refuses the layer. The directory was put in its place.
    ParentIsNoDirectory,
    /// The merge took too many steps, or too much memory; this and all later entries were left
    /// out.
    TooMuchWork,
}

/// An entry that could not be merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The layer, counted from the lowest.
    pub layer: u32,
    /// The path as the layer lists it.
    pub path: String,
    /// Why.
    pub trouble: Trouble,
}

/// The most problems that are told one by one; the last of them stands for the rest.
pub const MAX_PROBLEMS: usize = 100;

/// The merged tree.
#[derive(Debug)]
pub struct Rootfs {
    nodes: Vec<Node>,
    free: Vec<u32>,
    problems: Vec<Problem>,
    steps: u64,
    /// Memory of the nodes that are in the tree.
    held: u64,
    files: usize,
}

impl Rootfs {
    /// Merges the layers' listings, lowest first.
    pub fn merge<'a>(layers: impl IntoIterator<Item = &'a Listing>) -> Self {
        let kind = Kind::Directory { children: BTreeMap::new(), pruned: None };
        let mut root = Self {
            nodes: vec![Node { kind, layer: 0 }],
            free: Vec::new(),
            problems: Vec::new(),
            steps: 0,
            held: 0,
            files: 0,
        };
        for (layer, listing) in (0..).zip(layers) {
            apply::layer(&mut root, layer, listing);
        }
        root.files = root.count_files();
        root
    }

    /// Entries that could not be merged as a runtime would, at most [`MAX_PROBLEMS`].
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many regular files there are.
    pub fn files(&self) -> usize {
        self.files
    }

    fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    fn child(&self, id: u32, name: &str) -> Option<(&str, u32)> {
        match &self.node(id)?.kind {
            Kind::Directory { children, .. } => {
                children.get_key_value(name).map(|(name, id)| (&**name, *id))
            }
            Kind::File(_) | Kind::Symlink(_) | Kind::Special => None,
        }
    }

    /// Follows a path from the root, links included, as the kernel would in a container whose
    /// root this is: absolute targets begin at the root, and `..` at the root stays there.
    pub fn resolve(&self, path: &str) -> Resolution {
        let mut at: Vec<(u32, &str)> = vec![(ROOT, "")];
        let mut todo: Vec<&str> = path.rsplit('/').collect();
        let (mut links, mut components) = (0, 0);
        // How many of those to do are the path's own, not a link's: they lie at the bottom.
        let mut own = todo.len();
        while let Some(name) = todo.pop() {
            let nothing =
                if todo.len() < own { Resolution::NotThere } else { Resolution::Dangling };
            own = own.min(todo.len());
            components += 1;
            if components > MAX_COMPONENTS {
                return Resolution::Cycle;
            }
            match name {
                "" | "." => continue,
                ".." => {
                    at.truncate(at.len().saturating_sub(1).max(1));
                    continue;
                }
                _ => {}
            }
            let here = at.last().map_or(ROOT, |(id, _)| *id);
            let Some((name, id)) = self.child(here, name) else { return nothing };
            match self.node(id).map(|n| &n.kind) {
                Some(Kind::Symlink(target)) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Resolution::Cycle;
                    }
                    if target.starts_with('/') {
                        at.truncate(1);
                    }
                    todo.extend(target.rsplit('/'));
                }
                Some(Kind::Directory { .. }) => at.push((id, name)),
                // `file/` and `file/..` do not resolve either.
                Some(Kind::File(_) | Kind::Special) if !todo.is_empty() => return nothing,
                Some(Kind::File(origin)) => {
                    at.push((id, name));
                    return Resolution::File { origin: *origin, path: join(&at) };
                }
                Some(Kind::Special) => return Resolution::Special,
                None => return nothing,
            }
        }
        Resolution::Directory(join(&at))
    }

    /// What the directory at this path holds, by name; empty if it is none.
    pub fn children(&self, path: &str) -> Vec<(&str, Item<'_>)> {
        let Resolution::Directory(path) = self.resolve(path) else { return Vec::new() };
        let mut id = ROOT;
        for name in path.split('/').filter(|n| !n.is_empty()) {
            match self.child(id, name) {
                Some((_, child)) => id = child,
                None => return Vec::new(),
            }
        }
        match self.node(id).map(|n| &n.kind) {
            Some(Kind::Directory { children, .. }) => {
                children.iter().filter_map(|(name, id)| Some((&**name, self.item(*id)?))).collect()
            }
            Some(Kind::File(_) | Kind::Symlink(_) | Kind::Special) | None => Vec::new(),
        }
    }

    fn item(&self, id: u32) -> Option<Item<'_>> {
        Some(match &self.node(id)?.kind {
            Kind::Directory { .. } => Item::Directory,
            Kind::File(origin) => Item::File(*origin),
            Kind::Symlink(target) => Item::Symlink(target),
            Kind::Special => Item::Special,
        })
    }

    /// Visits everything below the root, by name, parents before children; links are not
    /// followed.
    pub fn walk(&self, mut visit: impl FnMut(&str, Item<'_>)) {
        let mut path = String::new();
        let Some(Kind::Directory { children, .. }) = self.node(ROOT).map(|n| &n.kind) else {
            return;
        };
        let mut stack = vec![(0, children.iter())];
        while let Some((length, names)) = stack.last_mut() {
            path.truncate(*length);
            let Some((name, id)) = names.next() else {
                stack.pop();
                continue;
            };
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(name);
            if let Some(item) = self.item(*id) {
                visit(&path, item);
            }
            if let Some(Kind::Directory { children, .. }) = self.node(*id).map(|n| &n.kind) {
                stack.push((path.len(), children.iter()));
            }
        }
    }

    fn count_files(&self) -> usize {
        let mut files = 0;
        self.walk(|_, item| files += usize::from(matches!(item, Item::File(_))));
        files
    }
}

fn join(at: &[(u32, &str)]) -> String {
    let mut path = String::new();
    for (_, name) in at.iter().skip(1) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(name);
    }
    path
}
