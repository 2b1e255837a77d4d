//! The merged tree by its rules: whiteouts, links, replaced entries; one table a rule.

use super::{Item, Origin, Resolution, Rootfs, Trouble};
use crate::layer::{Entry, EntryKind, Listing};

mod model;

/// Layers as text: `;` between layers, blanks between entries. `a/` directory, `a` file,
/// `a>t` symlink, `a=t` hard link, `-a` whiteout, `!a` opaque, `a|` pipe.
fn parse(text: &str) -> Vec<Vec<(String, EntryKind)>> {
    let entry = |word: &str| {
        if let Some(path) = word.strip_prefix('-') {
            (path.to_owned(), EntryKind::Whiteout)
        } else if let Some(path) = word.strip_prefix('!') {
            (path.to_owned(), EntryKind::Opaque)
        } else if let Some((path, target)) = word.split_once('>') {
            (path.to_owned(), EntryKind::Symlink(target.to_owned()))
        } else if let Some((path, target)) = word.split_once('=') {
            (path.to_owned(), EntryKind::Hardlink(target.to_owned()))
        } else if let Some(path) = word.strip_suffix('/') {
            (path.to_owned(), EntryKind::Directory)
        } else if let Some(path) = word.strip_suffix('|') {
            (path.to_owned(), EntryKind::Special)
        } else {
            (word.to_owned(), EntryKind::File)
        }
    };
    text.split(';').map(|l| l.split_whitespace().map(entry).collect()).collect()
}

fn merge(layers: &[Vec<(String, EntryKind)>]) -> Rootfs {
    let listings: Vec<Listing> = layers
        .iter()
        .map(|entries| {
            let mut listing = Listing::default();
            for (path, kind) in entries {
                let (path, kind) = (path.clone(), kind.clone());
                listing.push(&Entry { path, kind, size: 0, mode: 0o644 });
            }
            listing
        })
        .collect();
    Rootfs::merge(&listings)
}

/// The tree as text: files carry `@layer.entry`.
fn show(root: &Rootfs) -> Vec<String> {
    let mut all = Vec::new();
    root.walk(|path, item| {
        all.push(match item {
            Item::Directory => format!("{path}/"),
            Item::File(Origin { layer, entry }) => format!("{path}@{layer}.{entry}"),
            Item::Symlink(target) => format!("{path}>{target}"),
            Item::Special => format!("{path}|"),
        });
    });
    all.sort();
    all
}

#[test]
fn layers_merge_as_a_runtime_merges_them() {
    use Trouble::{HardlinkToNowhere, ParentCycle, ParentIsNoDirectory};
    let table: &[(&str, &str, &[Trouble])] = &[
        ("a/b", "a/ a/b@0.0", &[]),
        ("a/b ; a/b", "a/ a/b@1.0", &[]),
        ("a/b a/b", "a/ a/b@0.1", &[]),
        // Whiteouts.
        ("a/b a/c ; -a/b", "a/ a/c@0.1", &[]),
        ("a/b/c ; -a", "", &[]),
        ("a ; -b", "a@0.0", &[]),
        ("a ; a -a", "a@1.0", &[]),
        ("a ; -a a", "a@1.1", &[]),
        ("a/b ; a/c -a", "a/ a/c@1.0", &[]),
        ("lib>usr/lib usr/lib/x ; -lib/x", "lib>usr/lib usr/ usr/lib/", &[]),
        ("lib>usr/lib usr/lib/x ; -lib", "usr/ usr/lib/ usr/lib/x@0.1", &[]),
        // Opaque directories, wherever the mark stands.
        ("a/b a/c/d ; !a a/e", "a/ a/e@1.1", &[]),
        ("a/b a/c/d ; a/e !a", "a/ a/e@1.0", &[]),
        ("a/b a/c/d ; a/c/e !a", "a/ a/c/ a/c/e@1.0", &[]),
        ("a/b a/c/d ; a/c/ !a", "a/ a/c/", &[]),
        ("a/b ; a/b=a/b !a", "a/ a/b@0.0", &[]),
        ("a/b ; !", "", &[]),
        ("a>b b/c ; !a a/d", "a>b b/ b/d@1.1", &[]),
        ("a/b ; !a ; a/c ; a/d !a", "a/ a/d@3.0", &[]),
        // What replaces what.
        ("a/b/c ; a", "a@1.0", &[]),
        ("a/b a", "a@0.1", &[]),
        ("a ; a/ a/b", "a/ a/b@1.1", &[]),
        ("a>b b/c ; a/ a/d", "a/ a/d@1.1 b/ b/c@0.1", &[]),
        ("a/b ; a/", "a/ a/b@0.0", &[]),
        ("a/b ; a|", "a|", &[]),
        ("a ; a/b", "a/ a/b@1.0", &[ParentIsNoDirectory]),
        // Parents through links, inside the root only.
        ("lib>usr/lib ; lib/x", "lib>usr/lib usr/ usr/lib/ usr/lib/x@1.0", &[]),
        ("a>/etc ; a/x", "a>/etc etc/ etc/x@1.0", &[]),
        ("a>../../../etc ; a/x", "a>../../../etc etc/ etc/x@1.0", &[]),
        ("d/a>../e ; d/a/x", "d/ d/a>../e e/ e/x@1.0", &[]),
        ("a>b b>a ; a/x", "a>b b>a", &[ParentCycle]),
        ("a>. ; a/a/a/x", "a>. x@1.0", &[]),
        // Hard links.
        ("a b=a", "a@0.0 b@0.0", &[]),
        ("a ; b=a a", "a@1.1 b@0.0", &[]),
        ("a ; b=a -a", "b@0.0", &[]),
        ("a ; -a b=a", "", &[HardlinkToNowhere]),
        ("b=a a", "a@0.1", &[HardlinkToNowhere]),
        ("a/ b=a", "a/", &[HardlinkToNowhere]),
        ("a>c b=a", "a>c b>c", &[]),
        ("lib>usr/lib usr/lib/x y=lib/x", "lib>usr/lib usr/ usr/lib/ usr/lib/x@0.1 y@0.1", &[]),
        ("a a=a", "a@0.0", &[]),
    ];
    for (layers, tree, troubles) in table {
        let root = merge(&parse(layers));
        assert_eq!(show(&root).join(" "), *tree, "{layers}");
        let got: Vec<_> = root.problems().iter().map(|p| p.trouble).collect();
        assert_eq!(got, *troubles, "{layers}");
    }
}

#[test]
fn paths_resolve_inside_the_root() {
    let file = |entry, path: &str| Resolution::File {
        origin: Origin { layer: 0, entry },
        path: path.to_owned(),
    };
    let table: &[(&str, &str, Resolution)] = &[
        ("a/b", "a/b", file(0, "a/b")),
        ("a/b", "/a//./b", file(0, "a/b")),
        ("a/b", "a", Resolution::Directory("a".into())),
        ("a/b", "", Resolution::Directory(String::new())),
        ("a/b", "a/b/c", Resolution::NotThere),
        ("a/b", "a/b/..", Resolution::NotThere),
        ("a/b", "c", Resolution::NotThere),
        ("a>b/c b/c", "a", file(1, "b/c")),
        ("a>/b b", "a", file(1, "b")),
        ("d/a>../../../../b b", "d/a", file(1, "b")),
        ("d/a>/../b b", "d/a", file(1, "b")),
        ("d>e e/x", "d/x", file(1, "e/x")),
        ("a>nowhere", "a", Resolution::Dangling),
        ("a>nowhere", "a/x", Resolution::Dangling),
        ("a>b b>nowhere", "a", Resolution::Dangling),
        ("d>e e/y", "d/x", Resolution::NotThere),
        ("d>e e/y", "d/x/z", Resolution::NotThere),
        ("d>e e/y", "d/y/z", Resolution::NotThere),
        ("a>b b>a", "a", Resolution::Cycle),
        ("a>a", "a/x", Resolution::Cycle),
        ("p|", "p", Resolution::Special),
    ];
    for (layers, path, expected) in table {
        assert_eq!(merge(&parse(layers)).resolve(path), *expected, "{path} in {layers}");
    }
    let chain = |n: usize| -> String { (0..n).map(|i| format!("l{i}>l{} ", i + 1)).collect() };
    let root = merge(&parse(&format!("{} l40", chain(40))));
    assert_eq!(root.resolve("l0"), file(40, "l40"), "forty links are followed");
    let root = merge(&parse(&format!("{} l41", chain(41))));
    assert_eq!(root.resolve("l0"), Resolution::Cycle, "forty-one are not");
}

#[test]
fn children_are_listed_through_links() {
    let root = merge(&parse("d/a d/b>x e>d"));
    let names: Vec<_> = root.children("e").iter().map(|(n, _)| (*n).to_owned()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(root.children("d/a").is_empty() && root.children("none").is_empty());
    assert_eq!(root.files(), 1);
}

#[test]
fn hostile_layers_take_bounded_work() {
    // Every entry climbs through forty long links.
    let long = "a/../".repeat(800);
    let mut layer = vec![("a".to_owned(), EntryKind::Directory)];
    for i in 0..40 {
        layer.push((format!("l{i}"), EntryKind::Symlink(format!("{long}l{}", i + 1))));
    }
    layer.extend((0..2_000).map(|i| (format!("l{}/x", i % 2), EntryKind::File)));
    let root = merge(&[layer]);
    assert!(!root.problems().is_empty());
    // Opaque marks for the same large tree over and over.
    let lower: Vec<_> = (0..20_000).map(|i| (format!("d/{i}/x"), EntryKind::File)).collect();
    let upper = (0..20_000)
        .flat_map(|i| [(format!("d/{i}/y"), EntryKind::File), ("d".into(), EntryKind::Opaque)]);
    assert_eq!(merge(&[lower, upper.collect()]).files(), 20_000);
}

#[test]
fn memory_is_bounded_and_given_back() {
    let merged = |count: u32, entry: &dyn Fn(u32) -> (String, EntryKind)| {
        let mut listing = Listing::default();
        for at in 0..count {
            let (path, kind) = entry(at);
            listing.push(&Entry { path, kind, size: 0, mode: 0o644 });
        }
        Rootfs::merge([&listing]).problems().iter().map(|p| p.trouble).collect::<Vec<_>>()
    };
    let text = "x".repeat(4000);
    let count = u32::try_from(super::MAX_HELD / 4000).unwrap();
    // All of them stay; one takes the place of another; folders are replaced with all in them.
    let many = merged(count, &|at| (format!("{at:06}{text}"), EntryKind::File));
    assert_eq!(many, [Trouble::TooMuchWork]);
    let one = merged(2 * count, &|at| ("a".into(), EntryKind::Symlink(format!("{at}{text}"))));
    assert_eq!(one, []);
    let folders = merged(2 * count, &|at| match at % 3 {
        0 => ("a".into(), EntryKind::Directory),
        1 => (format!("a/{at}/b/{text}"), EntryKind::File),
        _ => ("a".into(), EntryKind::File),
    });
    assert_eq!(folders, []);
}
