//! What a publisher packed, unpacked as it is read: by what the bytes begin with, since one name
//! (`updateinfo.xml.gz`) may hold any of the kinds. How much comes out is for the caller to bound.

use std::io::{BufRead, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, ErrorKind, Result};

/// The memory that a zstd stream may ask for, as a power of two (128 MiB): what `zstd` itself allows.
const WINDOW_LOG: u32 = 27;

/// Unpacks gzip, zstd or bzip2; other bytes are passed on.
///
/// # Errors
/// When the beginning cannot be read, or is of a kind that is not read here.
pub(super) fn unpack<'r>(mut from: impl BufRead + 'r) -> Result<Box<dyn Read + 'r>> {
    let broken = |e| Error::new(ErrorKind::Io, "it cannot be read").because(e);
    let start = from.fill_buf().map_err(broken)?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(from)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(from).map_err(broken)?;
            decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
            Box::new(decoder)
        }
        [0xfd, b'7', b'z', ..] => {
            return Err(Error::malformed("it is packed by xz, which is not read here"));
        }
        [b'B', b'Z', b'h', ..] => Box::new(MultiBzDecoder::new(from)),
        _ => Box::new(from),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::unpack;

    #[test]
    fn by_what_the_bytes_begin_with() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"text").unwrap();
        let gz = gz.finish().unwrap();
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz.write_all(b"text").unwrap();
        let bz = bz.finish().unwrap();
        let table: [(Vec<u8>, Result<&str, &str>); 8] = [
            (b"text".to_vec(), Ok("text")),
            (vec![], Ok("")),
            (gz.clone(), Ok("text")),
            ([&gz[..], &gz[..]].concat(), Ok("texttext")),
            (zstd::encode_all(&b"text"[..], 1).unwrap(), Ok("text")),
            (b"\xfd7zXZ\0".to_vec(), Err("it is packed by xz, which is not read here")),
            (bz.clone(), Ok("text")),
            ([&bz[..], &bz[..]].concat(), Ok("texttext")),
        ];
        for (bytes, want) in table {
            let mut text = String::new();
            let read = unpack(&bytes[..]).map(|mut r| r.read_to_string(&mut text).unwrap());
            match want {
                Ok(want) => assert_eq!((read.is_ok(), text.as_str()), (true, want)),
                Err(why) => assert_eq!(read.unwrap_err().to_string(), why),
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_changed_is_an_error() {
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        bz.write_all(&b"some text ".repeat(1000)).unwrap();
        let bz = bz.finish().unwrap();
        let mut changed = bz.clone();
        *changed.last_mut().unwrap() ^= 0xff;
        for bytes in [&bz[..bz.len() / 2], &bz[..4], &b"BZh9 and text"[..], &changed[..]] {
            let mut out = Vec::new();
            let read = unpack(bytes).map(|mut r| r.read_to_end(&mut out));
            assert!(read.unwrap().is_err(), "{bytes:?}");
        }
    }
}
