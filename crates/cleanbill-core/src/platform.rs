//! The platform an image was built for (OCI image index, `platform`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Operating system, architecture and variant, in Go's names (`linux/arm64/v8`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `GOOS`, such as `linux`.
    pub os: String,
    /// `GOARCH`, such as `amd64`.
    pub architecture: String,
    /// The CPU variant, such as `v8`, where one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Linux on this machine's architecture: what `scan` looks at unless told otherwise.
    pub fn of_this_machine() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            other => other,
        };
        Self { os: "linux".into(), architecture: architecture.into(), variant: None }
    }

    /// Whether an image for `other` satisfies a wish for `self`. A wish without a variant takes
    /// any; `arm64` and `arm64/v8` are the same thing, as in containerd's platform matcher.
    pub fn accepts(&self, other: &Self) -> bool {
        let variant = |p: &Self| match (p.architecture.as_str(), p.variant.as_deref()) {
            ("arm64", Some("v8")) | (_, None | Some("")) => None,
            (_, Some(v)) => Some(v.to_owned()),
        };
        self.os == other.os
            && self.architecture == other.architecture
            && (variant(self).is_none() || variant(self) == variant(other))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(v) => write!(f, "/{v}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letter = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'/');
        let mut parts = text.split('/');
        let mut next = || parts.next().filter(|p| !p.is_empty()).map(str::to_owned);
        let (os, architecture, variant) = (next(), next(), next());
        match (os, architecture, parts.next()) {
            (Some(os), Some(architecture), None) if text.bytes().all(letter) => {
                // As containerd reads them, so that a rule on `linux/x86_64` is not a dead one.
                let architecture = match architecture.as_str() {
                    "x86_64" | "x86-64" => "amd64".to_owned(),
                    "aarch64" => "arm64".to_owned(),
                    "i386" => "386".to_owned(),
                    _ => architecture,
                };
                Ok(Self { os, architecture, variant })
            }
            _ => Err(format!(
                "{text:?} is no platform: write OS/ARCH or OS/ARCH/VARIANT in Go's names, such as linux/amd64"
            )),
        }
    }
}
