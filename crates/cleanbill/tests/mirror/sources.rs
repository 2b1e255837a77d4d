//! `db update --from`: the first source that works, each that does not by name, and nothing that is in
//! force taken away by one that stands in.

use std::fs::File;

use serde_json::Value;

use crate::feeds::{database, publish, publish_database, wanted};
use crate::place::{Place, made, new};
use crate::registry::{Registry, Trick};

const SNAPSHOT: &str = "application/vnd.cleanbill.snapshot.v1";
const LAYER: &str = "application/vnd.cleanbill.snapshot.layer.v1";

/// Everything there: feeds, a database of Trivy as `trivy:2`, a snapshot as `db:1`.
fn world() -> (Place, Registry) {
    let (place, registry) = (Place::new(), Registry::start());
    publish(&registry);
    publish_database(&registry, &database("2026-09-02"));
    registry.artifact("db:1", SNAPSHOT, registry.blob(LAYER, &new()));
    (place, registry)
}

/// `db update` from these sources, by their short names.
fn update(registry: &Registry, sources: &str) -> String {
    let host = &registry.host;
    let from: Vec<String> = sources
        .split_whitespace()
        .map(|source| match source {
            "trivy" => format!("--from trivy:{host}/trivy"),
            "snapshot" => format!("--from snapshot:{host}/db:1"),
            other => format!("--from {other}"),
        })
        .collect();
    format!("db update {} {} --plain-http {host}", from.join(" "), wanted(registry))
}

/// The feeds in force, with their days.
fn feeds(place: &Place) -> Vec<String> {
    let output = place.run("db status -f json");
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let feed =
        |f: &Value| format!("{} {:.10}", f["Feed"].as_str().unwrap(), f["AsOf"].as_str().unwrap());
    status["Feeds"].as_array().unwrap().iter().map(feed).collect()
}

/// Those of a kind.
fn of(kind: &str, all: &[String]) -> Vec<String> {
    all.iter().filter(|f| f.starts_with(kind)).cloned().collect()
}

#[test]
fn each_source_makes_a_snapshot_on_a_fresh_machine() {
    for (source, first) in [("feeds", "eol"), ("trivy", "trivy:alpine"), ("snapshot", "osv:Go")] {
        let (place, registry) = world();
        let said = place.check(&update(&registry, source), 0, &[first]);
        assert!(!said.contains("warning: "), "{said}");
        assert!(!of(first, &feeds(&place)).is_empty(), "{source}");
    }
}

#[test]
fn what_fails_is_named_and_the_next_is_tried() {
    let always = usize::MAX;
    let publish_bad = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        move |r: &Registry| publish_database(r, &bytes)
    };
    let trick =
        |at: &'static str, trick: Trick| move |r: &Registry| r.trick(at, trick.clone(), always);
    type Spoil = Box<dyn Fn(&Registry)>;
    let busy = Trick::Status(429, Some("3600"));
    let mut other = new();
    other[500] ^= 1;
    let table: Vec<(&str, &str, Spoil, &str, &str)> = vec![
        ("snapshot feeds", "", Box::new(trick("/manifests/", busy)), "answers 429", "osv:PyPI"),
        (
            "snapshot feeds",
            "",
            Box::new(trick("/blobs/", Trick::Other(other))),
            "the digest should be",
            "osv:PyPI",
        ),
        ("snapshot feeds", "--key a.key.pub", Box::new(|_| ()), "is not signed", "osv:PyPI"),
        ("snapshot trivy", "--key a.key.pub", Box::new(|_| ()), "is not signed", "trivy:alpine"),
        (
            "trivy feeds",
            "",
            Box::new(trick("/manifests/", Trick::Status(404, None))),
            "answers 404",
            "osv:PyPI",
        ),
        ("trivy feeds", "", Box::new(publish_bad(b"no gzip")), "cannot be unpacked", "osv:PyPI"),
        (
            "trivy feeds",
            "",
            Box::new(publish_bad(&database("2026-09-02")[..900])),
            "cannot be unpacked",
            "osv:PyPI",
        ),
        ("feeds trivy", "", Box::new(Registry::no_files), "404 Not Found", "trivy:alpine"),
        ("feeds snapshot", "", Box::new(Registry::no_files), "404 Not Found", "osv:Go"),
        ("feeds trivy snapshot", "", Box::new(Registry::no_files), "404", "trivy:alpine"),
    ];
    for (sources, more, spoil, cause, got) in table {
        let (place, registry) = world();
        spoil(&registry);
        let line = format!("{} {more}", update(&registry, sources));
        let said = place.check(
            &line,
            3,
            &["warning: ", " gives nothing: ", cause, "had to do for:", cause],
        );
        assert!(!of(got, &feeds(&place)).is_empty(), "{said}");
        assert_eq!(place.in_force().1, None, "{sources}");
    }
}

#[test]
fn where_none_works_what_was_in_force_stays() {
    let (place, registry) = world();
    place.check("db load new.cbdb", 0, &[]);
    registry.no_files();
    registry.trick("/manifests/", Trick::Status(429, Some("3600")), usize::MAX);
    place.check(
        &update(&registry, "feeds trivy snapshot"),
        2,
        &[
            "error: no source gives a snapshot:",
            "\n  feeds: ",
            "404",
            "\n  trivy:",
            "answers 429",
            "\n  snapshot:",
            "answers 429",
            "what was in force stays as it was",
        ],
    );
    assert_eq!(place.in_force(), (Some(new()), None));
    // One alone fails as it always did.
    place.check(&update(&registry, "feeds"), 2, &["error: http://", "/PyPI/all.zip: the server"]);
    assert_eq!(place.in_force(), (Some(new()), None));
}

#[test]
fn one_that_stands_in_adds_and_takes_nothing_away() {
    let (place, registry) = world();
    place.check(&update(&registry, "feeds trivy"), 0, &[]);
    let before = feeds(&place);
    assert_eq!(before.len(), 3, "{before:?}");
    registry.no_files();
    place.check(&update(&registry, "feeds trivy"), 3, &["warning: feeds gives nothing: "]);
    let both = feeds(&place);
    assert_eq!([of("eol", &both), of("kev", &both), of("osv:", &both)].concat(), before);
    assert!(of("trivy:", &both).iter().all(|f| f.ends_with("2026-09-02")), "{both:?}");
    assert_eq!(of("trivy:", &both).len() + before.len(), both.len());
    registry.asked();
    // Again: what is here is not fetched again, and it is the same.
    let first = place.in_force().0;
    place.check(&update(&registry, "feeds trivy"), 3, &["unchanged"]);
    assert_eq!(registry.asked(), ["GET manifests"]);
    assert_eq!(place.in_force().0, first);
    // And back to what is wanted.
    publish(&registry);
    place.check(&update(&registry, "feeds trivy"), 0, &[]);
    assert_eq!(feeds(&place), before);

    // The other way round: the copy of the database counts where feeds stand in for it.
    place.check(&update(&registry, "trivy feeds"), 0, &[]);
    registry.trick("/manifests/", Trick::Reset, usize::MAX);
    place.check(&update(&registry, "trivy feeds"), 3, &["warning: trivy:", "cannot be reached"]);
    assert_eq!(feeds(&place), both);
    // A new database that cannot be built from does not push out the copy that can.
    registry.no_tricks();
    publish_database(&registry, b"no gzip");
    place.check(&update(&registry, "trivy feeds"), 3, &["warning: trivy:", "cannot be unpacked"]);
    assert_eq!(feeds(&place), both);
    publish_database(&registry, &database("2026-09-03"));
    place.check(&update(&registry, "trivy"), 0, &["trivy:alpine  2026-09-03"]);
}

#[test]
fn one_that_stands_in_builds_from_what_is_whole_of_the_feeds() {
    let (place, registry) = world();
    // Of the catalogue only the beginning has ever arrived.
    let kev = place.folder().join("feeds/kev");
    std::fs::create_dir_all(&kev).unwrap();
    let begun = kev.join("known_exploited_vulnerabilities.json.etag-22703122.partial");
    std::fs::write(&begun, "{").unwrap();
    registry.trick("/kev/", Trick::Status(404, None), 1);
    let words = ["osv:PyPI", "warning: not everything is there", "\n  kev/known"];
    place.check(&update(&registry, "feeds trivy"), 3, &words);
    let before = feeds(&place);
    assert_eq!(before.len(), 2, "{before:?}");
    registry.no_files();
    let said =
        place.check(&update(&registry, "feeds trivy"), 3, &["warning: feeds gives nothing: "]);
    assert!(!said.contains("without the copies"), "{said}");
    let both = feeds(&place);
    assert_eq!([of("eol", &both), of("osv:", &both)].concat(), before);
    assert!(begun.is_file() && !of("trivy:", &both).is_empty());
}

#[test]
fn one_that_would_take_something_away_does_not_stand_in() {
    // (in force, sources, words)
    let more = [("osv:Go", "2026-09-02"), ("osv:PyPI", "2026-09-02")];
    let younger = [("osv:PyPI", "2026-09-05")];
    let table: Vec<(Vec<u8>, &str, &[&str])> = vec![
        (new(), "snapshot trivy", &["trivy:", "lacks some of it", "osv:Go is not in it"]),
        (new(), "snapshot feeds", &["feeds: what the feeds give is older", "osv:Go is not in it"]),
        (made(&more), "trivy snapshot", &["snapshot:", "osv:PyPI is not in it"]),
        (made(&younger), "snapshot feeds", &["osv:PyPI goes back from 2026-09-05"]),
    ];
    for (in_force, sources, words) in table {
        let (place, registry) = world();
        std::fs::write(place.path("force.cbdb"), &in_force).unwrap();
        place.check("db load force.cbdb", 0, &[]);
        let first = if sources.starts_with("trivy") { "/trivy" } else { "/db" };
        // The first of them is not there.
        let line = update(&registry, sources).replacen(first, "/nothing", 1);
        place.check(&line, 2, &[&["answers 404", "no source gives a snapshot"], words].concat());
        assert_eq!(place.in_force(), (Some(in_force), None), "{sources}");
    }
    // The first choice is what is wanted, and is not asked; but a mirror that goes back is refused.
    let (place, registry) = world();
    place.check(&update(&registry, "trivy"), 0, &[]);
    place.check(&update(&registry, "feeds"), 0, &[]);
    let before = place.in_force();
    place.check(&update(&registry, "snapshot"), 2, &["osv:PyPI is not in it", "db pull --force"]);
    assert_eq!(place.in_force(), before);
}

#[test]
fn what_cannot_be_meant_is_said_before_anything_is_asked() {
    let (place, registry) = world();
    let line = update(&registry, "trivy");
    let table = [
        (line.clone() + " --key a.key.pub", "a key was given, and no source that is signed"),
        (
            line.clone() + " --from snapshot:other.example/a --username u --password p",
            "one login was given, and several registries: 127.0.0.1:",
        ),
        (line.clone() + " --from mirror:x", "mirror:x is no source: feeds, trivy:REPOSITORY"),
    ];
    for (line, words) in table {
        place.check(&line, 2, &[words]);
    }
    assert_eq!(registry.asked(), Vec::<String>::new());
    // Another update is running: no source is to blame.
    std::fs::create_dir_all(place.folder()).unwrap();
    let held = File::create(place.folder().join("lock")).unwrap();
    held.lock().unwrap();
    place.check(&update(&registry, "trivy snapshot"), 2, &["another update is running"]);
    assert_eq!(registry.asked(), Vec::<String>::new());
}

#[test]
fn an_update_fetches_what_the_images_of_the_machine_needed() {
    let (place, registry) = world();
    let site = place.path("root/usr/lib/python3.13/site-packages/a-1.0.dist-info");
    std::fs::create_dir_all(&site).unwrap();
    std::fs::write(site.join("METADATA"), "Name: a\nVersion: 1.0\n\n").unwrap();
    // Where nothing is kept, nothing is left behind.
    place.check("rootfs root", 0, &[]);
    assert!(!place.path(".cache").exists());
    std::fs::create_dir_all(place.folder()).unwrap();
    place.check("rootfs root", 0, &[]);
    assert_eq!(place.read(".cache/cleanbill/db/ecosystems"), b"PyPI\n");

    let update = format!("db update --mirror http://{}/feeds --feeds none", registry.host);
    place.check(&update, 0, &["osv:PyPI", "images here needed PyPI (--ecosystems"]);
    assert_eq!(of("osv:", &feeds(&place)).len(), 1);
    place.check("rootfs root", 0, &["a", "PYSEC-1"]);

    // What was fetched for another reason stays.
    std::fs::write(place.folder().join("ecosystems"), "Go\n").unwrap();
    place.check(&update, 3, &["warning: not everything is there", "\n  osv/Go/all.zip: http://"]);
    place.check("db status", 0, &["osv:PyPI", "not read: osv/Go: it could not be fetched"]);
    std::fs::write(place.folder().join("ecosystems"), "Oracle Linux\n").unwrap();
    place.check(&update, 0, &["osv:PyPI", "nobody is asked about Oracle Linux"]);
}
