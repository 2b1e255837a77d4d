//! What is pushed is what is pulled, and who signed it.

use crate::place::{Place, new, old};
use crate::registry::Registry;

#[test]
fn what_was_pushed_is_pulled_and_the_one_before_kept() {
    let (place, registry) = (Place::new(), Registry::start());
    let (name, plain) =
        (format!("{}/db:1", registry.host), format!("--plain-http {}", registry.host));
    let pull = format!("db pull {name} {plain}");
    place.check(
        &format!("db push {name} {plain} --db old.cbdb"),
        0,
        &["old.cbdb: ", "db:1@sha256:"],
    );
    assert_eq!(
        registry.asked(),
        [
            "HEAD blobs",
            "POST blobs",
            "PUT blobs",
            "HEAD blobs",
            "POST blobs",
            "PUT blobs",
            "PUT manifests"
        ]
    );
    let manifest = registry.get("db:1");
    assert_eq!(manifest["artifactType"], "application/vnd.cleanbill.snapshot.v1");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.cleanbill.snapshot.layer.v1");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);

    place.check(&pull, 0, &["osv:Go  2026-09-01", "2000 advisories", "with the manifest sha256:"]);
    assert_eq!(place.in_force(), (Some(old()), None));
    registry.asked();
    // What lies here already is not sent for again.
    place.check(&pull, 0, &["It was in force already", "): unchanged"]);
    assert_eq!(registry.asked(), ["GET manifests"]);
    place.check(
        &format!("db push {name} {plain} --db old.cbdb"),
        0,
        &["The registry had the snapshot already."],
    );

    place.check(&format!("db push {name} {plain} --db new.cbdb"), 0, &[]);
    place.check(&pull, 0, &[]);
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
    // Back, by name only with force.
    place.check(&format!("db push {name} {plain} --db old.cbdb"), 0, &[]);
    let refused = ["osv:Go goes back from 2026-09-02", "--force; what was in force stays"];
    place.check(&pull, 2, &refused);
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
    place.check(&format!("{pull} --force"), 0, &["note: osv:Go goes back"]);
    assert_eq!(place.in_force(), (Some(old()), Some(new())));
}

#[test]
fn a_key_that_is_given_must_have_signed_before_anything_is_fetched() {
    let (place, registry) = (Place::new(), Registry::start());
    let (name, plain) =
        (format!("{}/db:1", registry.host), format!("--plain-http {}", registry.host));
    let push = format!("db push {name} {plain} --db new.cbdb");
    let pull = format!("db pull {name} {plain}");
    place.check("db load old.cbdb", 0, &[]);
    let refused = |keys: &str, words: &[&str]| {
        registry.asked();
        place.check(&format!("{pull} {keys}"), 2, words);
        assert_eq!(registry.asked(), ["GET manifests"], "{keys}");
        assert_eq!(place.in_force(), (Some(old()), None), "{keys}");
    };
    place.check(&push, 0, &[]);
    refused("--key a.key.pub", &["is not signed, and a key was given", "push it with --sign-key"]);
    place.check(&format!("{push} --sign-key b.key"), 0, &["signed by key sha256:"]);
    refused("--key a.key.pub", &["its signature does not hold: none of the 1 keys"]);
    place.check(&format!("{pull} --key a.key"), 2, &["a.key: ", "it is the private key"]);

    // Another snapshot under the signature of this one.
    let mut manifest = registry.get("db:1");
    let other = registry.blob("application/vnd.cleanbill.snapshot.layer.v1", &old());
    manifest["layers"][0] = other;
    registry.manifest("db:1", &manifest);
    refused("--key b.key.pub", &["its signature does not hold: it is about another layer"]);

    place.check(&format!("{push} --sign-key a.key"), 0, &[]);
    place.check(&pull, 0, &["note: it is signed, and nobody checked by whom"]);
    place.check("db load old.cbdb --force", 0, &[]);
    place.check(&format!("{pull} --key b.key.pub --key a.key.pub"), 0, &["signed by key sha256:"]);
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
}

#[test]
fn what_cannot_be_pushed_is_said() {
    let (place, registry) = (Place::new(), Registry::start());
    let plain = format!("--plain-http {}", registry.host);
    let name = format!("{}/db:1", registry.host);
    let mut damaged = place.read("new.cbdb");
    damaged[100] ^= 1;
    std::fs::write(place.path("damaged.cbdb"), damaged).unwrap();
    let zeros = "0".repeat(64);
    let table = [
        (format!("{name} {plain}"), "there is only the starter"),
        (format!("{name} {plain} --db damaged.cbdb"), "does not have the hash"),
        (
            format!("{name}@sha256:{zeros} {plain} --db new.cbdb"),
            "nothing can be pushed to a digest",
        ),
        (format!("{name} {plain} --db new.cbdb --sign-key a.key.pub"), "it is the public key"),
        (format!("{name} --db new.cbdb"), "cannot be reached"),
        ("127.0.0.1:1/db:1 --plain-http 127.0.0.1:1 --db new.cbdb".to_owned(), "cannot be reached"),
    ];
    for (line, words) in table {
        place.check(&format!("db push {line}"), 2, &["error: ", words]);
    }
    assert_eq!(registry.asked(), Vec::<String>::new());
}
