//! One HTTP call to the webhook, as Go's `net/http` makes it for client-go, and what goes wrong in
//! Go's words.
//!
//! A new connection for each call: Go would keep one, which changes nothing about what is said
//! and makes each call show the certificates of now. Programs that give credentials (`exec`) are
//! not run, and proxies other than `http://` not spoken to: both are errors that say so.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::kubeconfig::Reach;
use super::{Files, Refused, Version};

mod address;
mod connect;
mod tls;

pub use address::Address;
pub use connect::Proxies;
use connect::Stream;
use tls::Tls;
pub use tls::words as tls_words;

/// How long one call may take.
pub const CALL: Duration = Duration::from_secs(30);
/// Redirects that are followed.
const REDIRECTS: usize = 10;
/// The largest answer that is read.
const ANSWER_MAX: usize = 16 << 20;

/// A webhook that can be asked.
pub struct Client {
    address: Address,
    tls: Tls,
    proxies: Proxies,
    authorization: Option<HeaderValue>,
    impersonates: Option<String>,
}

/// What came back over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Content-Type`, where there is one.
    pub content_type: Option<String>,
    /// `Retry-After`, where it is a number.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// In Go's words.
    pub words: String,
    /// Whether the connection was reset, after which client-go's webhook tries again.
    pub reset: bool,
}

impl Lost {
    fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), reset: false }
    }
}

/// Why there is no client.
pub enum NoClient {
    /// kube-apiserver would not start either.
    Refused(Refused),
    /// It would, but what is asked for is not played here.
    NotPlayed(String),
}

impl Client {
    /// Reads certificates and keys as kube-apiserver does when it starts.
    ///
    /// # Errors
    /// See [`NoClient`].
    pub fn new(
        reach: &Reach,
        files: &Files,
        version: Version,
        proxies: Proxies,
    ) -> Result<Self, NoClient> {
        if let Some(program) = &reach.exec {
            return Err(NoClient::NotPlayed(format!(
                "the kubeconfig gets credentials from a program ({program}), which is not run here"
            )));
        }
        let address = Address::parse(&reach.server).map_err(NoClient::Refused)?;
        // Credentials are read only where the address says https.
        let secure = address.secure;
        let tls = match secure {
            true => Tls::new(reach, files, version).map_err(NoClient::Refused)?,
            false => Tls::none(version),
        };
        let proxies = match &reach.proxy {
            Some(proxy) => Proxies::always(proxy),
            None => proxies,
        };
        let authorization = match (&reach.token, &reach.basic) {
            _ if !secure => None,
            (Some(token), _) => header(&format!("Bearer {}", token.trim())),
            (None, Some((name, password))) => {
                use base64::Engine as _;
                let both = format!("{name}:{password}");
                let both = base64::engine::general_purpose::STANDARD.encode(both);
                header(&format!("Basic {both}"))
            }
            (None, None) => None,
        };
        let impersonates = reach.acts_as.clone().filter(|_| secure);
        Ok(Self { address, tls, proxies, authorization, impersonates })
    }

    /// Where it asks.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The proxy that it asks through.
    pub fn proxy(&self) -> Option<&str> {
        self.proxies.of(&self.address)
    }

    /// Asks once, within `time`.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn post(&self, body: &str, time: Duration) -> Result<Reply, Lost> {
        let said = format!("Post \"{}\": ", self.address.url());
        let late = || Lost::new(format!("{said}context deadline exceeded"));
        let asked = tokio::time::timeout(time, self.follow(body));
        asked.await.unwrap_or_else(|_| Err(late()))
    }

    async fn follow(&self, body: &str) -> Result<Reply, Lost> {
        let (mut address, mut method) = (self.address.clone(), Method::POST);
        let mut sent = Some(body.to_owned());
        for _ in 0..=REDIRECTS {
            let verb = if method == Method::POST { "Post" } else { "Get" };
            let said = format!("{verb} \"{}\": ", address.url());
            let told = |lost: Lost| Lost { words: format!("{said}{}", lost.words), ..lost };
            let response = self.once(&address, &method, sent.as_deref()).await.map_err(told)?;
            let status = response.status().as_u16();
            let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
            let Some(location) = location.filter(|_| matches!(status, 301..=303 | 307 | 308))
            else {
                return reply(response).await;
            };
            // Only these two are asked again with the question.
            if !matches!(status, 307 | 308) {
                method = Method::GET;
                sent = None;
            }
            address = address.join(location).map_err(|e| {
                Lost::new(format!("{said}failed to parse Location header {location:?}: {e}"))
            })?;
        }
        let url = address.url();
        Err(Lost::new(format!("Post \"{url}\": stopped after {REDIRECTS} redirects")))
    }

    async fn once(
        &self,
        address: &Address,
        method: &Method,
        body: Option<&str>,
    ) -> Result<Response<Incoming>, Lost> {
        let (stream, http2) = connect::open(address, &self.tls, &self.proxies).await?;
        let agent = if http2 { "Go-http-client/2.0" } else { "Go-http-client/1.1" };
        let through = self.proxies.of(address).is_some() && !address.secure;
        let target = match (http2, through) {
            (true, _) | (_, true) => address.url(),
            (false, false) => address.target(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(USER_AGENT, agent)
            .header(ACCEPT, "application/json, */*");
        if !http2 {
            request = request.header(HOST, address.host_header());
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        // Go takes credentials along to the same host only.
        if let Some(authorization) = &self.authorization
            && address.host == self.address.host
        {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(user) = &self.impersonates {
            request = request.header("Impersonate-User", user);
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default().to_owned()));
        let request = request.body(body).map_err(|e| Lost::new(e.to_string()))?;
        send(stream, http2, request).await
    }
}

async fn send(
    stream: Stream,
    http2: bool,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Lost> {
    let failed = |e: hyper::Error| connect::lost(&e);
    let io = TokioIo::new(stream);
    if http2 {
        let shake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut sender, connection) = shake.await.map_err(failed)?;
        tokio::spawn(connection);
        return sender.send_request(request).await.map_err(failed);
    }
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(io).await.map_err(failed)?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(failed)
}

async fn reply(response: Response<Incoming>) -> Result<Reply, Lost> {
    let (head, mut body) = response.into_parts();
    let text = |name| head.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Lost::new(
                "unexpected error when reading response body. Please retry. Original error: \
                 unexpected EOF",
            )
        })?;
        bytes.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
        if bytes.len() > ANSWER_MAX {
            return Err(Lost::new(format!(
                "the answer is larger than {ANSWER_MAX} bytes, which is as much as is read here"
            )));
        }
    }
    Ok(Reply {
        status: head.status.as_u16(),
        content_type: text("content-type").map(str::to_owned),
        retry_after: text("retry-after").and_then(|v| v.trim().parse().ok()),
        body: bytes,
    })
}

fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
