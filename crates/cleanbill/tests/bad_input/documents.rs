//! Manifests, indexes and configurations that are not what was promised, or that two readers
//! would understand in two ways.

use cleanbill_oci::content::Descriptor;
use cleanbill_oci::media_type::{OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST};
use cleanbill_oci::testing::{ImageBuilder, MemoryContent, TarBuilder, describe, gzip, sha256};

use crate::program::{Want, check, layout};

fn tar() -> Vec<u8> {
    TarBuilder::new().file("a", "1").build()
}

/// Fails with this message when the image of this root is scanned; `D` stands for its digest.
fn refused(name: &str, content: &MemoryContent, root: &Descriptor, message: &str) {
    let message = message.replace("{D}", &root.digest.to_string());
    check(name, &layout(content, root.clone()), "", &Want::Error(message));
}

#[test]
fn bytes_that_are_not_the_promised_ones_are_errors_that_name_both_digests() {
    let other = sha256(b"other");
    let (plain, packed) = (tar(), gzip(&tar()));
    let mut content = MemoryContent::default();
    let forged = content.add_as(other, OCI_MANIFEST, b"{}".to_vec());
    let empty = sha256(b"{}");
    refused(
        "manifest",
        &content,
        &forged,
        &format!(
            "x: image manifest {{D}}: its bytes: the digest should be {other} but the bytes have {empty}"
        ),
    );
    let short = Descriptor { size: 1, ..forged.clone() };
    refused(
        "a manifest that is longer than stated",
        &content,
        &short,
        "x: image manifest {D}: more than the 1 bytes that are stated",
    );
    let long = Descriptor { size: 3, ..forged.clone() };
    refused(
        "a manifest that is shorter than stated",
        &content,
        &long,
        "x: image manifest {D}: 2 bytes, but 3 are stated",
    );
    let huge = Descriptor { size: 100 << 20, ..forged };
    refused(
        "a manifest of 100 MB",
        &content,
        &huge,
        "x: image manifest {D}: more than 4194304 bytes of a manifest, index or configuration (raise with --limit manifest-bytes=N)",
    );

    let image = ImageBuilder::new("linux/amd64").layer(plain.clone());
    let mut content = MemoryContent::default();
    let root = image.store(&mut content);
    let config = sha256(image.config().as_bytes());
    let same_size = image.config().replace("amd64", "arm64");
    content.add_as(config, OCI_CONFIG, same_size.clone().into_bytes());
    refused(
        "configuration",
        &content,
        &root,
        &format!(
            "x: image configuration {config}: its bytes: the digest should be {config} but the bytes have {}",
            sha256(same_size.as_bytes())
        ),
    );

    let mut content = MemoryContent::default();
    let root = image.store(&mut content);
    let changed = TarBuilder::new().file("a", "2").build();
    content.add_as(sha256(&plain), OCI_LAYER, changed.clone());
    refused(
        "layer",
        &content,
        &root,
        &format!(
            "layer {0}: the digest should be {0} but the bytes have {1}",
            sha256(&plain),
            sha256(&changed)
        ),
    );

    let mut content = MemoryContent::default();
    let kind = format!("{OCI_LAYER}+gzip");
    let root =
        ImageBuilder::new("linux/amd64").blob(&kind, packed.clone(), other).store(&mut content);
    refused(
        "layer, uncompressed",
        &content,
        &root,
        &format!(
            "layer {}, uncompressed: the digest should be {other} but the bytes have {}",
            sha256(&packed),
            sha256(&plain)
        ),
    );
}

#[test]
fn documents_that_say_two_things_are_errors() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let both =
        "it has both `manifests` and `layers` or `config`, so readers disagree about what it is";
    let table = [
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"config":{C},"layers":[],"manifests":[]}"#.to_owned(),
            both.to_owned(),
        ),
        (OCI_INDEX, r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#.into(), both.into()),
        (
            OCI_MANIFEST,
            format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[]}}"#),
            format!("its mediaType is {OCI_INDEX:?}, but it is stated to be {OCI_MANIFEST:?}"),
        ),
        (
            OCI_INDEX,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{C}},"layers":[]}}"#
            ),
            format!("its mediaType is {OCI_MANIFEST:?}, but it is stated to be {OCI_INDEX:?}"),
        ),
        (
            OCI_INDEX,
            r#"{"schemaVersion":2,"config":{C},"layers":[]}"#.into(),
            "it is an index and has no `manifests`".into(),
        ),
        (
            "text/html",
            "{}".into(),
            "\"text/html\" is no media type of an image manifest or index".into(),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"layers":[],"layers":[{C}]}"#.into(),
            "the key \"layers\" stands twice at line 1 column 39".into(),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"layers":[],"Layers":[{C}]}"#.into(),
            "the key \"Layers\" differs from \"layers\" only in case at line 1 column 39".into(),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"layers":[],"other":1,"Other":2}"#.into(),
            "the key \"Other\" stands twice, but for case at line 1 column 48".into(),
        ),
        (
            OCI_MANIFEST,
            format!(r#"{{"x":{deep}}}"#),
            "nested deeper than 64 at line 1 column 69".into(),
        ),
        (
            OCI_MANIFEST,
            r#"{"schemaVersion":2} {}"#.into(),
            "trailing characters at line 1 column 21".into(),
        ),
    ];
    for (media_type, text, message) in table {
        let mut content = MemoryContent::default();
        let config = content.add(OCI_CONFIG, b"{}".to_vec());
        let text = text.replace("{C}", &describe(&config, ""));
        let root = content.add(media_type, text.clone().into_bytes());
        refused(
            &text[..text.len().min(60)],
            &content,
            &root,
            &format!("x: image manifest {{D}}: {message}"),
        );
    }
}

#[test]
fn a_configuration_that_says_two_things_is_an_error() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let table = [
        (
            r#"{"os":"linux","os":"windows"}"#.to_owned(),
            "the key \"os\" stands twice at line 1 column 18",
        ),
        (
            r#"{"rootfs":{"diff_ids":[]},"rootFS":{}}"#.into(),
            "the key \"rootFS\" differs from \"rootfs\" only in case at line 1 column 34",
        ),
        (format!(r#"{{"x":{deep}}}"#), "nested deeper than 64 at line 1 column 69"),
    ];
    for (text, message) in table {
        let mut content = MemoryContent::default();
        let config = content.add(OCI_CONFIG, text.into_bytes());
        let manifest =
            format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, describe(&config, ""));
        let root = content.add(OCI_MANIFEST, manifest.into_bytes());
        refused(
            message,
            &content,
            &root,
            &format!("x: image configuration {}: {message}", config.digest),
        );
    }
}
