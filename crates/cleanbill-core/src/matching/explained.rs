//! What [`Matcher::explain`](super::Matcher::explain) answers: plain data, and the answer for the
//! whole image that follows from it. Nothing is looked up or compared here.

use crate::advisory::FlawFacts;
use crate::ecosystem::Stream;
use crate::evidence::FeedUse;
use crate::finding::{Finding, Why};
use crate::gap::{Gap, GapKind};
use crate::package::Package;

/// What was found out about one id in one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Each package that an advisory with this id names, in the order of the look-ups; twice
    /// where the id is an erratum of several flaws.
    pub packages: Vec<Explained>,
    /// The streams that were looked into, or would have been if a feed covered them.
    pub streams: Vec<LookedInto>,
    /// Where other releases of the distribution have the id, looked for only where `packages` is
    /// empty: nothing is said of this release by that.
    pub elsewhere: Vec<Elsewhere>,
    /// What is known of the id, whatever package has it.
    pub known: FlawFacts,
    /// What was not examined and might have the flaw, sorted.
    pub gaps: Vec<Gap>,
}

/// A stream, and what was asked in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedInto {
    /// The stream.
    pub stream: Stream,
    /// The feed that covers it; `None`: none does, which is a gap.
    pub feed: Option<FeedUse>,
    /// How many names of packages were looked up in it, each once.
    pub names: usize,
}

/// A name of the image's packages under which other releases have an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The name.
    pub name: String,
    /// Their streams, in order.
    pub streams: Vec<Stream>,
}

/// What became of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The package.
    pub package: Package,
    /// The id that the flaw goes by.
    pub id: String,
    /// What was found out.
    pub outcome: Outcome,
}

/// What an id's advisories mean for one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is affected: the very finding that matching gives.
    Affected(Finding),
    /// It is not; one reason or more from each advisory.
    NotAffected(Vec<NotAffected>),
    /// An advisory could not be read, and no other says that it is affected.
    Unreadable(Gap),
    /// Its version cannot be compared, and no advisory lists it letter by letter.
    NotCompared(Gap),
    /// A language's package that the distribution answers for.
    LeftToDistribution {
        /// The name of the distribution's package that owns it.
        owner: String,
        /// What its language's advisories alone would have said.
        otherwise: Box<Outcome>,
    },
}

/// One reason why a package is not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAffected {
    /// The advisory's id.
    pub id: String,
    /// Who says so, and what was compared; its range is the one that does not hold the version, or
    /// empty.
    pub why: Why,
    /// What keeps the version out.
    pub because: Because,
}

/// What keeps a version out of what an advisory calls affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Who publishes it says that nothing is affected.
    SaidSo,
    /// It was fixed in this version, and the installed one is not lower.
    Fixed(String),
    /// This version was the last affected one, and the installed one is higher.
    AfterLast(String),
    /// Versions below this one are affected, and the installed one is not lower; no fix is named.
    NotBelow(String),
    /// This version was the first affected one, and the installed one is lower.
    BeforeFirst(String),
    /// It lists so many affected versions, and the installed one is not among them.
    NotListed(usize),
    /// It names no affected version.
    NothingNamed,
    /// It is about the kernel, and the package holds headers, documentation or source of it only, or
    /// nothing but the name of the newest one.
    NoKernel,
    /// It was fixed in this version, which is none of the installed one's flavour (for FIPS, for
    /// Ksplice, or plain).
    OtherFlavour(String),
    /// It is about other packages of that name: of these architectures (empty: any), and of this
    /// module (`None`: not named; the releases of its fixes tell whether it is about modules).
    OtherPackages {
        /// The architectures.
        arches: Vec<String>,
        /// The module.
        module: Option<String>,
    },
}

/// The answer for the image as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A package is affected.
    Affected,
    /// Packages are named, none is affected, and nothing was left unexamined.
    NotAffected,
    /// The id is known, no advisory about it names a package of the image, and nothing was left
    /// unexamined.
    NotNamed,
    /// No affected package was found, and something was not examined.
    Open,
    /// Nothing that was looked into knows the id: no answer follows from that.
    Unknown,
}

impl Explanation {
    /// The answer, where gaps of these kinds are accepted. What concerns a package that the id
    /// names is never accepted.
    pub fn answer(&self, accepted: &[GapKind]) -> Answer {
        let any = |is: fn(&Outcome) -> bool| self.packages.iter().any(|p| is(&p.outcome));
        if any(|outcome| matches!(outcome, Outcome::Affected(_))) {
            return Answer::Affected;
        }
        if self.packages.is_empty() && self.known == FlawFacts::default() {
            return Answer::Unknown;
        }
        let unsure = any(|outcome| outcome.gap().is_some());
        if unsure || self.gaps.iter().any(|gap| !accepted.contains(&gap.kind)) {
            return Answer::Open;
        }
        match self.packages.is_empty() {
            true => Answer::NotNamed,
            false => Answer::NotAffected,
        }
    }
}

impl Outcome {
    /// What could not be compared or read, where that is what came of it.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Unreadable(gap) | Self::NotCompared(gap) => Some(gap),
            Self::Affected(_) | Self::NotAffected(_) | Self::LeftToDistribution { .. } => None,
        }
    }
}
