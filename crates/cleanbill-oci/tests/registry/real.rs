//! Against a real registry (Debian's docker-registry), filled by skopeo.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cleanbill_core::digest::Digest;
use cleanbill_oci::content::{Content, Descriptor, Role};
use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::image::{PlatformChoice, resolve};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::{Credentials, Registry, Root, Secret};
use cleanbill_oci::testing::free_port;
use serde_json::{Value, json};

use crate::server::digest;
use crate::{image, options, registry};

pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether these programs are installed; says so where not.
pub fn installed(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let there = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|p| p.join(program).exists()));
        if !there {
            println!("skipped: {program} is not installed (apt-get install docker-registry skopeo apache2-utils)");
        }
        there
    })
}

/// Starts a registry on a free port; `auth` is the auth section of its configuration.
pub fn start(folder: &Path, auth: Value) -> (Running, String) {
    let port = free_port();
    let host = format!("127.0.0.1:{port}");
    let mut config = json!({
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": true}},
        "storage": {"filesystem": {"rootdirectory": folder.join("registry")}},
        "http": {"addr": host, "secret": "for this test"},
    });
    if !auth.is_null() {
        config["auth"] = auth;
    }
    // JSON is YAML.
    let file = folder.join("config.yml");
    std::fs::write(&file, config.to_string()).unwrap();
    let child = Command::new("docker-registry")
        .arg("serve")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let began = Instant::now();
    while TcpStream::connect(&host).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "docker-registry does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
    (running, host)
}

/// An OCI layout with one image of one layer behind an index; gives the layer's digest.
fn layout(folder: &Path) -> Digest {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8], media_type: &str| {
        std::fs::write(blobs.join(digest(bytes).hex()), bytes).unwrap();
        json!({
            "mediaType": format!("application/vnd.oci.image.{media_type}"),
            "digest": digest(bytes).to_string(),
            "size": bytes.len(),
        })
    };
    // Two zero blocks are an empty tar; the rest makes the blob long enough for several reads.
    let tar = vec![0u8; 10240];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(&tar).unwrap();
    let gzip = gzip.finish().unwrap();
    let layer = put(&gzip, "layer.v1.tar+gzip");
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(&tar).to_string()]},
    });
    let config = put(config.to_string().as_bytes(), "config.v1+json");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [layer],
    });
    let mut manifest = put(manifest.to_string().as_bytes(), "manifest.v1+json");
    manifest["platform"] = json!({"architecture": "amd64", "os": "linux"});
    let list = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    let mut list = put(list.to_string().as_bytes(), "index.v1+json");
    list["annotations"] = json!({"org.opencontainers.image.ref.name": "all"});
    let index = json!({"schemaVersion": 2, "manifests": [list]});
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digest(&gzip)
}

fn push(layout: &Path, host: &str, login: &[&str]) {
    let output = Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--all", "--preserve-digests"])
        .arg("--dest-tls-verify=false")
        .args(login)
        .arg(format!("oci:{}:all", layout.display()))
        .arg(format!("docker://{host}/team/app:1"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn read(content: &dyn Content, role: Role, descriptor: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    content.open(role, descriptor).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(digest(&bytes), descriptor.digest);
    bytes
}

fn descriptor(value: &Value) -> Descriptor {
    Descriptor {
        media_type: value["mediaType"].as_str().unwrap().to_owned(),
        digest: value["digest"].as_str().unwrap().parse().unwrap(),
        size: value["size"].as_u64().unwrap(),
    }
}

/// Reads all from the root down to the layer.
fn check(root: &Root, layer: &Digest) {
    assert_eq!(root.descriptor.media_type, "application/vnd.oci.image.index.v1+json");
    let json = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let index = json(read(&*root.content, Role::Manifest, &root.descriptor));
    let child = descriptor(&index["manifests"][0]);
    let manifest = json(read(&*root.content, Role::Manifest, &child));
    read(&*root.content, Role::Blob, &descriptor(&manifest["config"]));
    let found = descriptor(&manifest["layers"][0]);
    assert_eq!(found.digest, *layer);
    read(&*root.content, Role::Blob, &found);

    // And as a scan reads it.
    let limits = Arc::new(Limits::default());
    let (content, top) = (Arc::clone(&root.content), root.descriptor.clone());
    let images = resolve(content, top, &PlatformChoice::All, &limits).unwrap();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].digest, child.digest);
    assert_eq!(images[0].open_layer(0).unwrap().finish().unwrap().blob, *layer);
}

#[test]
fn an_image_that_skopeo_pushed_is_read() {
    if !installed(&["docker-registry", "skopeo"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let layer = layout(&folder.path().join("layout"));
    let (_running, host) = start(folder.path(), Value::Null);
    push(&folder.path().join("layout"), &host, &[]);
    let registry = registry(std::slice::from_ref(&host));
    let root = registry.root(&image(&host, "team/app:1")).unwrap();
    check(&root, &layer);
    let pinned = image(&host, "team/app:1").pinned(root.descriptor.digest);
    check(&registry.root(&pinned).unwrap(), &layer);
    let error = registry.root(&image(&host, "team/app:2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("MANIFEST_UNKNOWN"), "{error}");
    let nowhere = Descriptor { digest: digest(b"nothing"), ..root.descriptor.clone() };
    let error = root.content.open(Role::Blob, &nowhere).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_registry_with_passwords_is_read_with_the_right_one_only() {
    if !installed(&["docker-registry", "skopeo", "htpasswd"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let layer = layout(&folder.path().join("layout"));
    let passwords = folder.path().join("htpasswd");
    let output = Command::new("htpasswd").args(["-Bbn", "user", "hunter2"]).output().unwrap();
    std::fs::write(&passwords, output.stdout).unwrap();
    let auth = json!({"htpasswd": {"realm": "test", "path": passwords}});
    let (_running, host) = start(folder.path(), auth);
    push(&folder.path().join("layout"), &host, &["--dest-creds", "user:hunter2"]);
    let ask = |credentials| {
        let mut options = options(std::slice::from_ref(&host));
        options.credentials = credentials;
        Registry::new(options).unwrap().root(&image(&host, "team/app:1"))
    };
    let login = |password| Credentials::none().with_login(&host, "user", Secret::new(password));
    check(&ask(login("hunter2")).unwrap(), &layer);
    for wrong in [Credentials::none(), login("wrong")] {
        let error = ask(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
}
