//! What is made of all entries together: groups of ids, names in any case, and how many were left
//! out or not understood.

use cleanbill_core::advisory::Advisories;

use super::{imported, show, tree};
use crate::Snapshot;
use crate::bbolt::testing::{Node, Tree};

#[test]
fn ids_that_flaws_share_are_of_a_group() {
    let json = |ids: &str| format!(r#"{{"VulnerableVersions":["<1"],"VendorIDs":[{ids}]}}"#);
    let (one, two) = (json(r#""GHSA-a","GO-1""#), json(r#""GO-1","GHSA-b""#));
    const GO: &str = "go::The Go Vulnerability Database";
    let rows = [(GO, "m", "CVE-2024-0001", &*one), (GO, "m", "CVE-2024-0002", &*two)];
    let gathered = imported(&tree(&rows)).unwrap();
    let found: Vec<_> = gathered.advisories.values().flatten().map(show).collect();
    assert_eq!(
        found,
        [
            "CVE-2024-0001 UNKNOWN [0, 1) alias GHSA-a erratum GO-1",
            "CVE-2024-0002 UNKNOWN [0, 1) alias GHSA-b erratum GO-1",
        ]
    );
    let dates = gathered.advisories.values().flatten().next().unwrap();
    assert_eq!(dates.published, "2024-01-02T03:04:05Z".parse().ok());
    assert_eq!(dates.modified, "2024-02-03T00:00:00Z".parse().ok());
    let ratings: Vec<_> = gathered
        .flaws
        .iter()
        .flat_map(|(id, f)| f.ratings.iter().map(move |r| (&**id, &*r.source, r.severity.as_str())))
        .collect();
    let wanted = [
        ("CVE-2024-0001", "alpine", "LOW"),
        ("CVE-2024-0001", "nvd", "HIGH"),
        ("CVE-2024-0001", "redhat", "MEDIUM"),
        ("CVE-2024-0002", "trivy", "MEDIUM"),
        ("GHSA-aaaa", "ghsa", "CRITICAL"),
        ("GHSA-aaaa", "nvd", "MEDIUM"),
    ];
    assert_eq!(ratings, wanted);
    let nvd = &gathered.flaws["CVE-2024-0001"].ratings[1];
    assert!(nvd.cvss.as_ref().unwrap().starts_with("CVSS:3.1/"));
}

#[test]
fn names_are_found_in_any_case_where_trivy_has_one_only() {
    let json = r#"{"VulnerableVersions":["<1"]}"#;
    let rows = [
        ("npm::GitHub Security Advisory npm", "jsonstream", "CVE-1", json),
        ("maven::GitHub Security Advisory Maven", "com.a:b", "CVE-1", json),
        ("go::The Go Vulnerability Database", "github.com/a/b", "CVE-1", json),
        ("alpine 3.19", "zlib", "CVE-1", "{}"),
        ("archlinux", "zlib", "CVE-1", "{}"),
    ];
    let mut bytes = Vec::new();
    crate::write(&imported(&tree(&rows)).unwrap(), &mut bytes).unwrap();
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    let table = [
        ("npm", "jsonstream", 1),
        ("npm", "JSONStream", 1),
        ("Maven", "com.A:B", 1),
        ("Go", "github.com/A/b", 0),
        ("Alpine:v3.19", "zlib", 1),
        ("Alpine:v3.19", "Zlib", 0),
    ];
    for (stream, name, found) in table {
        let advisories = snapshot.lookup(&stream.parse().unwrap(), name).unwrap();
        assert_eq!(advisories.len(), found, "{stream} {name}");
    }
    // What was left out is told by the snapshot itself.
    let wanted = "trivy: \"archlinux\": 1 entries: packages of it are not matched here";
    assert_eq!(snapshot.ignored(), [wanted]);
}

#[test]
fn what_is_not_covered_is_counted_and_named() {
    let mut tree = tree(&[
        ("archlinux", "a", "CVE-1", r#"{"FixedVersion":"1","AffectedVersion":"0.5"}"#),
        ("archlinux", "b", "CVE-1", "{}"),
        ("seal alpine", "a", "CVE-1", "{}"),
        ("debian sid", "a", "CVE-1", "{}"),
        ("debian 12; rm", "a", "CVE-1", "{}"),
        ("cocoapods::GitHub Security Advisory Cocoapods", "a", "CVE-1", "{}"),
        ("Red Hat", "a", "CVE-1", r#"{"Entries":[{"Affected":[2],"Cves":[{}]}]}"#),
        ("alpine 3.19", "a", "CVE-1", "{}"),
    ]);
    tree.put(&["loose"], "value");
    tree.put(&["vulnerability", "CVE-9"], "[]");
    tree.put(&["data-source", "x"], "[]");
    let gathered = imported(&tree).unwrap();
    let wanted = [
        "trivy: \"Red Hat\": 1 entries: of other products than Enterprise Linux",
        "trivy: \"archlinux\": 2 entries: packages of it are not matched here",
        "trivy: \"cocoapods::GitHub Security Advisory Cocoapods\": 1 entries: packages of it are not matched here",
        "trivy: \"data-source\": 1 entries: not understood",
        "trivy: \"debian 12; rm\": 1 entries: packages of it are not matched here",
        "trivy: \"debian sid\": 1 entries: packages of it are not matched here",
        "trivy: \"loose\": 1 entries: no bucket",
        "trivy: \"seal alpine\": 1 entries: it speaks of packages that a vendor has replaced",
        "trivy: \"vulnerability\": 1 entries: not understood",
    ];
    assert_eq!(gathered.ignored, wanted);
    let feeds: Vec<_> =
        gathered.feeds.iter().map(|f| (f.id.as_str(), f.licence.as_str())).collect();
    let wanted = [
        (
            "trivy:alpine",
            "as published by Alpine Linux (no licence stated), by way of Trivy's database",
        ),
        ("trivy:redhat", "as published by Red Hat, by way of Trivy's database"),
    ];
    assert_eq!(feeds, wanted);
}

#[test]
fn past_a_share_that_is_not_understood_the_import_fails() {
    let good = r#"{"FixedVersion":"1"}"#;
    let ids: Vec<String> = (0..40).map(|n| format!("CVE-2024-{n:04}")).collect();
    for (bad, fails) in [(2, false), (3, true)] {
        let rows: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(n, id)| ("alpine 3.19", "a", id.as_str(), if n < bad { "3" } else { good }))
            .collect();
        match imported(&tree(&rows)) {
            Ok(gathered) => {
                assert!(!fails);
                let feed = &gathered.feeds[0];
                assert_eq!((feed.advisories, feed.not_understood), (38, 2));
            }
            Err(error) => {
                let text = error.to_string();
                assert!(fails && text.contains("alpine 3.19 a CVE-2024-0000"), "{text}");
            }
        }
    }
    let mut odd = tree(&[("alpine 3.19", "a", "CVE-1", good)]);
    odd.put(&["alpine 3.19", "b"], "no bucket");
    let error = imported(&odd).unwrap_err().to_string();
    assert!(error.contains("1 of 2 entries could not be understood"), "{error}");
    let error = imported(&tree(&[])).unwrap_err().to_string();
    assert_eq!(error, "these bytes: no advisories in it");
}

#[test]
fn a_platform_of_which_nothing_is_said_covers_nothing() {
    let mut tree = tree(&[("alpine 3.19", "a", "CVE-1", "{}")]);
    let nothing = || Node::Bucket(Tree::default());
    tree.0.insert(b"rocky 9".into(), nothing());
    let packages = [(b"a".to_vec(), nothing())].into();
    tree.0.insert(b"alpine 3.18".into(), Node::Bucket(Tree(packages)));
    let streams: Vec<_> =
        imported(&tree).unwrap().feeds.into_iter().flat_map(|f| f.streams).collect();
    assert_eq!(streams.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Alpine:v3.19"]);
}
