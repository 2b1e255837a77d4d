//! Publishers of one feed each, which are asked for by name: where their files are, what they are
//! called in the folder that a snapshot is built from, and which feed they make. Data, in one place.

use cleanbill_core::Timestamp;

use super::documents::{Archive, Site};
use crate::feeds::redhat::{RED_HAT, REPOSITORIES};
use crate::feeds::suse::SUSE;
use crate::feeds::updateinfo::repositories::Extras;
use crate::feeds::{almalinux, rubysec};

/// A publisher besides OSV, CISA and endoflife.date, who are always asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publisher {
    /// AlmaLinux's errata.
    AlmaLinux,
    /// Amazon Linux's errata.
    Amazon,
    /// Chainguard's security database: for use that earns nothing.
    Chainguard,
    /// Debian's security tracker.
    Debian,
    /// FIRST's EPSS.
    Epss,
    /// NIST's NVD, about 30 files.
    Nvd,
    /// Red Hat's VEX documents: an archive of some 300 MB, and what has changed since; and its list
    /// of repositories.
    RedHat,
    /// RubySec's advisories of gems.
    RubySec,
    /// SUSE's VEX documents, of openSUSE too: an archive of some 450 MB, and what has changed since.
    Suse,
    /// Wolfi's security database: for use that earns nothing.
    Wolfi,
}

impl Publisher {
    /// Every publisher.
    pub const ALL: [Self; 10] = [
        Self::AlmaLinux,
        Self::Amazon,
        Self::Chainguard,
        Self::Debian,
        Self::Epss,
        Self::Nvd,
        Self::RedHat,
        Self::RubySec,
        Self::Suse,
        Self::Wolfi,
    ];

    /// Who is asked unless told otherwise: what is needed for Debian's images, and what rates
    /// every flaw for little. NVD is large, and the two others restrict what may be done with
    /// their data.
    pub const DEFAULT: [Self; 2] = [Self::Debian, Self::Epss];

    /// The name, which is also the feed's folder in what a snapshot is built from.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlmaLinux => almalinux::ID,
            Self::Amazon => "amazon",
            Self::Chainguard => "chainguard",
            Self::Debian => "debian",
            Self::Epss => "epss",
            Self::Nvd => "nvd",
            Self::RedHat => RED_HAT.id,
            Self::RubySec => rubysec::ID,
            Self::Suse => SUSE.id,
            Self::Wolfi => "wolfi",
        }
    }

    /// The publisher of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == name)
    }

    /// Whether its list is made anew even where nothing has happened, so that the list's date says
    /// how old its facts are, and not the newest fact in it.
    pub(super) fn dates_its_list(self) -> bool {
        match self {
            Self::AlmaLinux | Self::Amazon => true,
            Self::Chainguard | Self::Debian | Self::Epss => false,
            Self::Nvd | Self::RedHat | Self::RubySec => false,
            Self::Suse | Self::Wolfi => false,
        }
    }

    /// Whether each folder in its own is a release by itself, which the others can do without.
    pub(super) fn is_by_release(self) -> bool {
        matches!(self, Self::AlmaLinux | Self::Amazon)
    }

    /// Whether it says which packages have flaws, and not only how bad flaws are.
    pub(super) fn tells_of_packages(self) -> bool {
        !matches!(self, Self::Epss | Self::Nvd)
    }

    /// The id of its feed in a snapshot.
    pub(super) fn feed(self) -> &'static str {
        match self {
            Self::Debian => crate::feeds::debian::ID,
            Self::AlmaLinux | Self::Amazon => self.as_str(),
            Self::Chainguard | Self::Epss => self.as_str(),
            Self::Nvd | Self::RedHat | Self::RubySec => self.as_str(),
            Self::Suse | Self::Wolfi => self.as_str(),
        }
    }

    /// Its files: the name in its folder, and where it is at the publisher's.
    pub(super) fn files(self, now: Timestamp) -> Vec<(String, At)> {
        use crate::feeds::{debian, epss, secdb, updateinfo};
        let one =
            |name: &str, address: &str| vec![(name.to_owned(), At::Address(address.to_owned()))];
        match self {
            Self::AlmaLinux => almalinux::RELEASES
                .map(|release| {
                    let name = format!("{release}/{}", almalinux::FILE);
                    let address = format!("https://errata.almalinux.org/{name}");
                    (name, At::Address(address))
                })
                .into(),
            Self::Amazon => {
                let of = &updateinfo::repositories::AMAZON;
                let core = of.files().into_iter().map(|(name, list)| (name, At::Repository(list)));
                let extras = of.catalogues().into_iter();
                core.chain(extras.map(|(name, of)| (name, At::Extras(of)))).collect()
            }
            Self::Chainguard => {
                one(secdb::SECURITY, "https://packages.cgr.dev/chainguard/security.json")
            }
            Self::Debian => {
                one(debian::FILE, "https://security-tracker.debian.org/tracker/data/json")
            }
            Self::Epss => {
                one(epss::FILE, "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz")
            }
            Self::Nvd => (FIRST_OF_NVD..=jiff::tz::Offset::UTC.to_datetime(now).year())
                .map(|year| format!("nvdcve-2.0-{year}.json.gz"))
                .map(|name| {
                    let address = format!("https://nvd.nist.gov/feeds/json/cve/2.0/{name}");
                    (name, At::Address(address))
                })
                .collect(),
            Self::RedHat => {
                let site = Site {
                    of: &RED_HAT,
                    base: "https://security.access.redhat.com/data/csaf/v2/vex-feed",
                    archive: Archive::Listed,
                };
                let address =
                    "https://security.access.redhat.com/data/metrics/repository-to-cpe.json";
                let list = (REPOSITORIES.to_owned(), At::Address(address.to_owned()));
                documents(site).into_iter().chain([list]).collect()
            }
            Self::RubySec => one(
                rubysec::FILE,
                "https://github.com/rubysec/ruby-advisory-db/archive/refs/heads/master.zip",
            ),
            Self::Suse => documents(Site {
                of: &SUSE,
                base: "https://ftp.suse.com/pub/projects/security/csaf-vex",
                archive: Archive::InPlace(
                    "https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2",
                ),
            }),
            Self::Wolfi => one(secdb::SECURITY, "https://packages.wolfi.dev/os/security.json"),
        }
    }
}

/// Where one file is at its publisher's.
pub(super) enum At {
    /// At this address.
    Address(String),
    /// The errata of the repository of packages that this list of mirrors names.
    Repository(String),
    /// The repositories that a catalogue names.
    Extras(Extras),
    /// An archive of documents, and beside it those that have changed since.
    Documents(Site),
}

fn documents(site: Site) -> Vec<(String, At)> {
    vec![(site.of.archive.to_owned(), At::Documents(site))]
}

/// The year of NVD's first file, which holds the flaws of the years before as well.
const FIRST_OF_NVD: i16 = 2002;
