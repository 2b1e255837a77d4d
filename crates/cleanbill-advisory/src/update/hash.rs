//! Hashes that publishers give of their files. They prove that a file has arrived as it was published, by
//! the same server: not who made it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// What the name of a hash ends with, behind that of its file (CSAF 2.0, requirement 18).
pub(super) const SUFFIX: &str = ".sha256";
/// The most that is read of one.
const MOST: u64 = 4096;

/// The hash in a file beside another: in hexadecimal digits, in front of the file's name.
pub(super) fn beside(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    let first = bytes.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let hash = std::str::from_utf8(first).unwrap_or_default().to_ascii_lowercase();
    match hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(hash),
        false => Err(Error::malformed("no SHA-256 of a file")),
    }
}

/// Whether a file has the hash that somebody says.
pub(super) fn has(path: &Path, sha256: &str, who: &str) -> Result<()> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).map_err(|e| Error::io(path, e))? {
            0 => break,
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if hash == sha256 {
        return Ok(());
    }
    let message = format!("it has the SHA-256 {hash}, and {who} says {sha256}");
    Err(Error::malformed(message))
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn hashes_beside_files() {
        let hex = "ab".repeat(32);
        let table = [
            (format!("{hex}  csaf-vex.tar.bz2\n"), Some(hex.clone())),
            (format!("{} *vex.tar.zst", hex.to_uppercase()), Some(hex.clone())),
            (hex.clone(), Some(hex.clone())),
            (format!("{hex}0  a"), None),
            (hex[1..].to_owned(), None),
            ("z".repeat(64), None),
            ("<html>".to_owned(), None),
            (String::new(), None),
            (" ".repeat(1 << 20), None),
        ];
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, wanted) in table {
            std::fs::write(file.path(), &text).unwrap();
            let said = beside(file.path());
            assert_eq!(said.ok(), wanted, "{:.80}", text);
        }
    }
}
