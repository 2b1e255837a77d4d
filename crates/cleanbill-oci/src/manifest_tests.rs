//! The table of manifests that readers could take for something else.

use super::{parse_config, parse_manifest};
use crate::limits::Limits;
use crate::media_type::{DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};

const D: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn check(stated: &str, text: &str, message: Option<&str>) {
    let text =
        text.replace("{D}", &format!("{{\"mediaType\":\"m\",\"digest\":\"{D}\",\"size\":1}}"));
    let limits = Limits { index_children: 2, layers: 2, ..Limits::default() };
    let got = parse_manifest(text.as_bytes(), stated, "manifest", &limits);
    assert_eq!(got.err().map(|e| e.to_string()).as_deref(), message, "{text}");
}

#[test]
fn contradictions_are_errors() {
    let image = r#"{"schemaVersion":2,"config":{D},"layers":[{D}]}"#;
    let both = "manifest: it has both `manifests` and `layers` or `config`, so readers disagree about what it is";
    let schema1 = "manifest: it is a Docker manifest of schema 1, which is not supported: push the image again with a current tool";
    let table: &[(&str, &str, Option<&str>)] = &[
        (OCI_MANIFEST, image, None),
        (DOCKER_MANIFEST, image, None),
        ("application/vnd.oci.image.manifest.v1+json; charset=utf-8", image, None),
        (OCI_MANIFEST, r#"{"schemaVersion":2,"config":{D},"layers":null}"#, None),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[{D},{D}]}"#, None),
        (
            "",
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
            None,
        ),
        ("", image, Some("manifest: nothing says what media type it has")),
        (
            "text/html",
            image,
            Some("manifest: \"text/html\" is no media type of an image manifest or index"),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
            Some(
                "manifest: its mediaType is \"application/vnd.oci.image.index.v1+json\", but it is stated to be \"application/vnd.oci.image.manifest.v1+json\"",
            ),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"config":{D},"layers":[],"manifests":[]}"#,
            Some(both),
        ),
        (OCI_INDEX, r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#, Some(both)),
        (OCI_INDEX, image, Some("manifest: it is an index and has no `manifests`")),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"manifests":[]}"#,
            Some("manifest: it is an image manifest and has no `config`"),
        ),
        (OCI_MANIFEST, r#"{"schemaVersion":1}"#, Some(schema1)),
        (
            "",
            r#"{"schemaVersion":1,"fsLayers":[],"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#,
            Some(schema1),
        ),
        ("application/vnd.docker.distribution.manifest.v1+json", "{}", Some(schema1)),
        (
            OCI_MANIFEST,
            r#"{"config":{D},"layers":[]}"#,
            Some("manifest: its schemaVersion is not 2"),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"config":{D},"layers":[{D},{D},{D}]}"#,
            Some("manifest: more than 2 layers of an image (raise with --limit layers=N)"),
        ),
        (
            OCI_INDEX,
            r#"{"schemaVersion":2,"manifests":[{D},{D},{D}]}"#,
            Some(
                "manifest: more than 2 children of an index (raise with --limit index-children=N)",
            ),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"config":{D},"layers":[],"Layers":[{D}]}"#,
            Some(
                "manifest: the key \"Layers\" differs from \"layers\" only in case at line 1 column 158",
            ),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"config":{"digest":"sha256:00","size":1}}"#,
            Some(
                "manifest: the digest's value is not lower-case hex of its algorithm's length at line 1 column 49",
            ),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"config":{"digest":"x","size":-1}}"#,
            Some("manifest: a digest is written algorithm:hex at line 1 column 41"),
        ),
    ];
    for (stated, text, message) in table {
        check(stated, text, *message);
    }
}

#[test]
fn a_configuration_gives_its_platform_and_layers() {
    let limits = Limits::default();
    let text = format!(
        r#"{{"os":"linux","architecture":"arm64","variant":"v8","config":{{"Labels":{{"OS":"x","Os":"y"}}}},"rootfs":{{"type":"layers","diff_ids":["{D}"]}}}}"#
    );
    let config = parse_config(text.as_bytes(), "configuration", &limits).unwrap();
    assert_eq!(config.platform.unwrap().to_string(), "linux/arm64/v8");
    assert_eq!(config.diff_ids.len(), 1);
    let empty =
        parse_config(b"{\"rootfs\":{\"diff_ids\":null}}", "configuration", &limits).unwrap();
    assert!(empty.platform.is_none() && empty.diff_ids.is_empty());
    let folded = parse_config(b"{\"rootFS\":{}}", "configuration", &limits).unwrap_err();
    assert_eq!(
        folded.to_string(),
        "configuration: the key \"rootFS\" differs from \"rootfs\" only in case at line 1 column 9"
    );
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        super::fuzz(&bytes);
    }
}
