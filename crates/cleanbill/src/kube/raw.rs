//! Requests of `setup apply`, by which a person changes a node: any path, one question, the status
//! whatever it is. The gate itself asks by [`Client::get`] alone.

use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::header;

use super::{Client, Parts, Token, Unread};
use crate::failure::Result;

/// The largest answer: five hundred pods a page.
const MOST: u64 = 64 << 20;

/// An answer, whatever its status.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
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

    /// GET, until then at most.
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
        body: &Value,
        most: Duration,
    ) -> std::result::Result<Reply, String> {
        self.send(path, Some(body), most)
    }

    fn send(
        &self,
        path: &str,
        body: Option<&Value>,
        most: Duration,
    ) -> std::result::Result<Reply, String> {
        let until = Instant::now() + most;
        let url = format!("{}{path}", self.base);
        let token = self.token().map_err(|e| match e {
            Unread::Failed(why) => why,
            Unread::Forbidden | Unread::Absent => "the token cannot be read".to_owned(),
        })?;
        let left = until.saturating_duration_since(Instant::now());
        let failed = |e: ureq::Error| e.to_string();
        // A server that is started anew leaves connections behind that lead nowhere.
        let heads = [(header::ACCEPT, "application/json"), (header::CONNECTION, "close")];
        let mut response = match body {
            None => {
                let mut request = self.agent.get(url);
                for (name, value) in heads {
                    request = request.header(name, value);
                }
                if let Some(token) = token {
                    request = request.header(header::AUTHORIZATION, token);
                }
                request.config().timeout_global(Some(left)).build().call().map_err(failed)?
            }
            Some(body) => {
                let mut request = self.agent.post(url);
                for (name, value) in heads {
                    request = request.header(name, value);
                }
                if let Some(token) = token {
                    request = request.header(header::AUTHORIZATION, token);
                }
                let request = request.header(header::CONTENT_TYPE, "application/json");
                let request = request.config().timeout_global(Some(left)).build();
                request.send(body.to_string()).map_err(failed)?
            }
        };
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MOST).read_to_vec().map_err(failed)?;
        Ok(Reply { status, body })
    }
}
