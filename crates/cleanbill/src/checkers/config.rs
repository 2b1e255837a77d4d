//! What the operator chose about checkers, already valid. The raw form is in
//! [`super::config_file`].

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;

/// One checker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckerConfig {
    /// Its name, by which policies and reports speak of it; no other checker has it.
    pub name: String,
    /// What it is and where.
    pub kind: KindConfig,
    /// Time for one answer (default 3 s, at most 20 s).
    pub timeout: Duration,
    /// How long an answer holds for the same question (default 0: each is asked).
    pub remember: Duration,
    /// Questions at a time (default 16, of a program 4).
    pub parallel: usize,
}

impl CheckerConfig {
    /// Where it is, if it is a server.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        match &self.kind {
            KindConfig::ImageReview(endpoint) | KindConfig::Http(endpoint) => Some(endpoint),
            KindConfig::Program(_) => None,
        }
    }
}

/// What a checker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindConfig {
    /// Another server that answers `ImageReview`.
    ImageReview(Endpoint),
    /// A server that answers in our own format.
    Http(Endpoint),
    /// A program on this machine that answers in our own format.
    Program(ProgramConfig),
}

/// A server and how it is spoken to. Files are named here and never held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where questions are sent.
    pub url: Url,
    /// The authority of its certificate, and the only one; without it the public ones.
    pub ca: Option<PathBuf>,
    /// Our certificate for it.
    pub client: Option<ClientFiles>,
    /// The file that holds a bearer token, read for every question.
    pub token_file: Option<PathBuf>,
}

/// The files of a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate, with intermediates after it.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A program and what it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramConfig {
    /// The absolute path of the program, and its arguments. No shell reads them. Never empty.
    pub argv: Vec<String>,
    /// Bytes of address space (default 4 GiB).
    pub memory_bytes: u64,
}

/// An absolute `http` or `https` URL without user name and fragment. Its query may hold a
/// secret, so it is shown without.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(Uri);

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "it is no URL")?;
        let authority = uri.authority().ok_or("it is no absolute URL")?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err("it is neither https:// nor http://");
        }
        if text.len() > 2048 || text.contains('#') || authority.as_str().contains('@') {
            return Err("it has a user name or a fragment, or is over 2,048 bytes long");
        }
        // What is no valid port would be taken for none.
        let port = authority.as_str().strip_prefix(authority.host());
        let valid = match port {
            Some("") => true,
            Some(rest) => {
                rest.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0))
            }
            None => false,
        };
        if authority.host().is_empty() || !valid {
            return Err("its host or port is not valid");
        }
        Ok(Self(uri))
    }

    /// Whether it is spoken to without TLS.
    pub fn is_plain(&self) -> bool {
        self.0.scheme_str() != Some("https")
    }

    /// Whether it is this machine, as written.
    pub fn is_loopback(&self) -> bool {
        let host = self.0.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Whether it has a query.
    pub fn has_query(&self) -> bool {
        self.0.query().is_some()
    }

    /// The whole of it, for the request and for telling one from another, and never to be shown.
    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.0.authority().map_or("", |a| a.as_str());
        write!(f, "{}://{authority}{}", self.0.scheme_str().unwrap_or_default(), self.0.path())?;
        if self.has_query() { f.write_str("?…") } else { Ok(()) }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_are_absolute_and_never_shown_with_their_query() {
        let table: &[(&str, Result<&str, &str>)] = &[
            ("https://c.example/a/b", Ok("https://c.example/a/b")),
            ("https://c.example", Ok("https://c.example/")),
            ("https://c.example:8443/a?key=s3cret", Ok("https://c.example:8443/a?…")),
            ("http://[::1]:80/", Ok("http://[::1]:80/")),
            ("https://u:s3cret@c.example/", Err("user name")),
            ("https://c.example/#a", Err("fragment")),
            ("https://c.example:0/", Err("port")),
            ("https://c.example:99999/", Err("port")),
            ("ftp://c.example/", Err("neither")),
            ("c.example:80", Err("")),
            ("/a", Err("absolute")),
            ("", Err("no URL")),
        ];
        for (text, wanted) in table {
            match (Url::parse(text), wanted) {
                (Ok(url), Ok(shown)) => {
                    assert_eq!(url.to_string(), *shown, "{text}");
                    assert!(!format!("{url:?}").contains("s3cret"));
                }
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (got, _) => unreachable!("{text}: {got:?}"),
            }
        }
        for (text, local) in [
            ("http://localhost/", true),
            ("http://127.9.9.9:1/", true),
            ("http://[::1]/", true),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(Url::parse(text).map(|u| u.is_loopback()), Ok(local), "{text}");
        }
    }
}
