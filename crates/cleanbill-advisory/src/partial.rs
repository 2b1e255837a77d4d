//! Downloads that broke off: what has arrived lies beside the place of the whole, and the next run,
//! of whatever process, goes on behind it. Its name says of what it is the beginning, so that it is
//! never taken for that of something else: `cleanbill.cbdb.sha256-….partial` by the digest of the
//! whole, `all.zip.etag-….partial` by the server's strong ETag.
//!
//! There is at most one a place, no larger than the whole, and none once that is there, is another
//! by now, or did not fit on the disk. Whoever writes one holds the lock of the place.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rustix::fs::{FallocateFlags, fallocate};

use crate::error::{Error, ErrorKind, Result, is_full};
use crate::telling::{Meter, Say, Told};

/// What the name of each ends with.
pub(crate) const SUFFIX: &str = ".partial";
/// The longest ETag that is kept in a name, which has at most 255 bytes.
const ETAG_MAX: usize = 64;

/// A download of known bytes, which goes on behind those that are here already.
pub struct Download<'a> {
    /// The digest of the whole.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Opens what comes behind its beginning.
    pub open: &'a mut Open<'a>,
}

/// Opens a download behind its beginning, which it is given and reads to its end. What it opens fails
/// at the latest where it ends, with an error of the kind [`io::ErrorKind::InvalidData`], unless
/// beginning and rest have the size and digest of the whole.
pub type Open<'a> = dyn FnMut(&mut dyn Read) -> io::Result<Box<dyn Read>> + 'a;

/// Of what a file is the beginning.
pub(crate) enum Mark<'a> {
    /// Of the bytes with this digest.
    Digest(&'a Digest),
    /// Of what a server calls by this strong ETag, and gave this date, which it need not repeat with
    /// the rest (RFC 9110, 15.3.7).
    Etag(&'a str, Option<Timestamp>),
    /// Nobody can tell: it is never gone on with.
    Unknown,
}

impl Mark<'_> {
    /// The place where such a beginning of `place` lies.
    pub(crate) fn path(&self, place: &Path) -> PathBuf {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mark = match self {
            Self::Digest(digest) => digest.to_string().replace(':', "-"),
            Self::Etag(etag, date) if etag.len() <= ETAG_MAX => {
                let date = date.map_or_else(String::new, |date| format!("-{}", date.as_second()));
                format!("etag-{}{date}", hex(etag.as_bytes()))
            }
            Self::Etag(..) | Self::Unknown => "begun".to_owned(),
        };
        let mut name = place.as_os_str().to_owned();
        name.push(format!(".{mark}{SUFFIX}"));
        PathBuf::from(name)
    }
}

/// Brings a download to `to`, going on behind what lies beside `place`; `say` is told of it. Where the
/// whole has another digest with the bytes that are here, it is fetched anew, once.
///
/// # Errors
/// When it breaks off again (what has arrived stays), its bytes are others than were promised, or
/// they cannot be written (then nothing stays, so that a full disk does not stay full).
pub(crate) fn fetch(
    download: Download<'_>,
    name: &str,
    (place, to): (&Path, &Path),
    say: &mut Say<'_>,
) -> Result<()> {
    let path = Mark::Digest(&download.digest).path(place);
    clear(place, Some(&path))?;
    let Download { size, open, .. } = download;
    let mut begun = Begun::open(&path, size)?;
    let mut anew = begun.have > 0;
    loop {
        say(Told::Line(&match begun.have {
            0 => format!("{name}: {size} bytes"),
            have => format!("{name}: {size} bytes, of which {have} are here"),
        }));
        let failed = match begun.fetch(size, &mut *open, &mut Meter::new(name, say)) {
            Ok(()) => break,
            Err(Failed::Wrong(e)) if anew => {
                let why = format!("{name}: what was here is not of it, so it begins anew: {e}");
                say(Told::Line(&why));
                anew = false;
                remove(&path)?;
                begun = Begun::open(&path, size)?;
                continue;
            }
            Err(failed) => failed,
        };
        let (keep, error) = match failed {
            Failed::Unread(e) => (begun.have > 0, Error::new(ErrorKind::Io, name).because(e)),
            Failed::Wrong(e) => (false, Error::new(ErrorKind::Io, name).because(e)),
            Failed::Unwritten(e) => (false, unwritten(&path, size, e)),
        };
        if !keep {
            _ = std::fs::remove_file(&path);
        }
        return Err(error);
    }
    std::fs::rename(&path, to).map_err(|e| Error::io(to, e))
}

/// The error of a file that does not take what is written.
pub(crate) fn unwritten(path: &Path, size: u64, error: io::Error) -> Error {
    let message = format!("{}: no room for {size} bytes", path.display());
    match is_full(&error) {
        true => Error::unwritten(message, error).beside(path),
        false => Error::io(path, error),
    }
}

/// Why a download does not end.
enum Failed {
    /// It broke off.
    Unread(io::Error),
    /// Its bytes are not the promised ones.
    Wrong(io::Error),
    Unwritten(io::Error),
}

/// A beginning, open to go on.
struct Begun {
    file: File,
    /// Bytes that are in it.
    have: u64,
}

impl Begun {
    /// Opens what is there of it, or begins. What is no plain file of one name, or longer than the
    /// whole, was not left by a download, and is never written into.
    fn open(path: &Path, size: u64) -> Result<Self> {
        let io = |e| Error::io(path, e);
        let new = || File::options().read(true).append(true).create_new(true).open(path);
        let listed = match path.symlink_metadata() {
            Ok(listed) => listed,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file: new().map_err(io)?, have: 0 });
            }
            Err(e) => return Err(io(e)),
        };
        if listed.is_file() && listed.nlink() == 1 && listed.len() <= size {
            let file = OpenOptions::new().read(true).append(true).open(path).map_err(io)?;
            let opened = file.metadata().map_err(io)?;
            if (opened.dev(), opened.ino()) == (listed.dev(), listed.ino()) {
                return Ok(Self { file, have: opened.len() });
            }
        }
        remove(path)?;
        Ok(Self { file: new().map_err(io)?, have: 0 })
    }

    /// Fetches the rest and flushes all of it to the disk.
    fn fetch(
        &mut self,
        size: u64,
        open: &mut Open<'_>,
        meter: &mut Meter<'_, '_>,
    ) -> std::result::Result<(), Failed> {
        let told = |e: io::Error| match e.kind() == io::ErrorKind::InvalidData {
            true => Failed::Wrong(e),
            false => Failed::Unread(e),
        };
        reserve(&self.file, size).map_err(Failed::Unwritten)?;
        let mut rest = open(&mut (&self.file).take(self.have)).map_err(told)?;
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = match rest.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(told(e)),
            };
            let bytes = piece.get(..read).unwrap_or_default();
            if self.have.saturating_add(read as u64) > size {
                let message = format!("more than the {size} bytes that were promised");
                return Err(Failed::Wrong(io::Error::new(io::ErrorKind::InvalidData, message)));
            }
            self.file.write_all(bytes).map_err(Failed::Unwritten)?;
            self.have += read as u64;
            meter.at(self.have, Some(size));
        }
        self.file.sync_all().map_err(Failed::Unwritten)
    }
}

/// Takes room on the disk for a file that is to have so many bytes, so that what does not fit is not
/// fetched. Where the file system cannot say, it is told when it is full.
///
/// # Errors
/// When there is not enough.
pub(crate) fn reserve(file: &File, size: u64) -> io::Result<()> {
    if size == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, size).map_err(io::Error::from) {
        Err(e) if is_full(&e) => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What was left of a download to `place` of which the server's ETag is known.
pub(crate) struct Tagged {
    pub path: PathBuf,
    pub etag: String,
    pub date: Option<Timestamp>,
    /// Bytes that are in it: not none.
    pub have: u64,
}

/// Finds it.
pub(crate) fn tagged(place: &Path) -> Result<Option<Tagged>> {
    for (mark, path) in all(place)? {
        let Some(mark) = mark.strip_prefix("etag-") else { continue };
        let (etag, date) = mark.split_once('-').unwrap_or((mark, ""));
        let date = date.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let etag = from_hex(etag);
        let have = path.symlink_metadata().ok().filter(|m| m.is_file() && m.nlink() == 1);
        if let (Some(etag), Some(have)) = (etag, have.map(|m| m.len()).filter(|have| *have > 0)) {
            return Ok(Some(Tagged { path, etag, date, have }));
        }
    }
    Ok(None)
}

fn from_hex(text: &str) -> Option<String> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.map(byte).collect::<Option<_>>()?;
    // What else stands there would be no header.
    let strong = bytes.starts_with(b"\"") && bytes.iter().all(|b| b.is_ascii_graphic());
    String::from_utf8(bytes).ok().filter(|_| strong)
}

/// Removes what was left of downloads to `place`, but for the one at `keep`.
pub(crate) fn clear(place: &Path, keep: Option<&Path>) -> Result<()> {
    for (_, path) in all(place)? {
        if Some(path.as_path()) != keep {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Whether a file is one that was left of a download.
pub(crate) fn is_partial(name: &Path) -> bool {
    name.as_os_str().as_encoded_bytes().ends_with(SUFFIX.as_bytes())
}

/// The marks and files of what was left of downloads to `place`.
fn all(place: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| Error::io(folder, e))?,
    };
    let own = place.file_name().unwrap_or_default().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| Error::io(folder, e))?.file_name();
        let mark = name
            .as_encoded_bytes()
            .strip_prefix(own)
            .and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(SUFFIX.as_bytes()))
            .and_then(|mark| std::str::from_utf8(mark).ok());
        // A mark has no dot: with one it is a file of another place.
        if let Some(mark) = mark.filter(|mark| !mark.contains('.')) {
            found.push((mark.to_owned(), place.with_file_name(&name)));
        }
    }
    Ok(found)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "partial_tests.rs"]
mod tests;
