//! Any layers, merged as a second telling of the same rules merges them.

#![expect(clippy::wildcard_enum_match_arm, reason = "tests name what they mean")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{merge, show};
use crate::layer::EntryKind;
use crate::rootfs::{Origin, Resolution};

/// The same rules told another way: a flat map of real paths, scanned whole for everything.
#[derive(Default)]
struct Model {
    nodes: BTreeMap<String, (EntryKind, u32, Origin)>,
}

impl Model {
    fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.nodes.get(path), Some((EntryKind::Directory, ..)))
    }

    /// The real path of `path`, missing parts taken as they stand.
    fn real(&self, path: &str, hops: &mut u32) -> Option<String> {
        let mut real = String::new();
        for name in path.split('/') {
            match name {
                "" | "." => {}
                ".." => real.truncate(real.rfind('/').unwrap_or(0)),
                _ => {
                    let next = if real.is_empty() { name.into() } else { format!("{real}/{name}") };
                    real = match self.nodes.get(&next) {
                        Some((EntryKind::Symlink(target), ..)) => {
                            *hops += 1;
                            if *hops > 40 {
                                return None;
                            }
                            let target = match target.strip_prefix('/') {
                                Some(absolute) => absolute.to_owned(),
                                None => format!("{real}/{target}"),
                            };
                            self.real(&target, hops)?
                        }
                        _ => next,
                    };
                }
            }
        }
        Some(real)
    }

    fn remove(&mut self, path: &str) {
        self.nodes.retain(|p, _| p != path && !p.starts_with(&format!("{path}/")));
    }

    fn prune(&mut self, path: &str, layer: u32, itself: bool) {
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let own: BTreeSet<String> = self
            .nodes
            .iter()
            .filter(|(_, (_, l, _))| *l == layer)
            .map(|(p, _)| p.clone())
            .collect();
        self.nodes.retain(|p, _| {
            let concerned = p.starts_with(&below) || (itself && p == path);
            let kept = own.iter().any(|o| o == p || o.starts_with(&format!("{p}/")));
            !concerned || kept
        });
    }

    fn make_parents(&mut self, dir: &str, layer: u32) {
        let ends = dir.match_indices('/').map(|(i, _)| i).chain([dir.len()]);
        for path in ends.map(|i| &dir[..i]).filter(|p| !p.is_empty()) {
            if !self.is_dir(path) {
                self.remove(path);
                let origin = Origin { layer, entry: 0 };
                self.nodes.insert(path.into(), (EntryKind::Directory, layer, origin));
            }
        }
    }

    fn apply(&mut self, layer: u32, entry: u32, path: &str, kind: &EntryKind) {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        if *kind == EntryKind::Opaque {
            if let Some(real) = self.real(path, &mut 0)
                && self.is_dir(&real)
            {
                self.prune(&real, layer, false);
            }
            return;
        }
        let Some(dir) = self.real(dir, &mut 0) else { return };
        let real = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
        let mut made = (kind.clone(), layer, Origin { layer, entry });
        match kind {
            EntryKind::Whiteout => return self.prune(&real, layer, true),
            EntryKind::Directory if self.is_dir(&real) => {
                if let Some(node) = self.nodes.get_mut(&real) {
                    node.1 = layer;
                }
                return;
            }
            EntryKind::Hardlink(target) => {
                let (dir, name) = target.rsplit_once('/').unwrap_or(("", target));
                let Some(dir) = self.real(dir, &mut 0) else { return };
                let target = if dir.is_empty() { name.into() } else { format!("{dir}/{name}") };
                match self.nodes.get(&target) {
                    Some((EntryKind::Directory, ..)) | None => return,
                    Some((kind, _, origin)) => made = (kind.clone(), layer, *origin),
                }
            }
            _ => {}
        }
        self.make_parents(&dir, layer);
        self.remove(&real);
        self.nodes.insert(real, made);
    }

    fn show(&self) -> Vec<String> {
        let one =
            |(path, (kind, _, Origin { layer, entry })): (&String, &(_, _, Origin))| match kind {
                EntryKind::Directory => format!("{path}/"),
                EntryKind::File => format!("{path}@{layer}.{entry}"),
                EntryKind::Symlink(target) => format!("{path}>{target}"),
                _ => format!("{path}|"),
            };
        let mut all: Vec<_> = self.nodes.iter().map(one).collect();
        all.sort();
        all
    }
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[abc]", 1..4).prop_map(|names| names.join("/"))
}

/// Targets whose missing parts are not climbed out of: there the model, which takes them as
/// they stand, and the tree, which makes them, may differ.
fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        path(),
        path().prop_map(|p| format!("/{p}")),
        path().prop_map(|p| format!("../{p}")),
        Just(".".to_owned()),
        Just("/..".to_owned()),
    ]
}

fn op() -> impl Strategy<Value = (String, EntryKind)> {
    let kind = prop_oneof![
        3 => Just(EntryKind::File),
        3 => Just(EntryKind::Directory),
        3 => target().prop_map(EntryKind::Symlink),
        2 => path().prop_map(EntryKind::Hardlink),
        1 => Just(EntryKind::Special),
        2 => Just(EntryKind::Whiteout),
        1 => Just(EntryKind::Opaque),
    ];
    (path(), kind)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_layers_merge_as_the_model_does(
        layers in prop::collection::vec(prop::collection::vec(op(), 0..12), 1..4)
    ) {
        let root = merge(&layers);
        let mut model = Model::default();
        for (layer, entries) in (0..).zip(&layers) {
            for (entry, (path, kind)) in (0..).zip(entries) {
                model.apply(layer, entry, path, kind);
            }
        }
        prop_assert_eq!(show(&root), model.show());
    }

    #[test]
    fn resolving_never_escapes_or_loops(
        layer in prop::collection::vec(op(), 0..16),
        asked in "[abc./]{0,12}",
    ) {
        let root = merge(&[layer]);
        let (Resolution::File { path, .. } | Resolution::Directory(path)) = root.resolve(&asked)
        else {
            return Ok(());
        };
        prop_assert!(path.is_empty() || path.split('/').all(|n| !matches!(n, "" | "." | "..")));
        // What was resolved once is real: it resolves to itself.
        match root.resolve(&path) {
            Resolution::File { path: again, .. } | Resolution::Directory(again) => {
                prop_assert_eq!(path, again);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
