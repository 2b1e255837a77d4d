//! `WWW-Authenticate`: what a registry asks for (RFC 9110, section 11; distribution's token
//! specification).

use crate::error::ErrorKind;
use crate::{Error, Result};

/// Longest header that is read, over all its lines.
const HEADER_MAX: usize = 16 << 10;
/// Most challenges and most parameters of one that are read.
const COUNT_MAX: usize = 16;

/// One challenge of a kind that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Send a user name and password.
    Basic,
    /// Get a token at the realm and send that.
    Bearer {
        /// The URL to ask.
        realm: String,
        /// The name of the service that the token is for.
        service: Option<String>,
        /// What the token is to allow.
        scope: Option<String>,
    },
}

/// Parses the value of a `WWW-Authenticate` header, several lines of it joined by commas.
/// Challenges of other schemes, and Bearer challenges without a realm, are left out.
///
/// # Errors
/// When it is not of the header's grammar, or over 16 KiB, 16 challenges or 16 parameters.
pub fn parse_challenges(header: &[u8]) -> Result<Vec<Challenge>> {
    let wrong =
        |why: &str| Error::new(ErrorKind::Malformed, format!("the WWW-Authenticate header {why}"));
    if header.len() > HEADER_MAX {
        return Err(wrong("is longer than 16 KiB"));
    }
    let mut rest = Scanner { bytes: header };
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    loop {
        rest.skip(b" \t,");
        if rest.bytes.is_empty() {
            break;
        }
        let word = rest.token().ok_or_else(|| wrong("is malformed"))?;
        let spaces = rest.skip(b" \t");
        if rest.take(b'=') {
            rest.skip(b" \t");
            let value = rest.value().ok_or_else(|| wrong("is malformed"))?;
            let (_, parameters) = found.last_mut().ok_or_else(|| wrong("names no scheme"))?;
            if parameters.len() == COUNT_MAX {
                return Err(wrong("has more than 16 parameters"));
            }
            parameters.push((word.to_ascii_lowercase(), value));
        } else {
            if found.len() == COUNT_MAX {
                return Err(wrong("has more than 16 challenges"));
            }
            if !spaces && !matches!(rest.bytes.first(), None | Some(b',')) {
                return Err(wrong("is malformed"));
            }
            found.push((word.to_ascii_lowercase(), Vec::new()));
        }
    }
    Ok(found.into_iter().filter_map(known).collect())
}

fn known((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let get = |name: &str| {
        parameters.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone())
    };
    match scheme.as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: get("realm")?,
            service: get("service"),
            scope: get("scope"),
        }),
        _ => None,
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
}

impl Scanner<'_> {
    /// Skips these bytes; says whether there were any.
    fn skip(&mut self, set: &[u8]) -> bool {
        let count = self.bytes.iter().take_while(|b| set.contains(b)).count();
        self.bytes = self.bytes.get(count..).unwrap_or_default();
        count > 0
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.bytes.first() == Some(&byte);
        if there {
            self.bytes = self.bytes.get(1..).unwrap_or_default();
        }
        there
    }

    fn token(&mut self) -> Option<String> {
        let good = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        self.run(good).filter(|token| !token.is_empty())
    }

    fn run(&mut self, good: impl Fn(&u8) -> bool) -> Option<String> {
        let count = self.bytes.iter().take_while(|b| good(b)).count();
        let (run, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        String::from_utf8(run.to_vec()).ok()
    }

    /// A quoted string, or a bare value up to the next comma or space (servers leave quotes out
    /// of values that are no tokens; it is empty where the "parameter" was padded base64).
    /// Printable ASCII only.
    fn value(&mut self) -> Option<String> {
        if !self.take(b'"') {
            return self.run(|b| b.is_ascii_graphic() && !b"\",".contains(b));
        }
        let mut out = String::new();
        loop {
            let byte = *self.bytes.first()?;
            self.bytes = self.bytes.get(1..)?;
            let byte = match byte {
                b'"' => return Some(out),
                b'\\' => {
                    let escaped = *self.bytes.first()?;
                    self.bytes = self.bytes.get(1..)?;
                    escaped
                }
                other => other,
            };
            if byte != b' ' && !byte.is_ascii_graphic() {
                return None;
            }
            out.push(char::from(byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Challenge, parse_challenges};

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let owned = |s: Option<&str>| s.map(str::to_owned);
        Challenge::Bearer { realm: realm.to_owned(), service: owned(service), scope: owned(scope) }
    }

    #[test]
    fn challenges_as_registries_send_them() {
        let long = format!("Basic realm=\"{}\"", "x".repeat(20_000));
        let many = "Basic,".repeat(17);
        let crowded = format!("Basic {}", "a=b,".repeat(17));
        let table: &[(&str, Option<Vec<Challenge>>)] = &[
            (
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",\
                 scope=\"repository:library/nginx:pull\"",
                Some(vec![bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("repository:library/nginx:pull"),
                )]),
            ),
            ("Basic realm=\"x\"", Some(vec![Challenge::Basic])),
            ("basic", Some(vec![Challenge::Basic])),
            (
                "BEARER Realm=https://a.example/t , Basic realm=\"a, b=\\\"c\\\"\"",
                Some(vec![bearer("https://a.example/t", None, None), Challenge::Basic]),
            ),
            (
                "Negotiate, Basic realm=x, Bearer realm=\"r\",error=\"invalid_token\"",
                Some(vec![Challenge::Basic, bearer("r", None, None)]),
            ),
            ("Bearer service=\"no realm\"", Some(vec![])),
            ("", Some(vec![])),
            (",,  ,", Some(vec![])),
            ("realm=\"x\"", None),
            ("Bearer realm=\"x", None),
            ("Bearer realm=\"x\\", None),
            ("Bearer realm=\"a\u{1}b\"", None),
            ("Bearer realm=", Some(vec![])),
            ("Negotiate abc=, Negotiate def==, Basic", Some(vec![Challenge::Basic])),
            ("Bearer\u{e9}", None),
            ("(", None),
            (&long, None),
            (&many, None),
            (&crowded, None),
        ];
        for (header, want) in table {
            assert_eq!(parse_challenges(header.as_bytes()).ok(), *want, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(bytes: Vec<u8>, text in "(Bearer |Basic|realm=|\"|\\\\|,|=|a| ){0,40}") {
            let _ = parse_challenges(&bytes);
            let _ = parse_challenges(text.as_bytes());
        }
    }
}
