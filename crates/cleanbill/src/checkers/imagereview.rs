//! Another server that answers `ImageReview` of `imagepolicy.k8s.io/v1alpha1`, asked as the API
//! server would ask it about a pod with this one image.

use std::time::Instant;

use super::config::Endpoint;
use super::post::Server;
use super::{Asked, Said, Silence, answer};
use crate::failure::Result;

/// A server that answers `ImageReview`.
pub(super) struct ImageReview(Server);

impl ImageReview {
    /// See [`Server::open`].
    pub(super) fn open(endpoint: &Endpoint) -> Result<Self> {
        Server::open(endpoint).map(Self)
    }

    /// Asks until then.
    pub(super) fn ask(&self, asked: &Asked, until: Instant) -> std::result::Result<Said, Silence> {
        let left = until.saturating_duration_since(Instant::now());
        let query = format!("timeout={}s", left.as_secs().max(1));
        let reply = self.0.post(Some(&query), &asked.image_review(), until)?;
        match reply.status {
            // What the API server takes for success.
            200..=206 => answer::parse_image_review(&reply.body),
            other => Err(Silence::new(format!("it answered with HTTP status {other}"))),
        }
    }
}
