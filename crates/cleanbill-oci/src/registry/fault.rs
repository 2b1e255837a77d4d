//! What a failed request means: the error, whether another attempt may help, and what the
//! reader can do.

use std::io::{self, Read};
use std::time::Duration;

use ureq::Body;
use ureq::http::{Response, header};

use super::Target;
use super::http::{Reply, shown_host};
use super::net::{HostPort, Refused};
use crate::Error;
use crate::error::ErrorKind;

/// Bytes of an error's body that are looked at.
const ERROR_BODY_MAX: u64 = 16 << 10;

/// A failed attempt: the error that it would be, and whether to try again.
#[derive(Debug)]
pub(super) struct Fault {
    pub error: Error,
    pub retry: Retry,
}

/// The result of one attempt.
pub(super) type Attempt<T> = std::result::Result<T, Fault>;

/// Whether a failed attempt may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    Backoff,
    After(Duration),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, retry: Retry::Never }
    }
}

/// What a failed exchange means.
pub(super) fn failed(target: &Target, host: &HostPort, error: ureq::Error) -> Fault {
    if let Err(late) = target.left() {
        return late.into();
    }
    if let ureq::Error::Other(inner) = &error
        && let Some(refused) = inner.downcast_ref::<Refused>()
    {
        return Error::new(ErrorKind::Forbidden, refused.to_string()).into();
    }
    let text = |why: &str| format!("{host} cannot be reached{why}");
    if let ureq::Error::Timeout(_) = error {
        let error = Error::new(ErrorKind::Io, text(": it does not answer in time"));
        return Fault { error, retry: Retry::Backoff };
    }
    if let ureq::Error::HostNotFound = error {
        return Error::new(ErrorKind::Io, text(": no such host")).into();
    }
    if let ureq::Error::Io(error) = error {
        let retry = if is_passing(&error) { Retry::Backoff } else { Retry::Never };
        let why = tls_failure(&error).unwrap_or_default();
        return Fault { error: Error::new(ErrorKind::Io, text(why)).because(error), retry };
    }
    Error::new(ErrorKind::Io, text("")).because(error).into()
}

/// What to do about a failure of TLS.
fn tls_failure(error: &io::Error) -> Option<&'static str> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    if let rustls::Error::InvalidCertificate(_) = error {
        return Some(
            " (if a private authority vouches for it, add that one's certificate to the CA files)",
        );
    }
    if let rustls::Error::InvalidMessage(_) = error {
        return Some(" over TLS (if it speaks plain HTTP, it has to be listed for that)");
    }
    None
}

/// Whether a broken connection is worth another attempt. A refused connection and a certificate
/// that does not verify are not.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::TimedOut
            | io::ErrorKind::WouldBlock
    )
}

/// What an answer that is not the wanted one means. Reads a little of its body.
pub(super) fn refused(reply: Reply) -> Fault {
    let host = shown_host(&reply.at);
    let status = reply.response.status();
    let wait = retry_after(&reply.response);
    let said = said(reply.response);
    let next = match status.as_u16() {
        404 => ": check the name, and the tag or digest",
        429 => ": wait a while, or log in to be allowed more",
        _ => "",
    };
    let text = format!("{host} answers {status}{said}{next}");
    let (kind, retry) = match status.as_u16() {
        401 | 403 => (ErrorKind::Unauthorized, Retry::Never),
        404 => (ErrorKind::NotFound, Retry::Never),
        429 | 500 | 502 | 503 | 504 => (ErrorKind::Io, wait.map_or(Retry::Backoff, Retry::After)),
        _ => (ErrorKind::Io, Retry::Never),
    };
    Fault { error: Error::new(kind, text), retry }
}

/// `Retry-After` in seconds; its form as a date is not read, and the usual backoff applies.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The first error in a registry's body, as ` (CODE: message)`, short and without control
/// characters. Reads the body, so that the connection can be used again.
fn said(response: Response<Body>) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(serde::Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut body = Vec::new();
    let read = response.into_body().into_reader().take(ERROR_BODY_MAX).read_to_end(&mut body);
    let Some(Ok(all)) = read.ok().map(|_| serde_json::from_slice::<Errors>(&body)) else {
        return String::new();
    };
    let Some(first) = all.errors.first() else { return String::new() };
    let text = format!("{}: {}", first.code, first.message);
    let short: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    format!(" ({short})")
}
