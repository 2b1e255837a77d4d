//! Registrations are made, taken back, and never forgotten.

use cleanbill_core::Timestamp;

use super::super::{ANY, Event, Owner, Registration, Store};
use super::digest;

fn registration(name: &str, n: u8, node: &str) -> Registration {
    Registration {
        name: name.into(),
        digest: digest(n),
        node: node.into(),
        who: "ada (1000)".into(),
        at: Timestamp::from_millisecond(1_000).unwrap(),
        note: "built by hand".into(),
    }
}

#[test]
fn the_last_word_on_each_image_and_node_counts() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let store = Store::open(&state, Owner::Gate).unwrap();
    let later = Timestamp::from_millisecond(2_000).unwrap();
    let (one, two) = (registration("app:1", 1, "a"), registration("app:1", 1, "b"));
    let (three, other) = (registration("app:1", 2, "a"), registration("web:1", 1, "a"));
    for registration in [&one, &two, &three, &other] {
        store.register(registration).unwrap();
    }
    let look = || Store::look(&state, Owner::Gate).unwrap().registrations("app:1").unwrap();
    // A node has one image of a name.
    assert_eq!(look(), [two.clone(), three.clone()]);
    assert_eq!(store.registrations("app").unwrap(), []);
    assert_eq!(store.all_registrations().unwrap().len(), 3);
    let (anywhere, too) = (registration("any:1", 1, ANY), registration("any:1", 2, ANY));
    assert_eq!(store.register(&anywhere).unwrap(), []);
    assert_eq!(store.register(&too).unwrap(), []);
    assert_eq!(store.registrations("any:1").unwrap(), [anywhere, too]);
    // (digest, node, what is taken back, how many are left)
    let none: [Registration; 0] = [];
    let unregister = |n: Option<u8>, node| {
        store.unregister("app:1", n.map(digest).as_ref(), node, "eve (7)", later).unwrap()
    };
    assert_eq!(unregister(Some(9), None), none);
    assert_eq!(unregister(Some(1), Some("b")), std::slice::from_ref(&two));
    assert_eq!(look(), std::slice::from_ref(&three));
    assert_eq!(unregister(None, Some("a")), std::slice::from_ref(&three));
    assert_eq!(unregister(None, None), none);
    assert_eq!(look(), none);
    store.register(&two).unwrap();
    assert_eq!(look(), [two]);
    assert_eq!(store.all_registrations().unwrap().len(), 4);
    let history = store.registration_history().unwrap();
    let removed: Vec<&Registration> =
        history.iter().filter(|(e, _)| *e == Event::Removed).map(|(_, r)| r).collect();
    assert_eq!((history.len(), removed.len()), (10, 3));
    // The first was replaced by whoever registered another one.
    assert_eq!(removed[0], &one);
    assert!(removed[1..].iter().all(|r| r.who == "eve (7)" && r.at == later));
    let raw = rusqlite::Connection::open(state.join("evidence.db")).unwrap();
    raw.execute("DELETE FROM registrations", []).unwrap_err();
    raw.execute("UPDATE registrations SET node = 'c'", []).unwrap_err();
}
