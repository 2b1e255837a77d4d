//! Bytes read by position, from a file or from memory: nothing is mapped, and nothing is read
//! whole.

use std::fs::File;

use crate::error::{Error, ErrorKind, Result};

/// Where bytes are read from.
pub(crate) enum Positioned {
    File(File),
    Static(&'static [u8]),
    Owned(Vec<u8>),
}

impl Positioned {
    /// Exactly `length` bytes from `offset` on. The caller has bounded `length`; `name` is what
    /// an error calls the whole.
    pub(crate) fn read_at(&self, offset: u64, length: usize, name: &str) -> Result<Vec<u8>> {
        let slice = |bytes: &[u8]| {
            let start = usize::try_from(offset).ok()?;
            Some(bytes.get(start..start.checked_add(length)?)?.to_vec())
        };
        let short = || Error::new(ErrorKind::Damaged, format!("{name} ends too early"));
        match self {
            Self::Static(bytes) => slice(bytes).ok_or_else(short),
            Self::Owned(bytes) => slice(bytes).ok_or_else(short),
            Self::File(file) => {
                let mut out = vec![0; length];
                std::os::unix::fs::FileExt::read_exact_at(file, &mut out, offset)
                    .map_err(|e| Error::new(ErrorKind::Io, name).because(e))?;
                Ok(out)
            }
        }
    }
}
