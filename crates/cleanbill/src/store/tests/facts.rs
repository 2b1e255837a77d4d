//! Facts are bounded: what was not used for longest goes, and what a registration rests on stays.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use serde::Serialize;

use super::super::{Caretaker, Owner, Registration, Room, Store};
use super::{digest, inventory, layer};

/// As the gate's own key: a name, a digest.
#[derive(Serialize)]
struct Key {
    name: &'static str,
    digest: Digest,
}

fn key(n: u8) -> Key {
    Key { name: "registry.example/app", digest: digest(n) }
}

/// Text that does not get smaller.
fn noise(seed: u8) -> String {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from(state >> 60).unwrap())
    };
    (0..20_000).map(|_| next()).collect()
}

/// When each image was last used, as the file has it, in days ago.
fn age(store: &Store, n: u8, days: i64) {
    let raw = rusqlite::Connection::open(&store.path).unwrap();
    let used = Timestamp::now().as_second() - days * 86_400;
    let key = serde_json::to_vec(&key(n)).unwrap();
    assert_eq!(raw.execute("UPDATE images SET used = ?1 WHERE key = ?2", (used, key)).unwrap(), 1);
}

fn there(store: &Store) -> Vec<u8> {
    let raw = rusqlite::Connection::open(&store.path).unwrap();
    let has = |n: &u8| {
        let key = serde_json::to_vec(&key(*n)).unwrap();
        raw.query_row("SELECT count(*) FROM images WHERE key = ?1", [key], |r| r.get::<_, i64>(0))
            .unwrap()
            == 1
    };
    (0..20).filter(has).collect()
}

fn filled() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    for n in 0..20 {
        store.put_image(&key(n), &noise(n)).unwrap();
        age(&store, n, i64::from(n) + 2);
    }
    (dir, store)
}

#[test]
fn the_longest_unused_goes_and_what_is_registered_stays() {
    let (dir, store) = filled();
    let whole = store.facts_size().unwrap();
    assert!(!store.make_room().unwrap());
    assert_eq!(store.facts_size().unwrap(), whole, "there is room");
    // The oldest of all is registered; the next one is used once more.
    let name = "docker.io/local/app:1".to_owned();
    store
        .register(&Registration {
            name: name.clone(),
            digest: digest(19),
            node: "any".into(),
            who: "me".into(),
            at: Timestamp::now(),
            note: String::new(),
        })
        .unwrap();
    assert_eq!(store.image::<String>(&key(18)).unwrap().unwrap(), noise(18));
    assert!(!store.mark_used().unwrap());
    drop(store);
    let room = Room { facts: whole / 40 * 21, ..Room::default() };
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap().within(room);
    while store.make_room().unwrap() {}
    let size = store.facts_size().unwrap();
    assert!(size <= whole / 40 * 21 && size > whole / 3, "{size} of {whole}");
    let want: Vec<u8> = (0..8).chain([18, 19]).collect();
    assert_eq!(there(&store), want);
    // Taken back, it is like any other.
    store.unregister(&name, None, None, "me", Timestamp::now()).unwrap();
    let store = store.within(Room { facts: whole / 20 * 9, ..room });
    while store.make_room().unwrap() {}
    assert!(!there(&store).contains(&19));
    // With nothing but what is registered it ends, too.
    for n in there(&store) {
        let (digest, at) = (digest(n), Timestamp::now());
        let (node, who, note) = ("any".into(), "me".into(), String::new());
        let registration = Registration { name: name.clone(), digest, node, who, at, note };
        store.register(&registration).unwrap();
    }
    let left = there(&store);
    let store = store.within(Room { facts: 0, ..room });
    assert!(!store.make_room().unwrap());
    assert_eq!(there(&store), left);
}

#[test]
fn reading_costs_a_write_a_day_and_not_at_once() {
    let (_dir, store) = filled();
    let day = |n: u8| -> i64 {
        let raw = rusqlite::Connection::open(&store.path).unwrap();
        let key = serde_json::to_vec(&key(n)).unwrap();
        let used: i64 =
            raw.query_row("SELECT used FROM images WHERE key = ?1", [key], |r| r.get(0)).unwrap();
        (Timestamp::now().as_second() - used + 43_200).div_euclid(86_400)
    };
    for _ in 0..3 {
        store.image::<String>(&key(5)).unwrap().unwrap();
    }
    assert_eq!(day(5), 7, "reading writes nothing");
    assert_eq!(super::super::lock(&store.used).len(), 1);
    store.mark_used().unwrap();
    assert_eq!(day(5), 0);
    store.image::<String>(&key(5)).unwrap().unwrap();
    assert_eq!(super::super::lock(&store.used).len(), 0, "once a day will do");
    // A clock that was ahead.
    age(&store, 6, -400);
    store.image::<String>(&key(6)).unwrap().unwrap();
    store.mark_used().unwrap();
    assert_eq!(day(6), 0);
}

#[test]
fn all_kinds_are_counted_and_go_a_bounded_piece_at_a_time() {
    let (_dir, store) = filled();
    let before = store.facts_size().unwrap();
    for n in 0..100 {
        store.put_layer(&layer(n), &noise(n)).unwrap();
    }
    let many =
        cleanbill_core::inventory::InventoryKey { layers: vec![layer(1)], config: digest(1) };
    store.put_inventory(&many, &inventory()).unwrap();
    assert!(store.facts_size().unwrap() > before * 4);
    let store = store.within(Room { facts: 0, ..Room::default() });
    assert!(store.make_room().unwrap(), "not all at once");
    assert!(store.facts_size().unwrap() > before);
    while store.make_room().unwrap() {}
    assert_eq!(store.facts_size().unwrap(), 0);
}

#[test]
fn the_caretaker_does_it_beside_everything_else() {
    let (_dir, store) = filled();
    let store = Arc::new(store.within(Room { facts: 0, snapshots: 0 }));
    let caretaker = Caretaker::start(Arc::clone(&store)).unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while store.facts_size().unwrap() > 0 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(caretaker);
    assert_eq!(there(&store), [0_u8; 0]);
}
