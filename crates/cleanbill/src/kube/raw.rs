//! Requests of `setup apply`, by which a person changes a node: any path, one question, the status
//! whatever it is. The gate itself asks by [`Client::get`] alone.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Asked, Client, Parts, Token};
use crate::failure::Result;

/// The largest answer: five hundred pods a page.
const MOST: u64 = 64 << 20;

/// An answer, whatever its status.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// What its clock said (`Date`).
    pub date: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Client {
    /// For a server that knows its clients by certificate, such as a gate: `https://HOST:PORT`, and
    /// PEM texts.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn mutual(server: &str, authority: &str, certificate: &str, key: &str) -> Result<Self> {
        Self::new(Parts {
            server: server.to_owned(),
            authority: authority.into(),
            client: Some((certificate.into(), key.into())),
            token: Token::None,
        })
    }

    /// GET, for so long at most.
    ///
    /// # Errors
    /// When no answer came: why, for people.
    pub fn fetch(&self, path: &str, most: Duration) -> std::result::Result<Reply, String> {
        self.send(path, None, most)
    }

    /// POST of JSON, the same.
    ///
    /// # Errors
    /// As [`Client::fetch`].
    pub fn post(
        &self,
        path: &str,
        body: &str,
        most: Duration,
    ) -> std::result::Result<Reply, String> {
        self.send(path, Some(body), most)
    }

    fn send(
        &self,
        path: &str,
        body: Option<&str>,
        most: Duration,
    ) -> std::result::Result<Reply, String> {
        let until = Instant::now() + most;
        // A server that is started anew leaves connections behind that lead nowhere.
        self.ask(&Asked { path, body, most: MOST, until, keeps: false })
    }
}
