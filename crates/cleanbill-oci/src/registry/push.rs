//! Putting an artifact into a registry (OCI distribution specification 1.1, "Push"): its blobs,
//! and then the manifest that names them.
//!
//! Bytes are hashed by whoever states their descriptor, and by the registry; here they are only
//! sent. Nothing is ever deleted, and a name by digest is never written to.

use std::io::{self, Read};

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use ureq::http::{HeaderValue, StatusCode, Uri, header};

use super::fault::{Attempt, Fault, refused};
use super::http::{Ask, How, Reply, shown_host};
use super::url::{resolve, same_origin, with_query};
use super::{Purpose, Registry, Target};
use crate::content::Descriptor;
use crate::error::ErrorKind;
use crate::hash::sha256;
use crate::{Error, Result};

/// A blob to be put there.
pub struct Upload<'a> {
    /// What it is; its digest and size are those of the bytes.
    pub descriptor: Descriptor,
    /// Opens the bytes from their beginning: once for every attempt.
    pub open: &'a dyn Fn() -> io::Result<Box<dyn Read + 'a>>,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The blobs that were sent; the others were there before.
    pub sent: Vec<Digest>,
}

impl Registry {
    /// Puts the blobs into the repository that a name lies in, those that are not there, and
    /// then the manifest under its tag. Until that is done the tag means what it meant before.
    ///
    /// # Errors
    /// When the name is one by digest, the registry cannot be reached or refuses, or says
    /// afterwards that it holds something else.
    pub fn push(
        &self,
        image: &ImageRef,
        blobs: &[Upload<'_>],
        media_type: &str,
        manifest: &[u8],
    ) -> Result<Pushed> {
        let tag = image.tag().filter(|_| image.digest().is_none()).ok_or_else(|| {
            let why = "nothing can be pushed to a digest: name a tag";
            Error::new(ErrorKind::Malformed, format!("{image}: {why}"))
        })?;
        let pushed = || {
            let target = Target { purpose: Purpose::Push, ..self.target(image)? };
            let mut sent = Vec::new();
            for blob in blobs {
                let digest = blob.descriptor.digest;
                if self.push_blob(&target, blob).map_err(|e| e.within(digest.short()))? {
                    sent.push(digest);
                }
            }
            let digest = self.push_manifest(&target, tag, media_type, manifest)?;
            Ok(Pushed { digest, sent })
        };
        pushed().map_err(|e: Error| e.within(image))
    }

    /// Puts a blob there; whether it had to.
    fn push_blob(&self, target: &Target, blob: &Upload<'_>) -> Result<bool> {
        self.shared.http.retrying(target, || {
            if self.has_blob(target, &blob.descriptor)? {
                return Ok(false);
            }
            let (place, authorization) = self.begin(target)?;
            let mut body = (blob.open)().map_err(|e| {
                Error::new(ErrorKind::Io, "what is to be pushed cannot be read").because(e)
            })?;
            let media_type = "application/octet-stream";
            let size = blob.descriptor.size;
            let url = with_digest(&place, &blob.descriptor.digest)?;
            // A token for the registry is nobody else's.
            let authorization = authorization.filter(|_| same_origin(&url, &target.base));
            let how = How::Put { media_type, size, body: &mut *body };
            let ask = Ask { url: &url, accept: None, from: 0, authorization, how };
            accepted(self.shared.http.ask(target, ask)?, &[StatusCode::CREATED])?;
            Ok(true)
        })
    }

    fn has_blob(&self, target: &Target, descriptor: &Descriptor) -> Attempt<bool> {
        let url = self.shared.url(target, &format!("blobs/{}", descriptor.digest))?;
        let reply = self.shared.answering(target, |authorization| {
            let how = How::Head;
            self.shared
                .http
                .ask(target, Ask { url: &url, accept: None, from: 0, authorization, how })
        })?;
        match reply.response.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refused(reply)),
        }
    }

    /// Begins an upload: where to, and with which authorization it was begun.
    fn begin(&self, target: &Target) -> Attempt<(Uri, Option<HeaderValue>)> {
        let url = self.shared.url(target, "blobs/uploads/")?;
        let mut used = None;
        let reply = self.shared.answering(target, |authorization| {
            used.clone_from(&authorization);
            let how = How::Begin;
            self.shared
                .http
                .ask(target, Ask { url: &url, accept: None, from: 0, authorization, how })
        })?;
        let reply = accepted(reply, &[StatusCode::ACCEPTED])?;
        let from = shown_host(&url);
        let location = reply.response.headers().get(header::LOCATION);
        let place = location.and_then(|l| l.to_str().ok()).and_then(|l| resolve(&url, l));
        let place = place.ok_or_else(|| {
            let why = format!("{from} names no valid place for an upload");
            Error::new(ErrorKind::Malformed, why)
        })?;
        if url.scheme_str() == Some("https") && place.scheme_str() != Some("https") {
            let why = format!("{from} wants an upload over plain HTTP, which is not done");
            return Err(Error::new(ErrorKind::Forbidden, why).into());
        }
        Ok((place, used))
    }

    fn push_manifest(
        &self,
        target: &Target,
        tag: &str,
        media_type: &str,
        manifest: &[u8],
    ) -> Result<Digest> {
        let digest = sha256(manifest);
        let reply = self.shared.http.retrying(target, || {
            let url = self.shared.url(target, &format!("manifests/{tag}"))?;
            let reply = self.shared.answering(target, |authorization| {
                let mut body = manifest;
                let size = manifest.len() as u64;
                let how = How::Put { media_type, size, body: &mut body };
                self.shared
                    .http
                    .ask(target, Ask { url: &url, accept: None, from: 0, authorization, how })
            })?;
            accepted(reply, &[StatusCode::CREATED, StatusCode::OK])
        })?;
        let said = reply.response.headers().get("docker-content-digest");
        match said.map(|said| said.to_str().unwrap_or_default()) {
            Some(said) if said != digest.to_string() => {
                let said: String = said.chars().take(100).flat_map(char::escape_debug).collect();
                let why = format!("the manifest has the digest {digest}, the registry says {said}");
                Err(Error::new(ErrorKind::DigestMismatch, why))
            }
            Some(_) | None => Ok(digest),
        }
    }
}

/// The answer, if it is one of these.
fn accepted(reply: Reply, wanted: &[StatusCode]) -> Attempt<Reply> {
    let status = reply.response.status();
    if wanted.contains(&status) {
        return Ok(reply);
    }
    if status.is_success() || status.is_redirection() {
        let why = format!("{} answers an upload with {status}", shown_host(&reply.at));
        return Err(Error::new(ErrorKind::Io, why).into());
    }
    Err(refused(reply))
}

/// The place of an upload with the digest that ends it.
fn with_digest(place: &Uri, digest: &Digest) -> std::result::Result<Uri, Fault> {
    with_query(place, &[("digest", &digest.to_string())]).ok_or_else(|| {
        let why = format!("{} names too long a place for an upload", shown_host(place));
        Error::new(ErrorKind::Malformed, why).into()
    })
}
