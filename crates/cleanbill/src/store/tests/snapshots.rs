//! The bytes of snapshots are kept for as long as decisions refer to them, whole or not at all, and
//! what is not there says why.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cleanbill_advisory::{Gathered, Snapshot, write};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;

use super::super::write::Writer;
use super::super::{Decision, Keep, Owner, Place, Room, Store};
use super::{decision, digest};

/// A snapshot of its own for each number.
fn snapshot(dir: &Path, n: u8) -> (PathBuf, Snapshot) {
    let life = |n: u8| {
        let release = (format!("distribution-{n}"), "1".to_owned());
        (release, None)
    };
    let gathered = Gathered { lives: [life(n)].into_iter().collect(), ..Gathered::default() };
    let path = dir.join(format!("{n}.cbdb"));
    let mut bytes = Vec::new();
    write(&gathered, &mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let snapshot = Snapshot::open(&path).unwrap();
    (path, snapshot)
}

fn files(store: &Store) -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(store.path.with_file_name("snapshots")) else {
        return Vec::new();
    };
    let mut all: Vec<String> =
        folder.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

fn gone(store: &Store, digest: &Digest) -> String {
    match store.open_snapshot(digest).unwrap() {
        Ok(_) => panic!("{digest} opened"),
        Err(why) => why,
    }
}

#[test]
fn a_copy_outlives_its_source_and_is_verified_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let (path, one) = snapshot(dir.path(), 1);
    store.keep_snapshot(&one).unwrap();
    store.keep_snapshot(&one).unwrap();
    // The source is written into, and then gone.
    std::fs::write(&path, b"something else").unwrap();
    std::fs::remove_file(&path).unwrap();
    let noted = store.snapshot(&one.digest()).unwrap().unwrap();
    let Place::File(copy) = &noted.place else { panic!("{noted:?}") };
    assert_eq!(noted.from, path.display().to_string());
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(files(&store), [one.digest().to_string()]);
    let again = store.open_snapshot(&one.digest()).unwrap().unwrap();
    assert_eq!((again.digest(), again.size()), (one.digest(), one.size()));
    again.verify().unwrap();

    // Another one in its place, a damaged one, and none.
    let (other, _) = snapshot(dir.path(), 2);
    std::fs::copy(&other, copy).unwrap();
    assert!(gone(&store, &one.digest()).contains("is another one"));
    std::fs::write(copy, vec![0; 200]).unwrap();
    assert!(gone(&store, &one.digest()).contains("is no snapshot"));
    std::fs::remove_file(copy).unwrap();
    assert!(gone(&store, &one.digest()).contains("is gone"));
    // Put in force again, it is made whole.
    std::fs::write(copy, vec![0; 200]).unwrap();
    let (_, one) = snapshot(dir.path(), 1);
    store.keep_snapshot(&one).unwrap();
    store.open_snapshot(&one.digest()).unwrap().unwrap().verify().unwrap();
    assert!(gone(&store, &digest(9)).contains("not noted"));
}

#[test]
fn the_starter_is_in_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let starter = Snapshot::starter().unwrap();
    store.keep_snapshot(&starter).unwrap();
    assert_eq!(files(&store), [""; 0]);
    let noted = store.snapshot(&starter.digest()).unwrap().unwrap();
    assert_eq!(noted.place, Place::Program);
    assert!(store.open_snapshot(&starter.digest()).unwrap().is_ok());
    // That of a program of before.
    let raw = rusqlite::Connection::open(&store.path).unwrap();
    raw.execute("UPDATE snapshots SET digest = ?1", [digest(9).to_string()]).unwrap();
    assert!(gone(&store, &digest(9)).contains("another version of this program"));
}

#[test]
fn what_there_is_no_room_for_goes_oldest_first_and_never_the_one_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<Snapshot> = (1..=3).map(|n| snapshot(dir.path(), n).1).collect();
    let size = all[0].size();
    let bound = |snapshots| Room { snapshots, ..Room::default() };
    let open = |room| Store::open(&dir.path().join("s"), Owner::Gate).unwrap().within(room);
    let store = open(bound(2 * size));
    for one in &all {
        store.keep_snapshot(one).unwrap();
    }
    let mut want = [all[1].digest().to_string(), all[2].digest().to_string()];
    want.sort();
    assert_eq!(files(&store), want);
    let why = gone(&store, &all[0].digest());
    assert!(why.contains("dropped for room on 20") && why.contains("decisions.snapshots"), "{why}");
    // An old one that comes back in force stays, whatever it takes.
    drop(store);
    let store = open(bound(0));
    store.keep_snapshot(&all[0]).unwrap();
    assert_eq!(files(&store), [all[0].digest().to_string()]);
    store.remove_leftovers().unwrap();
    assert_eq!(files(&store), [all[0].digest().to_string()]);
}

#[test]
fn a_file_goes_after_its_row_and_leftovers_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let [old, new] = [1, 2].map(|n| snapshot(dir.path(), n).1);
    let keep = Keep { count: 0, days: 0 };
    let store = store.keeping(keep);
    store.keep_snapshot(&old).unwrap();
    let refers = Decision { snapshot: Some(old.digest()), ..decision("a", Timestamp::now()) };
    store.record_decision(&refers).unwrap();
    store.keep_snapshot(&new).unwrap();
    store.remove_leftovers().unwrap();
    assert_eq!(files(&store).len(), 2, "its row is there");
    // Others come, until nothing refers to it.
    let mut writer = Writer::open(&store.path, keep).unwrap();
    for n in 0..4 {
        let other = Decision { snapshot: None, ..decision(&n.to_string(), Timestamp::now()) };
        store.record_decision(&other).unwrap();
        writer.idle().unwrap();
    }
    assert_eq!(store.snapshot(&old.digest()).unwrap(), None);
    assert_eq!(files(&store).len(), 2, "only the row went");
    let folder = store.path.with_file_name("snapshots");
    for left in [".sha256:0101".to_owned(), digest(7).to_string()] {
        std::fs::write(folder.join(left), b"half").unwrap();
    }
    store.remove_leftovers().unwrap();
    assert_eq!(files(&store), [new.digest().to_string()]);
}

#[test]
fn what_cannot_be_kept_is_a_gap_that_says_why_and_can_be_mended() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let (_, one) = snapshot(dir.path(), 1);
    let folder = store.path.with_file_name("snapshots");
    std::fs::write(&folder, b"in its place").unwrap();
    let said = store.keep_snapshot(&one).unwrap_err().to_string();
    assert!(said.contains("could not be kept for later") && said.contains("next: "), "{said}");
    assert!(gone(&store, &one.digest()).contains("could not be kept"));
    // Decisions are recorded, and what they refer to is noted.
    let refers = Decision { snapshot: Some(one.digest()), ..decision("a", Timestamp::now()) };
    store.record_decision(&refers).unwrap();
    std::fs::remove_file(&folder).unwrap();
    store.keep_snapshot(&one).unwrap();
    assert!(store.open_snapshot(&one.digest()).unwrap().is_ok());
}

#[test]
fn one_that_is_noted_after_decisions_refer_to_it_is_kept_as_long_as_they_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep { count: 80, days: 90 };
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap().keeping(keep);
    let [old, new] = [1, 2].map(|n| snapshot(dir.path(), n).1);
    let mut writer = Writer::open(&store.path, keep).unwrap();
    let refers = |n: usize, at: Option<Digest>| Decision {
        snapshot: at,
        ..decision(&n.to_string(), Timestamp::now())
    };
    let mut put = |decision| {
        let entry = super::super::Entry { decision, evidence: Vec::new(), admitted: None };
        let ready = super::super::write::Ready::new(entry).unwrap();
        writer.write(&[ready]).map_err(|w| w.failure).unwrap();
        writer.idle().unwrap();
    };
    (0..4).for_each(|n| put(refers(n, Some(old.digest()))));
    store.keep_snapshot(&old).unwrap();
    (4..8).for_each(|n| put(refers(n, Some(old.digest()))));
    store.keep_snapshot(&new).unwrap();
    for n in 8..200 {
        put(refers(n, Some(new.digest())));
        let found = store.decisions(&super::super::Wanted::default(), 999).unwrap();
        let referred = found.iter().any(|(_, d)| d.snapshot == Some(old.digest()));
        assert!(!referred || store.snapshot(&old.digest()).unwrap().is_some(), "{n}");
    }
    assert_eq!(store.snapshot(&old.digest()).unwrap(), None);
}
