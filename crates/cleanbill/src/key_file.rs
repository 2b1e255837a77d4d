//! Files with keys: how they are made and read. A private key is readable by its owner only from
//! its first byte on, nothing that is there is ever overwritten, and no error quotes a file.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cleanbill_trust::{PublicKey, SigningKey, key};

use crate::failure::{Failure, Result};

/// Writes a private key to `path` and its public half to `path` with `.pub` added, which is
/// returned.
///
/// # Errors
/// When one of the two is there already, or cannot be written. Then neither is left behind.
pub fn write(path: &Path, key: &SigningKey) -> Result<PathBuf> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    create(path, 0o600, &key.to_pem())?;
    create(&public, 0o644, &key.public().to_pem()).inspect_err(|_| {
        // Ours, from a moment ago: nobody has this key yet.
        _ = std::fs::remove_file(path);
    })?;
    Ok(public)
}

fn create(path: &Path, mode: u32, text: &str) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(|e| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            return Failure::new(format!(
                "{} is there already: no key was written",
                path.display()
            ))
            .next("choose another name; a key that is in use is never overwritten");
        }
        Failure::new(format!("cannot write {}: {e}", path.display()))
    })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|e| {
        _ = std::fs::remove_file(path);
        Failure::new(format!("cannot write {}: {e}", path.display()))
    })
}

/// Reads a private key.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn signing(path: &Path) -> Result<SigningKey> {
    let key = SigningKey::from_pem(&read(path, key::FILE_MAX)?);
    key.map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

/// Reads a public key.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn public(path: &Path) -> Result<PublicKey> {
    let key = PublicKey::from_pem(&read(path, key::FILE_MAX)?);
    key.map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

/// The bytes of a file that has at most so many.
///
/// # Errors
/// When it has more, or cannot be read.
pub fn read(path: &Path, max: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(bound).read_to_end(&mut bytes))
        .map_err(|e| Failure::new(format!("cannot read {}: {e}", path.display())))?;
    if bytes.len() > max {
        return Err(Failure::new(format!("{} has more than {max} bytes", path.display())));
    }
    Ok(bytes)
}
