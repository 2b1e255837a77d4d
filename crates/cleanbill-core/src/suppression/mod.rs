//! What a caller wants left out of a report, and whether a finding is meant: ignored statuses,
//! entries of ignore files, and VEX statements.
//!
//! A judgement over plain data. Reading the files that say it is not done here, nor does this
//! touch the gate, where only the exceptions of a policy decide. What is expired, about another
//! package or image, or says anything but "not affected" and "fixed", never hides a finding; and
//! nothing here can hide a [`Gap`](crate::gap::Gap).

mod aside;
mod judge;
pub mod path;
mod subject;

use std::fmt;
use std::sync::Arc;

use crate::Timestamp;
use crate::finding::Status;
use crate::purl::PackageUrl;

pub use aside::{Aside, NotMeant, Said};
pub use judge::{Judge, suppress};
pub use path::PathPattern;
pub use subject::Subject;

/// All that may leave findings out, in the order in which it is asked.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Whether findings without a fix are left out.
    pub only_fixed: bool,
    /// Statuses that are left out.
    pub statuses: Vec<Status>,
    /// Ignore files, in the order in which they were given.
    pub ignore_files: Vec<IgnoreFile>,
    /// VEX documents, in the order in which they were given.
    pub documents: Vec<Document>,
}

/// A file of flaws to be ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreFile {
    /// Its name as it was given.
    pub file: Arc<str>,
    /// Its entries, in the order of the file; the first that holds counts.
    pub entries: Vec<IgnoreEntry>,
}

/// One flaw to be ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreEntry {
    /// Its place in the file.
    pub place: Place,
    /// The flaw, by any of its ids.
    pub id: String,
    /// Files that prove the package, one of which must be meant; empty: any file.
    pub paths: Vec<PathPattern>,
    /// Packages, one of which must be meant; empty: any package.
    pub purls: Vec<PackageUrl>,
    /// From when on it no longer holds; `None`: never.
    pub expires: Option<Timestamp>,
    /// Why it is ignored, where that is said.
    pub statement: Option<String>,
}

/// A VEX document: what one author says of flaws in products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name as it was given.
    pub file: Arc<str>,
    /// What it says, in the order of the document.
    pub statements: Vec<Statement>,
}

/// One VEX statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its place in the document.
    pub place: Place,
    /// The flaw, by all ids that the statement gives.
    pub flaws: Arc<[String]>,
    /// The products that it is about; without one it is about nothing.
    pub products: Vec<Arc<Product>>,
    /// What it says of the flaw in them.
    pub stance: Stance,
    /// When it was said; `None` is before any time that is known.
    pub time: Option<Timestamp>,
}

/// What a VEX statement is about: an image (`pkg:oci/…`) or a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The image or package.
    pub purl: PackageUrl,
    /// The packages in it that are meant; empty: all of it.
    pub subcomponents: Vec<PackageUrl>,
}

/// What a VEX statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stance {
    /// The product is not affected, on these grounds.
    NotAffected(Grounds),
    /// This version of the product has the fix.
    Fixed,
    /// The product is affected.
    Affected,
    /// Its author does not know yet.
    UnderInvestigation,
}

impl Stance {
    /// OpenVEX's word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotAffected(_) => "not_affected",
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// The grounds, where there are any.
    pub fn grounds(&self) -> Option<&Grounds> {
        match self {
            Self::NotAffected(grounds) => Some(grounds),
            Self::Fixed | Self::Affected | Self::UnderInvestigation => None,
        }
    }

    /// Whether a finding may be left out for it.
    fn suppresses(&self) -> bool {
        match self {
            Self::NotAffected(_) | Self::Fixed => true,
            Self::Affected | Self::UnderInvestigation => false,
        }
    }

    /// Of two statements of the same time the more cautious one counts.
    fn caution(&self) -> u8 {
        match self {
            Self::Affected => 2,
            Self::UnderInvestigation => 1,
            Self::NotAffected(_) | Self::Fixed => 0,
        }
    }
}

/// Why a product is not affected. Whoever says so must say why: there is no value without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grounds {
    justification: Option<Justification>,
    words: Option<String>,
}

impl Grounds {
    /// Grounds of a justification, words, or both; `None` where both are missing or empty.
    pub fn new(justification: Option<Justification>, words: Option<&str>) -> Option<Self> {
        let words = words.map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned);
        let some = justification.is_some() || words.is_some();
        some.then_some(Self { justification, words })
    }

    /// The justification's word, where one is given.
    pub fn justification(&self) -> Option<Justification> {
        self.justification
    }

    /// The author's own words, where there are any.
    pub fn words(&self) -> Option<&str> {
        self.words.as_deref()
    }
}

macro_rules! justifications {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal;)+) => {
        /// Why a product is not affected, in the words of OpenVEX and CSAF (the first five) and
        /// of CycloneDX (the others). Which of them a format has is for its reader to know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Justification {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Justification {
            /// Every justification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in documents and reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

justifications! {
    /// The component is not in the product.
    ComponentNotPresent = "component_not_present";
    /// The component is there without the code that has the flaw.
    VulnerableCodeNotPresent = "vulnerable_code_not_present";
    /// The code is there and never executed.
    VulnerableCodeNotInExecutePath = "vulnerable_code_not_in_execute_path";
    /// Nobody who attacks can reach the code.
    VulnerableCodeCannotBeControlledByAdversary = "vulnerable_code_cannot_be_controlled_by_adversary";
    /// The product stops the attack itself.
    InlineMitigationsAlreadyExist = "inline_mitigations_already_exist";
    /// The code was removed.
    CodeNotPresent = "code_not_present";
    /// The code is not called.
    CodeNotReachable = "code_not_reachable";
    /// Only another configuration has the flaw.
    RequiresConfiguration = "requires_configuration";
    /// Only another dependency has the flaw.
    RequiresDependency = "requires_dependency";
    /// Only another environment has the flaw.
    RequiresEnvironment = "requires_environment";
    /// A compiler's option stops the attack.
    ProtectedByCompiler = "protected_by_compiler";
    /// It is stopped while the program runs.
    ProtectedAtRuntime = "protected_at_runtime";
    /// It is stopped before it reaches the program.
    ProtectedAtPerimeter = "protected_at_perimeter";
    /// Something else makes it unlikely or harmless.
    ProtectedByMitigatingControl = "protected_by_mitigating_control";
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a text, from 1.
    Line(u64),
    /// A value of a JSON document (RFC 6901).
    Pointer(String),
}

impl fmt::Display for Place {
    /// Behind a file's name: `:3` or `#/statements/0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, ":{line}"),
            Self::Pointer(pointer) => write!(f, "#{pointer}"),
        }
    }
}

/// What becomes of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling<'r> {
    /// Nothing is said of it: it counts.
    Counts,
    /// It counts although this was said of it.
    CountsThough(Remark<'r>),
    /// It is left out.
    Suppressed(By<'r>),
}

/// What leaves a finding out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'r> {
    /// It has no fix, and only those that have are wanted.
    Unfixed,
    /// Its status is not wanted.
    Status(Status),
    /// An entry of an ignore file.
    Ignored(&'r IgnoreFile, &'r IgnoreEntry),
    /// A VEX statement.
    Vex(&'r Document, &'r Statement),
    /// The distribution's own package of this name holds it, and the distribution's advisories
    /// were asked about that. No rule of a caller's: [`suppress`] never says it.
    Owner(&'r str),
}

/// What was said of a finding and does not leave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark<'r> {
    /// An entry of an ignore file that no longer holds.
    Expired(&'r IgnoreFile, &'r IgnoreEntry),
    /// A VEX statement that says that it is affected, or that nobody knows yet.
    Vex(&'r Document, &'r Statement),
}
