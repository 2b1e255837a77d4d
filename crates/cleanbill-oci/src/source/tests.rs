//! The table of image files, good and bad, with the exact message of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::platform::Platform;

use super::{InputSpec, Opened, Select, open_directory, open_input};
use crate::error::Result;
use crate::image::PlatformChoice;
use crate::limits::Limits;
use crate::testing::{
    ImageBuilder, MemoryContent, TarBuilder, gzip, oci_layout, platform_json, sha256, store_index,
    zstd,
};

fn prefer() -> PlatformChoice {
    PlatformChoice::Prefer("linux/amd64".parse::<Platform>().unwrap())
}

fn image(name: &str) -> ImageBuilder {
    ImageBuilder::new("linux/amd64")
        .layer(TarBuilder::new().file("name", name).build())
        .layer(TarBuilder::new().file("second", "2").build())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn open(path: &str, limits: Limits) -> Result<Opened> {
    open_input(&InputSpec::parse(path), &prefer(), &Arc::new(limits))
}

/// The paths and first chunks of all layers, each checked to the end.
fn list(opened: &Opened) -> Vec<String> {
    let mut all = Vec::new();
    for image in &opened.images {
        for at in 0..image.layers.len() {
            let mut layer = image.open_layer(at).unwrap();
            while let Some(entry) = layer.next_entry().unwrap() {
                let text = String::from_utf8_lossy(layer.read_chunk().unwrap().unwrap_or_default());
                all.push(format!("{}={text}", entry.path));
            }
            layer.finish().unwrap();
        }
    }
    all
}

#[test]
fn every_form_of_one_image_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let docker = image("x").docker_archive("docker.io/library/x:1");
    let mut content = MemoryContent::default();
    let root = image("x").store(&mut content);
    let names = r#","annotations":{"org.opencontainers.image.ref.name":"1"}"#.to_owned();
    let layout = oci_layout(&content, &[(root.clone(), names)]).build();
    let unpacked = folder.path().join("layout");
    std::fs::create_dir(&unpacked).unwrap();
    let tar = write(folder.path(), "layout.tar", &layout);
    let done =
        std::process::Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&unpacked).status();
    assert!(done.unwrap().success());
    let config = sha256(image("x").config().as_bytes());
    let forms: &[(&str, Vec<u8>, bool)] = &[
        ("docker", docker.clone(), true),
        ("docker-gz", gzip(&docker), true),
        ("docker-zst", zstd(&docker), true),
        ("oci", layout.clone(), false),
        ("oci-gz", gzip(&layout), false),
        ("oci-zst", zstd(&layout), false),
    ];
    let mut paths: Vec<(String, bool)> = forms
        .iter()
        .map(|(name, bytes, docker)| {
            (write(folder.path(), name, bytes).display().to_string(), *docker)
        })
        .collect();
    paths.push((unpacked.display().to_string(), false));
    paths.push((format!("{}:1", unpacked.display()), false));
    paths.push((format!("{}@{}", tar.display(), root.digest), false));
    paths.push((format!("{}:x:1", paths[0].0), true));
    paths.push((format!("{}:1", paths[0].0), true));
    paths.push((format!("{}@{config}", paths[0].0), true));
    for (path, docker) in paths {
        let opened = open(&path, Limits::default()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(list(&opened), ["name=x", "second=2"], "{path}");
        assert_eq!(opened.root_digest, if docker { config } else { root.digest }, "{path}");
        assert_eq!(opened.images[0].digest, opened.root_digest);
        assert_eq!(opened.images[0].config_digest, config, "{path}");
        assert_eq!(opened.kind.to_string(), if docker { "docker archive" } else { "OCI layout" });
    }
}

#[test]
fn layers_of_an_old_archive_may_be_links_or_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let tar = TarBuilder::new().file("a", "1").build();
    let one = image("x").layer(tar.clone());
    let config = format!("{}.json", sha256(one.config().as_bytes()).hex());
    let blobs: Vec<Vec<u8>> = vec![
        TarBuilder::new().file("name", "x").build(),
        TarBuilder::new().file("second", "2").build(),
    ];
    let archive = TarBuilder::new()
        .file(&config, one.config())
        .file("abc.tar", &blobs[0])
        .symlink("1/layer.tar", "../abc.tar")
        .file("2/layer.tar", gzip(&blobs[1]))
        .file("3.tar", zstd(&tar))
        .file(
            "manifest.json",
            format!(
                r#"[{{"Config":"{config}","RepoTags":null,"Layers":["1/layer.tar","2/layer.tar","3.tar"]}}]"#
            ),
        )
        .build();
    let path = write(folder.path(), "a", &archive).display().to_string();
    assert_eq!(list(&open(&path, Limits::default()).unwrap()), ["name=x", "second=2", "a=1"]);
}

#[test]
fn docker_archives_that_are_oci_layouts_too_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let mut content = MemoryContent::default();
    let root = image("x").store(&mut content);
    for (name, agrees) in [("x", true), ("y", false)] {
        let config = image(name).config();
        let manifest = format!(
            r#"[{{"Config":"blobs/sha256/{}","RepoTags":["x:1"],"Layers":[]}}]"#,
            sha256(config.as_bytes()).hex()
        );
        let archive =
            oci_layout(&content, &[(root.clone(), String::new())]).file("manifest.json", manifest);
        let path = write(folder.path(), name, &archive.build()).display().to_string();
        let got = open(&path, Limits::default());
        if agrees {
            let opened = got.unwrap();
            assert_eq!(opened.root_digest, root.digest);
            assert_eq!(opened.kind.to_string(), "docker archive");
        } else {
            let why = "manifest.json and index.json name different images, so tools disagree about what is in the archive";
            assert_eq!(got.err().unwrap().to_string(), format!("{path}: {why}"));
        }
    }
}

#[test]
fn what_is_no_image_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let not = |what: &str| {
        format!(
            "not an image archive: {what} (expected a docker archive or an OCI layout, as a tar, plain or with gzip or zstd)"
        )
    };
    let two = {
        let mut content = MemoryContent::default();
        let (a, b) = (image("a").store(&mut content), image("b").store(&mut content));
        let name =
            |n: &str| format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{n}"}}"#);
        oci_layout(&content, &[(a, name("one")), (b, name("two"))]).build()
    };
    let docker = image("x").docker_archive("x:1");
    let cut = docker[..docker.len() - 3000].to_vec();
    let gz = gzip(&docker);
    let tar = |json: &str| TarBuilder::new().file("manifest.json", json).build();
    let wrong_name = TarBuilder::new()
        .file(&format!("{}.json", "a".repeat(64)), "{}")
        .file("manifest.json", format!(r#"[{{"Config":"{}.json","Layers":[]}}]"#, "a".repeat(64)));
    let arm = ImageBuilder::new("linux/arm64");
    let mut content = MemoryContent::default();
    let children = [
        ("linux/arm64", arm.store(&mut content)),
        ("linux/s390x", ImageBuilder::new("linux/s390x").store(&mut content)),
    ];
    let index = store_index(&mut content, &children);
    let digest = index.digest;
    let foreign = oci_layout(&content, &[(index, String::new())]).build();
    let table: &[(&str, Vec<u8>, String)] = &[
        ("empty", vec![], not("it is empty")),
        ("text", b"hello".to_vec(), not("it looks like text")),
        ("elf", b"\x7fELF\x02".repeat(200), not("it looks like a program (ELF)")),
        ("zip", b"PK\x03\x04".repeat(200), not("it looks like a zip file")),
        ("xz", b"\xfd7zXZ\0".repeat(200), not("it looks like xz data, which has to be unpacked first")),
        ("noise", b"\x01\x02\x03".repeat(400), not("it has no tar header")),
        ("gzip of text", gzip(b"hello"), not("it looks like text")),
        ("empty tar", TarBuilder::new().build(), "an empty tar, not an image archive".into()),
        ("rootfs", TarBuilder::new().file("etc/os-release", "").build(),
            "a tar, but not an image archive: it has neither manifest.json nor oci-layout and index.json (for a root filesystem, unpack it: cleanbill rootfs DIR)".into()),
        ("cut", cut, "the tar is cut off".into()),
        ("cut gzip", gz[..gz.len() - 20].to_vec(), "the gzip data is cut off".into()),
        ("several", two, "there are several images in it, choose by PATH:tag or PATH@digest: one, two".into()),
        ("none", tar("[]"), "there is no image in it".into()),
        ("no config", tar(r#"[{"Config":"c.json","Layers":[]}]"#), "image configuration c.json: it is not in the archive".into()),
        ("duplicate keys", tar(r#"[{"Config":"c","Config":"d"}]"#), "manifest.json: the key \"Config\" stands twice at line 1 column 23".into()),
        ("folded keys", tar(r#"[{"Config":"c","config":"d"}]"#), "manifest.json: the key \"config\" differs from \"Config\" only in case at line 1 column 23".into()),
        ("deep", tar(&"[".repeat(10_000)), "manifest.json: nested deeper than 64 at line 1 column 65".into()),
        ("config of another name", wrong_name.build(),
            format!("image configuration {}.json: the digest should be sha256:{} but the bytes have sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "a".repeat(64), "a".repeat(64))),
        ("missing layer", TarBuilder::new().file("c", image("x").config()).file("manifest.json", r#"[{"Config":"c","Layers":["l","m"]}]"#).build(),
            "layer l: it is not in the archive".into()),
        ("fewer layers", TarBuilder::new().file("c", image("x").config()).file("manifest.json", r#"[{"Config":"c","Layers":[]}]"#).build(),
            "image configuration CONFIG: it has 2 diff_ids, but the image has 0 layers".replace("CONFIG", &sha256(image("x").config().as_bytes()).to_string())),
        ("more layers", TarBuilder::new().file("c", arm.config()).file("l", "").file("manifest.json", r#"[{"Config":"c","Layers":["l"]}]"#).build(),
            "image configuration c: it has 0 diff_ids, but the image has 1 layers".into()),
        ("twice", TarBuilder::new().file("manifest.json", "[]").file("manifest.json", "[1]").build(), "manifest.json: it is in the archive twice".into()),
        ("link out", TarBuilder::new().symlink("manifest.json", "/etc/passwd").build(), "manifest.json: a link out of the archive".into()),
        ("link circle", TarBuilder::new().symlink("manifest.json", "a").symlink("a", "manifest.json").build(), "manifest.json: too many links".into()),
        ("traversal", TarBuilder::new().file("../manifest.json", "[]").build(), "tar entry at byte 0: path traversal: \"..\" in \"../manifest.json\"".into()),
        ("other platform", foreign, format!("{digest} has no image for linux/amd64: there is linux/arm64, linux/s390x (choose with --platform)")),
        ("layout version", TarBuilder::new().file("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#).file("index.json", "{}").build(), "oci-layout: version \"2.0.0\" is not known, only 1.0.0".into()),
    ];
    for (name, bytes, message) in table {
        let path = write(folder.path(), name, bytes).display().to_string();
        let got = open(&path, Limits::default()).err().map(|e| e.to_string());
        assert_eq!(got, Some(format!("{path}: {message}")), "{name}");
    }
    let path = folder.path().display().to_string();
    assert_eq!(
        open(&path, Limits::default()).err().unwrap().to_string(),
        format!(
            "{path}: a folder without oci-layout and index.json (for a root filesystem: cleanbill rootfs DIR)"
        )
    );
    let path = format!("{path}/nothing");
    assert_eq!(
        open(&path, Limits::default()).err().unwrap().to_string(),
        format!("{path}: it cannot be opened: No such file or directory (os error 2)")
    );
    let one = write(folder.path(), "one", &docker).display().to_string();
    assert_eq!(
        open(&format!("{one}:2"), Limits::default()).err().unwrap().to_string(),
        format!("{one}:2: no such image in it, only x:1")
    );
    let big = write(folder.path(), "big", &gzip(&vec![0; 70 << 20])).display().to_string();
    assert_eq!(
        open(&big, Limits::default()).err().unwrap().to_string(),
        format!(
            "{big}: more than 200 uncompressed bytes of one compressed byte (raise with --limit ratio=N)"
        )
    );
    let few = Limits { spool_bytes: 1000, ..Limits::default() };
    let gz = write(folder.path(), "gz", &gz).display().to_string();
    assert_eq!(
        open(&gz, few).err().unwrap().to_string(),
        format!(
            "{gz}: more than 1000 bytes spooled from standard input or a compressed archive (raise with --limit spool-bytes=N)"
        )
    );
}

#[test]
fn a_multi_platform_layout_is_chosen_from() {
    let folder = tempfile::tempdir().unwrap();
    let mut content = MemoryContent::default();
    let amd = image("amd").store(&mut content);
    let arm = ImageBuilder::new("linux/arm64").store(&mut content);
    let roots = [(arm, platform_json("linux/arm64")), (amd.clone(), platform_json("linux/amd64"))];
    let path = write(folder.path(), "a", &oci_layout(&content, &roots).build());
    let opened = open(&path.display().to_string(), Limits::default()).unwrap();
    assert_eq!(opened.images.len(), 1);
    assert_eq!(opened.images[0].digest, amd.digest);
    let all = open_input(
        &InputSpec::parse(&path.display().to_string()),
        &PlatformChoice::All,
        &Arc::new(Limits::default()),
    );
    assert_eq!(all.unwrap().images.len(), 2);
}

#[test]
fn a_path_that_exists_wins_over_a_tag() {
    let folder = tempfile::tempdir().unwrap();
    let base = write(folder.path(), "a", b"").display().to_string();
    let odd = write(folder.path(), "a:b", b"").display().to_string();
    let digest = format!("sha256:{}", "0".repeat(64));
    let tag = |t: &str| Some(Select::Tag(t.into()));
    let table: &[(&str, Option<&str>, Option<Select>)] = &[
        ("-", None, None),
        ("-:x", None, tag("x")),
        (&base, Some(&base), None),
        (&odd, Some(&odd), None),
        (&format!("{base}:c"), Some(&base), tag("c")),
        (&format!("{base}:r.example:5000/x:c"), Some(&base), tag("r.example:5000/x:c")),
        (&format!("{odd}:c"), Some(&odd), tag("c")),
        (&format!("{base}@{digest}"), Some(&base), Some(Select::Digest(digest.parse().unwrap()))),
        ("/nothing/there:1", Some("/nothing/there:1"), None),
    ];
    for (text, path, select) in table {
        let spec = InputSpec::parse(text);
        assert_eq!(spec.path.as_deref(), path.map(Path::new), "{text}");
        assert_eq!(spec.select, *select, "{text}");
    }
}

#[test]
fn a_folder_is_walked_without_following_links() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("etc/deep")).unwrap();
    std::fs::write(root.join("etc/f"), "hello").unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../secret", root.join("out")).unwrap();
    std::os::unix::fs::symlink("/etc", root.join("etc/deep/abs")).unwrap();
    let limits = Arc::new(Limits::default());
    let walk = || {
        let mut reader = open_directory(&root, &limits).unwrap();
        let mut list = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            let mut text = Vec::new();
            while let Some(chunk) = reader.read_chunk().unwrap() {
                text.extend_from_slice(chunk);
            }
            list.push(format!(
                "{} {:?} {}",
                entry.path,
                entry.kind,
                String::from_utf8_lossy(&text)
            ));
        }
        (list, reader.finish().unwrap())
    };
    let (list, digest) = walk();
    assert_eq!(
        list,
        [
            "etc Directory ",
            "etc/deep Directory ",
            "etc/deep/abs Symlink(\"/etc\") ",
            "etc/f File hello",
            "out Symlink(\"../secret\") "
        ]
    );
    assert_eq!(walk().1, digest);
    std::fs::write(root.join("etc/f"), "hello you").unwrap();
    assert_ne!(walk().1, digest);
    // A listed file that becomes a link before it is opened leads nowhere.
    let mut reader = open_directory(&root, &limits).unwrap();
    while reader.next_entry().unwrap().unwrap().path != "etc/f" {}
    std::fs::remove_file(root.join("etc/f")).unwrap();
    std::os::unix::fs::symlink("../../secret", root.join("etc/f")).unwrap();
    let why = format!("{}: it changed while it was read", root.join("etc/f").display());
    assert_eq!(reader.read_chunk().unwrap_err().to_string(), why);
    let few = Arc::new(Limits { entries: 3, ..Limits::default() });
    let mut reader = open_directory(&root, &few).unwrap();
    let e =
        std::iter::from_fn(|| reader.next_entry().transpose()).find_map(std::result::Result::err);
    assert_eq!(
        e.unwrap().to_string(),
        "more than 3 entries of a layer (raise with --limit entries=N)"
    );
    let file = root.join("out");
    let e = open_directory(&folder.path().join("secret"), &limits).err().unwrap();
    assert!(e.to_string().ends_with("secret: not a folder (for an image file: --input)"), "{e}");
    assert!(file.is_symlink());
}
