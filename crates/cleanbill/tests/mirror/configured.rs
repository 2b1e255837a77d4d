//! `db update` and `db pull` from a configuration: which file, what flags change, and that nothing is
//! asked while it is wrong.

use crate::feeds::{database, publish, publish_database};
use crate::place::{Place, new, old};
use crate::registry::Registry;

/// A registry with a snapshot that `a.key` signed as `db:1`, an unsigned one as `db:2`, a database of
/// Trivy and feeds; and a machine whose configuration names them.
fn given() -> (Place, Registry) {
    let (place, registry) = (Place::new(), Registry::start());
    publish(&registry);
    publish_database(&registry, &database("2026-09-02"));
    let host = &registry.host;
    let push = format!("db push {host}/db --plain-http {host} --db new.cbdb");
    place.check(&format!("{} --sign-key a.key", push.replace("/db ", "/db:1 ")), 0, &[]);
    place.check(&push.replace("/db ", "/db:2 "), 0, &[]);
    registry.asked();
    configure(
        &place,
        &format!(
            "sources:
- snapshot: {{ref: '{host}/db:1', keys: [../../a.key.pub], plain_http: true, timeout: 20s}}
- trivy: {{repository: {host}/trivy, plain_http: true}}
- feeds: {{mirror: 'http://{host}/feeds', ecosystems: [PyPI], feeds: [none]}}
"
        ),
    );
    (place, registry)
}

fn configure(place: &Place, text: &str) {
    let path = place.path(".config/cleanbill/db.yaml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn the_configuration_says_what_flags_do_not() {
    let note = "configuration: ";
    // (the line, the exit code, words)
    let table: &[(&str, i32, &[&str])] = &[
        ("db update", 0, &["osv:Go", "signed by key sha256:", note, "/.config/cleanbill/db.yaml"]),
        ("db pull", 0, &["osv:Go", "signed by key sha256:", note]),
        ("db update --from trivy:HOST/trivy", 0, &["trivy:alpine  2026-09-02", note]),
        ("db update --from feeds", 0, &["osv:PyPI", note]),
        // Keys are asked for whatever tag a flag names, and a flag's own come before them.
        ("db pull HOST/db:2", 2, &["is not signed, and a key was given"]),
        ("db update --from snapshot:HOST/db:2", 2, &["is not signed, and a key was given"]),
        ("db pull --key b.key.pub", 2, &["none of the 1 keys"]),
        ("db update --key b.key.pub", 3, &["trivy:alpine", "snapshot:", "none of the 1 keys"]),
        // Of another repository nothing is said.
        ("db pull HOST/other:1 --plain-http HOST", 2, &["answers 404"]),
        ("db update --from feeds --ecosystems Go", 2, &["/feeds/Go/all.zip"]),
        ("db update --from feeds --mirror http://HOST/x", 2, &["/x/PyPI/all.zip"]),
        // Neither is anything without a configuration.
        ("db pull --config /dev/null", 2, &["no snapshot is named", "db pull REF"]),
        ("db pull HOST/db:1 -c /dev/null", 2, &["cannot be reached"]),
        ("db pull HOST/db:1 -c /dev/null --plain-http HOST", 0, &["nobody checked by whom"]),
        (
            "db update -c nowhere.yaml",
            2,
            &["cannot read nowhere.yaml: No such file", "next: name one"],
        ),
    ];
    for (line, code, words) in table {
        let (place, registry) = given();
        let line = line.replace("HOST", &registry.host);
        place.check(&line, *code, words);
        assert_eq!(place.in_force().0.is_some(), *code != 2, "{line}");
    }
}

#[test]
fn files_and_folders_of_a_configuration_are_used_and_flags_come_before_them() {
    let (place, registry) = given();
    let text = String::from_utf8(place.read(".config/cleanbill/db.yaml")).unwrap();
    configure(&place, &format!("{text}out: ../../out.cbdb\ncache: ../../kept\n"));
    place.check("db update", 0, &["/out.cbdb: "]);
    place.check("db update --from feeds", 0, &["/out.cbdb: "]);
    assert!(place.path("kept/feeds/osv/PyPI/all.zip").is_file());
    place.check("db update --from feeds --out mine.cbdb --cache mine", 0, &["mine.cbdb: "]);
    assert!(place.path("mine/feeds/osv/PyPI/all.zip").is_file());
    place.check("db pull --out pulled.cbdb", 0, &["pulled.cbdb: "]);
    assert!(place.read("pulled.cbdb") == new());
    assert_eq!(place.in_force(), (None, None));
    drop(registry);
}

#[test]
fn while_it_is_wrong_nothing_is_asked_and_what_is_in_force_stays() {
    let (place, registry) = given();
    place.check("db load old.cbdb", 0, &[]);
    configure(&place, "sources: [feed, {snapshot: {keys: []}}]\npassword: hush\n");
    let words = [
        "error: the configuration has 4 mistakes:\n  ",
        "db.yaml:1:11: \"feed\" is no source (feeds, trivy:REPOSITORY or snapshot:REF",
        "db.yaml:1:28: \"snapshot\" has no \"ref\" (",
        "db.yaml:1:35: \"keys\" is an empty list (",
        "db.yaml:2:1: there is no \"password\" (",
        "next: docs/advisories.md describes every key; nothing was fetched",
    ];
    for line in ["db update", "db pull", "db update --from feeds"] {
        let said = place.check(line, 2, &words);
        assert!(!said.contains("hush"), "{said}");
    }
    // Neither is a key that it names and is not there passed over.
    configure(
        &place,
        &format!("sources: [{{snapshot: {{ref: '{}/db:1', keys: [no.pub]}}}}]", registry.host),
    );
    place.check("db update", 2, &["cannot read ", "/.config/cleanbill/no.pub: No such file"]);
    place.check("db pull", 2, &["cannot read ", "/.config/cleanbill/no.pub: No such file"]);
    assert_eq!(registry.asked(), [""; 0]);
    assert_eq!(place.in_force(), (Some(old()), None));
}
