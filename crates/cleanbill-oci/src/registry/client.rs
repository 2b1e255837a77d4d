//! The registry: a name to a root descriptor, and a repository to read it from
//! (OCI distribution specification 1.1, "Pull").

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use ureq::http::{HeaderMap, HeaderValue, Uri, header};

use super::auth::Auth;
use super::challenge::parse_challenges;
use super::credentials::Credentials;
use super::fault::{Attempt, Fault, Retry, refused};
use super::http::{Ask, How, Http, Reply};
use super::repository::Repository;
use super::url::{absolute_url, same_origin};
use super::{RegistryOptions, Target, from_now};
use crate::content::{Content, Descriptor};
use crate::error::ErrorKind;
use crate::hash::{Hasher, sha256};
use crate::limits::Limit;
use crate::{Error, Result};

/// What we ask for where a manifest is wanted; the most specific first.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Tags that are remembered.
const TAGS_MAX: usize = 1024;

/// Reads images from registries. Cheap to clone; clones share connections, tokens and tags.
#[derive(Clone)]
pub struct Registry {
    pub(super) shared: Arc<Shared>,
    deadline: Option<Instant>,
}

/// A tag, by registry, repository and tag.
type Tag = (String, String, String);

pub(super) struct Shared {
    pub options: RegistryOptions,
    pub http: Arc<Http>,
    pub auth: Auth,
    tags: Mutex<HashMap<Tag, (Descriptor, Instant)>>,
}

/// What a name means right now.
#[derive(Clone)]
pub struct Root {
    /// The manifest or index: its media type as the registry states it (empty where
    /// it states none), the digest *of the bytes
    /// that it sent*, and their number.
    pub descriptor: Descriptor,
    /// The repository it lies in; it has the root's bytes already.
    pub content: Arc<dyn Content>,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

impl Registry {
    /// Sets up; contacts nobody.
    ///
    /// # Errors
    /// When a CA file cannot be read, or an option is malformed.
    pub fn new(options: RegistryOptions) -> Result<Self> {
        let http = Arc::new(Http::new(&options)?);
        let auth = Auth::new(options.credentials.clone(), options.realm_hosts()?);
        let shared = Shared { options, http, auth, tags: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), deadline: None })
    }

    /// The same registry source, for work that must end by this instant (otherwise each call
    /// below, and all that is read through what it returns, has
    /// [`Limits::time`](crate::limits::Limits::time)).
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { shared: Arc::clone(&self.shared), deadline: Some(deadline) }
    }

    /// The same registry source for somebody else: his logins outrank the ones it has, for each
    /// `host[/path]` that he has one for. Connections and settings are shared; tokens and
    /// remembered tags are not, since they are what the logins gave access to.
    #[must_use]
    pub fn with_credentials(&self, credentials: &Credentials) -> Self {
        let mut options = self.shared.options.clone();
        options.credentials = credentials.clone().or(&options.credentials);
        let auth = self.shared.auth.with(options.credentials.clone());
        let http = Arc::clone(&self.shared.http);
        let shared = Shared { options, http, auth, tags: Mutex::default() };
        Self { shared: Arc::new(shared), deadline: self.deadline }
    }

    /// The manifest or index that a name means. A digest in the name decides; the tag beside it
    /// is not looked at.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses, when there is no such image, and when
    /// the bytes do not have the digest that the name or the registry gives.
    pub fn root(&self, image: &ImageRef) -> Result<Root> {
        self.find(image).map_err(|e| e.within(image))
    }

    /// The repository that a name lies in, to read blobs whose descriptors are known.
    ///
    /// # Errors
    /// When the registry's name cannot be part of a URL.
    pub fn repository(&self, image: &ImageRef) -> Result<Arc<dyn Content>> {
        let target = self.target(image).map_err(|e| e.within(image))?;
        Ok(Arc::new(Repository::new(Arc::clone(&self.shared), target, None)))
    }

    fn find(&self, image: &ImageRef) -> Result<Root> {
        let target = self.target(image)?;
        if let Some(descriptor) = self.remembered(image) {
            let content = Repository::new(Arc::clone(&self.shared), target, None);
            return Ok(Root { descriptor, content: Arc::new(content) });
        }
        let name = match (image.digest(), image.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.to_owned(),
            (None, None) => "latest".to_owned(),
        };
        let (headers, bytes) = self.shared.manifest(&target, &name, MANIFESTS)?;
        let digest = check_digest(image, &headers, &bytes)?;
        let media_type = media_type(&headers);
        let descriptor = Descriptor { media_type, digest, size: bytes.len() as u64 };
        self.remember(image, &descriptor);
        let root = Some((digest, Arc::from(bytes)));
        let content = Arc::new(Repository::new(Arc::clone(&self.shared), target, root));
        Ok(Root { descriptor, content })
    }

    pub(super) fn target(&self, image: &ImageRef) -> Result<Target> {
        let options = &self.shared.options;
        let deadline = self.deadline.unwrap_or_else(|| from_now(options.limits.time));
        Target::new(image, &self.shared.http, options, deadline)
    }

    fn remembered(&self, image: &ImageRef) -> Option<Descriptor> {
        let tag = tag(image)?;
        let tags = self.shared.tags.lock().unwrap_or_else(PoisonError::into_inner);
        let (descriptor, until) = tags.get(&tag)?;
        (*until > Instant::now()).then(|| descriptor.clone())
    }

    fn remember(&self, image: &ImageRef, descriptor: &Descriptor) {
        let ttl = self.shared.options.tag_ttl;
        let Some(tag) = tag(image).filter(|_| !ttl.is_zero()) else { return };
        let now = Instant::now();
        let mut tags = self.shared.tags.lock().unwrap_or_else(PoisonError::into_inner);
        if tags.len() >= TAGS_MAX {
            tags.retain(|_, (_, until)| *until > now);
        }
        if tags.len() >= TAGS_MAX {
            tags.clear();
        }
        tags.insert(tag, (descriptor.clone(), from_now(ttl)));
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Shared {
    /// GETs something of the repository, and tries again what fails for a passing reason.
    pub(super) fn get(
        &self,
        target: &Target,
        path: &str,
        accept: Option<&str>,
        from: u64,
    ) -> Result<Reply> {
        self.http.retrying(target, || self.get_once(target, path, accept, from))
    }

    /// GETs something of the repository, and answers a challenge once.
    fn get_once(
        &self,
        target: &Target,
        path: &str,
        accept: Option<&str>,
        from: u64,
    ) -> Attempt<Reply> {
        let url = self.url(target, path)?;
        let reply = self.answering(target, |authorization| {
            let how = How::Get;
            self.http.ask(target, Ask { url: &url, accept, from, authorization, how })
        })?;
        match reply.response.status().as_u16() {
            200 => Ok(reply),
            206 if from > 0 => Ok(reply),
            // It has no such bytes, or knows no ranges: all of it is asked for.
            416 if from > 0 => {
                // Reads the body, so that the connection can be used again.
                drop(refused(reply));
                self.get_once(target, path, accept, 0)
            }
            _ => Err(refused(reply)),
        }
    }

    /// The URL of something in the repository.
    pub(super) fn url(&self, target: &Target, path: &str) -> Result<Uri> {
        absolute_url(&format!("{}v2/{}/{path}", target.base, target.repository))
            .ok_or_else(|| Error::new(ErrorKind::Malformed, "the name cannot be part of a URL"))
    }

    /// Asks, answers a challenge of the registry once, and makes an error of a refusal. Other
    /// answers are the caller's to judge.
    pub(super) fn answering(
        &self,
        target: &Target,
        mut ask: impl FnMut(Option<HeaderValue>) -> Attempt<Reply>,
    ) -> Attempt<Reply> {
        let mut authorization = self.auth.remembered(target);
        let mut answered = false;
        loop {
            let reply = ask(authorization.clone())?;
            match reply.response.status().as_u16() {
                401 if !answered && same_origin(&reply.at, &target.base) => {
                    let challenges = challenges(&reply)?;
                    // Reads the body, so that the connection can be used again.
                    drop(refused(reply));
                    authorization = Some(self.auth.answer(&self.http, target, &challenges)?);
                    answered = true;
                }
                401 | 403 => {
                    let said = refused(reply).error;
                    return Err(self.auth.denied(target, &said.to_string()).into());
                }
                _ => return Ok(reply),
            }
        }
    }

    /// A manifest's headers and bytes, as many as the limits allow.
    pub(super) fn manifest(
        &self,
        target: &Target,
        name: &str,
        accept: &str,
    ) -> Result<(HeaderMap, Vec<u8>)> {
        let limit = self.options.limits.manifest_bytes;
        self.http.retrying(target, || {
            let path = format!("manifests/{name}");
            let reply = self.get_once(target, &path, Some(accept), 0)?;
            let (parts, body) = reply.response.into_parts();
            let over = || {
                let over = self.options.limits.over(Limit::ManifestBytes);
                Fault::from(over.within("its manifest"))
            };
            if body.content_length().is_some_and(|length| length > limit) {
                return Err(over());
            }
            let mut bytes = Vec::new();
            let mut reader = body.into_reader().take(limit.saturating_add(1));
            reader.read_to_end(&mut bytes).map_err(|e| {
                target.left().err().map_or_else(
                    || Fault {
                        error: Error::new(ErrorKind::Io, "its manifest broke off").because(e),
                        retry: Retry::Backoff,
                    },
                    Fault::from,
                )
            })?;
            if bytes.len() as u64 > limit {
                return Err(over());
            }
            Ok((parts.headers, bytes))
        })
    }
}

fn challenges(reply: &Reply) -> Result<Vec<super::challenge::Challenge>> {
    let lines: Vec<&[u8]> = reply
        .response
        .headers()
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .map(|line| line.as_bytes())
        .collect();
    parse_challenges(&lines.join(&b", "[..]))
}

/// The tag that decides what a name means; none where it is pinned.
fn tag(image: &ImageRef) -> Option<Tag> {
    let tag = image.tag().filter(|_| image.digest().is_none())?;
    Some((image.registry().to_ascii_lowercase(), image.repository().to_owned(), tag.to_owned()))
}

/// The digest of a manifest's bytes, after comparing it with the name's and the registry's.
fn check_digest(image: &ImageRef, headers: &HeaderMap, bytes: &[u8]) -> Result<Digest> {
    let claimed = headers.get("docker-content-digest").map(|value| {
        value.to_str().ok().and_then(|text| text.parse::<Digest>().ok()).ok_or_else(|| {
            Error::new(ErrorKind::Malformed, "the registry's Docker-Content-Digest is no digest")
        })
    });
    let claimed = claimed.transpose()?;
    for (wanted, who) in [(image.digest(), "the name"), (claimed.as_ref(), "the registry")] {
        let Some(wanted) = wanted else { continue };
        let actual = digest_like(wanted, bytes);
        if actual != *wanted {
            let text = format!("its manifest has digest {actual}, and {who} says {wanted}");
            return Err(Error::new(ErrorKind::DigestMismatch, text));
        }
    }
    Ok(image.digest().copied().unwrap_or_else(|| sha256(bytes)))
}

/// The digest of bytes by the same algorithm as another.
fn digest_like(like: &Digest, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::like(like);
    hasher.update(bytes);
    hasher.finish()
}

/// The media type that the registry states, or nothing. Whether the manifest agrees is for
/// whoever parses it.
fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .map(|text| text.trim().to_ascii_lowercase())
        .unwrap_or_default()
}
