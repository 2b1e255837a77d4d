//! Decompression of a blob, by what its bytes are, checked against what its media type says.
//!
//! Runtimes look at the bytes (containerd and Docker both sniff), and some tools at the media
//! type. Where the two disagree the blob is refused, so that nobody can see another layer than
//! we do. Several gzip members and several zstd frames (skippable ones too) make one stream, as
//! their specifications say; anything else after the end is an error.

use std::io::{self, BufReader, Chain, Cursor, Read};

use crate::blob::{Raw, uncarry};
use crate::error::{Error, ErrorKind, Result};
use crate::media_type::Compression;

/// Bytes of compressed data that are read at once.
const BUFFER: usize = 128 << 10;
/// Largest zstd window as a power of two: 128 MiB, what the `zstd` tool reads by default.
const WINDOW_LOG_MAX: u32 = 27;

/// How the decompressors say that their data is wrong; other kinds come from the store.
const DAMAGE: [io::ErrorKind; 3] =
    [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData, io::ErrorKind::Other];

type Source = Chain<Cursor<Vec<u8>>, Raw>;

/// A blob's uncompressed bytes.
pub(crate) enum Decoder {
    Plain(Box<Source>),
    Gzip(Box<Gzip>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Source>>>),
}

/// What the first bytes of something are.
pub(crate) fn sniff(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // A frame, or a skippable frame before the first.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

impl Decoder {
    /// Looks at the first bytes and sets up for what they are.
    ///
    /// # Errors
    /// When that is not what `stated` says, where something is stated.
    pub(crate) fn new(mut raw: Raw, stated: Option<Compression>) -> Result<Self> {
        let mut head = Vec::with_capacity(4);
        raw.by_ref().take(4).read_to_end(&mut head).map_err(uncarry)?;
        let found = sniff(&head);
        if let Some(stated) = stated
            && stated != found
        {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!(
                    "its media type says {}, but its bytes have {}",
                    stated.name(),
                    found.name()
                ),
            ));
        }
        let source = Cursor::new(head).chain(raw);
        Ok(match found {
            Compression::None => Self::Plain(Box::new(source)),
            Compression::Gzip => Self::Gzip(Box::new(Gzip::new(source))),
            Compression::Zstd => {
                let buffered = BufReader::with_capacity(BUFFER, source);
                let decoder = zstd::stream::read::Decoder::with_buffer(buffered)
                    .and_then(|mut d| d.window_log_max(WINDOW_LOG_MAX).map(|()| d))
                    .map_err(uncarry)?;
                Self::Zstd(Box::new(decoder))
            }
        })
    }

    /// The blob below.
    pub(crate) fn raw(&mut self) -> Option<&mut Raw> {
        match self {
            Self::Plain(source) => Some(source.get_mut().1),
            Self::Gzip(gzip) => gzip.raw(),
            Self::Zstd(zstd) => Some(zstd.get_mut().get_mut().get_mut().1),
        }
    }

    /// What it decompresses.
    pub(crate) fn compression(&self) -> Compression {
        match self {
            Self::Plain(_) => Compression::None,
            Self::Gzip(_) => Compression::Gzip,
            Self::Zstd(_) => Compression::Zstd,
        }
    }

    /// Fills the buffer as far as there is data; less than its length only at the end.
    pub(crate) fn fill(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut at = 0;
        while let Some(rest) = buf.get_mut(at..)
            && !rest.is_empty()
        {
            let read = match self {
                Self::Plain(source) => source.read(rest),
                Self::Gzip(gzip) => gzip.read(rest),
                Self::Zstd(zstd) => zstd.read(rest),
            };
            match read {
                Ok(0) => break,
                Ok(n) => at += n,
                Err(e) => return Err(self.explain(e)),
            }
        }
        Ok(at)
    }

    fn explain(&self, error: io::Error) -> Error {
        let name = self.compression().name();
        let truncated = error.kind() == io::ErrorKind::UnexpectedEof;
        match error.downcast::<Error>() {
            Ok(own) => own,
            Err(e) if self.compression() == Compression::None => uncarry(e),
            Err(_) if truncated => {
                Error::new(ErrorKind::Malformed, format!("the {name} data is cut off"))
            }
            Err(e) if DAMAGE.contains(&e.kind()) => {
                Error::new(ErrorKind::Malformed, format!("the {name} data is damaged")).because(e)
            }
            Err(e) => uncarry(e),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.fill(buf).map_err(io::Error::other)
    }
}

/// The members of a gzip file, one after the other.
pub(crate) struct Gzip {
    member: Option<flate2::bufread::GzDecoder<BufReader<Source>>>,
}

impl Gzip {
    fn new(source: Source) -> Self {
        let buffered = BufReader::with_capacity(BUFFER, source);
        Self { member: Some(flate2::bufread::GzDecoder::new(buffered)) }
    }

    fn raw(&mut self) -> Option<&mut Raw> {
        Some(self.member.as_mut()?.get_mut().get_mut().get_mut().1)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let n = member.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            let after = io::BufRead::fill_buf(member.get_mut())?;
            if after.is_empty() {
                return Ok(0);
            }
            if !matches!(after, [0x1f, 0x8b, ..] | [0x1f]) {
                let why = "there is something after the end of the gzip data";
                return Err(io::Error::other(Error::new(ErrorKind::Malformed, why)));
            }
            let Some(done) = self.member.take() else { return Ok(0) };
            self.member = Some(flate2::bufread::GzDecoder::new(done.into_inner()));
        }
    }
}
