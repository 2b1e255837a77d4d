//! A `docker save` archive of given layers, as Docker before version 25 wrote it: enough of tar
//! and of the image configuration for scanners and skopeo, and byte for byte the same each time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Result;

/// Writes the archive; the image is called `cleanbill/NAME:latest`.
///
/// # Errors
/// When a layer cannot be read or the archive not be written.
pub fn write(path: &Path, name: &str, layers: &[PathBuf]) -> Result<()> {
    let digests = layers.iter().map(|l| sha256(l)).collect::<Result<Vec<_>>>()?;
    let diff_ids: Vec<String> = digests.iter().map(|d| format!("sha256:{d}")).collect();
    let history: Vec<_> =
        digests.iter().map(|d| json!({"created_by": format!("layer {d}")})).collect();
    let config = serde_json::to_vec(&json!({
        "architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z",
        "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history,
    }))?;
    let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
    let files: Vec<String> = digests.iter().map(|d| format!("{d}/layer.tar")).collect();
    let manifest = serde_json::to_vec(&json!([{
        "Config": config_name, "RepoTags": [format!("cleanbill/{name}:latest")], "Layers": files,
    }]))?;
    let mut out = io::BufWriter::with_capacity(1 << 20, File::create(path)?);
    for (file, layer) in files.iter().zip(layers) {
        let mut input = File::open(layer)?;
        let size = input.metadata()?.len();
        entry(&mut out, file, size, &mut input)?;
    }
    entry(&mut out, &config_name, config.len() as u64, &mut config.as_slice())?;
    entry(&mut out, "manifest.json", manifest.len() as u64, &mut manifest.as_slice())?;
    out.write_all(&[0; 1024])?;
    out.flush()?;
    Ok(())
}

/// One ustar entry (POSIX.1-2017, pax, "ustar Interchange Format"); names are below 100 bytes.
fn entry(out: &mut impl Write, name: &str, size: u64, content: &mut impl Read) -> Result<()> {
    let mut header = [0_u8; 512];
    let mut field = |at: usize, text: &str| {
        for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    field(0, name);
    field(100, "0000644\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{size:011o}\0"));
    field(136, "00000000000\0");
    field(148, "        ");
    field(156, "0");
    field(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    for (to, from) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *to = from;
    }
    out.write_all(&header)?;
    let copied = io::copy(content, out)?;
    if copied != size {
        return Err(format!("{name} changed while it was read").into());
    }
    let padding = vec![0; (512 - size % 512) as usize % 512];
    Ok(out.write_all(&padding)?)
}

fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn tar_reads_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let layer = dir.path().join("layer.tar");
        std::fs::write(&layer, [0; 1024]).unwrap();
        let archive = dir.path().join("archive.tar");
        write(&archive, "x", &[layer]).unwrap();
        let mut tar = std::process::Command::new("tar");
        let listed = crate::tools::output(tar.arg("-tf").arg(&archive)).unwrap();
        let names: Vec<&str> = listed.lines().collect();
        assert_eq!(names.len(), 3);
        assert_eq!(names[2], "manifest.json");
        assert!(names[0].ends_with("/layer.tar"), "{}", names[0]);
    }
}
