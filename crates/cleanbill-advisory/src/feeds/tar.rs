//! The entries of a tar, one after the other as they stream by: enough of POSIX's ustar and pax and
//! of GNU's long names to read what publishers make. Only plain files are shown; nothing is
//! written, and no name is used as a path.

use std::io::Read;

use crate::error::{Error, ErrorKind, Result};

/// Bytes of a block: a header is one, and contents are padded to whole ones.
pub(super) const BLOCK: usize = 512;
/// Bytes of a name, or of an entry that only describes the next one.
const DESCRIPTION: u64 = 64 << 10;

/// Bounds on one archive.
pub(super) struct Bounds {
    /// Bytes of the whole, unpacked.
    pub total: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Entries of any kind.
    pub entries: u64,
}

/// Shows each plain file: its name, and its content if `wanted` says that it is.
///
/// # Errors
/// When it is no tar, is damaged, a limit is passed, or `each` fails.
pub(super) fn read(
    from: impl Read,
    bounds: &Bounds,
    mut wanted: impl FnMut(&str) -> bool,
    mut each: impl FnMut(&str, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut tar = from.take(bounds.total.saturating_add(1));
    let mut next = Next::default();
    for number in 0.. {
        let mut block = [0; BLOCK];
        if !fill(&mut tar, &mut block, bounds.total)? || block.iter().all(|byte| *byte == 0) {
            break;
        }
        if number >= bounds.entries {
            return Err(over(format!("more than {} entries", bounds.entries)));
        }
        let header = Header::parse(&block)?;
        let described = std::mem::take(&mut next);
        let size = described.size.filter(|_| header.kind == Kind::File).unwrap_or(header.size);
        let name = described.name.unwrap_or(header.name);
        match header.kind {
            Kind::File => {
                let limit = if wanted(&name) { Some(bounds.file) } else { None };
                let content = content(&mut tar, size, limit, bounds)?;
                if let Some(content) = content {
                    each(&name, content)?;
                }
            }
            Kind::Pax => next.pax(&described_by(&mut tar, size, bounds)?)?,
            Kind::LongName => {
                let bytes = described_by(&mut tar, size, bounds)?;
                next.name = Some(text(&bytes));
            }
            Kind::Other => drop(content(&mut tar, size, None, bounds)?),
            Kind::Sparse => {
                return Err(Error::malformed("an entry of the tar is of a kind that is not read"));
            }
        }
    }
    Ok(())
}

/// What an entry says of the one behind it.
#[derive(Default)]
struct Next {
    name: Option<String>,
    size: Option<u64>,
}

impl Next {
    /// Records of pax: `length key=value\n`, the length being that of the whole record.
    fn pax(&mut self, mut records: &[u8]) -> Result<()> {
        let wrong =
            || Error::malformed("an entry of the tar has a description that cannot be read");
        while !records.is_empty() {
            let space = records.iter().position(|b| *b == b' ').ok_or_else(wrong)?;
            let length = records.get(..space).and_then(|l| std::str::from_utf8(l).ok());
            let length: usize = length.and_then(|l| l.parse().ok()).ok_or_else(wrong)?;
            let record = records.get(space + 1..length).ok_or_else(wrong)?;
            let record = record.strip_suffix(b"\n").ok_or_else(wrong)?;
            let equals = record.iter().position(|b| *b == b'=').ok_or_else(wrong)?;
            let value = record.get(equals + 1..).unwrap_or_default();
            match record.get(..equals).unwrap_or_default() {
                b"path" => self.name = Some(text(value)),
                b"size" => self.size = Some(text(value).parse().map_err(|_| wrong())?),
                key if key.starts_with(b"GNU.sparse") => return Err(wrong()),
                _ => {}
            }
            records = records.get(length..).unwrap_or_default();
        }
        Ok(())
    }
}

fn described_by(tar: &mut std::io::Take<impl Read>, size: u64, bounds: &Bounds) -> Result<Vec<u8>> {
    let limit = DESCRIPTION;
    let bytes = content(tar, size, Some(limit), bounds)?;
    Ok(bytes.unwrap_or_default())
}

/// An entry's content, or nothing where no limit is given: then it is passed over.
fn content(
    tar: &mut std::io::Take<impl Read>,
    size: u64,
    limit: Option<u64>,
    bounds: &Bounds,
) -> Result<Option<Vec<u8>>> {
    let padded = size.checked_next_multiple_of(BLOCK as u64);
    let padding = padded.ok_or_else(|| Error::malformed("an entry of the tar has no size"))? - size;
    let mut bytes = None;
    let read = match limit {
        Some(limit) if size > limit => {
            return Err(over(format!("a file in it is larger than {limit} bytes")));
        }
        Some(_) => {
            let mut content = Vec::new();
            let read = tar.by_ref().take(size).read_to_end(&mut content).map(|n| n as u64);
            bytes = Some(content);
            read
        }
        None => std::io::copy(&mut tar.by_ref().take(size), &mut std::io::sink()),
    };
    let read = read.map_err(broken)?;
    let skipped = std::io::copy(&mut tar.by_ref().take(padding), &mut std::io::sink());
    let skipped = skipped.map_err(broken)?;
    match tar.limit() {
        0 => Err(too_large(bounds.total)),
        _ if read != size || skipped != padding => {
            Err(Error::new(ErrorKind::Damaged, "it ends too early"))
        }
        _ => Ok(bytes),
    }
}

/// Fills a block of an archive of at most `total` bytes; false at its end.
pub(super) fn fill(
    tar: &mut std::io::Take<impl Read>,
    block: &mut [u8],
    total: u64,
) -> Result<bool> {
    let wanted = block.len() as u64;
    let mut writer = std::io::Cursor::new(block);
    let copied = std::io::copy(&mut tar.by_ref().take(wanted), &mut writer).map_err(broken)?;
    match copied {
        _ if tar.limit() == 0 => Err(too_large(total)),
        0 => Ok(false),
        n if n == wanted => Ok(true),
        _ => Err(Error::new(ErrorKind::Damaged, "it ends too early")),
    }
}

/// The error of an archive that cannot be read on.
pub(super) fn broken(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Damaged, "it cannot be unpacked").because(error)
}

/// The error of an archive of more than `total` bytes.
pub(super) fn too_large(total: u64) -> Error {
    over(format!("unpacked, it is larger than {total} bytes"))
}

fn over(message: String) -> Error {
    Error::new(ErrorKind::OverLimit, message)
}

/// Text up to the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// It describes the next entry, in pax's records.
    Pax,
    /// It is the name of the next entry, as GNU writes it.
    LongName,
    /// Folders, links, and what describes the archive as a whole.
    Other,
    Sparse,
}

/// The header of an entry.
pub(super) struct Header {
    pub kind: Kind,
    pub name: String,
    pub size: u64,
}

impl Header {
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self> {
        let field = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        if octal(field(148, 156)) != Some(sum) {
            let why = "an entry of the tar does not have the sum that it was written with";
            return Err(Error::malformed(why));
        }
        let size = match field(124, 136).split_first() {
            // The binary form, for sizes of 8 GiB and more.
            Some((0x80, rest)) if rest.iter().take(3).all(|byte| *byte == 0) => {
                Some(rest.iter().fold(0u64, |n, byte| (n << 8) | u64::from(*byte)))
            }
            Some(_) | None => octal(field(124, 136)),
        };
        let size = size.filter(|size| *size <= i64::MAX as u64);
        let size = size.ok_or_else(|| Error::malformed("an entry of the tar has no size"))?;
        let kind = match block.get(156) {
            Some(0 | b'0' | b'7') => Kind::File,
            Some(b'x') => Kind::Pax,
            Some(b'L') => Kind::LongName,
            Some(b'S') => Kind::Sparse,
            Some(_) | None => Kind::Other,
        };
        let prefix =
            if field(257, 263) == b"ustar\0" { text(field(345, 500)) } else { String::new() };
        let name = text(field(0, 100));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        Ok(Self { kind, name, size })
    }
}

/// A number in octal, with spaces and zero bytes around it.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    u64::from_str_radix(text, 8).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::{BLOCK, Bounds, read};

    /// An entry as tar writes it.
    pub(crate) fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = [0u8; BLOCK];
        block[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut out = block.to_vec();
        out.extend(content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
        out
    }

    fn shown(bytes: &[u8], bounds: &Bounds) -> String {
        let mut out = Vec::new();
        let read = read(
            bytes,
            bounds,
            |name| name != "skipped",
            |name, content| {
                out.push(format!("{name}={}", String::from_utf8_lossy(&content)));
                Ok(())
            },
        );
        match read {
            Ok(()) => out.join(" "),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn what_publishers_write_is_read_and_what_is_broken_is_not() {
        let bounds = || Bounds { total: 1 << 20, file: 1000, entries: 10 };
        let end = vec![0; 2 * BLOCK];
        let a = entry("a", b'0', b"1");
        let long = "x/".repeat(100);
        let pax = |record: &str| {
            let body = format!(" {record}\n");
            let length = (1..).find(|n: &usize| n.to_string().len() + body.len() == *n).unwrap();
            entry("PaxHeader", b'x', format!("{length}{body}").as_bytes())
        };
        let mut bad_sum = a.clone();
        bad_sum[0] = b'b';
        let table: Vec<(Vec<u8>, Bounds, String)> = vec![
            ([&a[..], &end].concat(), bounds(), "a=1".into()),
            (a.clone(), bounds(), "a=1".into()),
            (vec![], bounds(), String::new()),
            ([entry("d", b'5', b""), a.clone()].concat(), bounds(), "a=1".into()),
            (
                [entry("l", b'2', b""), entry("skipped", b'0', b"x"), a.clone()].concat(),
                bounds(),
                "a=1".into(),
            ),
            ([pax("mtime=1.5"), a.clone()].concat(), bounds(), "a=1".into()),
            (
                [pax("path=other"), a.clone(), entry("b", b'0', b"2")].concat(),
                bounds(),
                "other=1 b=2".into(),
            ),
            (
                [entry("././@LongLink", b'L', format!("{long}\0").as_bytes()), a.clone()].concat(),
                bounds(),
                format!("{long}=1"),
            ),
            ([entry("g", b'g', b"comment"), a.clone()].concat(), bounds(), "a=1".into()),
            (
                bad_sum,
                bounds(),
                "an entry of the tar does not have the sum that it was written with".into(),
            ),
            (a[..BLOCK].to_vec(), bounds(), "it ends too early".into()),
            (a[..100].to_vec(), bounds(), "it ends too early".into()),
            (
                entry("s", b'S', b""),
                bounds(),
                "an entry of the tar is of a kind that is not read".into(),
            ),
            (
                entry("x", b'x', b"9999 path=x\n"),
                bounds(),
                "an entry of the tar has a description that cannot be read".into(),
            ),
            (a.repeat(11), bounds(), "more than 10 entries".into()),
            (
                entry("a", b'0', &[0; 1001]),
                bounds(),
                "a file in it is larger than 1000 bytes".into(),
            ),
            (
                a.repeat(3),
                Bounds { total: 2000, ..bounds() },
                "unpacked, it is larger than 2000 bytes".into(),
            ),
            (
                entry("x", b'x', &[b' '; 70 << 10]),
                bounds(),
                "a file in it is larger than 65536 bytes".into(),
            ),
        ];
        for (bytes, bounds, want) in table {
            assert_eq!(shown(&bytes, &bounds), want);
        }
    }
}
