//! Zips of many small documents, as OSV and RubySec publish them: read one document at a time and
//! never unpacked. Names inside a zip are not used as paths.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

/// One document of a zip.
pub(super) struct Document<'z> {
    pub name: &'z str,
    /// When its file was changed last, without a zone.
    pub changed: Option<zip::DateTime>,
    pub bytes: &'z [u8],
}

/// Reads the wanted documents of a zip, each of at most `most` bytes. Returns how many entries are
/// lost, since another has their name: which of them their maker means nobody can tell.
///
/// # Errors
/// When it is no zip, or a limit is passed.
pub(super) fn read(
    from: impl Read + Seek,
    limits: &Limits,
    most: u64,
    mut wanted: impl FnMut(&str) -> bool,
    mut take: impl FnMut(Document<'_>),
) -> Result<u64> {
    let mut zip = open(from)?;
    let over = |what: String| Error::new(ErrorKind::OverLimit, what);
    let (names, lost);
    (zip, names, lost) = count(zip, limits)?;
    if names.saturating_add(lost) > limits.documents {
        return Err(over(format!("{} documents: more than {}", names + lost, limits.documents)));
    }
    let mut total = 0u64;
    let mut bytes = Vec::new();
    for number in 0..zip.len() {
        let mut entry = zip
            .by_index(number)
            .map_err(|e| Error::malformed(format!("entry {number} cannot be read")).because(e))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if entry.is_dir() || !wanted(&name) {
            continue;
        }
        let changed = entry.last_modified();
        bytes.clear();
        entry
            .by_ref()
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|e| Error::malformed(format!("entry {name:?} cannot be read")).because(e))?;
        total = total.saturating_add(bytes.len() as u64);
        if bytes.len() as u64 > most {
            return Err(over(format!("entry {name:?}: larger than {most} bytes")));
        }
        if total > limits.total_bytes {
            let most = limits.total_bytes;
            return Err(over(format!("its entries together: larger than {most} bytes")));
        }
        take(Document { name: &name, changed, bytes: &bytes });
    }
    Ok(lost)
}

fn open<R: Read + Seek>(from: R) -> Result<ZipArchive<R>> {
    ZipArchive::new(from).map_err(|e| Error::malformed("no readable zip").because(e))
}

/// How many names there are, and how many entries beside those that have them. Of several entries of
/// one name the zip's index keeps the last, so that its directory is gone through for the others.
fn count<R: Read + Seek>(zip: ZipArchive<R>, limits: &Limits) -> Result<(ZipArchive<R>, u64, u64)> {
    let names = zip.len() as u64;
    if !zip.has_duplicate_names() {
        return Ok((zip, names, 0));
    }
    let start = zip.central_directory_start();
    let mut from = zip.into_inner();
    let entries = headers(&mut from, start, limits.documents)
        .map_err(|e| Error::malformed("the zip's directory cannot be read").because(e))?;
    // However it is made, there is one at least.
    Ok((open(from)?, names, entries.saturating_sub(names).max(1)))
}

/// What each header of the directory begins with.
const HEADER: [u8; 4] = *b"PK\x01\x02";

/// How many headers the directory has that begins here; one more than `most` ends it.
fn headers(from: &mut (impl Read + Seek), start: u64, most: u64) -> std::io::Result<u64> {
    from.seek(SeekFrom::Start(start))?;
    let mut from = std::io::BufReader::new(from);
    let mut count = 0;
    while count <= most {
        let mut header = [0; 46];
        match from.read_exact(&mut header) {
            Ok(()) if header.starts_with(&HEADER) => {}
            Ok(()) => break,
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(e) => return Err(e),
        }
        count += 1;
        // The lengths of the name, of the extra field and of the comment.
        let [.., a, b, c, d, e, f] = header.first_chunk::<34>().copied().unwrap_or([0; 34]);
        let behind = [[a, b], [c, d], [e, f]].map(|two| i64::from(u16::from_le_bytes(two)));
        from.seek_relative(behind.iter().sum())?;
    }
    Ok(count)
}
