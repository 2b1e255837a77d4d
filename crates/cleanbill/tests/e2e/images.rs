//! Two real images as OCI layouts: Alpine's package database from the shared data, and a Debian
//! that mmdebstrap installs (once, and kept, since it takes a minute and the network).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

use crate::parts::{absent, shared_data};

/// Alpine 3.9.6, past its end of life.
pub fn alpine(folder: &Path) -> PathBuf {
    let layer = folder.join("alpine.tar");
    let done = Command::new("gzip")
        .arg("-dc")
        .arg(shared_data().join("rootfs/alpine-3.9-metadata.tar.gz"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    fs::write(&layer, done.stdout).unwrap();
    layout(&folder.join("alpine"), &layer)
}

/// Debian 12, essential packages only; `None` (and a line that says so) where it was never made
/// here and Debian's mirrors cannot be reached.
pub fn debian(folder: &Path) -> Option<PathBuf> {
    Some(layout(&folder.join("debian"), &bookworm(folder, "debian-essential.tar", &[])?))
}

/// The tar of a Debian 12 of essential packages and these, as [`debian`].
pub fn bookworm(folder: &Path, name: &str, packages: &[&str]) -> Option<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let turn = ONE_AT_A_TIME.lock().unwrap();
    let kept = std::env::var_os("CLEANBILL_INPUTS")
        .map_or(PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    fs::create_dir_all(&kept).unwrap();
    let layer = kept.join(name);
    if !layer.exists() {
        let part = folder.join("debian.tar");
        let mut make = Command::new("mmdebstrap");
        make.args(["--quiet", "--variant=essential", "--format=tar"]);
        if !packages.is_empty() {
            make.arg(format!("--include={}", packages.join(",")));
        }
        make.arg("bookworm").arg(&part);
        let made = make.output().unwrap();
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr);
            absent(&format!("mmdebstrap's Debian, which needs the network once:\n{why}"));
            return None;
        }
        // Renamed within one folder, so that a run that is ended leaves nothing half made.
        let beside = kept.join(format!("{name}.{}.part", std::process::id()));
        fs::copy(&part, &beside).unwrap();
        fs::rename(&beside, &layer).unwrap();
    }
    drop(turn);
    Some(layer)
}

/// An OCI layout with one uncompressed layer, tagged `latest`.
fn layout(folder: &Path, layer: &Path) -> PathBuf {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let mut hasher = Sha256::new();
    let size =
        std::io::copy(&mut File::open(layer).unwrap(), &mut HashWriter(&mut hasher)).unwrap();
    let layer_digest = hex(&hasher.finalize());
    fs::copy(layer, blobs.join(&layer_digest)).unwrap();
    let store = |document: &serde_json::Value| {
        let bytes = serde_json::to_vec(document).unwrap();
        let digest = hex(&Sha256::digest(&bytes));
        fs::write(blobs.join(&digest), &bytes).unwrap();
        (format!("sha256:{digest}"), bytes.len())
    };
    let (config, config_size) = store(&serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_digest}")]},
    }));
    let (manifest, manifest_size) = store(&serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                   "digest": config, "size": config_size},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": format!("sha256:{layer_digest}"), "size": size}],
    }));
    let index = serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json",
                       "digest": manifest, "size": manifest_size,
                       "annotations": {"org.opencontainers.image.ref.name": "latest"}}],
    });
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    folder.to_owned()
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
