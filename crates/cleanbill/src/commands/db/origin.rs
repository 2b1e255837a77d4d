//! Where `db update` may get a snapshot from: the words of `--from`.

use std::fmt;
use std::str::FromStr;

use cleanbill_core::reference::ImageRef;

use crate::mirror;

/// A source of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The feeds of the publishers, or of a mirror of theirs.
    Feeds,
    /// A database of Trivy that a registry has.
    Trivy(ImageRef),
    /// A snapshot that `db push` put into a registry.
    Snapshot(ImageRef),
}

impl Origin {
    /// The registry that it is asked of, where it is one.
    pub fn registry(&self) -> Option<&str> {
        match self {
            Self::Feeds => None,
            Self::Trivy(name) | Self::Snapshot(name) => Some(name.registry()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feeds => f.write_str("feeds"),
            Self::Trivy(name) => write!(f, "trivy:{name}"),
            Self::Snapshot(name) => write!(f, "snapshot:{name}"),
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "feeds" => Ok(Self::Feeds),
            Some(("trivy", name)) => {
                mirror::trivy::name(name).map(Self::Trivy).map_err(|e| e.to_string())
            }
            Some(("snapshot", name)) => {
                name.parse().map(Self::Snapshot).map_err(|e: _| format!("{e}"))
            }
            Some(_) | None => {
                Err(format!("{text} is no source: feeds, trivy:REPOSITORY or snapshot:REF"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn sources_are_words() {
        let table = [
            ("feeds", "feeds"),
            ("trivy:ghcr.io/aquasecurity/trivy-db", "trivy:ghcr.io/aquasecurity/trivy-db:2"),
            ("trivy:127.0.0.1:5000/db:3", "trivy:127.0.0.1:5000/db:3"),
            ("snapshot:registry.example/a", "snapshot:registry.example/a:latest"),
            ("Feeds", "Feeds is no source: feeds, trivy:REPOSITORY or snapshot:REF"),
            ("feeds:x", "feeds:x is no source: feeds, trivy:REPOSITORY or snapshot:REF"),
            ("", " is no source: feeds, trivy:REPOSITORY or snapshot:REF"),
        ];
        for (text, wanted) in table {
            let said = text.parse::<Origin>().map_or_else(|e| e, |origin| origin.to_string());
            assert_eq!(said, wanted, "{text}");
        }
        let error = "snapshot:A b".parse::<Origin>().unwrap_err();
        assert!(error.contains("is no image name"), "{error}");
    }
}
