//! Snapshots brought from elsewhere, whole and otherwise: whatever happens, the one that was in
//! force stays, or the new one is in force, whole.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use cleanbill_advisory::load::{Load, Loaded, MOST, load};
use cleanbill_advisory::{Error, ErrorKind, Gathered, Snapshot, write};
use cleanbill_core::advisory::{Advisory, Feed};
use cleanbill_core::ecosystem::{Ecosystem, Stream};

/// A snapshot of some packages, with feeds `id@second`; without a second a feed has no date.
fn made(feeds: &[&str]) -> Vec<u8> {
    let mut gathered = Gathered::default();
    let stream = Stream::of(Ecosystem::Go);
    for feed in feeds {
        let (id, second) = feed.split_once('@').unwrap();
        let as_of = second.parse().ok().map(|s| cleanbill_core::Timestamp::from_second(s).unwrap());
        gathered.feeds.push(Feed {
            id: id.to_owned(),
            as_of,
            licence: "none".to_owned(),
            advisories: 1,
            not_understood: 0,
            streams: vec![stream.clone()],
        });
    }
    for n in 0..3000 {
        let id = format!("CVE-2020-{n:04}");
        gathered.add(&stream, &format!("p{n}"), Advisory { id, ..Advisory::default() });
    }
    gathered.sort();
    let mut bytes = Vec::new();
    write(&gathered, &mut bytes).unwrap();
    bytes
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn plan(&self) -> Load {
        let out = self.path("in/force.cbdb");
        Load { name: "it".to_owned(), out, digest: None, force: false, most: MOST }
    }

    fn load(&self, bytes: &[u8]) -> Result<Loaded, Error> {
        load(&mut &*bytes, &self.plan())
    }

    /// The bytes in force, of the one before, and what else lies there.
    fn state(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>, Vec<String>) {
        let read = |name: &str| std::fs::read(self.path(name)).ok();
        let mut names: Vec<String> = std::fs::read_dir(self.path("in"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                !["force.cbdb", "force.cbdb.previous", "force.cbdb.lock"].contains(&&**name)
            })
            .collect();
        names.sort();
        (read("in/force.cbdb"), read("in/force.cbdb.previous"), names)
    }
}

#[test]
fn a_whole_one_takes_the_place_and_the_one_before_is_kept() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    let loaded = place.load(&old).unwrap();
    assert_eq!((loaded.already, loaded.contents.advisories), (false, 3000));
    assert_eq!(place.state(), (Some(old.clone()), None, vec![]));
    place.load(&new).unwrap();
    assert_eq!(place.state(), (Some(new.clone()), Some(old.clone()), vec![]));
    // Twice is once: the one before is not pushed out by the same again.
    assert!(place.load(&new).unwrap().already);
    assert_eq!(place.state(), (Some(new), Some(old), vec![]));
}

#[test]
fn what_is_not_whole_is_refused_and_nothing_changes() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    place.load(&old).unwrap();
    let flipped = |at: usize| {
        let mut bytes = new.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut older = new.clone();
    older[8] = 1;
    let end = new.len();
    let table: Vec<(Vec<u8>, ErrorKind, &str)> = vec![
        (vec![], ErrorKind::Malformed, "it is no snapshot: it is too short"),
        (b"PK".repeat(99), ErrorKind::Malformed, "it is no snapshot: it begins with other bytes"),
        (new[..20].to_vec(), ErrorKind::Malformed, "it is no snapshot: it is too short"),
        (new[..end / 2].to_vec(), ErrorKind::Damaged, "it is damaged: its end is missing"),
        (new[..end - 1].to_vec(), ErrorKind::Damaged, "it is damaged: its end is missing"),
        ([&*new, b"x"].concat(), ErrorKind::Damaged, "it is damaged: its end is missing"),
        (flipped(100), ErrorKind::Damaged, "it: the block of Go p0 does not have the hash"),
        (flipped(end - 100), ErrorKind::Damaged, "it is damaged: its index does not have the hash"),
        (older, ErrorKind::Malformed, "it has snapshot format 1; this program reads 3"),
    ];
    for (bytes, kind, words) in table {
        let error = place.load(&bytes).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(words), "{error}");
        assert_eq!(place.state(), (Some(old.clone()), None, vec![]), "{error}");
    }
    for length in (0..end).step_by(97) {
        assert!(place.load(&new[..length]).is_err(), "{length}");
    }
    for at in (0..end).step_by(211) {
        assert!(place.load(&flipped(at)).is_err(), "{at}");
    }
    assert_eq!(place.state(), (Some(old), None, vec![]));
}

#[test]
fn another_digest_and_too_many_bytes_are_refused() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    let digest = |bytes: &[u8]| Snapshot::from_bytes(bytes.to_vec()).unwrap().digest();
    place.load(&old).unwrap();
    let plan = Load { digest: Some(digest(&old)), ..place.plan() };
    let error = load(&mut &*new, &plan).unwrap_err();
    let wanted = format!("it has the digest {}, not {}", digest(&new), digest(&old));
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Damaged, wanted));
    let plan = Load { most: new.len() as u64 - 1, ..place.plan() };
    let error = load(&mut &*new, &plan).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OverLimit);
    assert_eq!(place.state(), (Some(old), None, vec![]));
    let plan = Load { digest: Some(digest(&new)), most: new.len() as u64, ..place.plan() };
    assert_eq!(load(&mut &*new, &plan).unwrap().digest, digest(&new));
}

#[test]
fn what_goes_back_is_named_and_taken_only_by_force() {
    // (in force, new, what goes back)
    let table: &[(&[&str], &[&str], &[&str])] = &[
        (&["a@200", "b@200"], &["a@200", "b@201"], &[]),
        (&["a@200"], &["a@200", "b@1"], &[]),
        (&["a@-"], &["a@1"], &[]),
        (
            &["a@200", "b@200"],
            &["a@201", "b@199"],
            &["b goes back from 1970-01-01T00:03:20Z to 1970-01-01T00:03:19Z"],
        ),
        // A date of the future is none: whoever bears one can be replaced.
        (&["a@4000000000"], &["a@200"], &[]),
        (&["a@4000000000"], &["a@-"], &[]),
        (&["a@200"], &["a@-"], &["a goes back from 1970-01-01T00:03:20Z to a date unknown"]),
        (&["a@200", "b@200"], &["b@201"], &["a is not in it"]),
        (&["a@200", "b@-"], &["c@201"], &["a is not in it", "b is not in it"]),
    ];
    for (old, new, back) in table {
        let place = Place::new();
        let (old, new) = (made(old), made(new));
        place.load(&old).unwrap();
        let result = place.load(&new);
        if back.is_empty() {
            assert_eq!(result.unwrap().back, *back);
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Older);
        let head = "it is older than the snapshot in force, or lacks some of it:\n  ";
        assert_eq!(error.to_string(), format!("{head}{}", back.join("\n  ")));
        assert_eq!(place.state(), (Some(old.clone()), None, vec![]));
        let plan = Load { force: true, ..place.plan() };
        assert_eq!(load(&mut &*new, &plan).unwrap().back, *back);
        assert_eq!(place.state(), (Some(new), Some(old), vec![]));
    }
    // Where no file is, the starter is in force: its dates count, its choice of feeds does not.
    let error = Place::new().load(&made(&["kev@5"])).unwrap_err();
    assert!(error.to_string().contains("kev goes back from 20"), "{error}");
}

#[test]
fn a_damaged_one_in_force_is_replaced_by_force_alone_and_pushes_nothing_out() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    place.load(&old).unwrap();
    place.load(&new).unwrap();
    std::fs::write(place.plan().out, &new[..500]).unwrap();
    let error = place.load(&new).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Older);
    assert!(error.to_string().contains("what is in force cannot be read"), "{error}");
    load(&mut &*new, &Load { force: true, ..place.plan() }).unwrap();
    assert_eq!(place.state(), (Some(new.clone()), Some(old.clone()), vec![]));
    // A damaged block leaves the feeds and the digest known: no force is needed, and the same
    // digest does not pass for the same content.
    let mut damaged = new.clone();
    damaged[100] ^= 1;
    std::fs::write(place.plan().out, damaged).unwrap();
    assert!(!place.load(&new).unwrap().already);
    assert_eq!(place.state(), (Some(new), Some(old), vec![]));
}

/// Gives what a source has, and looks in between at what stands in the place.
struct Watched<'a> {
    left: &'a [u8],
    place: &'a Path,
    wanted: &'a [u8],
}

impl Read for Watched<'_> {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        assert_eq!(std::fs::read(self.place).unwrap(), self.wanted);
        let most = piece.len().min(1000);
        self.left.read(&mut piece[..most])
    }
}

#[test]
fn readers_see_the_one_before_until_the_new_one_is_whole() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    place.load(&old).unwrap();
    let plan = place.plan();
    let reader = Snapshot::open(&plan.out).unwrap();
    load(&mut Watched { left: &new, place: &plan.out, wanted: &old }, &plan).unwrap();
    assert_eq!(std::fs::read(&plan.out).unwrap(), new);
    // Who has opened the one before reads on in it.
    assert_eq!(reader.contents().unwrap().advisories, 3000);
    assert_eq!(reader.feeds()[0].as_of.unwrap().as_second(), 1_790_000_000);
}

#[test]
fn two_at_once_do_not_meet_and_what_a_killed_one_left_counts_for_nothing() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    place.load(&old).unwrap();
    let held = File::open(place.path("in/force.cbdb.lock")).unwrap();
    held.lock().unwrap();
    let error = place.load(&new).unwrap_err();
    assert!(
        error.to_string().ends_with("another process is replacing it; wait for it, then try again")
    );
    assert_eq!(place.state(), (Some(old.clone()), None, vec![]));
    drop(held);
    // Killed between writing and renaming: half of it, or all of it, lies there.
    for left in [&new[..new.len() / 2], &new] {
        std::fs::write(place.path("in/force.cbdb.new"), left).unwrap();
        assert_eq!(Snapshot::open(&place.plan().out).unwrap().digest(), {
            Snapshot::from_bytes(old.clone()).unwrap().digest()
        });
        assert!(place.load(b"x").is_err());
        assert_eq!(place.state(), (Some(old.clone()), None, vec![]));
    }
    std::fs::write(place.path("in/force.cbdb.new"), b"half").unwrap();
    place.load(&new).unwrap();
    assert_eq!(place.state(), (Some(new), Some(old), vec![]));
}

/// A source that fails in the middle, as a network folder does.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(piece)? {
            0 => Err(std::io::Error::other("it is gone")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_source_that_fails_changes_nothing() {
    let place = Place::new();
    let (old, new) = (made(&["osv:Go@1790000000"]), made(&["osv:Go@1790000001"]));
    place.load(&old).unwrap();
    let error = load(&mut Failing(&new), &place.plan()).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Io, "it: it is gone".to_owned()));
    assert_eq!(place.state(), (Some(old), None, vec![]));
}
