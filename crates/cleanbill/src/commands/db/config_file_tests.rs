//! Configurations of `db update`, good and bad, with every mistake's place.

use std::path::Path;
use std::time::Duration;

use cleanbill_core::ecosystem::Ecosystem;
use proptest::prelude::*;

use super::*;

fn good(text: &str) -> Config {
    parse(text, Path::new("/etc/cleanbill/db.yaml")).unwrap_or_else(|p| panic!("{text}: {p:?}"))
}

#[test]
fn everything_can_be_set() {
    let config = good(
        "sources:
- snapshot:
    ref: registry.example/mirrors/advisories:1
    keys: [advisories.key.pub, /k/old.key.pub]
    plain_http: true
    ca: ca.pem
    username: robot
    password_file: password
    timeout: 1h30m
- trivy: {repository: ghcr.io/aquasecurity/trivy-db, timeout: 90s, ca: /k/ca.pem}
- feeds:
    ecosystems: [Alpine, Red Hat]
    feeds: [debian, nvd]
    mirror: https://mirror.example/osv
    ca: mirror-ca.pem
out: /var/lib/cleanbill/cleanbill.cbdb
cache: cache
",
    );
    assert_eq!(config.out.as_deref(), Some(Path::new("/var/lib/cleanbill/cleanbill.cbdb")));
    assert_eq!(config.cache.as_deref(), Some(Path::new("/etc/cleanbill/cache")));
    let way = Way {
        plain_http: true,
        ca: Some("/etc/cleanbill/ca.pem".into()),
        login: Some(("robot".into(), "/etc/cleanbill/password".into())),
        timeout: Some(Duration::from_secs(5400)),
    };
    let keys = vec!["/etc/cleanbill/advisories.key.pub".into(), "/k/old.key.pub".into()];
    let name = "registry.example/mirrors/advisories:1".parse().unwrap();
    let trivy = Way {
        ca: Some("/k/ca.pem".into()),
        timeout: Some(Duration::from_secs(90)),
        ..Way::default()
    };
    let feeds = Feeds {
        ecosystems: vec![Ecosystem::Alpine, Ecosystem::RedHat],
        publishers: vec![Choice::Of(Publisher::Debian), Choice::Of(Publisher::Nvd)],
        mirror: Some(Sources::mirror("https://mirror.example/osv").unwrap()),
        ca: Some("/etc/cleanbill/mirror-ca.pem".into()),
    };
    let database = "ghcr.io/aquasecurity/trivy-db:2".parse().unwrap();
    assert_eq!(
        config.sources,
        [Source::Snapshot(name, way, keys), Source::Trivy(database, trivy), Source::Feeds(feeds)]
    );
}

#[test]
fn the_documentation_shows_one_and_has_every_key_and_no_others() {
    let text = include_str!("../../../../../docs/advisories.md");
    let section = text.split("\n## A configuration for updates\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let example = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = good(example);
    let origins: Vec<String> = config.sources.iter().map(|s| s.origin().to_string()).collect();
    assert_eq!(
        origins,
        [
            "snapshot:registry.example/mirrors/advisories:1",
            "trivy:ghcr.io/aquasecurity/trivy-db:2",
            "feeds"
        ]
    );
    // The rows of its tables, whose heads name the kinds.
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let words = rows.flat_map(|row| row.split('`').step_by(2)).map(str::to_owned);
    let mut documented: Vec<String> = words.collect();
    let keys = [&KEYS[..], &KINDS, &FEEDS_KEYS, &TRIVY_KEYS, &SNAPSHOT_KEYS];
    let mut known: Vec<String> = keys.concat().into_iter().map(str::to_owned).collect();
    for list in [&mut documented, &mut known] {
        list.retain(|word| !word.is_empty());
        list.sort();
        list.dedup();
    }
    assert_eq!(documented, known);
}

#[test]
fn what_is_not_set_is_as_without_a_configuration() {
    for text in ["", "# nothing\n", "{}", "~"] {
        assert_eq!(good(text), Config::default(), "{text:?}");
    }
    let sources = |text: &str| -> Vec<String> {
        good(text).sources.iter().map(|s| s.origin().to_string()).collect()
    };
    // As `--from` names them.
    assert_eq!(
        sources("sources: [feeds, 'trivy:ghcr.io/a/db', 'snapshot:registry.example/a']"),
        ["feeds", "trivy:ghcr.io/a/db:2", "snapshot:registry.example/a:latest"]
    );
    assert_eq!(
        sources("sources:\n- feeds: {}\n- trivy: {repository: a.example/b:3}"),
        ["feeds", "trivy:a.example/b:3"]
    );
    let none = good("sources: [{feeds: {feeds: [none]}}]").feeds();
    assert_eq!((none.publishers, none.ecosystems), (vec![Choice::None], vec![]));
}

#[test]
fn every_mistake_is_told_at_once() {
    let many = format!("sources: [{}]", "feeds, ".repeat(17));
    let snapshot = |rest: &str| format!("sources: [{{snapshot: {{ref: a.example/b{rest}}}}}]");
    let table: &[(&str, &[&str])] = &[
        (
            "- a",
            &[
                "1:1: the configuration is a list, not a mapping (write KEY: VALUE; the keys are sources, out, cache)",
            ],
        ),
        ("out: [", &["(it is a YAML mapping without anchors"]),
        (
            "max_age: 7d\nout: 5\ncache:\n",
            &[
                "1:1: unknown key \"max_age\" (the keys are sources, out, cache)",
                "2:6: \"out\" is a number, not a text (put quotes around it if you mean \"5\")",
                "\"cache\" is nothing, not a text (give it a value, or remove the key)",
            ],
        ),
        ("source: []", &["1:1: unknown key \"source\" (did you mean \"sources\"?)"]),
        ("out: a\nout: b\n", &["2:1: \"out\" is there twice (keep one of them)"]),
        ("sources: feeds", &["1:10: \"sources\" is a text, not a list (write a list)"]),
        ("sources: []", &["1:10: \"sources\" has 0 entries (from 1 to 16)"]),
        (&many, &["1:10: \"sources\" has 17 entries (from 1 to 16)"]),
        (
            "sources: [mirror, 7, {feeds: {}, trivy: {}}, {}, {nvd: {}}]",
            &[
                "1:11: \"mirror\" is no source (feeds, trivy:REPOSITORY or snapshot:REF, or one",
                "1:19: a source is a number, not a mapping (write KEY: VALUE; the keys are feeds,",
                "1:22: a source has 2 kinds (give it exactly one of feeds, trivy, snapshot)",
                "1:46: a source has 0 kinds",
                "1:50: a source has 0 kinds",
                "1:51: unknown key \"nvd\" (the keys are feeds, trivy, snapshot)",
            ],
        ),
        ("sources: [feeds, {feeds: {}}]", &["1:18: feeds is there twice (keep one of them)"]),
        (
            "sources:\n- feeds:\n- trivy: ghcr.io/a\n- snapshot: {}\n",
            &[
                "\"feeds\" is nothing, not a mapping (write KEY: VALUE; the keys are ecosystems, feeds, mirror, ca)",
                "3:10: \"trivy\" is a text, not a mapping (write KEY: VALUE; the keys are repository,",
                "4:13: \"snapshot\" has no \"ref\" (write ref: REGISTRY/REPOSITORY:TAG, where",
            ],
        ),
        ("sources: [{trivy: {}}]", &["1:19: \"trivy\" has no \"repository\" (write repository: "]),
        (
            "sources: [{feeds: {ecosystems: [alpine], feeds: [osv], mirror: 'http://a.example'}}]",
            &[
                "1:33: \"ecosystems\" cannot be \"alpine\" (",
                "1:50: \"feeds\" cannot be \"osv\" (one of almalinux, alpine-secdb, amazon, chainguard, debian, epss, nvd, redhat, rubysec, suse, wolfi, none)",
                "1:64: \"mirror\" cannot be \"http://a.example\" (write https://host/path; plain HTTP",
            ],
        ),
        (
            "sources: [{feeds: {ecosystems: [], feeds: none, mirror: 7}}]",
            &[
                "1:32: \"ecosystems\" is an empty list (name at least one, or remove the key)",
                "1:43: \"feeds\" is a text, not a list",
                "1:57: \"mirror\" is a number, not a text",
            ],
        ),
        // An empty list of keys would be a signature that nobody asks for.
        (&snapshot(", keys: []"), &["1:47: \"keys\" is an empty list (name at least one"]),
        (&snapshot(", keys: a.pub"), &["1:47: \"keys\" is a text, not a list"]),
        (&snapshot(", key: [a]"), &["1:41: unknown key \"key\" (did you mean \"keys\"?)"]),
        (&snapshot(", plain_http: yes"), &["1:53: \"plain_http\" is a text, not true or false"]),
        (&snapshot(", ca: [a]"), &["1:45: \"ca\" is a list, not a text (write a text)"]),
        (&snapshot(", ca: ''"), &["1:45: \"ca\" is empty (write what it is)"]),
        (&snapshot(", timeout: 90"), &["1:50: \"timeout\" is no time (write it as 90s, 5m or"]),
        (&snapshot(", timeout: 0s"), &["1:50: \"timeout\" is no time"]),
        (
            &snapshot(", username: u"),
            &["1:22: one of \"username\" and \"password_file\" alone (give both, or neither)"],
        ),
        (
            &snapshot(", username: u, password: hush"),
            &[
                "1:22: one of \"username\"",
                "1:54: there is no \"password\" (no secret stands here: put it into a file of its own, and name that: password_file)",
            ],
        ),
        (
            "sources: [{snapshot: {ref: A b}}, {trivy: {repository: 'a b'}}]",
            &[
                "1:28: \"ref\" cannot be \"A b\" (write it as [REGISTRY/]REPOSITORY[:TAG][@DIGEST])",
                "1:56: \"repository\" cannot be \"a b\" (write it as",
            ],
        ),
    ];
    for (text, wanted) in table {
        let problems = parse(text, Path::new("db.yaml")).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), wanted.len(), "{text}: {said:#?}");
        for (said, wanted) in said.iter().zip(*wanted) {
            assert!(said.starts_with("db.yaml:") && said.contains(wanted), "{said}\n{wanted}");
            assert!(!said.contains("hush"), "no secret is shown: {said}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-z:{}\\[\\], \n'#&*!|>]{0,80}") {
        fuzz_config(text.as_bytes());
    }
}
