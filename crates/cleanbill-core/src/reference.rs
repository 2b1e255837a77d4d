//! Names of images, as container runtimes read them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A parsed image name, made complete as containerd and Docker do it: `nginx` is
/// `docker.io/library/nginx:latest`.
///
/// Grammar: the distribution project's `reference` package. Nothing but that grammar parses, so
/// that a name that reaches the network or a report cannot carry anything else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// One spelling for all that lead to the same registry: lower case, the port as a number, and none
/// where it is that of HTTPS. `GHCR.io:0443` is `ghcr.io`. Whoever names an image chooses among them,
/// so that no rule may hang on it.
pub fn same_host(written: &str) -> Cow<'_, str> {
    let (host, port) = match written.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (written, None),
    };
    let plain = |port: &str| port != "443" && !port.starts_with('0');
    let plain_host = !host.starts_with('[') && !host.bytes().any(|b| b.is_ascii_uppercase());
    if plain_host && port.is_none_or(plain) {
        return Cow::Borrowed(written);
    }
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match address.and_then(|a| a.parse::<std::net::Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => host.to_ascii_lowercase(),
    };
    let same = match port.map(|port| port.trim_start_matches('0')) {
        None => host,
        Some("443") if is_registry(&host) => host,
        Some(port) => format!("{host}:{port}"),
    };
    // What is a registry by its port or its capitals alone has to keep them: `Foo` is no `foo`.
    if is_registry(&same) { Cow::Owned(same) } else { Cow::Borrowed(written) }
}

/// The registry that a name without one means.
const DEFAULT_REGISTRY: &str = "docker.io";
/// Longest repository name with its registry (distribution's `NameTotalLengthMax`).
const NAME_MAX: usize = 255;

/// Why a text is no image name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseReferenceError(String);

impl fmt::Display for ParseReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseReferenceError {}

impl ImageRef {
    /// The registry's host, with the port if one is named: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The registry's host in the one spelling by which rules compare it ([`same_host`]).
    pub fn host(&self) -> Cow<'_, str> {
        same_host(&self.registry)
    }

    /// The repository within the registry: `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `registry/repository`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Whether both are of one repository of one registry.
    pub fn same_repository(&self, other: &Self) -> bool {
        self.registry == other.registry && self.repository == other.repository
    }

    /// The tag; `latest` where the name was written with neither tag nor digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where the name is pinned.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether `text` is this name as it displays: then it parses to this name again, and need not
    /// be parsed.
    pub fn reads_as(&self, text: &str) -> bool {
        let named = text
            .strip_prefix(self.registry.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_prefix(self.repository.as_str()));
        let tagged = match &self.tag {
            Some(tag) => named
                .and_then(|rest| rest.strip_prefix(':'))
                .and_then(|rest| rest.strip_prefix(tag.as_str())),
            None => named,
        };
        tagged.is_some_and(|rest| match &self.digest {
            Some(digest) => rest.strip_prefix('@').is_some_and(|rest| digest.reads_as(rest)),
            None => rest.is_empty(),
        })
    }

    /// The same name pinned to a digest.
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for ImageRef {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(120).flat_map(char::escape_debug).collect();
            ParseReferenceError(format!("\"{shown}\" is no image name: {why}"))
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse().map_err(|e| wrong(&format!("{e}")))?))
            }
            None => (text, None),
        };
        let (registry, rest) = match rest.split_once('/') {
            Some((first, path)) if is_registry(first) => (first.to_owned(), path),
            _ => (DEFAULT_REGISTRY.to_owned(), rest),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (rest, None),
        };
        let registry =
            if registry == "index.docker.io" { DEFAULT_REGISTRY.to_owned() } else { registry };
        if !valid_registry(&registry) {
            return Err(wrong("the registry is no host name with an optional port"));
        }
        let repository = if registry == DEFAULT_REGISTRY && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        if !repository.split('/').all(valid_component) {
            return Err(wrong(
                "a repository is lower-case letters and digits, separated by one of . _ __ - or /",
            ));
        }
        if registry.len() + 1 + repository.len() > NAME_MAX {
            return Err(wrong("the name is longer than 255 characters"));
        }
        if let Some(tag) = &tag
            && !valid_tag(tag)
        {
            return Err(wrong(
                "a tag is up to 128 letters, digits, _ . or -, and does not begin with . or -",
            ));
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { registry, repository, tag, digest })
    }
}

/// Whether the part before the first slash is a registry rather than a repository's first
/// component (distribution's `splitDockerDomain`).
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase)
}

fn valid_registry(host: &str) -> bool {
    let (host, port) = match host.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                ("v6", port.strip_prefix(':').or(if port.is_empty() { None } else { Some("x") }))
            }
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        },
    };
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    host.split('.').all(label)
        && port.is_none_or(|p| {
            p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok_and(|p| p > 0)
        })
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn valid_component(component: &str) -> bool {
    let bytes = component.as_bytes();
    let mut separator = 0..0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {
                let between = &bytes[separator.clone()];
                let good = matches!(between, b"" | b"." | b"_" | b"__")
                    || between.iter().all(|b| *b == b'-');
                if !good {
                    return false;
                }
                separator = at + 1..at + 1;
            }
            b'.' | b'_' | b'-' if at > 0 => separator.end = at + 1,
            _ => return false,
        }
    }
    !bytes.is_empty() && separator.is_empty()
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

impl TryFrom<String> for ImageRef {
    type Error = ParseReferenceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ImageRef> for String {
    fn from(reference: ImageRef) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::ImageRef;

    #[test]
    fn names_are_completed_as_runtimes_do_or_refused() {
        let hex = "0".repeat(64);
        let pinned = format!("ghcr.io/a/b@sha256:{hex}");
        let both = format!("a/b:1@sha256:{hex}");
        let both_full = format!("docker.io/a/b:1@sha256:{hex}");
        let table: &[(&str, Option<&str>)] = &[
            ("nginx", Some("docker.io/library/nginx:latest")),
            ("nginx:alpine", Some("docker.io/library/nginx:alpine")),
            ("index.docker.io/library/nginx", Some("docker.io/library/nginx:latest")),
            ("docker.io/nginx", Some("docker.io/library/nginx:latest")),
            ("user/app:1.0", Some("docker.io/user/app:1.0")),
            ("localhost/app", Some("localhost/app:latest")),
            ("localhost:5000/app:x", Some("localhost:5000/app:x")),
            ("127.0.0.1:5000/a/b/c", Some("127.0.0.1:5000/a/b/c:latest")),
            ("[::1]:5000/a", Some("[::1]:5000/a:latest")),
            (&pinned, Some(&pinned)),
            (&both, Some(&both_full)),
            ("morc-api:0.1-5", Some("docker.io/library/morc-api:0.1-5")),
            ("a__b/c-d---e.f", Some("docker.io/a__b/c-d---e.f:latest")),
            ("", None),
            ("Nginx", None),
            ("a//b", None),
            ("a/../b", None),
            ("a/b?c", None),
            ("a b", None),
            ("a\nb", None),
            ("http://host/a", None),
            ("user@host/a", None),
            ("a:.x", None),
            ("a:", None),
            ("a@sha256:00", None),
            ("host.example:99999/a", None),
            ("-host.example/a", None),
            ("[::1/a", None),
            ("a___b", None),
            ("a..b", None),
            ("a-", None),
        ];
        for (text, full) in table {
            let parsed = text.parse::<ImageRef>();
            assert_eq!(parsed.as_ref().ok().map(ToString::to_string).as_deref(), *full, "{text:?}");
            if let Ok(parsed) = parsed {
                let shown = parsed.to_string();
                assert_eq!(shown.parse(), Ok(parsed.clone()));
                let longer = format!("{shown}0");
                let texts = table.iter().map(|(text, _)| *text);
                for other in texts.chain([&*shown, &longer, &shown[..shown.len() - 1]]) {
                    assert_eq!(parsed.reads_as(other), shown == other, "{shown} {other}");
                }
            }
        }
        assert!("a/".repeat(200).parse::<ImageRef>().is_err());
    }
}
