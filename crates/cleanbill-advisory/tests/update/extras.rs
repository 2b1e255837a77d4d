//! The extras of Amazon Linux 2: from a catalogue to the errata of each, or to none.

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::update::{Plan, Publisher, Sources, update};
use cleanbill_core::advisory::Advisories;

use super::repository::{CDN, play, play_all, play_others, play_quiet};
use super::server::{Server, Trick};

const ARCHES: [&str; 2] = ["x86_64", "aarch64"];

fn catalogue(server: &Server, arch: &str, etag: &str, topics: &[&str]) {
    let topics: Vec<String> = topics.iter().map(|topic| format!(r#"{{"n":"{topic}"}}"#)).collect();
    let json = format!(r#"{{"status":"ok","topics":[{}]}}"#, topics.join(","));
    server.put(&format!("{CDN}/2/extras-catalog-{arch}.json"), &format!("\"{etag}\""), json.into());
}

/// Plays an extra with one erratum, of the package `a`.
fn extra(server: &Server, topic: &str, arch: &str, erratum: &str) {
    let list = format!("2/extras/{topic}/latest/{arch}");
    play(server, &list, &format!("{topic}-{erratum}"), arch, erratum, erratum);
}

/// `module fix [arches]` of what is said of the package in the extras, and which of them are covered.
fn said(plan: &Plan) -> Vec<String> {
    let snapshot = Snapshot::open(&plan.out).unwrap();
    let found = snapshot.lookup(&"Amazon Linux:2".parse().unwrap(), "a").unwrap();
    let of = found.iter().filter_map(|a| {
        let module = a.module.as_deref()?;
        Some(format!("{module} {:?} {:?}", a.ranges[0].end, a.arches))
    });
    let feed = snapshot.feeds().iter().find(|f| f.id == "amazon").unwrap();
    let covered = feed.streams.iter().filter_map(|s| s.release.strip_prefix("2::"));
    let mut said: Vec<String> = of.chain(covered.map(str::to_owned)).collect();
    said.sort();
    said
}

#[test]
fn each_extra_of_the_catalogue_is_followed_to_its_errata() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    play_all(&server, "g1", "1");
    for arch in ARCHES {
        catalogue(&server, arch, "c1", &["docker", "quiet"]);
        extra(&server, "docker", arch, "7");
        play_quiet(&server, "quiet", arch);
    }
    // One that is there for one architecture alone.
    catalogue(&server, "x86_64", "c1", &["docker", "quiet", "livepatch"]);
    extra(&server, "livepatch", "x86_64", "8");

    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::Amazon];
    assert_eq!(update(&plan, &mut |_| ()).unwrap().kept, [""; 0]);
    let docker = r#"amzn2extra-docker Fixed("1-7") []"#;
    let livepatch = r#"amzn2extra-livepatch Fixed("1-8") ["x86_64"]"#;
    let all = ["amzn2extra-docker", docker, "amzn2extra-livepatch", livepatch];
    assert_eq!(said(&plan), all);

    // What has not changed is not fetched again.
    server.asked("");
    update(&plan, &mut |_| ()).unwrap();
    let asked = server.asked("/cdn.amazonlinux.com/core/docker-7/x86_64/repodata/");
    assert_eq!(asked, ["repomd.xml if-none-match=\"7\"", "u.xml.gz if-none-match=\"7\""]);

    // What is wrong is told, and the copy of before kept; where there is none, it goes without.
    let list = format!("{CDN}/2/extras/docker/latest/x86_64/mirror.list");
    let catalogues = format!("{CDN}/2/extras-catalog-x86_64.json");
    for (path, trick, want) in [
        (&list, Trick::Status(404), "the server said 404"),
        (&list, Trick::Body(b"<html>".to_vec()), "no list of mirrors"),
        (&catalogues, Trick::Body(b"<html>".to_vec()), "no catalogue of extras"),
        (&catalogues, Trick::Body(br#"{"topics":[{"n":"../x"}]}"#.to_vec()), "no name of an extra"),
    ] {
        server.trick(path, &[trick]);
        let kept = update(&plan, &mut |_| ()).unwrap().kept.join("\n");
        assert!(kept.contains(want), "{kept}\n{want}");
        assert_eq!(said(&plan), all, "{want}");
    }
    for arch in ARCHES {
        catalogue(&server, arch, "c2", &["docker", "redis6"]);
    }
    extra(&server, "redis6", "x86_64", "9");
    let updated = update(&plan, &mut |_| ()).unwrap();
    let missing = updated.missing.join("\n");
    assert!(updated.missing.len() == 1 && missing.contains("aarch64/redis6/"), "{missing}");
    // A half is no whole, and what the catalogue names no more is gone.
    let redis = r#"amzn2extra-redis6 Fixed("1-9") ["x86_64"]"#;
    assert_eq!(said(&plan), ["amzn2extra-docker", docker, redis]);
    let ignored = updated.report.ignored.join("\n");
    assert!(ignored.contains("amazon/2: 1 of 2 extras have errata that are whole"), "{ignored}");

    // Extras that have no errata any more.
    for arch in ARCHES {
        catalogue(&server, arch, "c3", &["docker"]);
        play_quiet(&server, "docker", arch);
    }
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(said(&plan), [""; 0]);
}

#[test]
fn extras_that_cannot_be_had_at_all_stop_nothing() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    play_all(&server, "g1", "1");
    let topics: Vec<String> = (0..50).map(|n| format!("t{n}")).collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    catalogue(&server, "x86_64", "c1", &topics);
    server.trick(&format!("{CDN}/2/extras-catalog-aarch64.json"), &[Trick::Status(404)]);

    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::Amazon];
    let updated = update(&plan, &mut |_| ()).unwrap();
    assert_eq!(said(&plan), [""; 0]);
    // The catalogue, and three of fifty, after which no more are asked for.
    assert_eq!(updated.missing.len(), 4, "{:?}", updated.missing);
    assert_eq!(server.asked(&format!("{CDN}/2/extras/")).len(), 3);
    // The core bears its date all the same.
    let feed = updated.report.feeds.iter().find(|f| f.id == "amazon").unwrap();
    assert_eq!(feed.as_of.unwrap().to_string(), "2026-08-01T00:00:00Z");
}
