//! What can be said of a feed in a row of the [table](super::table).

use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use super::csaf;
use super::updateinfo::repositories;
use crate::error::Result;
use crate::gather::Gathered;
use crate::limits::Limits;

/// One feed.
pub struct Row {
    /// Its folder below the folder that a snapshot is built from, and the word of `--feeds` where it
    /// is asked for by name.
    pub folder: &'static str,
    /// Its id in a snapshot; where the folder holds several feeds, what their ids begin with.
    pub id: &'static str,
    /// When it is fetched.
    pub(crate) asked: Asked,
    /// Where.
    pub(crate) published: Published,
    /// Reads the folder.
    pub read: fn(&Path, &Limits, &mut Gathered) -> Result<()>,
    /// What it tells of.
    pub(crate) covers: Covers,
    /// Under which licence it is offered, where all of it is under one.
    pub licence: Option<&'static str>,
}

/// When a feed is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By every update.
    Always,
    /// For the ecosystems that are asked for, else for those that images have needed.
    ByEcosystem,
    /// When images have needed what it covers: it says more than OSV's zip, which is not needed then.
    WhereNeeded,
    /// Where it is asked for by name. OSV's zip of what it covers stands beside it.
    ByName,
    /// The same, and OSV's zip is not fetched for need either: its publisher restricts what may be done
    /// with the data, which is for the user to decide.
    Restricted,
    /// Never: whoever builds puts it there.
    ByHand,
}

/// What a feed tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// Flaws of packages of these ecosystems.
    Packages(&'static [Ecosystem]),
    /// Flaws of packages of every ecosystem but these.
    AllBut(&'static [Ecosystem]),
    /// Flaws, whatever package has them.
    Flaws,
    /// Ends of life of distributions.
    Lives,
}

/// Where a feed is published; `{}` stands for what each file is of.
pub(crate) enum Published {
    /// One file of this name, at this address.
    File(&'static str, &'static str),
    /// Files of these names a release, each with the releases that have it, below this address as in
    /// the folder.
    Releases(&'static str, &'static [(&'static str, &'static [&'static str])]),
    /// A file a year since the first, at this address and under the name that ends it.
    Years(&'static str, i16),
    /// A zip an ecosystem.
    Ecosystems(&'static str),
    /// A file a product, by the id of the distribution that each is.
    Products(&'static str, &'static [(&'static str, &'static str)]),
    /// Repositories of packages.
    Repositories(&'static repositories::Publisher),
    /// Documents, and files of these names at these addresses beside them.
    Documents(Site, &'static [(&'static str, &'static str)]),
    /// Where each site has put it.
    BySite,
}

/// Where a publisher has its documents.
#[derive(Clone, Copy)]
pub(crate) struct Site {
    /// Whose they are.
    pub(crate) of: &'static csaf::Publisher,
    /// The address below which single documents are, and the lists of them.
    pub(crate) base: &'static str,
    pub(crate) archive: Archive,
}

/// Where the archive of all is.
#[derive(Clone, Copy)]
pub(crate) enum Archive {
    /// Beside the documents, where a list names the newest (`vex-archive.tar.zst`, or
    /// `csaf_vex_2026-08-05.tar.zst`), and another which documents are gone.
    Listed,
    /// At this address, where it is made anew: as old as its server says.
    InPlace(&'static str),
}

/// Where one file is at its publisher's.
pub(crate) enum At {
    /// At this address.
    Address(String),
    /// The errata of the repository of packages that this list of mirrors names.
    Repository(String),
    /// The repositories that a catalogue names.
    Extras(repositories::Extras),
    /// An archive of documents, and beside it those that have changed since.
    Documents(Site),
}

impl Published {
    /// The files of a feed that is asked for as a whole: the name in its folder, and where it is.
    pub(crate) fn files(&self, now: Timestamp) -> Vec<(String, At)> {
        let file = |name: &str, at: &str| (name.to_owned(), At::Address(at.to_owned()));
        match self {
            Self::File(name, at) => vec![file(name, at)],
            Self::Releases(at, files) => files
                .iter()
                .flat_map(|(name, releases)| releases.iter().map(move |of| format!("{of}/{name}")))
                .map(|name| file(&name, &format!("{at}/{name}")))
                .collect(),
            Self::Years(at, first) => (*first..=jiff::tz::Offset::UTC.to_datetime(now).year())
                .map(|year| at.replace("{}", &year.to_string()))
                .map(|at| file(at.rsplit('/').next().unwrap_or_default(), &at))
                .collect(),
            Self::Repositories(of) => {
                let core = of.files().into_iter().map(|(name, list)| (name, At::Repository(list)));
                let extras = of.catalogues().into_iter();
                core.chain(extras.map(|(name, of)| (name, At::Extras(of)))).collect()
            }
            Self::Documents(site, beside) => {
                let archive = (site.of.archive.to_owned(), At::Documents(*site));
                std::iter::once(archive).chain(beside.iter().map(|(n, at)| file(n, at))).collect()
            }
            Self::Ecosystems(_) | Self::Products(..) | Self::BySite => Vec::new(),
        }
    }

    /// Whether each folder in its own is a release by itself, which the others can do without. Such
    /// lists are made anew even where nothing has happened, so that the list's date says how old its
    /// facts are, and not the newest fact in it.
    pub(crate) fn is_by_release(&self) -> bool {
        matches!(self, Self::Releases(..) | Self::Repositories(_))
    }
}

impl Covers {
    /// Whether it says which packages have flaws.
    pub(crate) fn packages(self) -> bool {
        matches!(self, Self::Packages(_) | Self::AllBut(_))
    }
}
