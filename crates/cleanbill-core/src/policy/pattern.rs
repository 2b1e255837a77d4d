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
    /// Whether the name is meant.
    pub fn matches(&self, reference: &ImageRef) -> bool {
        let name = reference.name();
        if self.exact { name == self.text } else { name.starts_with(&self.text) }
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
        Ok(Self { text: if exact { text } else { format!("{head}/") }, exact })
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
