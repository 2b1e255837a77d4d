//! The table of indexes and manifests from which images are pinned.

use std::sync::Arc;

use cleanbill_core::gap::GapKind;
use cleanbill_core::platform::Platform;

use super::{PinnedImage, PlatformChoice, resolve};
use crate::content::Descriptor;
use crate::error::{ErrorKind, Result};
use crate::limits::Limits;
use crate::media_type::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};
use crate::testing::{
    ImageBuilder, MemoryContent, TarBuilder, describe, sha256, shared, store_index,
};

fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

fn one(text: &str) -> PlatformChoice {
    PlatformChoice::One(platform(text))
}

fn pin(
    content: &MemoryContent,
    root: &Descriptor,
    choice: &PlatformChoice,
) -> Result<Vec<PinnedImage>> {
    let limits = Limits { index_children: 5, layers: 4, ..Limits::default() };
    resolve(shared(content.clone()), root.clone(), choice, &Arc::new(limits))
}

fn platforms(images: &[PinnedImage]) -> Vec<String> {
    images
        .iter()
        .map(|i| i.platform.as_ref().map(ToString::to_string).unwrap_or_default())
        .collect()
}

#[test]
fn platforms_are_chosen_as_nodes_would() {
    let mut content = MemoryContent::default();
    let mut child = |offered, own: &str| (offered, ImageBuilder::new(own).store(&mut content));
    let children = [
        child("linux/arm64", "linux/arm64"),
        child("linux/amd64", "linux/amd64"),
        child("unknown/unknown", "unknown/unknown"),
        child("", "linux/s390x"),
    ];
    let index = store_index(&mut content, &children);
    let single = ImageBuilder::new("linux/arm64").store(&mut content);
    let lone = store_index(&mut content, &[("linux/arm64", single.clone())]);
    let listed = |l: &[&str]| PlatformChoice::Listed(l.iter().map(|p| platform(p)).collect());
    let none = |root: &Descriptor, wish: &str, there: &str| {
        Err(format!(
            "{} has no image for {wish}: there is {there} (choose with --platform)",
            root.digest
        ))
    };
    let list = |l: &[&str]| Ok(l.iter().map(ToString::to_string).collect::<Vec<_>>());
    let table = [
        (&index, PlatformChoice::All, list(&["linux/arm64", "linux/amd64", "linux/s390x"])),
        (&index, one("linux/amd64"), list(&["linux/amd64"])),
        (&index, one("linux/s390x"), list(&["linux/s390x"])),
        (
            &index,
            one("linux/ppc64le"),
            none(&index, "linux/ppc64le", "linux/arm64, linux/amd64, linux/s390x"),
        ),
        (&index, listed(&["linux/amd64", "linux/arm64"]), list(&["linux/arm64", "linux/amd64"])),
        (
            &index,
            listed(&["linux/riscv64"]),
            none(&index, "linux/riscv64", "linux/arm64, linux/amd64, linux/s390x"),
        ),
        (&single, one("linux/amd64"), none(&single, "linux/amd64", "linux/arm64")),
        (&single, PlatformChoice::Prefer(platform("linux/amd64")), list(&["linux/arm64"])),
        (&lone, PlatformChoice::Prefer(platform("linux/amd64")), list(&["linux/arm64"])),
        (&single, listed(&["linux/amd64"]), list(&["linux/arm64"])),
        (&lone, listed(&["linux/amd64"]), none(&lone, "linux/amd64", "linux/arm64")),
        (&single, PlatformChoice::All, list(&["linux/arm64"])),
    ];
    for (root, choice, expected) in table {
        let got = pin(&content, root, &choice).map(|i| platforms(&i)).map_err(|e| e.to_string());
        assert_eq!(got, expected, "{choice:?}");
    }
}

/// An annotation does not hide a child that a node can select.
#[test]
fn an_attestation_is_told_by_its_platform() {
    let mut content = MemoryContent::default();
    let child = ImageBuilder::new("linux/amd64").store(&mut content);
    let hidden = describe(
        &child,
        r#","platform":{"os":"linux","architecture":"amd64"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#,
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{hidden}]}}"#);
    let index = content.add(OCI_INDEX, index.into_bytes());
    assert_eq!(pin(&content, &index, &PlatformChoice::All).unwrap().len(), 1);
}

#[test]
fn layers_that_nobody_may_read_stay_as_gaps() {
    let mut content = MemoryContent::default();
    let tar = TarBuilder::new().file("a", "1").build();
    let id = sha256(&tar);
    let root = ImageBuilder::new("linux/amd64")
        .layer(tar.clone())
        .blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", tar.clone(), id)
        .blob("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", tar.clone(), id)
        .blob("application/x-odd", tar.clone(), id)
        .store(&mut content);
    let image = pin(&content, &root, &PlatformChoice::All).unwrap().remove(0);
    let kinds: Vec<GapKind> = image.gaps.iter().map(|g| g.kind).collect();
    assert_eq!(kinds, [GapKind::ForeignLayer, GapKind::EncryptedLayer, GapKind::UnknownLayerType]);
    let own: Vec<bool> = image.layers.iter().map(|l| l.gap().is_some()).collect();
    assert_eq!(own, [false, true, true, true]);
    assert_eq!(
        image.gaps[2].to_string(),
        format!("unknown-layer-type: layer {id}: its media type is \"application/x-odd\"")
    );
    assert!(image.open_layer(0).unwrap().finish().is_ok());
    assert!(image.open_layer(1).is_err() && image.open_layer(4).is_err());
}

#[test]
fn contradictions_and_forgeries_are_errors() {
    let limits = Limits::default();
    let mut content = MemoryContent::default();
    let root = ImageBuilder::new("linux/arm64").store(&mut content);
    let check = |content: &MemoryContent, root: &Descriptor, kind, message: String| {
        let e = pin(content, root, &PlatformChoice::All).err().unwrap();
        assert_eq!((e.to_string(), e.kind()), (message, kind));
    };
    // Another platform than offered.
    let index = store_index(&mut content, &[("linux/amd64", root.clone())]);
    let config = sha256(ImageBuilder::new("linux/arm64").config().as_bytes());
    check(
        &content,
        &index,
        ErrorKind::Malformed,
        format!(
            "image configuration {config}: it is for linux/arm64, but the index offers it for linux/amd64"
        ),
    );
    // Another manifest than promised.
    let other = sha256(b"other");
    let forged = content.add_as(other, OCI_MANIFEST, b"{}".to_vec());
    check(
        &content,
        &forged,
        ErrorKind::DigestMismatch,
        format!(
            "image manifest {other}: its bytes: the digest should be {other} but the bytes have {}",
            sha256(b"{}")
        ),
    );
    let short = Descriptor { size: 1, ..forged.clone() };
    check(
        &content,
        &short,
        ErrorKind::Malformed,
        format!("image manifest {other}: more than the 1 bytes that are stated"),
    );
    let long = Descriptor { size: 3, ..forged.clone() };
    check(
        &content,
        &long,
        ErrorKind::Malformed,
        format!("image manifest {other}: 2 bytes, but 3 are stated"),
    );
    // A manifest of 100 MB is not even asked for.
    let huge = Descriptor { size: 100 << 20, ..forged.clone() };
    let over = limits.over(crate::limits::Limit::ManifestBytes);
    check(&content, &huge, ErrorKind::OverLimit, format!("image manifest {other}: {over}"));
    // An index by its media type.
    let typed = Descriptor { media_type: OCI_INDEX.into(), ..root.clone() };
    check(
        &content,
        &typed,
        ErrorKind::Malformed,
        format!(
            "image manifest {}: its mediaType is {OCI_MANIFEST:?}, but it is stated to be {OCI_INDEX:?}",
            root.digest
        ),
    );
    // No image.
    let artifact = content.add("application/vnd.oci.empty.v1+json", b"{}".to_vec());
    let text = format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, describe(&artifact, ""));
    let artifact = content.add(OCI_MANIFEST, text.into_bytes());
    check(
        &content,
        &artifact,
        ErrorKind::Malformed,
        format!(
            "image manifest {}: its config is \"application/vnd.oci.empty.v1+json\", so it is no container image",
            artifact.digest
        ),
    );
    // More layers than diff ids.
    let config = content.add(OCI_CONFIG, b"{}".to_vec());
    let text =
        format!(r#"{{"schemaVersion":2,"config":{0},"layers":[{0}]}}"#, describe(&config, ""));
    let uneven = content.add(OCI_MANIFEST, text.into_bytes());
    check(
        &content,
        &uneven,
        ErrorKind::Malformed,
        format!(
            "image configuration {}: it has 0 diff_ids, but the image has 1 layers",
            config.digest
        ),
    );
    // Indexes without end, and with too many children.
    let mut nested = store_index(&mut content, &[("linux/arm64", root.clone())]);
    for _ in 0..5 {
        nested = store_index(&mut content, &[("", nested)]);
    }
    let e = pin(&content, &nested, &PlatformChoice::All).err().unwrap().to_string();
    assert!(e.ends_with("indexes nested deeper than 4"), "{e}");
    let three =
        [("linux/arm64", root.clone()), ("linux/arm64", root.clone()), ("linux/arm64", root)];
    let inner = store_index(&mut content, &three);
    let many = store_index(&mut content, &[("", inner.clone()), ("", inner)]);
    let e = pin(&content, &many, &PlatformChoice::All).err().unwrap().to_string();
    assert!(
        e.ends_with("more than 5 children of an index (raise with --limit index-children=N)"),
        "{e}"
    );
}
