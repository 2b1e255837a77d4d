//! `db.tar.gz`, the layer of the artifact by which Trivy's database is distributed: a gzipped tar
//! with `trivy.db` and `metadata.json`.
//!
//! It is unpacked as it is read, the database to a file without a name (so that nothing is left
//! behind), and within the limits of a build. No name in the archive is used as a path.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use super::{DATABASE, METADATA};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

const BLOCK: usize = 512;
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
        if !fill(&mut tar, &mut block, limits)? || block.iter().all(|b| *b == 0) {
            break;
        }
        if number >= ENTRIES_MAX {
            return Err(Error::new(
                ErrorKind::OverLimit,
                format!("more than {ENTRIES_MAX} entries"),
            ));
        }
        let header = Header::parse(&block).map_err(Error::malformed)?;
        let padded = header.size.checked_next_multiple_of(BLOCK as u64);
        let padding =
            padded.ok_or_else(|| Error::malformed("an entry is too large"))? - header.size;
        let twice = |name| Err(Error::malformed(format!("{name} is in it twice")));
        let mut content = tar.by_ref().take(header.size);
        let copied = match header.name.as_str() {
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
            return Err(too_large(limits));
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

/// Fills a block; false at the end of the archive.
fn fill(tar: &mut std::io::Take<impl Read>, block: &mut [u8], limits: &Limits) -> Result<bool> {
    let wanted = block.len() as u64;
    let mut writer = std::io::Cursor::new(block);
    let copied = std::io::copy(&mut tar.by_ref().take(wanted), &mut writer).map_err(broken)?;
    match copied {
        _ if tar.limit() == 0 => Err(too_large(limits)),
        0 => Ok(false),
        n if n == wanted => Ok(true),
        _ => Err(Error::new(ErrorKind::Damaged, "it ends too early")),
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Damaged, "it cannot be unpacked").because(error)
}

fn too_large(limits: &Limits) -> Error {
    let message = format!("unpacked, it is larger than {} bytes", limits.total_bytes);
    Error::new(ErrorKind::OverLimit, message)
}

/// A header of the tar.
struct Header {
    /// The name without `./`, of a plain file; nothing for all else.
    name: String,
    size: u64,
}

impl Header {
    fn parse(block: &[u8; BLOCK]) -> std::result::Result<Self, &'static str> {
        let field = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        if octal(field(148, 156)) != Some(sum) {
            return Err("an entry of the tar does not have the sum that it was written with");
        }
        let size = field(124, 136);
        let size = match size.split_first() {
            // The binary form, for sizes of 8 GiB and more.
            Some((0x80, rest)) if rest.iter().take(3).all(|b| *b == 0) => {
                let number = rest.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
                (number <= i64::MAX as u64).then_some(number)
            }
            Some(_) | None => octal(size),
        };
        let size = size.ok_or("an entry of the tar has no size")?;
        let plain = matches!(block.get(156), Some(0 | b'0'));
        // What follows such an entry would have another name or size than its header says.
        if matches!(block.get(156), Some(b'x' | b'L' | b'S')) {
            return Err("an entry of the tar is of a kind that is not expected here");
        }
        let text = |bytes: &[u8]| {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
        };
        let in_folder = field(257, 262) == b"ustar" && block.get(345).is_some_and(|b| *b != 0);
        let name = text(field(0, 100));
        let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
        Ok(Self { name: if plain && !in_folder { name } else { String::new() }, size })
    }
}

/// A number in octal, with spaces and zero bytes around it.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    u64::from_str_radix(text, 8).ok()
}
