//! One file over HTTPS: only if it changed, going on where an earlier try broke off, bounded.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use cleanbill_core::Timestamp;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::typestate::WithoutBody;
use ureq::{Agent, RequestBuilder};

use super::Bounds;
use super::sources::Sources;
use super::state::Seen;
use crate::error::{Error, ErrorKind, Result};
use crate::partial::{self, Mark};
use crate::telling::Meter;

pub(super) struct Fetcher {
    agent: Agent,
    /// Whether plain HTTP may be used, which is only ever so towards this very machine.
    plain: bool,
    bounds: Bounds,
    /// Servers that were given up on. Each is asked once more for every other file, without waiting.
    given_up: RefCell<BTreeSet<String>>,
}

/// What became of a file.
pub(super) enum Outcome {
    /// The server has nothing newer.
    Unchanged,
    /// It was replaced.
    Fetched { bytes: u64, seen: Seen },
    /// The server has none, and says so.
    Absent(Error),
}

/// Why one try failed, and whether another may do better.
enum Failed {
    For(Error),
    Perhaps(Error),
    /// The server asks to be left alone for so long.
    After(Duration, Error),
}

impl Fetcher {
    /// `agent` knows whom to trust; without one it is Mozilla's roots.
    pub(super) fn new(sources: &Sources, bounds: Bounds, agent: Option<Agent>) -> Self {
        let agent = agent.unwrap_or_else(Agent::new_with_defaults);
        Self { agent, plain: sources.plain, bounds, given_up: RefCell::default() }
    }

    /// A request for what is at an address, within all bounds.
    fn request(&self, url: &str) -> RequestBuilder<WithoutBody> {
        let connect = std::time::Duration::from_secs(15);
        let Self { agent, plain, bounds, .. } = self;
        agent
            .get(url)
            .config()
            .http_status_as_error(false)
            .https_only(!plain)
            // A mirror on this machine has no reason to send us elsewhere without encryption.
            .max_redirects(if *plain { 0 } else { 5 })
            .user_agent(concat!("cleanbill/", env!("CARGO_PKG_VERSION")))
            // A range counts bytes of the file, not of a compressed form of it.
            .accept_encoding("identity")
            .max_response_header_size(64 << 10)
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect))
            .timeout_recv_response(Some(bounds.silence))
            .timeout_per_read(Some(bounds.silence))
            .timeout_global(Some(bounds.request))
            .build()
    }

    /// Fetches `url` to `path`, unless the server says that `known` (an ETag) is still current, or that
    /// there is none; `meter` tells how far it is.
    pub(super) fn fetch(
        &self,
        url: &str,
        path: &Path,
        known: Option<&str>,
        check: &dyn Fn(&Path) -> Result<()>,
        meter: &mut Meter<'_, '_>,
    ) -> Result<Outcome> {
        let server = url.split('/').nth(2).unwrap_or_default();
        let retries = if self.given_up.borrow().contains(server) { 0 } else { self.bounds.retries };
        let mut tries = 0;
        loop {
            match self.attempt(url, path, known, check, meter) {
                Ok(Outcome::Absent(e)) => return Ok(Outcome::Absent(e.within(url))),
                Ok(outcome) => return Ok(outcome),
                Err(Failed::For(e)) => return Err(e.within(url)),
                Err(Failed::After(wait, e)) if wait > self.bounds.retry_after => {
                    self.given_up.borrow_mut().insert(server.to_owned());
                    let (asked, most) = (wait.as_secs(), self.bounds.retry_after.as_secs());
                    let message = format!(
                        "{url}: given up: it is to be asked again in {asked} s, and {most} s are waited at most"
                    );
                    return Err(Error::new(ErrorKind::Network, message).because(e));
                }
                Err(Failed::Perhaps(e) | Failed::After(_, e)) if tries >= retries => {
                    self.given_up.borrow_mut().insert(server.to_owned());
                    let times =
                        if tries == 0 { "one try".into() } else { format!("{} tries", tries + 1) };
                    let message = format!("{url}: given up after {times}");
                    return Err(Error::new(ErrorKind::Network, message).because(e));
                }
                Err(failed) => {
                    let usual = self.bounds.backoff.saturating_mul(1 << tries.min(6));
                    let wait = if let Failed::After(wait, _) = failed { wait } else { usual };
                    std::thread::sleep(wait);
                    tries += 1;
                }
            }
        }
    }

    fn attempt(
        &self,
        url: &str,
        path: &Path,
        known: Option<&str>,
        check: &dyn Fn(&Path) -> Result<()>,
        meter: &mut Meter<'_, '_>,
    ) -> std::result::Result<Outcome, Failed> {
        let io = Failed::For;
        let begun = partial::tagged(path).map_err(io)?;
        let mut request = self.request(url);
        match (&begun, known) {
            (Some(begun), _) => {
                request = request
                    .header(header::RANGE, format!("bytes={}-", begun.have))
                    .header(header::IF_RANGE, &begun.etag);
            }
            (None, Some(etag)) => request = request.header(header::IF_NONE_MATCH, etag),
            (None, None) => {}
        }
        let response = request.call().map_err(network)?;
        let mut etag = text(response.headers(), header::ETAG);
        // What is fetched now was not made later, whatever the server's clock says.
        let now = Timestamp::now();
        let mut date = text(response.headers(), header::LAST_MODIFIED)
            .and_then(http_date)
            .map(|date| date.min(now));
        let (part, start) = match (response.status(), begun) {
            (StatusCode::NOT_MODIFIED, None) if known.is_some() => {
                partial::clear(path, None).map_err(io)?;
                return Ok(Outcome::Unchanged);
            }
            (StatusCode::OK, _) => {
                partial::clear(path, None).map_err(io)?;
                // Only a strong ETag promises the same bytes.
                let strong = etag.as_deref().filter(|e| e.starts_with('"'));
                (strong.map_or(Mark::Unknown, |etag| Mark::Etag(etag, date)).path(path), 0)
            }
            (StatusCode::PARTIAL_CONTENT, Some(begun)) => {
                if !is_rest(response.headers(), begun.have) {
                    return Err(anew(path, "the server sent another range than was asked for"));
                }
                // Whatever it makes of `If-Range`: a file that has changed is another file.
                if *etag.get_or_insert_with(|| begun.etag.clone()) != begun.etag {
                    return Err(anew(path, "the server sent the rest of another file"));
                }
                date = date.or(begun.date);
                (begun.path, begun.have)
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, _) => {
                return Err(anew(path, &format!("the server said {}", response.status())));
            }
            (status, _) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(match retry_after(response.headers()) {
                    Some(wait) => Failed::After(wait, said(status)),
                    None => Failed::Perhaps(said(status)),
                });
            }
            (status @ (StatusCode::NOT_FOUND | StatusCode::GONE), _) => {
                return Ok(Outcome::Absent(said(status)));
            }
            (status, _) => return Err(Failed::For(said(status))),
        };
        let bytes = self.body(response, &part, start, meter).inspect_err(|_| {
            // What nobody can go on with does not stay.
            let empty = part.metadata().is_ok_and(|m| m.len() == 0);
            if empty || part == Mark::Unknown.path(path) {
                _ = std::fs::remove_file(&part);
            }
        })?;
        if let Err(wrong) = check(&part) {
            _ = std::fs::remove_file(&part);
            return Err(Failed::For(wrong));
        }
        std::fs::rename(&part, path).map_err(|e| Failed::For(Error::io(path, e)))?;
        Ok(Outcome::Fetched { bytes, seen: Seen { etag, last_modified: date } })
    }

    /// Writes the body behind the first `start` bytes of `part`; returns the size of the whole.
    fn body(
        &self,
        response: Response<ureq::Body>,
        part: &Path,
        start: u64,
        meter: &mut Meter<'_, '_>,
    ) -> std::result::Result<u64, Failed> {
        let limit = self.bounds.download_bytes;
        let over = || {
            _ = std::fs::remove_file(part);
            let message = format!("larger than {limit} bytes");
            Failed::For(Error::new(ErrorKind::OverLimit, message))
        };
        let promised: Option<u64> =
            text(response.headers(), header::CONTENT_LENGTH).and_then(|l| l.parse().ok());
        if promised.is_some_and(|length| start.saturating_add(length) > limit) {
            return Err(over());
        }
        // What does not fit on the disk does not stay on it.
        let unwritten = |size: u64, e: std::io::Error| {
            _ = std::fs::remove_file(part);
            Failed::For(partial::unwritten(part, size, e))
        };
        let whole = promised.map_or(0, |length| start.saturating_add(length));
        let mut file = File::options()
            .append(true)
            .create_new(start == 0)
            .open(part)
            .map_err(|e| unwritten(whole, e))?;
        partial::reserve(&file, whole).map_err(|e| unwritten(whole, e))?;
        let mut reader = response.into_body().into_reader();
        let (mut size, mut buffer) = (start, vec![0; 64 << 10]);
        loop {
            // What has arrived stays in the file for the next try.
            let n = reader.read(&mut buffer).map_err(|e| {
                let message = format!("broke off after {size} bytes");
                Failed::Perhaps(Error::new(ErrorKind::Network, message).because(e))
            })?;
            let Some(read) = buffer.get(..n).filter(|read| !read.is_empty()) else { break };
            size += n as u64;
            if size > limit {
                return Err(over());
            }
            file.write_all(read).map_err(|e| unwritten(whole.max(size), e))?;
            meter.at(size, promised.map(|length| start.saturating_add(length)));
        }
        if promised.is_some_and(|length| start.saturating_add(length) != size) {
            let message = format!("broke off after {size} bytes");
            return Err(Failed::Perhaps(Error::new(ErrorKind::Network, message)));
        }
        file.sync_all().map_err(|e| unwritten(size, e))?;
        Ok(size)
    }
}

fn network(error: ureq::Error) -> Failed {
    use ureq::Error as E;
    // None of these gets better by asking again: no address, or one without encryption.
    let address = matches!(error, E::BadUri(_) | E::Http(_) | E::RequireHttpsOnly(_));
    let distrusted = matches!(error, E::Tls(_) | E::Rustls(_)) || is_of_tls(&error);
    let message = match distrusted {
        true => "not reached over TLS (if a private authority vouches for it: --cacert)",
        false => "not reached",
    };
    let failed = Error::new(ErrorKind::Network, message).because(error.to_string());
    if address || distrusted { Failed::For(failed) } else { Failed::Perhaps(failed) }
}

/// Whether TLS itself failed, such as by a certificate that is not trusted: rustls says so by errors
/// of this kind.
fn is_of_tls(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::InvalidData)
}

fn said(status: StatusCode) -> Error {
    Error::new(ErrorKind::Network, format!("the server said {status}"))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// `Retry-After`, in seconds or as a date, which counts from the server's own. What is neither is not
/// there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text_of = |name| text(headers, name);
    let said = text_of(header::RETRY_AFTER)?;
    if let Ok(seconds) = said.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (then, now) = (http_date(said)?, http_date(text_of(header::DATE)?)?);
    let seconds = then.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// Forgets what is here of a file, so that the next try begins anew.
fn anew(path: &Path, why: &str) -> Failed {
    match partial::clear(path, None) {
        Ok(()) => Failed::Perhaps(Error::new(ErrorKind::Network, why)),
        Err(e) => Failed::For(e),
    }
}

/// Whether a partial answer is all that comes from this byte on: `bytes 100-199/200`.
fn is_rest(headers: &HeaderMap, from: u64) -> bool {
    let range = || {
        let said = text(headers, header::CONTENT_RANGE)?;
        let (range, whole) = said.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let number = |n: &str| n.parse::<u64>().ok();
        Some((number(first)?, number(last)?.checked_add(1)?, number(whole)?))
    };
    range().is_some_and(|(first, end, whole)| first == from && end == whole)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: String) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&text).ok()
}
