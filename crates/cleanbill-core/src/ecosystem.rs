//! The worlds that packages and advisories live in, named as OSV names them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::version::Scheme;

/// An ecosystem of the OSV schema ("Defined ecosystems") that Cleanbill knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ecosystem {
    /// Alpine Linux; releases are written `v3.19`.
    Alpine,
    /// Debian; releases are written `12`.
    Debian,
    /// Ubuntu; releases are written `22.04` or `22.04:LTS`; Pro streams have `Pro` in them.
    Ubuntu,
    /// AlmaLinux; releases are written `9`.
    AlmaLinux,
    /// Bitnami's packaged applications.
    Bitnami,
    /// Python packages.
    PyPI,
    /// Node packages.
    Npm,
    /// Go modules, with `stdlib` and `toolchain` for the language's own.
    Go,
    /// Rust crates.
    CratesIo,
}

impl Ecosystem {
    /// Every ecosystem.
    pub const ALL: [Self; 9] = [
        Self::Alpine,
        Self::Debian,
        Self::Ubuntu,
        Self::AlmaLinux,
        Self::Bitnami,
        Self::PyPI,
        Self::Npm,
        Self::Go,
        Self::CratesIo,
    ];

    /// The name as OSV writes it, which is also the folder of its `all.zip`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alpine => "Alpine",
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
            Self::AlmaLinux => "AlmaLinux",
            Self::Bitnami => "Bitnami",
            Self::PyPI => "PyPI",
            Self::Npm => "npm",
            Self::Go => "Go",
            Self::CratesIo => "crates.io",
        }
    }

    /// The version order of this ecosystem, or `None` where Cleanbill has none yet: advisories
    /// of such an ecosystem are kept in the snapshot, and nothing can be matched against them.
    pub fn scheme(self) -> Option<Scheme> {
        match self {
            Self::Alpine => Some(Scheme::Apk),
            Self::Debian | Self::Ubuntu => Some(Scheme::Deb),
            Self::PyPI => Some(Scheme::Pep440),
            Self::Npm | Self::CratesIo => Some(Scheme::Semver),
            Self::Go => Some(Scheme::Go),
            Self::AlmaLinux | Self::Bitnami => None,
        }
    }

    /// Whether its advisories are published per release of a distribution.
    pub fn has_releases(self) -> bool {
        match self {
            Self::Alpine | Self::Debian | Self::Ubuntu | Self::AlmaLinux => true,
            Self::Bitnami | Self::PyPI | Self::Npm | Self::Go | Self::CratesIo => false,
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An ecosystem with the release where it has releases: the key under which a snapshot files
/// its advisories (`Alpine:v3.19`, `Debian:12`, `PyPI`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stream {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// What stands after the first colon, as the feed writes it; empty where there is none.
    pub release: String,
}

impl Stream {
    /// The stream of an ecosystem without releases.
    pub fn of(ecosystem: Ecosystem) -> Self {
        Self { ecosystem, release: String::new() }
    }

    /// The stream of one release.
    pub fn release(ecosystem: Ecosystem, release: impl Into<String>) -> Self {
        Self { ecosystem, release: release.into() }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ecosystem.as_str())?;
        if !self.release.is_empty() {
            write!(f, ":{}", self.release)?;
        }
        Ok(())
    }
}

impl FromStr for Stream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, release) = text.split_once(':').unwrap_or((text, ""));
        let ecosystem = Ecosystem::ALL
            .into_iter()
            .find(|e| e.as_str() == name)
            .ok_or_else(|| format!("unknown ecosystem {name:?}"))?;
        Ok(Self { ecosystem, release: release.to_owned() })
    }
}

impl TryFrom<String> for Stream {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Stream> for String {
    fn from(stream: Stream) -> Self {
        stream.to_string()
    }
}
