//! Applying one layer to the tree. Must stay linear in the number of entries, whatever they
//! are: work that could repeat (pruning a directory, resolving a parent) is remembered, and the
//! rest is counted against a budget.

use std::collections::BTreeMap;

use super::Origin;
use super::{
    Kind, MAX_COMPONENTS, MAX_HELD, MAX_LINKS, MAX_PROBLEMS, MAX_STEPS, Node, Problem, ROOT,
    Rootfs, Trouble,
};
use crate::layer::{EntryKind, Listing};

pub(super) fn layer(root: &mut Rootfs, layer: u32, listing: &Listing) {
    let mut apply = Apply { root, layer, parent: None };
    let mut cursor = listing.cursor();
    let mut entry = 0;
    while let Some((path, kind)) = cursor.next() {
        if let Err(trouble) = apply.entry(entry, path, kind) {
            apply.root.trouble(layer, path, trouble);
            if trouble == Trouble::TooMuchWork {
                return;
            }
        }
        entry += 1;
    }
}

struct Apply<'a> {
    root: &'a mut Rootfs,
    layer: u32,
    /// The directory that the last entry was put into, until something is removed.
    parent: Option<(String, u32)>,
}

impl Apply<'_> {
    fn entry(&mut self, entry: u32, path: &str, kind: EntryKind) -> Result<(), Trouble> {
        self.affordable()?;
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let node = match kind {
            EntryKind::Opaque => {
                if let Some(id) = self.find(path, true)? {
                    self.prune(id);
                }
                return Ok(());
            }
            _ if matches!(name, "" | "." | "..") => return Ok(()), // the root itself
            EntryKind::Whiteout => {
                if let Some(parent) = self.find(dir, true)?
                    && let Some((_, id)) = self.root.child(parent, name)
                    && !self.prune(id)
                {
                    self.unlink(parent, name);
                }
                return Ok(());
            }
            EntryKind::Directory => return self.directory(dir, name),
            EntryKind::File => Kind::File(Origin { layer: self.layer, entry }),
            EntryKind::Symlink(target) => Kind::Symlink(target.into()),
            EntryKind::Special => Kind::Special,
            EntryKind::Hardlink(target) => {
                let (dir, name) = target.rsplit_once('/').unwrap_or(("", &target));
                let found = match self.find(dir, true)? {
                    Some(parent) => self.root.child(parent, name).map(|(_, id)| id),
                    None => None,
                };
                match found.and_then(|id| self.root.node(id)).map(|n| &n.kind) {
                    Some(Kind::File(origin)) => Kind::File(*origin),
                    Some(Kind::Symlink(target)) => Kind::Symlink(target.clone()),
                    Some(Kind::Special) => Kind::Special,
                    Some(Kind::Directory { .. }) | None => return Err(Trouble::HardlinkToNowhere),
                }
            }
        };
        let (parent, trouble) = self.parent(dir)?;
        self.unlink(parent, name);
        self.link(parent, name, node);
        trouble.map_or(Ok(()), Err)
    }

    fn directory(&mut self, dir: &str, name: &str) -> Result<(), Trouble> {
        let (parent, trouble) = self.parent(dir)?;
        let there = self.root.child(parent, name).map(|(_, id)| id);
        match there.and_then(|id| self.root.nodes.get_mut(id as usize)) {
            Some(Node { kind: Kind::Directory { .. }, layer }) => *layer = self.layer,
            Some(_) | None => {
                self.unlink(parent, name);
                self.link(parent, name, self.empty());
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    fn empty(&self) -> Kind {
        Kind::Directory { children: BTreeMap::new(), pruned: Some(self.layer) }
    }

    /// The directory at this path, made where it is missing. A file in the way is replaced, and
    /// that is told.
    fn parent(&mut self, dir: &str) -> Result<(u32, Option<Trouble>), Trouble> {
        if let Some((path, id)) = &self.parent
            && path == dir
        {
            return Ok((*id, None));
        }
        let mut trouble = None;
        let id = self.walk(dir, true, |apply, here, name| {
            let there = apply.root.child(here, name).is_some();
            if there {
                trouble = Some(Trouble::ParentIsNoDirectory);
                apply.unlink(here, name);
            }
            Some(apply.link(here, name, apply.empty()))
        })?;
        let id = id.unwrap_or(ROOT);
        self.parent = Some((dir.to_owned(), id));
        Ok((id, trouble))
    }

    fn affordable(&self) -> Result<(), Trouble> {
        match self.root.steps > MAX_STEPS || self.root.held > MAX_HELD {
            true => Err(Trouble::TooMuchWork),
            false => Ok(()),
        }
    }

    /// The node at this path, if all of it is there.
    fn find(&mut self, path: &str, follow_last: bool) -> Result<Option<u32>, Trouble> {
        self.walk(path, follow_last, |_, _, _| None)
    }

    /// Follows a path through links. `missing` is asked where a component is not there, or is
    /// no directory; what it answers is gone on with.
    fn walk(
        &mut self,
        path: &str,
        follow_last: bool,
        mut missing: impl FnMut(&mut Self, u32, &str) -> Option<u32>,
    ) -> Result<Option<u32>, Trouble> {
        let mut at = vec![ROOT];
        let mut plain = path.split('/').peekable();
        // Components of link targets, last first: they come before what is left of the path.
        let mut linked: Vec<Box<str>> = Vec::new();
        let (mut links, mut components) = (0, 0);
        loop {
            let owned;
            let name: &str = if let Some(name) = linked.pop() {
                owned = name;
                &owned
            } else if let Some(name) = plain.next() {
                name
            } else {
                return Ok(at.last().copied());
            };
            components += 1;
            if components > MAX_COMPONENTS {
                return Err(Trouble::ParentCycle);
            }
            self.root.steps += 1;
            self.affordable()?;
            match name {
                "" | "." => continue,
                ".." => {
                    at.truncate(at.len().saturating_sub(1).max(1));
                    continue;
                }
                _ => {}
            }
            let here = at.last().copied().unwrap_or(ROOT);
            let child = self.root.child(here, name).map(|(_, id)| id);
            let last = linked.is_empty() && plain.peek().is_none();
            match child.and_then(|id| Some((id, &self.root.node(id)?.kind))) {
                Some((_, Kind::Symlink(target))) if follow_last || !last => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Trouble::ParentCycle);
                    }
                    if target.starts_with('/') {
                        at.truncate(1);
                    }
                    linked.extend(target.rsplit('/').map(Box::from));
                }
                Some((id, Kind::Directory { .. })) => at.push(id),
                Some((_, Kind::File(_) | Kind::Special | Kind::Symlink(_))) | None => {
                    match missing(self, here, name) {
                        Some(id) => at.push(id),
                        None => return Ok(None),
                    }
                }
            }
        }
    }

    fn link(&mut self, parent: u32, name: &str, kind: Kind) -> u32 {
        let root = &mut *self.root;
        root.held = root.held.saturating_add(kind.cost(name));
        let node = Node { kind, layer: self.layer };
        let id = match root.free.pop() {
            Some(id) => {
                if let Some(slot) = root.nodes.get_mut(id as usize) {
                    *slot = node;
                }
                id
            }
            None => {
                root.nodes.push(node);
                u32::try_from(root.nodes.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(Node { kind: Kind::Directory { children, .. }, .. }) =
            root.nodes.get_mut(parent as usize)
        {
            children.insert(name.into(), id);
        }
        id
    }

    /// Removes a name with all below it, whichever layer it is from.
    fn unlink(&mut self, parent: u32, name: &str) {
        let Some(Node { kind: Kind::Directory { children, .. }, .. }) =
            self.root.nodes.get_mut(parent as usize)
        else {
            return;
        };
        if let Some(id) = children.remove(name) {
            self.parent = None;
            self.release(name, id);
        }
    }

    fn release(&mut self, name: &str, id: u32) {
        let mut stack = vec![(Box::from(name), id)];
        while let Some((name, id)) = stack.pop() {
            if let Some(node) = self.root.nodes.get_mut(id as usize) {
                let kind = std::mem::replace(&mut node.kind, Kind::Special);
                self.root.held = self.root.held.saturating_sub(kind.cost(&name));
                if let Kind::Directory { children, .. } = kind {
                    stack.extend(children);
                }
                self.root.free.push(id);
            }
        }
    }

    /// Takes out of a node all that lower layers brought. Says whether the node itself stays:
    /// it is this layer's, or holds something that is. Directories made or pruned in this layer
    /// hold nothing of lower ones, and are not looked into again.
    fn prune(&mut self, top: u32) -> bool {
        // Depth first: (node, its names still to look at); a directory is settled when they
        // are all done.
        let mut stack = vec![(top, self.names_to_prune(top))];
        let mut stays = true;
        while let Some((id, names)) = stack.last_mut() {
            let id = *id;
            if let Some(child) = names.pop() {
                let names = self.names_to_prune(child);
                stack.push((child, names));
                continue;
            }
            stack.pop();
            stays = self.settle(id);
        }
        self.parent = None;
        stays
    }

    /// The children that pruning has to look at.
    fn names_to_prune(&self, id: u32) -> Vec<u32> {
        match self.root.node(id).map(|n| &n.kind) {
            Some(Kind::Directory { children, pruned }) if *pruned != Some(self.layer) => {
                children.values().copied().collect()
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// After its children are settled: drops those that do not stay, and says whether it does.
    fn settle(&mut self, id: u32) -> bool {
        let layer = self.layer;
        let Some(node) = self.root.nodes.get_mut(id as usize) else { return false };
        let own = node.layer == layer;
        let Kind::Directory { children, pruned } = &mut node.kind else { return own };
        if *pruned == Some(layer) {
            return own || !children.is_empty();
        }
        *pruned = Some(layer);
        let all = std::mem::take(children);
        let (mut kept, mut gone) = (BTreeMap::new(), Vec::new());
        for (name, child) in all {
            let stays = self.root.node(child).is_some_and(|n| {
                n.layer == layer
                    || matches!(&n.kind, Kind::Directory { children, .. } if !children.is_empty())
            });
            if stays {
                kept.insert(name, child);
            } else {
                gone.push((name, child));
            }
        }
        let holds = !kept.is_empty();
        if let Some(Node { kind: Kind::Directory { children, .. }, .. }) =
            self.root.nodes.get_mut(id as usize)
        {
            *children = kept;
        }
        gone.into_iter().for_each(|(name, child)| self.release(&name, child));
        own || holds
    }
}

impl Rootfs {
    fn trouble(&mut self, layer: u32, path: &str, trouble: Trouble) {
        let full = self.problems.len() >= MAX_PROBLEMS;
        if !full || trouble == Trouble::TooMuchWork {
            self.problems.push(Problem { layer, path: path.to_owned(), trouble });
        }
    }
}
