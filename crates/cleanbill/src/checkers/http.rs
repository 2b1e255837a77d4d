//! A server that answers in our own format, `cleanbill.checker/v1` (docs/checkers.md).

use std::time::Instant;

use super::config::Endpoint;
use super::post::Server;
use super::{Asked, Said, Silence, answer};
use crate::failure::Result;

/// A server that answers in our own format.
pub(super) struct Http(Server);

impl Http {
    /// See [`Server::open`].
    pub(super) fn open(endpoint: &Endpoint) -> Result<Self> {
        Server::open(endpoint).map(Self)
    }

    /// Asks until then.
    pub(super) fn ask(&self, asked: &Asked, until: Instant) -> std::result::Result<Said, Silence> {
        let reply = self.0.post(None, &asked.document(), until)?;
        match reply.status {
            200 => answer::parse(&reply.body, &asked.image()),
            other => Err(Silence::new(format!("it answered with HTTP status {other}"))),
        }
    }
}
