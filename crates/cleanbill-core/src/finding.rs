//! A flaw that a package of the image has, and why we say so.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;
use crate::advisory::{Epss, Rating};
use crate::ecosystem::Stream;
use crate::package::Package;
use crate::severity::Severity;

/// Where a flaw stands for this package, in Trivy's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A version with a fix exists.
    Fixed,
    /// Affected, and no fix is known.
    Affected,
    /// Affected, and the vendor will not fix it.
    WillNotFix,
    /// Affected, and the vendor puts the fix off.
    FixDeferred,
    /// Affected, and no fixes are made for this release any more.
    EndOfLife,
    /// Perhaps affected: the vendor has not found out yet.
    UnderInvestigation,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Fixed,
        Self::Affected,
        Self::WillNotFix,
        Self::FixDeferred,
        Self::EndOfLife,
        Self::UnderInvestigation,
    ];

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::WillNotFix => "will_not_fix",
            Self::FixDeferred => "fix_deferred",
            Self::EndOfLife => "end_of_life",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

/// Why the flaw applies: enough to check it by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The feed that says so.
    pub feed: String,
    /// The stream of advisories it was looked up in.
    pub stream: Stream,
    /// The package name it was looked up by (the source package for distributions).
    pub looked_up: String,
    /// The version that was compared.
    pub compared: String,
    /// The range or listed version that holds it, for people: `>= 1.2, < 1.4`.
    pub range: String,
}

/// One flaw of one package. Reads as its [`Diagnosis`], whose fields stand beside the package in
/// JSON too.
///
/// Cheap to copy: thousands of images have the same package with the same flaws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The package.
    pub package: Arc<Package>,
    /// The flaw in it.
    pub diagnosis: Arc<Diagnosis>,
}

/// What is known of a flaw in packages of one name and version, wherever they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The flaw's id: a CVE where one is known.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// Errata it came in.
    pub errata: Vec<String>,
    /// The severity: the advisory's own, else GitHub's for its ids, NVD's, or the highest of any.
    pub severity: Severity,
    /// Who gave the severity: the feed of the advisory, or the source of a [`Rating`]; empty
    /// where nobody did.
    pub rated_by: String,
    /// The CVSS vector behind the severity, where there is one.
    pub cvss: Option<String>,
    /// All ratings of the flaw by others than the advisory, sorted by source.
    pub ratings: Vec<Rating>,
    /// How likely it is to be exploited, where that is known.
    pub epss: Option<Epss>,
    /// Whether a fix exists, and what the vendor says where none does.
    pub status: Status,
    /// The versions with a fix, lowest first; the first that is above the installed version on
    /// its own branch is the one to take.
    pub fixed_versions: Vec<String>,
    /// Whether it is known to be exploited (CISA KEV).
    pub known_exploited: bool,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// Why it applies.
    pub why: Why,
}

impl Finding {
    /// A flaw of a package.
    pub fn new(package: impl Into<Arc<Package>>, diagnosis: impl Into<Arc<Diagnosis>>) -> Self {
        Self { package: package.into(), diagnosis: diagnosis.into() }
    }
}

impl Deref for Finding {
    type Target = Diagnosis;

    fn deref(&self) -> &Diagnosis {
        &self.diagnosis
    }
}

/// What is changed is this finding's alone.
impl DerefMut for Finding {
    fn deref_mut(&mut self) -> &mut Diagnosis {
        Arc::make_mut(&mut self.diagnosis)
    }
}

/// A finding in JSON: one flat object.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Finding")]
struct Written<'a> {
    id: Cow<'a, str>,
    aliases: Cow<'a, [String]>,
    errata: Cow<'a, [String]>,
    package: Cow<'a, Package>,
    severity: Severity,
    #[serde(default)]
    rated_by: Cow<'a, str>,
    cvss: Option<Cow<'a, str>>,
    #[serde(default)]
    ratings: Cow<'a, [Rating]>,
    #[serde(default)]
    epss: Option<Epss>,
    status: Status,
    fixed_versions: Cow<'a, [String]>,
    known_exploited: bool,
    published: Option<Timestamp>,
    modified: Option<Timestamp>,
    why: Cow<'a, Why>,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            id: Cow::Borrowed(&self.id),
            aliases: Cow::Borrowed(&self.aliases),
            errata: Cow::Borrowed(&self.errata),
            package: Cow::Borrowed(&self.package),
            severity: self.severity,
            rated_by: Cow::Borrowed(&self.rated_by),
            cvss: self.cvss.as_deref().map(Cow::Borrowed),
            ratings: Cow::Borrowed(&self.ratings),
            epss: self.epss,
            status: self.status,
            fixed_versions: Cow::Borrowed(&self.fixed_versions),
            known_exploited: self.known_exploited,
            published: self.published,
            modified: self.modified,
            why: Cow::Borrowed(&self.why),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let diagnosis = Diagnosis {
            id: written.id.into_owned(),
            aliases: written.aliases.into_owned(),
            errata: written.errata.into_owned(),
            severity: written.severity,
            rated_by: written.rated_by.into_owned(),
            cvss: written.cvss.map(Cow::into_owned),
            ratings: written.ratings.into_owned(),
            epss: written.epss,
            status: written.status,
            fixed_versions: written.fixed_versions.into_owned(),
            known_exploited: written.known_exploited,
            published: written.published,
            modified: written.modified,
            why: written.why.into_owned(),
        };
        Ok(Self::new(written.package.into_owned(), diagnosis))
    }
}
