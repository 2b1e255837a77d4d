//! Publishers of one feed each, which are asked for by name, and who is asked where nobody says so. What
//! is known of them is in the [table](crate::feeds::table).

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use crate::feeds::published::{Asked, At, Covers};
use crate::feeds::redhat::RED_HAT;
use crate::feeds::suse::SUSE;
use crate::feeds::{FEEDS, Row, almalinux, rubysec};

/// A publisher besides OSV, CISA and endoflife.date, who are always asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publisher {
    /// AlmaLinux's errata.
    AlmaLinux,
    /// Alpine's security database.
    Alpine,
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
    pub const ALL: [Self; 11] = [
        Self::AlmaLinux,
        Self::Alpine,
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
            Self::Alpine => "alpine-secdb",
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

    /// Its row in the table.
    fn row(self) -> Option<&'static Row> {
        FEEDS.iter().find(|row| row.folder == self.as_str())
    }

    /// Whether its list is made anew even where nothing has happened, so that the list's date says
    /// how old its facts are, and not the newest fact in it; then each release is one by itself.
    pub(super) fn is_by_release(self) -> bool {
        self.row().is_some_and(|row| row.published.is_by_release())
    }

    /// Whether it says which packages have flaws, and not only how bad flaws are.
    pub(super) fn tells_of_packages(self) -> bool {
        self.row().is_some_and(|row| row.covers.packages())
    }

    /// The id of its feed in a snapshot.
    pub(super) fn feed(self) -> &'static str {
        self.row().map_or(self.as_str(), |row| row.id)
    }

    /// Its files: the name in its folder, and where it is at the publisher's.
    pub(super) fn files(self, now: Timestamp) -> Vec<(String, At)> {
        self.row().map(|row| row.published.files(now)).unwrap_or_default()
    }
}

/// What is fetched unless told otherwise: the ecosystems of the packages that are recognised in
/// images, except Ubuntu, whose feed is many times larger than the others (building holds every
/// advisory in memory, about 650 bytes each). An Ubuntu image says by a gap what to ask for.
/// Debian's own tracker says more than OSV's zip of it.
pub const DEFAULT_ECOSYSTEMS: [Ecosystem; 4] =
    [Ecosystem::Alpine, Ecosystem::Go, Ecosystem::PyPI, Ecosystem::Npm];

/// Who tells of an ecosystem, where nobody says otherwise: OSV's zip of it, a publisher's own feed,
/// both, or nobody whom an update can ask.
pub fn telling(ecosystem: Ecosystem) -> (bool, Option<Publisher>) {
    let own = FEEDS.iter().find(|row| match (row.asked, row.covers) {
        (Asked::WhereNeeded | Asked::Restricted, Covers::Packages(of)) => of.contains(&ecosystem),
        _ => false,
    });
    let has = |row: &Row| match (row.asked, row.covers) {
        (Asked::ByEcosystem, Covers::AllBut(none)) => !none.contains(&ecosystem),
        _ => false,
    };
    match own {
        Some(row) if row.asked == Asked::WhereNeeded => (false, Publisher::named(row.folder)),
        Some(_) => (false, None),
        None => (FEEDS.iter().any(has), None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Ecosystem, FEEDS, Publisher, telling};

    #[test]
    fn whoever_can_be_asked_by_name_has_a_row_and_the_other_way_round() {
        let rows = FEEDS.iter().filter(|row| match row.asked {
            Asked::WhereNeeded | Asked::ByName | Asked::Restricted => true,
            Asked::Always | Asked::ByEcosystem | Asked::ByHand => false,
        });
        let rows: Vec<&str> = rows.map(|row| row.folder).collect();
        assert_eq!(Publisher::ALL.map(Publisher::as_str).to_vec(), rows);
        let now = "2026-08-22T12:00:00Z".parse().unwrap();
        assert!(Publisher::ALL.iter().all(|publisher| !publisher.files(now).is_empty()));
        assert!(FEEDS.is_sorted_by_key(|row| row.folder));
    }

    #[test]
    fn who_tells_of_an_ecosystem() {
        let table = [
            (Ecosystem::Alpine, (true, None)),
            (Ecosystem::RedHat, (true, None)),
            (Ecosystem::RubyGems, (true, None)),
            (Ecosystem::Debian, (false, Some(Publisher::Debian))),
            (Ecosystem::AlmaLinux, (false, Some(Publisher::AlmaLinux))),
            (Ecosystem::AmazonLinux, (false, Some(Publisher::Amazon))),
            (Ecosystem::OracleLinux, (false, None)),
            (Ecosystem::Chainguard, (false, None)),
            (Ecosystem::Wolfi, (false, None)),
        ];
        for (ecosystem, wanted) in table {
            assert_eq!(telling(ecosystem), wanted, "{ecosystem}");
        }
    }
}
