//! Which image names are meant.

use serde::{Deserialize, Serialize};

use crate::reference::ImageRef;

/// Which names are meant: one repository (`registry.example/team/app`) or all below a prefix
/// (`registry.example/*`, `registry.example/team/*`). Never a tag or digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    text: String,
    exact: bool,
}

impl NamePattern {
    /// Whether the name is meant, however it spells its registry's host.
    pub fn matches(&self, reference: &ImageRef) -> bool {
        let host = reference.host();
        let rest = self.text.strip_prefix(&*host).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| match self.exact {
            true => reference.repository() == rest,
            false => reference.repository().starts_with(rest),
        })
    }

    /// The pattern that a name means as runtimes complete it: `morc-api` is
    /// `docker.io/library/morc-api`, and `team/*` is `docker.io/team/*`.
    ///
    /// # Errors
    /// Says what it may look like; a tag or digest is none of it.
    pub fn completed(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} names no images: write their name without tag or digest, such as morc-api, or end with /* for everything below, such as team/*"
            )
        };
        let (head, tail) = match text.strip_suffix("/*") {
            Some(head) => (head, "x/x"),
            None => (text, ""),
        };
        let whole = if tail.is_empty() { head.to_owned() } else { format!("{head}/{tail}") };
        let last = whole.rsplit('/').next().unwrap_or_default();
        if last.contains([':', '@']) || whole.contains('@') {
            return Err(wrong());
        }
        let name = whole.parse::<ImageRef>().map_err(|_| wrong())?;
        let name = format!("{}/{}", name.host(), name.repository());
        let text = name.strip_suffix(tail).unwrap_or(&name).to_owned();
        Ok(Self { text, exact: tail.is_empty() })
    }

    /// Whether some name could be meant by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.exact, other.exact) {
            (true, true) => self.text == other.text,
            (true, false) => self.text.starts_with(&other.text),
            (false, true) => other.text.starts_with(&self.text),
            (false, false) => {
                self.text.starts_with(&other.text) || other.text.starts_with(&self.text)
            }
        }
    }
}

impl TryFrom<String> for NamePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (head, exact) = match text.strip_suffix("/*") {
            Some(head) => (head, false),
            None => (text.as_str(), true),
        };
        // Two components, since a single one below docker.io would be completed with library/.
        let complete = if exact { text.clone() } else { format!("{head}/x/x") };
        let parsed: ImageRef = complete.parse().map_err(|_| hint(&text))?;
        if parsed.name() != complete {
            return Err(hint(&text));
        }
        let name = format!("{}/{}", parsed.host(), parsed.repository());
        let text = if exact { Some(name.as_str()) } else { name.strip_suffix("x/x") };
        Ok(Self { text: text.ok_or_else(|| hint(&complete))?.to_owned(), exact })
    }
}

fn hint(text: &str) -> String {
    format!(
        "{text:?} names no repositories: write the registry in full and end with /* for everything below, such as docker.io/library/* or registry.example/team/app"
    )
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        if pattern.exact { pattern.text } else { format!("{}*", pattern.text) }
    }
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.text, if self.exact { "" } else { "*" })
    }
}

#[cfg(test)]
mod tests {
    use super::NamePattern;

    #[test]
    fn short_names_are_completed_as_runtimes_do() {
        let table: &[(&str, Option<&str>)] = &[
            ("morc-api", Some("docker.io/library/morc-api")),
            ("team/api", Some("docker.io/team/api")),
            ("docker.io/morc-api", Some("docker.io/library/morc-api")),
            ("registry.example/a/b", Some("registry.example/a/b")),
            ("localhost:5000/*", Some("localhost:5000/*")),
            ("team/*", Some("docker.io/team/*")),
            ("docker.io/*", Some("docker.io/*")),
            ("registry.example/team/*", Some("registry.example/team/*")),
            ("morc-api:0.1", None),
            ("morc-api:latest", None),
            ("morc-*", None),
            ("*", None),
            ("/*", None),
            ("", None),
            ("a@sha256:00", None),
            ("Morc", None),
        ];
        for (text, full) in table {
            let pattern = NamePattern::completed(text).ok();
            assert_eq!(pattern.map(|p| p.to_string()).as_deref(), *full, "{text}");
        }
    }

    #[test]
    fn a_pattern_survives_being_kept_in_whatever_spelling() {
        for (text, kept) in [
            ("GHCR.io:443/a/*", "ghcr.io/a/*"),
            ("localhost:443/*", "localhost/*"),
            ("foo:443/a", "foo:443/a"),
            ("FOO:0443/*", "foo:443/*"),
            ("Foo/a", "Foo/a"),
            ("[0::1]:05000/*", "[::1]:5000/*"),
        ] {
            let pattern = NamePattern::try_from(text.to_owned()).unwrap();
            assert_eq!(pattern.to_string(), kept, "{text}");
            assert_eq!(NamePattern::try_from(kept.to_owned()), Ok(pattern), "{text}");
        }
    }

    #[test]
    fn patterns_overlap_where_a_name_could_be_meant_by_both() {
        let table = [
            ("a.example/x", "a.example/x", true),
            ("a.example/x", "a.example/y", false),
            ("a.example/x", "a.example/*", true),
            ("a.example/x/*", "a.example/*", true),
            ("a.example/x/*", "a.example/y/*", false),
            ("a.example/x/*", "a.example/x", false),
        ];
        for (a, b, wanted) in table {
            let [a, b] = [a, b].map(|t| NamePattern::try_from(t.to_owned()).unwrap());
            assert_eq!((a.overlaps(&b), b.overlaps(&a)), (wanted, wanted), "{a} {b}");
        }
    }
}
