//! URLs, as far as a registry client needs them: building, redirects and origins.

use ureq::http::Uri;

use super::net::HostPort;

/// Longest URL that a registry may name (a signed CDN link is some 2 KB).
const URL_MAX: usize = 16 << 10;

/// Whether two URLs have the same scheme, host and port: only then may credentials for one be
/// sent to the other.
pub(super) fn same_origin(a: &Uri, b: &Uri) -> bool {
    a.scheme() == b.scheme() && HostPort::of(a).is_some() && HostPort::of(a) == HostPort::of(b)
}

/// What a `Location` means when it is read at `base` (RFC 3986, section 5.2, without dot
/// segments: a server that wants them resolves them itself).
///
/// `None` where it is no URL of `http` or `https`, carries a user name, or is too long.
pub(super) fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    if location.is_empty() || location.len() > URL_MAX || !location.is_ascii() {
        return None;
    }
    let location = location.split('#').next()?;
    let scheme = base.scheme_str()?;
    let authority = base.authority()?.as_str();
    let absolute = if location.contains("://")
        && location.split("://").next().is_some_and(|s| s.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    absolute_url(&absolute)
}

/// An absolute `http` or `https` URL without a user name.
pub(super) fn absolute_url(text: &str) -> Option<Uri> {
    if text.len() > URL_MAX {
        return None;
    }
    // A user name makes it no valid host and port.
    let uri: Uri = text.parse().ok()?;
    HostPort::of(&uri).is_some().then_some(uri)
}

/// A URL with more query parameters, percent-encoded.
pub(super) fn with_query(uri: &Uri, parameters: &[(&str, &str)]) -> Option<Uri> {
    let mut text = uri.to_string();
    for (name, value) in parameters {
        text.push(if text.contains('?') { '&' } else { '?' });
        text.push_str(name);
        text.push('=');
        text.push_str(&percent(value));
    }
    absolute_url(&text)
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{resolve, same_origin, with_query};

    #[test]
    fn locations_resolve_or_are_refused() {
        let base = "https://registry.example:5000/v2/a/blobs/sha256:0?x=1".parse().unwrap();
        let long = format!("/{}", "a".repeat(20_000));
        let table: &[(&str, Option<&str>)] = &[
            ("https://cdn.example/b?sig=1", Some("https://cdn.example/b?sig=1")),
            ("http://cdn.example/b", Some("http://cdn.example/b")),
            ("//cdn.example/b", Some("https://cdn.example/b")),
            ("/v2/b", Some("https://registry.example:5000/v2/b")),
            ("c", Some("https://registry.example:5000/v2/a/blobs/c")),
            ("?y=2", Some("https://registry.example:5000/v2/a/blobs/sha256:0?y=2")),
            ("/b#part", Some("https://registry.example:5000/b")),
            (
                "/b?to=https://else.example",
                Some("https://registry.example:5000/b?to=https://else.example"),
            ),
            ("https://user:secret@cdn.example/", None),
            ("ftp://cdn.example/", None),
            ("file:///etc/passwd", None),
            ("https://", None),
            ("https:///x", None),
            ("/a b", None),
            ("/\u{e9}", None),
            ("", None),
            (&long, None),
        ];
        for (location, want) in table {
            let got = resolve(&base, location).map(|u| u.to_string());
            assert_eq!(got.as_deref(), *want, "{location:?}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let table = [
            ("https://a.example/x", "https://A.example:443/y", true),
            ("https://a.example/", "http://a.example/", false),
            ("https://a.example/", "https://a.example:444/", false),
            ("https://a.example/", "https://b.example/", false),
        ];
        for (a, b, same) in table {
            assert_eq!(same_origin(&a.parse().unwrap(), &b.parse().unwrap()), same, "{a} {b}");
        }
    }

    #[test]
    fn parameters_are_encoded() {
        let uri = "https://a.example/token?x=1".parse().unwrap();
        let got = with_query(&uri, &[("service", "a b&c=d"), ("scope", "repository:a/b:pull")]);
        assert_eq!(
            got.unwrap().to_string(),
            "https://a.example/token?x=1&service=a%20b%26c%3Dd&scope=repository%3Aa%2Fb%3Apull"
        );
    }
}
