//! The one place where bytes of a store are bounded and hashed.
//!
//! It must not interpret what it reads.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use cleanbill_core::digest::Digest;

use crate::content::{Content, Descriptor, Role};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Hasher;
use crate::limits::{Limit, Limits};

/// Until when an image may be read, and by which limits.
#[derive(Clone)]
pub(crate) struct Clock {
    pub(crate) limits: Arc<Limits>,
    pub(crate) deadline: Option<Instant>,
}

impl Clock {
    /// Starts the time of one image now.
    pub(crate) fn start(limits: &Arc<Limits>) -> Self {
        Self { limits: Arc::clone(limits), deadline: Instant::now().checked_add(limits.time) }
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(self.limits.over(Limit::Seconds)),
            Some(_) | None => Ok(()),
        }
    }
}

/// The error of bytes that are not the ones that were promised.
pub(crate) fn mismatch(what: &str, expected: &Digest, found: &Digest) -> Error {
    Error::new(
        ErrorKind::DigestMismatch,
        format!("{what}: the digest should be {expected} but the bytes have {found}"),
    )
}

/// Reads a small document (manifest, index, configuration) whole, and checks size and digest.
pub(crate) fn read_document(
    content: &dyn Content,
    role: Role,
    descriptor: &Descriptor,
    what: &str,
    clock: &Clock,
) -> Result<Vec<u8>> {
    let limit = clock.limits.manifest_bytes;
    if descriptor.size > limit {
        return Err(clock.limits.over(Limit::ManifestBytes).within(what));
    }
    let stored = content.open(role, descriptor).map_err(|e| e.within(what))?;
    let hasher = Some(Hasher::like(&descriptor.digest));
    let mut raw = Raw::new(stored, descriptor.size, hasher, clock.clone());
    let mut bytes = Vec::with_capacity(usize::try_from(descriptor.size).unwrap_or(0));
    raw.read_to_end(&mut bytes).map_err(|e| uncarry(e).within(what))?;
    raw.check(descriptor).map_err(|e| e.within(what))?;
    Ok(bytes)
}

/// A blob's bytes as they are stored: counted, hashed (unless somebody else does), never more
/// than stated, never past the deadline.
pub(crate) struct Raw {
    inner: Box<dyn Read + Send>,
    hasher: Option<Hasher>,
    taken: u64,
    size: u64,
    clock: Clock,
}

impl Raw {
    pub(crate) fn new(
        inner: Box<dyn Read + Send>,
        size: u64,
        hasher: Option<Hasher>,
        clock: Clock,
    ) -> Self {
        Self { inner, hasher, taken: 0, size, clock }
    }

    /// Reads to its end what comes before the bytes of the store; it counts as if it were of them.
    pub(crate) fn begin(&mut self, here: &mut dyn Read) -> io::Result<()> {
        let mut piece = vec![0; 64 << 10];
        loop {
            self.clock.check().map_err(io::Error::other)?;
            match read(here, &mut piece)? {
                0 => return Ok(()),
                n => self.count(piece.get(..n).unwrap_or_default())?,
            }
        }
    }

    /// Goes on with these bytes of the store.
    pub(crate) fn go_on(&mut self, inner: Box<dyn Read + Send>) {
        self.inner = inner;
    }

    /// Bytes read so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// The digest, if hashing was ours to do. To be called once, at the end.
    pub(crate) fn digest(&mut self) -> Option<Digest> {
        self.hasher.take().map(Hasher::finish)
    }

    fn count(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.taken = self.taken.saturating_add(bytes.len() as u64);
        if self.taken > self.size {
            let why = format!("more than the {} bytes that are stated", self.size);
            let wrong = Error::new(ErrorKind::Malformed, why);
            return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        Ok(())
    }

    /// Checks what was read against what was promised.
    pub(crate) fn check(&mut self, descriptor: &Descriptor) -> Result<()> {
        if self.taken != descriptor.size {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("{} bytes, but {} are stated", self.taken, descriptor.size),
            ));
        }
        match self.digest() {
            Some(found) if found != descriptor.digest => {
                Err(mismatch("its bytes", &descriptor.digest, &found))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.clock.check().map_err(io::Error::other)?;
        let n = read(&mut *self.inner, buf)?;
        self.count(buf.get(..n).unwrap_or_default())?;
        Ok(n)
    }
}

fn read(from: &mut dyn Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buf) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Our own error out of an `io::Error` that carries one; otherwise reading failed.
pub(crate) fn uncarry(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(foreign) => Error::new(ErrorKind::Io, "reading failed").because(foreign),
    }
}
