//! What is read, what is kept of it, and that nothing comes out clean that nobody looked into.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::ImageFacts;
use cleanbill_core::inventory::{Inventory, LayerKey};
use cleanbill_core::{Timestamp, gap::Gap};
use cleanbill_extract::{Extra, LayerFacts, Options, Wanted};
use cleanbill_oci::content::{Content, Descriptor, Role};
use cleanbill_oci::error::{Error, ErrorKind};
use cleanbill_oci::image::{PinnedImage, PlatformChoice, resolve};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::testing::{ImageBuilder, MemoryContent, TarBuilder, gzip, sha256};

use super::{Examiner, examine_folder};
use crate::assess::{self, Against};
use crate::snapshot_choice;
use crate::store::{Owner, Store};

#[path = "examine_tests/users.rs"]
mod users;

const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
const DATABASE: &str = "P:musl\nV:1.2.5-r0\nA:x86_64\n\n";
const INSTALLED: &str = "lib/apk/db/installed";

/// A store of blobs that counts how often each was opened, and fails from some time on.
#[derive(Default)]
struct Counting {
    blobs: MemoryContent,
    opens: Mutex<BTreeMap<Digest, usize>>,
    /// The digest, and how often it may be opened.
    fails: Option<(Digest, usize)>,
}

impl Counting {
    fn opens(&self, digest: &Digest) -> usize {
        self.opens.lock().unwrap().get(digest).copied().unwrap_or(0)
    }
}

impl Content for Counting {
    fn open(&self, role: Role, blob: &Descriptor) -> cleanbill_oci::Result<Box<dyn Read + Send>> {
        let mut opens = self.opens.lock().unwrap();
        let count = opens.entry(blob.digest).or_default();
        *count += 1;
        match self.fails {
            Some((digest, times)) if digest == blob.digest && *count > times => {
                Err(Error::new(ErrorKind::Io, "it is gone"))
            }
            Some(_) | None => self.blobs.open(role, blob),
        }
    }
}

/// A folder with a store, and an examiner that uses it.
struct Place {
    _dir: tempfile::TempDir,
    store: Arc<Store>,
    examiner: Examiner,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("s"), Owner::Gate).unwrap());
    let mut examiner = Examiner::new(Options::default(), Some(Arc::clone(&store)));
    examiner.threads = NonZeroUsize::MIN;
    Place { _dir: dir, store, examiner }
}

impl Place {
    fn key(&self, image: &PinnedImage, layer: usize, extra: &[Extra]) -> LayerKey {
        self.examiner.layer_key(&image.layers[layer], extra)
    }

    /// Whether facts of this layer are kept.
    fn keeps(&self, image: &PinnedImage, layer: usize) -> bool {
        let key = self.key(image, layer, &[]);
        self.store.layer::<LayerFacts>(&key).unwrap().is_some()
    }

    fn keeps_inventory(&self, image: &PinnedImage) -> bool {
        self.store.inventory(&self.examiner.inventory_key(image)).unwrap().is_some()
    }

    fn examine(&self, image: &PinnedImage) -> super::Result<Inventory> {
        self.examiner.examine(image, &|_| ())
    }
}

fn pin(builder: &ImageBuilder, content: &mut Counting) -> Descriptor {
    builder.store(&mut content.blobs)
}

fn open(content: &Arc<Counting>, root: &Descriptor, limits: Limits) -> PinnedImage {
    let content: Arc<dyn Content> = content.clone();
    let choice = PlatformChoice::All;
    resolve(content, root.clone(), &choice, &Arc::new(limits)).unwrap().remove(0)
}

fn base() -> TarBuilder {
    TarBuilder::new().file("etc/os-release", OS_RELEASE)
}

fn alpine() -> Vec<u8> {
    base().file(INSTALLED, DATABASE).build()
}

fn said(gaps: &[Gap]) -> Vec<String> {
    gaps.iter().map(ToString::to_string).collect()
}

fn names(inventory: &Inventory) -> Vec<&str> {
    inventory.packages.iter().map(|p| p.name.as_str()).collect()
}

#[test]
fn a_layer_over_a_limit_is_a_gap_and_nothing_of_it_is_kept() {
    let package = r#"{"name":"left-pad","version":"1.3.0"}"#;
    let large = TarBuilder::new().file("app/node_modules/left-pad/package.json", package);
    let large = (0..9).fold(large, |t, n| t.file(&format!("f{n}"), "")).build();
    let mut content = Counting::default();
    let image = ImageBuilder::new("linux/amd64").layer(alpine()).gzip_layer(&large);
    let root = pin(&image, &mut content);
    let content = Arc::new(content);
    let few = open(&content, &root, Limits { entries: 5, ..Limits::default() });
    let place = place();
    let blob = few.layers[1].blob.digest;
    for times in 1..3 {
        let inventory = place.examine(&few).unwrap();
        assert_eq!(names(&inventory), ["musl"]);
        let why = "more than 5 entries of a layer (raise with --limit entries=N)";
        assert_eq!(said(&inventory.gaps), [format!("over-limit: layer {blob}: {why}")]);
        assert!(place.keeps(&few, 0) && !place.keeps(&few, 1) && !place.keeps_inventory(&few));
        // Nothing that was kept hides it: it is looked at again.
        assert_eq!((content.opens(&few.layers[0].blob.digest), content.opens(&blob)), (1, times));
    }
    let all = open(&content, &root, Limits::default());
    let inventory = place.examine(&all).unwrap();
    assert_eq!((names(&inventory), said(&inventory.gaps)), (vec!["musl", "left-pad"], vec![]));
    assert!(place.keeps(&all, 1) && place.keeps_inventory(&all));
}

#[test]
fn of_bytes_that_are_not_the_promised_ones_nothing_is_kept() {
    type Make = Box<dyn Fn(&mut Counting) -> Descriptor>;
    let forged = |content: &mut Counting| {
        // The right diff id, and a blob of other bytes behind the promised digest.
        let promised = gzip(&alpine());
        let image = ImageBuilder::new("linux/amd64").gzip_layer(&alpine());
        let root = pin(&image, content);
        let empty = gzip(&TarBuilder::new().build());
        content.blobs.add_as(sha256(&promised), "", [empty, promised].concat());
        root
    };
    let table: [(&str, Make, ErrorKind); 3] = [
        (
            "another diff id",
            Box::new(|c| {
                pin(
                    &ImageBuilder::new("linux/amd64").blob(
                        "application/vnd.oci.image.layer.v1.tar",
                        alpine(),
                        sha256(b"other"),
                    ),
                    c,
                )
            }),
            ErrorKind::DigestMismatch,
        ),
        ("another blob", Box::new(forged), ErrorKind::Malformed),
        (
            "a bomb in place of the blob",
            Box::new(|c| {
                let bomb = (0..9).fold(TarBuilder::new(), |t, n| t.file(&format!("f{n}"), ""));
                let bomb = bomb.build();
                let mut promised = alpine();
                promised.resize(bomb.len(), 0);
                let root = pin(&ImageBuilder::new("linux/amd64").layer(promised.clone()), c);
                c.blobs.add_as(sha256(&promised), "", bomb);
                root
            }),
            ErrorKind::DigestMismatch,
        ),
    ];
    for (what, make, kind) in table {
        let mut content = Counting::default();
        let root = make(&mut content);
        let content = Arc::new(content);
        let image = open(&content, &root, Limits { entries: 5, ..Limits::default() });
        let place = place();
        for _ in 0..2 {
            match place.examine(&image).unwrap_err() {
                crate::trouble::Trouble::Image(e) => assert_eq!(e.kind(), kind, "{what}: {e}"),
                crate::trouble::Trouble::Ours(e) => panic!("{what}: {e}"),
            }
            assert!(!place.keeps(&image, 0) && !place.keeps_inventory(&image), "{what}");
        }
    }
}

#[test]
fn a_known_diff_id_does_not_vouch_for_another_blob() {
    let mut content = Counting::default();
    let known = pin(&ImageBuilder::new("linux/amd64").gzip_layer(&alpine()), &mut content);
    // The same configuration, but the manifest names another blob for its layer.
    let other = gzip(&base().file("usr/bin/evil", "x").build());
    let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
    let claim = ImageBuilder::new("linux/amd64").blob(media_type, other, sha256(&alpine()));
    let claim = pin(&claim, &mut content);
    let content = Arc::new(content);
    let place = place();
    place.examine(&open(&content, &known, Limits::default())).unwrap();
    match place.examine(&open(&content, &claim, Limits::default())).unwrap_err() {
        crate::trouble::Trouble::Image(e) => assert_eq!(e.kind(), ErrorKind::DigestMismatch, "{e}"),
        crate::trouble::Trouble::Ours(e) => panic!("{e}"),
    }
}

#[test]
fn a_second_look_finds_what_only_a_link_makes_interesting() {
    let lower = base().file("opt/db", DATABASE).build();
    let upper = TarBuilder::new().symlink(INSTALLED, "../../../opt/db").build();
    let image = ImageBuilder::new("linux/amd64").layer(lower.clone()).layer(upper);
    let mut content = Counting::default();
    let root = pin(&image, &mut content);
    let content = Arc::new(content);
    let image = open(&content, &root, Limits::default());
    let place = place();
    let inventory = place.examine(&image).unwrap();
    assert_eq!((names(&inventory), said(&inventory.gaps)), (vec!["musl"], vec![]));
    let opens = |at: usize| content.opens(&image.layers[at].blob.digest);
    assert_eq!((opens(0), opens(1)), (2, 1), "only the layer that holds the file");
    let (path, named) = ("opt/db".to_owned(), INSTALLED.to_owned());
    let extra = Extra { path, wanted: Wanted::ApkInstalled, named, part: None };
    let kept =
        |extra: &[Extra]| place.store.layer::<LayerFacts>(&place.key(&image, 0, extra)).unwrap();
    assert!(kept(&[]).is_some() && kept(&[extra]).is_some(), "each look under its own key");
    assert_eq!(place.examine(&image).unwrap(), inventory);
    assert_eq!((opens(0), opens(1)), (2, 1));
    // A second look that fails is an error, not the first look's result.
    let blob = image.layers[0].blob.digest;
    let content =
        Counting { fails: Some((blob, 1)), blobs: content.blobs.clone(), ..Counting::default() };
    let image = open(&Arc::new(content), &root, Limits::default());
    let other = self::place();
    let error = other.examine(&image).unwrap_err();
    assert_eq!(error.to_string(), format!("layer {blob}: it is gone"));
    assert!(!other.keeps_inventory(&image));
}

#[test]
fn facts_come_from_the_store_the_second_time() {
    let mut content = Counting::default();
    let node = TarBuilder::new().file("app/package.json", r#"{"name":"a","version":"1.0.0"}"#);
    let node = node.build();
    let one = pin(&ImageBuilder::new("linux/amd64").layer(alpine()), &mut content);
    let two = ImageBuilder::new("linux/amd64").layer(alpine()).layer(node.clone());
    let two = pin(&two, &mut content);
    let content = Arc::new(content);
    let place = place();
    let one = open(&content, &one, Limits::default());
    let first = place.examine(&one).unwrap();
    assert_eq!(place.examine(&one).unwrap(), first);
    let (shared, own) = (sha256(&alpine()), sha256(&node));
    assert_eq!(content.opens(&shared), 1);
    // Another image that shares a layer: only its own is read.
    let two = open(&content, &two, Limits::default());
    place.examine(&two).unwrap();
    assert_eq!((content.opens(&shared), content.opens(&own)), (1, 1));
    // Other options are other facts.
    let mut other = place.examiner.clone();
    other.options.file_bytes = 10;
    assert_ne!(other.examine(&one, &|_| ()).unwrap(), first);
    assert_eq!(content.opens(&shared), 2);
    // Without a store each time is the first.
    let bare = Examiner::new(Options::default(), None);
    assert_eq!(bare.examine(&one, &|_| ()).unwrap(), first);
    assert_eq!(content.opens(&shared), 3);
}

#[test]
fn layers_that_nobody_reads_reach_the_evidence() {
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
    let id = sha256(b"elsewhere");
    let table = [
        ("foreign", true, foreign, "foreign-layer"),
        ("encrypted", true, encrypted, "encrypted-layer"),
        ("nothing else in it", false, foreign, "foreign-layer"),
    ];
    let snapshot = snapshot_choice::choose(None).unwrap();
    let against =
        Against { snapshot: &snapshot, now: Timestamp::now(), max_feed_age_days: 100_000 };
    for (what, more, media_type, kind) in table {
        let mut content = Counting::default();
        let bare = ImageBuilder::new("linux/amd64");
        let image = if more { bare.layer(alpine()) } else { bare };
        let image = image.blob(media_type, b"x".to_vec(), id);
        let root = pin(&image, &mut content);
        let content = Arc::new(content);
        let place = place();
        // The second time its inventory comes from the store, the gap from the image.
        for _ in 0..2 {
            let image = open(&content, &root, Limits::default());
            let reference = "registry.example/a:1".parse().unwrap();
            let images = [image];
            let evidence =
                assess::evidence(&reference, root.digest, &images, &place.examiner, against);
            let evidence = evidence.unwrap();
            let gap = format!("{kind}: layer {}: its media type is {media_type:?}", sha256(b"x"));
            let gaps = said(&evidence.platforms[0].gaps);
            assert!(gaps.contains(&gap), "{what}: {gaps:?}");
            assert_eq!(content.opens(&sha256(b"x")), 0, "{what}");
            assert!(place.keeps_inventory(&images[0]), "{what}");
        }
    }
    let reference = "registry.example/a:1".parse().unwrap();
    let bare = Examiner::new(Options::default(), None);
    let nothing = assess::evidence(&reference, id, &[], &bare, against).unwrap();
    assert_eq!(
        said(&nothing.gaps),
        ["platform-not-examined: registry.example/a:1: the image has nothing for any platform \
          that nodes may select"]
    );
}

#[test]
fn a_folder_gets_a_second_look_too() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("etc/os-release", OS_RELEASE);
    write("opt/db", DATABASE);
    std::fs::create_dir_all(dir.path().join("lib/apk/db")).unwrap();
    std::os::unix::fs::symlink("/opt/db", dir.path().join(INSTALLED)).unwrap();
    let look = |limits: Limits| {
        examine_folder(dir.path(), &Arc::new(limits), &Options::default())
            .map_err(|e| e.to_string())
    };
    let (inventory, _) = look(Limits::default()).unwrap();
    assert_eq!((names(&inventory), said(&inventory.gaps)), (vec!["musl"], vec![]));
    assert_eq!(inventory.config, ImageFacts::default());
    let few = look(Limits { entries: 2, ..Limits::default() });
    assert_eq!(few.unwrap_err(), "more than 2 entries of a layer (raise with --limit entries=N)");
}
