//! Streams of advisories: an ecosystem with what follows its name.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Ecosystem, Suffix};
use crate::version::Scheme;

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

    /// The order of its versions, as [`Ecosystem::scheme`]; where it speaks of rebuilt packages,
    /// that of the ecosystem they come from.
    pub fn scheme(&self) -> Option<Scheme> {
        match self.rebuilt() {
            // What is rebuilt bears its number as build metadata (`1.2.3+echo.1`).
            Some(Ecosystem::Npm) => Some(Scheme::SemverBuild),
            Some(ecosystem) => ecosystem.scheme(),
            None => self.ecosystem.scheme(),
        }
    }

    /// A package's name as its ecosystem compares names, so that it can be looked up.
    pub fn package_name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.rebuilt().unwrap_or(self.ecosystem).package_name(name)
    }

    /// Whose packages are rebuilt in this stream, where that is an ecosystem known here.
    fn rebuilt(&self) -> Option<Ecosystem> {
        match self.ecosystem.suffix() {
            // Nobody rebuilds the rebuilt.
            Suffix::Ecosystem => Ecosystem::named(self.release.split(':').next()?)
                .filter(|e| e.suffix() != Suffix::Ecosystem),
            Suffix::Nothing | Suffix::Release | Suffix::Repository => None,
        }
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
        let ecosystem =
            Ecosystem::named(name).ok_or_else(|| format!("unknown ecosystem {name:?}"))?;
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
