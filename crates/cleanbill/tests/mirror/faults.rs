//! Every way in which a pull goes wrong: the snapshot in force stays, and nothing half-done is left.

use std::time::Duration;

use serde_json::json;

use crate::place::{Place, new, old};
use crate::registry::{Registry, Trick};

const ARTIFACT: &str = "application/vnd.cleanbill.snapshot.v1";
const LAYER: &str = "application/vnd.cleanbill.snapshot.layer.v1";

const STAYS: &str = "what was in force stays as it was";

/// A registry that has this as `db:1`, and a machine on which the old snapshot is in force.
fn given(bytes: &[u8]) -> (Place, Registry) {
    let (place, registry) = (Place::new(), Registry::start());
    registry.artifact("db:1", ARTIFACT, registry.blob(LAYER, bytes));
    place.check("db load old.cbdb", 0, &[]);
    (place, registry)
}

fn pull(registry: &Registry) -> String {
    format!("db pull {}/db:1 --plain-http {} --timeout 20s", registry.host, registry.host)
}

#[test]
fn a_registry_that_fails_changes_nothing() {
    use Trick::{Half, Other, Reset, Slow, Status};
    let always = usize::MAX;
    let mut same_size = new();
    let middle = same_size.len() / 2;
    same_size[middle] ^= 1;
    let late = Slow(Duration::from_secs(5));
    // (where, what, how often, words in this order; none: it is pulled all the same)
    let table: Vec<(&'static str, Trick, usize, &[&str])> = vec![
        ("/manifests/", Status(429, Some("0")), 2, &[]),
        ("/blobs/", Status(429, Some("0")), 3, &[]),
        ("/blobs/", Half, 1, &[]),
        ("/blobs/", Reset, 1, &[]),
        ("/manifests/", Status(429, Some("3600")), always, &["answers 429", "wait a while"]),
        ("/manifests/", Status(429, Some("0")), always, &["after 4 attempts", "answers 429"]),
        ("/blobs/", Status(503, Some("3600")), always, &["answers 503"]),
        ("/manifests/", Status(404, None), always, &["answers 404", "check the name"]),
        ("/manifests/", Status(403, None), always, &["refuses access", "docker login"]),
        ("/manifests/", Reset, always, &["after 4 attempts", "cannot be reached"]),
        ("/blobs/", Reset, always, &["cannot be reached"]),
        ("/blobs/", Half, always, &["took longer than the time"]),
        ("/manifests/", Other(b"{}".to_vec()), always, &["the manifest of", "schemaVersion"]),
        (
            "/blobs/",
            Other(same_size),
            always,
            &["the digest should be sha256:", "but the bytes have"],
        ),
        ("/blobs/", Other(new()[..900].to_vec()), always, &["it has 900 bytes, and its desc"]),
        ("/blobs/", Other([new(), vec![0]].concat()), always, &["bytes, and its descriptor says"]),
        ("/manifests/", late.clone(), always, &["took longer than the time"]),
        ("/blobs/", late, always, &["took longer than the time"]),
    ];
    for (at, trick, times, words) in table {
        let (place, registry) = given(&new());
        let case = format!("{at} {:.60} {times}", format!("{trick:?}"));
        let short = matches!(trick, Slow(_) | Half) && times > 1;
        registry.trick(at, trick, times);
        let line = pull(&registry);
        if words.is_empty() {
            place.check(&line, 0, &[]);
            assert_eq!(place.in_force(), (Some(new()), Some(old())), "{case}");
            continue;
        }
        let line = if short { line.replace("20s", "1s") } else { line };
        place.check(&line, 2, &[&["error: "], words, &["next: ", STAYS]].concat());
        assert_eq!(place.in_force(), (Some(old()), None), "{case}");
        // And the next one is none the worse for it.
        registry.no_tricks();
        place.check(&pull(&registry), 0, &[]);
        assert_eq!(place.in_force(), (Some(new()), Some(old())), "{case}");
    }
}

#[test]
fn what_is_no_good_snapshot_changes_nothing() {
    let whole = new();
    let end = whole.len();
    let changed = |at: usize, to: u8| {
        let mut bytes = new();
        bytes[at] = to;
        bytes
    };
    let table: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("cut", whole[..end - 9].to_vec(), &["is damaged: its end is missing", STAYS]),
        ("a half", whole[..end / 2].to_vec(), &["is damaged: its end is missing", STAYS]),
        ("nothing", vec![], &["is no snapshot: it is too short", STAYS]),
        ("a bit", changed(100, whole[100] ^ 1), &["does not have the hash", STAYS]),
        ("in its index", changed(end - 100, whole[end - 100] ^ 1), &["its index does not", STAYS]),
        ("older format", changed(8, 1), &["has snapshot format 1; this program reads 3", STAYS]),
        ("newer format", changed(8, 9), &["has snapshot format 9; this program reads 3", STAYS]),
        ("a tar", vec![0; 10240], &["is no snapshot: it begins with other bytes", STAYS]),
        (
            "an older one",
            crate::place::made(&[("osv:Go", "2026-08-31")]),
            &["osv:Go goes back from 2026-09-01", "to 2026-08-31", STAYS],
        ),
        (
            "one without a feed",
            crate::place::made(&[("osv:PyPI", "2026-09-02")]),
            &["osv:Go is not in it", STAYS],
        ),
    ];
    for (case, bytes, words) in table {
        let (place, registry) = given(&bytes);
        place.check(&pull(&registry), 2, words);
        assert_eq!(place.in_force(), (Some(old()), None), "{case}");
        // Where nothing was in force, nothing is.
        let fresh = Place::new();
        if !case.contains("one") {
            fresh.check(&pull(&registry), 2, words);
            assert_eq!(fresh.in_force(), (None, None), "{case}");
        }
    }
}

#[test]
fn what_is_another_artifact_is_said_before_its_layer_is_fetched() {
    let (place, registry) = given(&new());
    let layer = registry.blob(LAYER, &new());
    let blob = |media_type: &str| registry.blob(media_type, b"x");
    let config = blob("application/vnd.oci.empty.v1+json");
    let manifest = |layers: serde_json::Value| {
        json!({
            "schemaVersion": 2, "mediaType": crate::registry::MANIFEST, "artifactType": ARTIFACT,
            "config": config, "layers": layers,
        })
    };
    let mut huge = layer.clone();
    huge["size"] = json!(17u64 << 30);
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [],
    });
    let mut doubled = manifest(json!([layer]));
    doubled["Layers"] = json!([]);
    let image = blob("application/vnd.oci.image.layer.v1.tar+gzip");
    let table = [
        (
            "an image",
            manifest(json!([image])),
            "it is no snapshot of cleanbill: its manifest has 1",
        ),
        ("no layer", manifest(json!([])), "its manifest has 0 layers ()"),
        ("two", manifest(json!([layer, layer])), "its manifest has 2 layers"),
        ("too large", manifest(json!([huge])), "more than 17179869184"),
        ("an index", index, "stated to be"),
        ("two meanings", doubled, "differs from \"layers\" only in case"),
    ];
    for (case, manifest, words) in table {
        registry.manifest("db:1", &manifest);
        registry.asked();
        place.check(&pull(&registry), 2, &[words, STAYS]);
        assert_eq!(registry.asked(), ["GET manifests"], "{case}");
        assert_eq!(place.in_force(), (Some(old()), None), "{case}");
    }
    // Of another digest than was asked for.
    let zeros = "0".repeat(64);
    registry.trick("/manifests/", Trick::Other(manifest(json!([layer])).to_string().into()), 9);
    let line = pull(&registry).replace("db:1", &format!("db@sha256:{zeros}"));
    place.check(&line, 2, &["its manifest has digest sha256:", "and the name says sha256:0000"]);
    // A layer that is shorter or longer than its manifest says.
    registry.no_tricks();
    for (by, words) in [(-1i64, "bytes, and its descriptor says"), (1, "bytes, and its descriptor")]
    {
        let mut lie = layer.clone();
        lie["size"] = json!(new().len() as i64 + by);
        registry.manifest("db:1", &manifest(json!([lie])));
        place.check(&pull(&registry), 2, &[words]);
        assert_eq!(place.in_force(), (Some(old()), None));
    }
}

#[test]
fn two_at_once_do_not_meet() {
    let (place, registry) = given(&new());
    registry.trick("/blobs/", Trick::Slow(Duration::from_secs(8)), 1);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| place.check(&pull(&registry), 0, &[]));
        appears(&place.left(&new()));
        place.check(&pull(&registry), 2, &["another process is replacing it", STAYS]);
        first.join().unwrap();
    });
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
}

/// Waits for a file.
pub fn appears(path: &std::path::Path) {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(std::time::Instant::now() < end, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_full_disk_or_a_killed_process_changes_nothing() {
    let (place, registry) = given(&new());
    crate::feeds::publish_database(&registry, &crate::feeds::database("2026-09-03"));
    let host = &registry.host;
    let trivy = format!("db update --from trivy:{host}/trivy --plain-http {host}");
    // No file may grow, as on a full disk.
    for line in [pull(&registry), trivy] {
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
        let output = place
            .command("/bin/sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_cleanbill")])
            .args(line.split_whitespace())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains("error: ") && said.contains("File too large"), "{line}: {said}");
        assert_eq!(place.in_force(), (Some(old()), None), "{line}");
        assert_eq!(place.all_left(), [""; 0], "{line}");
    }

    // Killed while it is read after it has come: the file beside counts for nothing.
    let fresh = place.folder().join("cleanbill.cbdb.new");
    std::fs::write(&fresh, &new()[..900]).unwrap();
    place.check("db status", 0, &["osv:Go  2026-09-01"]);
    place.check(&pull(&registry), 0, &[]);
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
}
