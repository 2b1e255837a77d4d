//! Small feeds of publishers, and a small database of Trivy.

use cleanbill_oci::testing::{TarBuilder, gzip};
use serde_json::Value;

use crate::registry::Registry;

const TRIVY: &str = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";

/// Every product that `db update` asks endoflife.date about.
const PRODUCTS: [&str; 14] = [
    "alpine-linux",
    "debian",
    "ubuntu",
    "almalinux",
    "rocky-linux",
    "rhel",
    "amazon-linux",
    "oracle-linux",
    "fedora",
    "centos",
    "centos-stream",
    "opensuse",
    "sles",
    "photon",
];

/// Puts the feeds of PyPI, CISA and endoflife.date below `/feeds`.
pub fn publish(registry: &Registry) {
    let osv = br#"{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"a"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2"}]}]}]}"#;
    registry.file("/feeds/PyPI/all.zip", &zip("a.json", osv));
    let kev =
        br#"{"dateReleased":"2026-09-02T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-1000"}]}"#;
    registry.file("/feeds/kev/known_exploited_vulnerabilities.json", kev);
    for product in PRODUCTS {
        let path = format!("/feeds/eol/{product}.json");
        registry.file(&path, br#"[{"cycle":"3.19","eol":"2025-11-01"}]"#);
    }
}

/// The words that ask for them.
pub fn wanted(registry: &Registry) -> String {
    format!("--mirror http://{}/feeds --ecosystems PyPI --feeds none", registry.host)
}

/// `db.tar.gz` as of a day.
pub fn database(day: &str) -> Vec<u8> {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/bbolt/trivy.db");
    let metadata = format!(r#"{{"Version":2,"UpdatedAt":"{day}T01:02:03Z"}}"#);
    let tar = TarBuilder::new()
        .file("metadata.json", metadata)
        .file("trivy.db", std::fs::read(seed).unwrap())
        .build();
    gzip(&tar)
}

/// Publishes this as Trivy's makers do, under `trivy:2`.
pub fn publish_database(registry: &Registry, bytes: &[u8]) {
    let layer = registry.blob(TRIVY, bytes);
    let mut manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": crate::registry::MANIFEST,
        "config": registry.blob("application/vnd.aquasec.trivy.config.v1+json", b"{}"),
    });
    manifest["layers"] = Value::Array(vec![layer]);
    registry.manifest("trivy:2", &manifest);
}

/// A zip of one stored entry.
fn zip(name: &str, body: &[u8]) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let half = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
    let sizes = [crc32(body).to_le_bytes(), number(body.len()), number(body.len())].concat();
    let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &sizes, &half(name.len()), &[0, 0]];
    let common = common.concat();
    let local = [&b"PK\x03\x04"[..], &common, name.as_bytes(), body].concat();
    let head = [&b"PK\x01\x02"[..], &[20, 0], &common, &[0; 14]].concat();
    let central = [&head[..], name.as_bytes()].concat();
    let end = [
        &b"PK\x05\x06"[..],
        &[0, 0, 0, 0, 1, 0, 1, 0],
        &number(central.len()),
        &number(local.len()),
        &[0, 0],
    ];
    [local, central, end.concat()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
