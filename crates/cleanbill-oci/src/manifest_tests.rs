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

#[test]
fn a_configuration_gives_its_user_and_date() {
    let long = format!(r#"{{"config":{{"User":"{}"}}}}"#, "a".repeat(1025));
    let long_date = format!(r#"{{"created":"2024-01-01T00:00:00.{}Z"}}"#, "0".repeat(60));
    let day = "2024-01-01T00:00:00Z";
    type Expected<'a> = Result<(Option<&'a str>, Option<&'a str>), &'a str>;
    let table: &[(&str, Expected<'_>)] = &[
        ("{}", Ok((None, None))),
        (r#"{"config":null,"created":null}"#, Ok((None, None))),
        (r#"{"config":{}}"#, Ok((None, None))),
        (r#"{"config":{"User":null}}"#, Ok((None, None))),
        (r#"{"config":{"User":""}}"#, Ok((None, None))),
        (r#"{"config":{"User":"1000:0"}}"#, Ok((Some("1000:0"), None))),
        (r#"{"config":{"User":" app "}}"#, Ok((Some(" app "), None))),
        (r#"{"config":{"User":"\u0000"}}"#, Ok((Some("\0"), None))),
        // The user of the build is another.
        (r#"{"container_config":{"User":"1000"}}"#, Ok((None, None))),
        (r#"{"User":"1000"}"#, Ok((None, None))),
        (r#"{"created":"2024-01-01T00:00:00Z"}"#, Ok((None, Some(day)))),
        (r#"{"created":"2024-01-01T02:00:00.000000000+02:00"}"#, Ok((None, Some(day)))),
        (r#"{"created":"1970-01-01T00:00:00Z"}"#, Ok((None, Some("1970-01-01T00:00:00Z")))),
        (r#"{"created":"9999-01-01T00:00:00Z"}"#, Ok((None, Some("9999-01-01T00:00:00Z")))),
        (r#"{"created":"0001-01-01T00:00:00Z"}"#, Ok((None, None))),
        (r#"{"created":"2024-01-01"}"#, Ok((None, None))),
        (r#"{"created":"2024-01-01T00:00:00"}"#, Ok((None, None))),
        (r#"{"created":"2024-02-31T00:00:00Z"}"#, Ok((None, None))),
        (r#"{"created":"yesterday"}"#, Ok((None, None))),
        (r#"{"created":1704067200}"#, Ok((None, None))),
        (r#"{"created":{"created":["x"]}}"#, Ok((None, None))),
        (&long_date, Ok((None, None))),
        (r#"{"history":[{"created":"2024-01-01T00:00:00Z"}]}"#, Ok((None, None))),
        // What Go's decoder would refuse or read otherwise.
        (r#"{"config":{"User":0}}"#, Err("invalid type: integer `0`, expected a string")),
        (r#"{"config":{"User":["0"]}}"#, Err("invalid type: sequence, expected a string")),
        (r#"{"config":[]}"#, Err("configuration: ")),
        (
            r#"{"config":{"User":"1000","user":"0"}}"#,
            Err("the key \"user\" differs from \"User\" only in case"),
        ),
        (
            r#"{"config":{"User":"1000"},"Config":{"User":"0"}}"#,
            Err("the key \"Config\" differs from \"config\" only in case"),
        ),
        (r#"{"config":{"User":"1000","User":"0"}}"#, Err("the key \"User\" stands twice")),
        (r#"{"config":{"User":"1"},"config":{}}"#, Err("the key \"config\" stands twice")),
        (&long, Err("configuration: its user has 1025 bytes, more than 1024")),
    ];
    for (text, expected) in table {
        let got = parse_config(text.as_bytes(), "configuration", &Limits::default());
        match (got, expected) {
            (Ok(config), Ok((user, created))) => {
                assert_eq!(config.user.as_deref(), *user, "{text}");
                let created = created.map(|c| c.parse().unwrap());
                assert_eq!(config.created, created, "{text}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        super::fuzz(&bytes);
    }
}
