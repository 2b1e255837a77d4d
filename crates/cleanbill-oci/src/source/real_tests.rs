//! What real tools write: GNU tar in its formats, skopeo in its transports.
//!
//! Skipped, with a word, where a tool is not installed.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::image::{PinnedImage, PlatformChoice};
use crate::limits::Limits;
use crate::source::{InputSpec, open_input};
use crate::testing::{ImageBuilder, MemoryContent, TarBuilder, oci_layout};
use cleanbill_core::layer::EntryKind;

/// Runs a program that must succeed; `false` (and a word) if it is not there.
fn run(program: &str, args: &[&str], within: &Path) -> bool {
    match Command::new(program).args(args).current_dir(within).output() {
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{program} {args:?}: {said}");
            true
        }
        Err(e) => {
            println!("skipped: {program} ({e})");
            false
        }
    }
}

fn open(path: &str) -> PinnedImage {
    let choice = PlatformChoice::Prefer("linux/amd64".parse().unwrap());
    let opened = open_input(&InputSpec::parse(path), &choice, &Arc::new(Limits::default()));
    opened.unwrap_or_else(|e| panic!("{e}")).images.remove(0)
}

/// Path, kind and content of everything, each layer checked to its end.
fn list(image: &PinnedImage) -> Vec<(String, EntryKind, Vec<u8>)> {
    let mut all = Vec::new();
    for at in 0..image.layers.len() {
        let mut layer = image.open_layer(at).unwrap();
        while let Some(entry) = layer.next_entry().unwrap_or_else(|e| panic!("{e}")) {
            let mut content = Vec::new();
            while let Some(chunk) = layer.read_chunk().unwrap() {
                content.extend_from_slice(chunk);
            }
            all.push((entry.path, entry.kind, content));
        }
        layer.finish().unwrap();
    }
    all
}

#[test]
fn gnu_tar_writes_nothing_that_we_misread() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    std::fs::create_dir_all(root.join("d".repeat(90))).unwrap();
    std::fs::write(root.join(&long), "long").unwrap();
    std::fs::write(root.join("ünï"), "text").unwrap();
    std::os::unix::fs::symlink("x".repeat(120), root.join("symlink")).unwrap();
    std::fs::write(root.join("a"), "hard").unwrap();
    std::fs::hard_link(root.join("a"), root.join("b")).unwrap();
    // More parts than an old GNU header holds, so that its continuation is read.
    let sparse = std::fs::File::create(root.join("sparse")).unwrap();
    let mut expected = vec![0_u8; 40 * 65_536];
    for at in 0..40 {
        let offset = at * 65_536 + 4096;
        std::os::unix::fs::FileExt::write_all_at(&sparse, b"data", offset as u64).unwrap();
        expected[offset..offset + 4].copy_from_slice(b"data");
    }
    sparse.set_len(expected.len() as u64).unwrap();
    let formats: &[(&str, &[&str])] = &[
        ("ustar", &["--format=ustar", "--exclude=symlink"]),
        ("gnu", &["--format=gnu"]),
        ("pax", &["--format=pax"]),
        ("gnu sparse", &["--format=gnu", "--sparse"]),
        ("pax sparse 0.0", &["--format=pax", "--sparse", "--sparse-version=0.0"]),
        ("pax sparse 0.1", &["--format=pax", "--sparse", "--sparse-version=0.1"]),
        ("pax sparse 1.0", &["--format=pax", "--sparse", "--sparse-version=1.0"]),
        ("blocks", &["--format=gnu", "--blocking-factor=1"]),
    ];
    for (name, flags) in formats {
        let mut args = vec!["-cf", "../layer.tar", "--sort=name"];
        args.extend_from_slice(flags);
        args.push(".");
        if !run("tar", &args, &root) {
            return;
        }
        let tar = std::fs::read(folder.path().join("layer.tar")).unwrap();
        if name.contains("sparse") {
            assert!(tar.len() < expected.len(), "{name}: no holes in this filesystem?");
        }
        let archive = ImageBuilder::new("linux/amd64").layer(tar).docker_archive("x:1");
        std::fs::write(folder.path().join("image.tar"), archive).unwrap();
        let got = list(&open(&folder.path().join("image.tar").display().to_string()));
        let file = |path: &str, content: &[u8]| {
            let found = got.iter().find(|(p, _, _)| p == path);
            let (_, kind, text) = found.unwrap_or_else(|| panic!("{name}: no {path}"));
            assert_eq!(*kind, EntryKind::File, "{name}");
            assert!(text == content, "{name}: {path} has other content");
        };
        file(&long, b"long");
        file("ünï", b"text");
        file("a", b"hard");
        file("sparse", &expected);
        let kind = |path: &str| got.iter().find(|(p, _, _)| p == path).map(|(_, k, _)| k.clone());
        assert_eq!(kind("b"), Some(EntryKind::Hardlink("a".into())), "{name}");
        assert_eq!(kind(""), Some(EntryKind::Directory), "{name}");
        if *name != "ustar" {
            assert_eq!(kind("symlink"), Some(EntryKind::Symlink("x".repeat(120))), "{name}");
        }
    }
}

#[test]
fn skopeo_writes_the_same_image_in_every_transport() {
    let folder = tempfile::tempdir().unwrap();
    let image = ImageBuilder::new("linux/amd64")
        .layer(TarBuilder::new().dir("etc").file("etc/os-release", "ID=x\n").build())
        .gzip_layer(&TarBuilder::new().file("etc/.wh.gone", "").symlink("s", "/etc").build());
    let mut content = MemoryContent::default();
    let root = image.store(&mut content);
    let name = r#","annotations":{"org.opencontainers.image.ref.name":"1"}"#.to_owned();
    let layout = oci_layout(&content, &[(root, name)]).build();
    std::fs::write(folder.path().join("source.tar"), layout).unwrap();
    let source = open(&folder.path().join("source.tar").display().to_string());
    let expected = list(&source);
    let targets: &[(&str, &[&str], &str)] = &[
        ("docker-archive:docker.tar:docker.io/library/x:1", &[], "docker.tar"),
        ("docker-archive:named.tar:docker.io/library/x:1", &[], "named.tar:x:1"),
        ("oci:layout:2", &[], "layout:2"),
        ("oci:packed:3", &["--dest-compress-format=zstd", "--dest-compress"], "packed"),
        ("oci-archive:oci.tar:4", &[], "oci.tar:4"),
    ];
    for (target, flags, path) in targets {
        let mut args = vec!["--insecure-policy", "copy", "-q"];
        args.extend_from_slice(flags);
        args.extend_from_slice(&["oci-archive:source.tar:1", target]);
        if !run("skopeo", &args, folder.path()) {
            return;
        }
        let got = open(&folder.path().join(path).display().to_string());
        assert!(list(&got) == expected, "{target}");
        assert_eq!(got.config_digest, source.config_digest, "{target}");
        let ids = |i: &PinnedImage| i.layers.iter().map(|l| l.diff_id).collect::<Vec<_>>();
        assert_eq!(ids(&got), ids(&source), "{target}");
    }
}
