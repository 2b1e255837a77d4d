//! `db.tar.gz`, the layer of the artifact by which Trivy's database is distributed: a gzipped tar
//! with `trivy.db` and `metadata.json`.
//!
//! It is unpacked as it is read, the database to a file without a name (so that nothing is left
//! behind), and within the limits of a build. No name in the archive is used as a path.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use super::super::tar::{BLOCK, Header, Kind, broken, fill, too_large};
use super::{DATABASE, METADATA};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

/// Bytes of `metadata.json`, which has four fields.
pub(super) const METADATA_MAX: u64 = 64 << 10;
/// Entries of the archive, of which two are expected.
const ENTRIES_MAX: usize = 64;

/// What was in it.
pub(super) struct Unpacked {
    pub database: File,
    pub metadata: Option<Vec<u8>>,
}

/// Unpacks the archive at `path`; the database goes to a file in the same folder, or in the
/// system's folder for temporary files where that one cannot be written to.
///
/// # Errors
/// When it is no such archive, is damaged, has no database in it, or a limit is passed.
pub(super) fn unpack(path: &Path, limits: &Limits) -> Result<Unpacked> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let beside = path.parent().map(tempfile::tempfile_in);
    let spool = match beside {
        Some(Ok(file)) => Ok(file),
        Some(Err(_)) | None => tempfile::tempfile(),
    };
    let spool = spool.map_err(|e| {
        let why = "no temporary file for its database";
        Error::new(ErrorKind::Io, format!("{}: {why}", path.display())).because(e)
    })?;
    read(BufReader::new(file), spool, limits).map_err(|e| e.within(path.display()))
}

/// Reads the archive, and writes its database to `spool`.
pub(super) fn read(from: impl Read, mut spool: File, limits: &Limits) -> Result<Unpacked> {
    let mut tar = GzDecoder::new(from).take(limits.total_bytes.saturating_add(1));
    let (mut found, mut metadata) = (false, None);
    for number in 0.. {
        let mut block = [0; BLOCK];
        if !fill(&mut tar, &mut block, limits.total_bytes)? || block.iter().all(|b| *b == 0) {
            break;
        }
        if number >= ENTRIES_MAX {
            return Err(Error::new(
                ErrorKind::OverLimit,
                format!("more than {ENTRIES_MAX} entries"),
            ));
        }
        let header = Header::parse(&block)?;
        let padded = header.size.checked_next_multiple_of(BLOCK as u64);
        let padding =
            padded.ok_or_else(|| Error::malformed("an entry is too large"))? - header.size;
        let twice = |name| Err(Error::malformed(format!("{name} is in it twice")));
        let mut content = tar.by_ref().take(header.size);
        let copied = match name(&header)? {
            DATABASE if found => return twice(DATABASE),
            DATABASE => {
                found = true;
                std::io::copy(&mut content, &mut spool)
            }
            METADATA if metadata.is_some() => return twice(METADATA),
            METADATA if header.size > METADATA_MAX => {
                let message = format!("{METADATA}: larger than {METADATA_MAX} bytes");
                return Err(Error::new(ErrorKind::OverLimit, message));
            }
            METADATA => {
                let mut bytes = Vec::new();
                let copied = content.read_to_end(&mut bytes).map(|n| n as u64);
                metadata = Some(bytes);
                copied
            }
            _ => std::io::copy(&mut content, &mut std::io::sink()),
        };
        let copied = copied.map_err(broken)?;
        let skipped = std::io::copy(&mut tar.by_ref().take(padding), &mut std::io::sink());
        if tar.limit() == 0 {
            return Err(too_large(limits.total_bytes));
        }
        if copied != header.size || skipped.map_err(broken)? != padding {
            return Err(Error::new(ErrorKind::Damaged, "it ends too early"));
        }
    }
    if !found {
        return Err(Error::malformed(format!("there is no {DATABASE} in it")));
    }
    let rewound = spool.flush().and_then(|()| spool.seek(SeekFrom::Start(0)));
    rewound.map_err(|e| Error::new(ErrorKind::Io, "its temporary file").because(e))?;
    Ok(Unpacked { database: spool, metadata })
}

/// The name of a plain file, without `./`; nothing for all else.
fn name(header: &Header) -> Result<&str> {
    match header.kind {
        Kind::File => Ok(header.name.strip_prefix("./").unwrap_or(&header.name)),
        Kind::Other => Ok(""),
        // What follows such an entry would have another name or size than its header says.
        Kind::Pax | Kind::LongName | Kind::Sparse => {
            Err(Error::malformed("an entry of the tar is of a kind that is not expected here"))
        }
    }
}
