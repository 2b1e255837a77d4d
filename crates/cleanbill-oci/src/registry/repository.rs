//! One repository of a registry as a [`Content`]: manifests whole, blobs as streams that go on
//! where a broken connection left them.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use ureq::BodyReader;
use ureq::http::{Response, header};

use super::Target;
use super::client::{MANIFESTS, Shared};
use crate::content::{Content, Descriptor, Role, skipped};
use crate::error::ErrorKind;
use crate::limits::Limit;
use crate::{Error, Result};

/// A repository, until a deadline.
pub(super) struct Repository {
    shared: Arc<Shared>,
    target: Arc<Target>,
    /// The root's bytes, which were needed to find it.
    root: Option<(Digest, Arc<[u8]>)>,
}

impl Repository {
    pub(super) fn new(
        shared: Arc<Shared>,
        target: Target,
        root: Option<(Digest, Arc<[u8]>)>,
    ) -> Self {
        Self { shared, target: Arc::new(target), root }
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        if let Some((digest, bytes)) = &self.root
            && *digest == descriptor.digest
        {
            return Ok(Box::new(Cursor::new(Arc::clone(bytes))));
        }
        let limits = &self.shared.options.limits;
        if descriptor.size > limits.manifest_bytes {
            return Err(limits.over(Limit::ManifestBytes));
        }
        let accept = format!("{}, {MANIFESTS}", descriptor.media_type);
        let accept = if printable(&descriptor.media_type) { &accept } else { MANIFESTS };
        let name = descriptor.digest.to_string();
        let (_, bytes) = self.shared.manifest(&self.target, &name, accept)?;
        if bytes.len() as u64 != descriptor.size {
            return Err(wrong_size(bytes.len() as u64, descriptor.size));
        }
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn blob(&self, descriptor: &Descriptor, from: u64) -> Result<Box<dyn Read + Send>> {
        let mut blob = Blob {
            shared: Arc::clone(&self.shared),
            target: Arc::clone(&self.target),
            digest: descriptor.digest,
            size: descriptor.size,
            position: from,
            body: None,
            resumes: 0,
        };
        blob.body = Some(blob.connect()?);
        Ok(Box::new(blob))
    }
}

impl Content for Repository {
    fn open(&self, role: Role, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        match role {
            Role::Manifest => self.manifest(descriptor),
            Role::Blob => self.blob(descriptor, 0),
        }
        .map_err(|e| self.within(e, descriptor))
    }

    fn open_from(
        &self,
        role: Role,
        descriptor: &Descriptor,
        from: u64,
    ) -> Result<Box<dyn Read + Send>> {
        match role {
            Role::Blob if from < descriptor.size => {
                self.blob(descriptor, from).map_err(|e| self.within(e, descriptor))
            }
            Role::Blob | Role::Manifest => skipped(self.open(role, descriptor)?, from),
        }
    }
}

impl Repository {
    fn within(&self, error: Error, descriptor: &Descriptor) -> Error {
        error.within(format!("{} of {}", descriptor.digest.short(), self.target.name))
    }
}

/// Whether a media type of hostile origin may stand in a header.
fn printable(media_type: &str) -> bool {
    !media_type.is_empty()
        && media_type.len() <= 255
        && media_type.bytes().all(|b| b.is_ascii_graphic() && b != b',' && b != b';')
}

fn wrong_size(actual: u64, stated: u64) -> Error {
    let text = format!("it has {actual} bytes, and its descriptor says {stated}");
    Error::new(ErrorKind::Malformed, text)
}

/// A blob while it is downloaded. Gives exactly the bytes from the first position to `size`, or an
/// error.
struct Blob {
    shared: Arc<Shared>,
    target: Arc<Target>,
    digest: Digest,
    size: u64,
    /// The byte that is handed out next.
    position: u64,
    body: Option<BodyReader<'static>>,
    resumes: u32,
}

impl Blob {
    /// Asks for the rest of the blob; the reader begins at `position`.
    fn connect(&self) -> Result<BodyReader<'static>> {
        let path = format!("blobs/{}", self.digest);
        let reply = self.shared.get(&self.target, &path, None, self.position)?;
        let partial = reply.response.status().as_u16() == 206;
        if partial {
            check_range(&reply.response, self.position, self.size)?;
        }
        let expected = if partial { self.size - self.position } else { self.size };
        let body = reply.response.into_body();
        if let Some(length) = body.content_length()
            && length != expected
        {
            let actual = (self.size - expected).saturating_add(length);
            return Err(wrong_size(actual, self.size));
        }
        let mut reader = body.into_reader();
        if !partial && self.position > 0 {
            // The server knows no ranges: what was read before is read again and left out. The
            // digest is checked above, over what was handed out.
            let skipped = io::copy(&mut (&mut reader).take(self.position), &mut io::sink())
                .map_err(|e| {
                    Error::new(ErrorKind::Io, "the download broke off again").because(e)
                })?;
            if skipped != self.position {
                return Err(Error::new(ErrorKind::Io, "the download broke off again"));
            }
        }
        Ok(reader)
    }

    /// Goes on after a broken connection, or says why not.
    fn resume(&mut self, cause: Option<io::Error>) -> Result<()> {
        let broke = |cause: Option<io::Error>| {
            let text =
                format!("the download broke off after {} of {} bytes", self.position, self.size);
            let error = Error::new(ErrorKind::Io, text);
            match cause {
                Some(cause) => error.because(cause),
                None => error,
            }
        };
        let left = self.target.left()?;
        if self.resumes >= self.shared.options.resumes {
            return Err(broke(cause));
        }
        self.resumes += 1;
        std::thread::sleep(self.shared.http.backoff(self.resumes).min(left));
        self.body = Some(self.connect()?);
        Ok(())
    }

    fn advance(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.position < self.size && !buffer.is_empty() {
            let left = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
            let wanted = left.min(buffer.len());
            let read = match (&mut self.body, buffer.get_mut(..wanted)) {
                (Some(body), Some(part)) => body.read(part),
                _ => Ok(0),
            };
            match read {
                Ok(0) => {
                    self.body = None;
                    self.resume(None)?;
                }
                Ok(count) => {
                    self.position += count as u64;
                    if self.position == self.size {
                        self.end()?;
                    }
                    return Ok(count);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.body = None;
                    self.resume(Some(e))?;
                }
            }
        }
        Ok(0)
    }

    /// All bytes are there; one more would be an error. What else goes wrong now does not
    /// matter.
    fn end(&mut self) -> Result<()> {
        let more = self.body.take().map(|mut body| body.read(&mut [0]));
        match more {
            Some(Ok(1..)) => {
                let text = format!("it has more than the {} bytes of its descriptor", self.size);
                Err(Error::new(ErrorKind::Malformed, text))
            }
            Some(Ok(0) | Err(_)) | None => Ok(()),
        }
    }
}

impl Read for Blob {
    /// Errors carry a [`crate::Error`] inside.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.advance(buffer).map_err(|e| {
            io::Error::other(e.within(format!("{} of {}", self.digest.short(), self.target.name)))
        })
    }
}

/// Checks that a partial answer is the part that was asked for: `bytes FROM-TO/SIZE`.
fn check_range<T>(response: &Response<T>, from: u64, size: u64) -> Result<()> {
    let stated = response.headers().get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok());
    let parsed = stated.and_then(parse_range);
    match parsed {
        Some((first, last, total))
            if first == from && last + 1 == size && total.is_none_or(|total| total == size) =>
        {
            Ok(())
        }
        _ => {
            let shown = stated.unwrap_or("none").escape_debug();
            let text = format!("asked for bytes {from}- of {size}, the registry sends {shown}");
            Err(Error::new(ErrorKind::Malformed, text))
        }
    }
}

fn parse_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    let last: u64 = last.parse().ok().filter(|last| *last < u64::MAX)?;
    Some((first.parse().ok()?, last, total))
}

#[cfg(test)]
mod tests {
    use super::{parse_range, printable};

    #[test]
    fn ranges_parse_or_not() {
        let table = [
            ("bytes 5-9/10", Some((5, 9, Some(10)))),
            ("bytes 5-9/*", Some((5, 9, None))),
            ("bytes */10", None),
            ("5-9/10", None),
            ("bytes 5-9", None),
            ("bytes 5-18446744073709551615/*", None),
            ("bytes -1-9/10", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(parse_range(text), want, "{text:?}");
        }
    }

    #[test]
    fn only_plain_media_types_go_into_a_header() {
        assert!(printable("application/vnd.oci.image.manifest.v1+json"));
        for bad in ["", "a b", "a\r\nX: y", "a,b", "é"] {
            assert!(!printable(bad), "{bad:?}");
        }
    }
}
