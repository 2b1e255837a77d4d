//! Raw facts of one layer, as its files state them: nothing here was compared with another
//! layer, and nothing of it is true of the image before [`merge`](crate::merge) says so.

use cleanbill_core::gap::GapKind;
use cleanbill_core::layer::{Listing, Paths};
use cleanbill_core::package::{PackageKind, SourcePackage};
use serde::{Deserialize, Serialize};

use crate::checksums::{Listed, Sums};
use crate::extractors::Wanted;
use crate::os_release::Release;
use crate::passwd::Accounts;

/// Everything that was learnt from one layer. Depends on the layer, [`ENGINE`](crate::ENGINE)
/// and the options alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Every entry, in the tar's order.
    pub(crate) listing: Listing,
    /// The files that were read, in the tar's order.
    pub(crate) files: Vec<FileFacts>,
}

impl LayerFacts {
    /// Memory that it takes, in bytes and roughly.
    pub fn bytes(&self) -> u64 {
        self.listing.bytes() as u64 + self.files.iter().map(FileFacts::bytes).sum::<u64>()
    }

    /// How many entries the layer has.
    pub fn entries(&self) -> usize {
        self.listing.len()
    }
}

/// What one file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileFacts {
    /// The number of its entry in the layer.
    pub(crate) entry: u32,
    /// What it was read as.
    pub(crate) wanted: Wanted,
    /// What it says.
    pub(crate) facts: Facts,
}

impl FileFacts {
    /// Memory that it takes, in bytes and roughly.
    pub(crate) fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.facts.bytes()) as u64
    }
}

/// What a file can say; extractors fill what concerns them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Packages that it claims are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<Claim>,
    /// What in it could not be understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Problem>,
    /// The distribution that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) release: Option<Release>,
    /// Which package of the operating system owns which files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owned: Vec<Owned>,
    /// The repositories that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) content_sets: Vec<String>,
    /// The users that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accounts: Option<Accounts>,
    /// What its whole content sums up to, where that is asked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sums: Option<Sums>,
    /// Where in it more stands, which has to be read by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) part: Option<Part>,
    /// The repository that it says a package is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repository: Option<String>,
}

/// Some bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Their place in the file.
    pub from: u64,
    /// Their number.
    pub length: u64,
}

/// The most problems of one file that are told one by one.
const MAX_PROBLEMS: usize = 20;
/// The most packages of one file; distributions have a few tens of thousands in all. A line of
/// nine bytes can claim one, which takes hundreds.
const MAX_CLAIMS: usize = 200_000;

impl Facts {
    /// Notes a package, within [`MAX_CLAIMS`].
    pub(crate) fn claim(&mut self, claim: Claim) {
        if self.claims.len() < MAX_CLAIMS {
            self.claims.push(claim);
        } else {
            self.over_limit(|| {
                format!("more than {MAX_CLAIMS} packages; those after them were left out")
            });
        }
    }

    /// Notes the files of a package that is noted next, if it still is within [`MAX_CLAIMS`].
    pub(crate) fn own(&mut self, files: Owned) {
        if self.claims.len() < MAX_CLAIMS {
            self.owned.push(files);
        }
    }

    /// Notes that something was left out, the first time, however much else was noted.
    pub(crate) fn over_limit(&mut self, detail: impl FnOnce() -> String) {
        let kind = GapKind::OverLimit;
        if !self.problems.iter().any(|p| p.kind == kind) {
            self.problems.push(Problem { kind, detail: detail() });
        }
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Memory that it takes, roughly.
    fn bytes(&self) -> usize {
        let claims = self.claims.iter().map(|c| {
            let source = c.source.as_ref().map_or(0, |s| s.name.len() + s.version.len());
            let rest = [&c.arch, &c.vendor, &c.module];
            let rest: usize = rest.into_iter().flatten().map(String::len).sum();
            size_of::<Claim>() + c.name.len() + c.version.len() + source + rest
        });
        let owned = self.owned.iter().map(Owned::bytes);
        let problems = self.problems.iter().map(|p| size_of::<Problem>() + p.detail.len());
        let sets = self.content_sets.iter().map(|s| size_of::<String>() + s.len());
        let repository = self.repository.iter().map(String::len);
        let sums = self.sums.iter().map(Sums::bytes);
        claims.chain(owned).chain(problems).chain(sets).chain(repository).chain(sums).sum()
    }

    /// Notes what could not be understood, with where and why.
    pub(crate) fn problem(&mut self, kind: GapKind, detail: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { kind, detail: detail.into() });
        } else if self.problems.len() == MAX_PROBLEMS {
            let detail = format!("and more after these {MAX_PROBLEMS}");
            self.problems.push(Problem { kind, detail });
        }
    }

    /// Notes that a database or manifest is damaged.
    pub(crate) fn unreadable(&mut self, detail: impl Into<String>) {
        self.problem(GapKind::UnreadableDatabase, detail);
    }
}

/// One package as a file claims it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) kind: PackageKind,
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<SourcePackage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vendor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<String>,
}

/// The longest text that is kept of who built a package, in bytes.
const VENDOR: usize = 256;

/// Who built a package, of which the end counts: the address of a maintainer stands there.
pub(crate) fn vendor(mut text: String) -> Option<String> {
    if let Some(over) = text.len().checked_sub(VENDOR) {
        let start = (over..text.len()).find(|at| text.is_char_boundary(*at));
        text.drain(..start.unwrap_or(text.len()));
    }
    (!text.is_empty()).then_some(text)
}

/// One part of a file that could not be understood: a gap, if the file is there in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) kind: GapKind,
    pub(crate) detail: String,
}

/// The files of one package of the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owned {
    pub(crate) package: String,
    pub(crate) files: Paths,
    /// Their checksums, one by one.
    pub(crate) sums: Listed,
}

impl Owned {
    /// Files of this package, none yet.
    pub(crate) fn of(package: String) -> Self {
        Self { package, files: Paths::default(), sums: Listed::default() }
    }

    /// Gives back spare memory when no more files come.
    pub(crate) fn sealed(mut self) -> Self {
        self.files.seal();
        self.sums.seal();
        self
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.package.len() + self.files.bytes() + self.sums.bytes()
    }
}
