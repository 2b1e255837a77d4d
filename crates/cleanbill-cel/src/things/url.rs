//! URLs as Kubernetes' CEL library takes them apart: absolute ones, or absolute paths. This is
//! a reader of its parts, not a client: it resolves nothing and contacts nobody.

use crate::record::{Key, Map};
use crate::value::Value;

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: Box<str>,
    scheme: Box<str>,
    host: Box<str>,
    hostname: Box<str>,
    port: Box<str>,
    path: Box<str>,
    query: Box<str>,
}

/// The longest URL that is read, in bytes.
const LONGEST: usize = 8192;

impl Url {
    /// Reads `scheme://[user@]host[:port][/path][?query][#fragment]` or `/path…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST || text.chars().any(|c| c.is_ascii_control()) {
            return None;
        }
        let whole = text.split('#').next()?;
        let (rest, query) = whole.split_once('?').unwrap_or((whole, ""));
        let (scheme, host, path) = if rest.starts_with('/') {
            ("", "", rest)
        } else {
            let (scheme, after) = rest.split_once("://")?;
            let slash = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(slash)?;
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            (scheme, host, path)
        };
        let mut letters = scheme.bytes();
        let sound = scheme.is_empty()
            || (letters.next().is_some_and(|b| b.is_ascii_alphabetic())
                && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
        let (hostname, port) = host_and_port(host)?;
        if !sound || unescape(path, false).is_none() {
            return None;
        }
        Some(Self {
            text: text.into(),
            scheme: scheme.to_ascii_lowercase().into(),
            host: host.into(),
            hostname: hostname.into(),
            port: port.into(),
            path: path.into(),
            query: query.into(),
        })
    }

    /// The URL as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme in lower case; empty for a path.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host with its port, as written.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host without its port and without the brackets of an IPv6 address.
    #[must_use]
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// The port, empty when none is written.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.port
    }

    /// The path; what may not stand in one is percent-encoded.
    #[must_use]
    pub fn escaped_path(&self) -> String {
        let mut out = String::with_capacity(self.path.len());
        for byte in self.path.bytes() {
            match byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%[]".contains(&byte) {
                true => out.push(char::from(byte)),
                false => out.push_str(&format!("%{byte:02X}")),
            }
        }
        out
    }

    /// The query: each key with its values in order. `None` when it cannot be read.
    #[must_use]
    pub fn query(&self) -> Option<Map> {
        let mut pairs: Vec<(String, Vec<Value>)> = Vec::new();
        for pair in self.query.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if pair.contains(';') {
                return None;
            }
            let (key, value) = (unescape(key, true)?, Value::from(unescape(value, true)?));
            pairs.push((key, vec![value]));
        }
        // Sorting is stable, so that the values of one key keep their order.
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut grouped: Vec<(String, Vec<Value>)> = Vec::new();
        for (key, values) in pairs {
            match grouped.last_mut() {
                Some((last, before)) if *last == key => before.extend(values),
                _ => grouped.push((key, values)),
            }
        }
        Some(Map::new(grouped.into_iter().map(|(k, v)| (Key::from(k), Value::list(v)))))
    }
}

/// Splits a host; `None` when it is not one.
fn host_and_port(host: &str) -> Option<(&str, &str)> {
    let (name, rest) = if let Some(inside) = host.strip_prefix('[') {
        let (address, rest) = inside.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        (address, rest)
    } else {
        let colon = host.find(':').unwrap_or(host.len());
        host.split_at_checked(colon)?
    };
    let port = match rest {
        "" => "",
        rest => rest.strip_prefix(':')?,
    };
    let sound = !name.contains([' ', '<', '>', '"', '\\', '^', '`', '{', '}', '|', '@'])
        && unescape(name, false).is_some();
    (sound && port.bytes().all(|b| b.is_ascii_digit())).then_some((name, port))
}

/// Percent-decoding; `None` for a stray `%` or what is not UTF-8.
fn unescape(text: &str, plus_is_space: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let (high, low) = (char::from(bytes.next()?), char::from(bytes.next()?));
                u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}
