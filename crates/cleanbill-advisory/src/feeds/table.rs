//! The feeds: siblings of one shape, a row each, and the one place of their publishers' addresses. To
//! add one is to add a reader and a row.

use cleanbill_core::ecosystem::Ecosystem;

use super::published::{Archive, Asked, Covers, Published, Row, Site};
use super::updateinfo;
use super::updateinfo::repositories::{Extras, Place, Publisher, Release, Repository};
use super::{almalinux, debian, eol, epss, kev, nvd, osv, redhat, rubysec, secdb, suse, trivy};

/// Every feed that can be read, in the order of their folders.
pub static FEEDS: &[Row] = &[
    Row {
        folder: almalinux::ID,
        id: almalinux::ID,
        asked: Asked::WhereNeeded,
        published: Published::Releases(
            "https://errata.almalinux.org",
            &[(almalinux::FILE, &["8", "9", "10"])],
        ),
        read: almalinux::read,
        covers: Covers::Packages(&[Ecosystem::AlmaLinux]),
        licence: Some("MIT"),
    },
    Row {
        folder: "alpine-secdb",
        id: "alpine-secdb",
        asked: Asked::ByName,
        published: Published::Releases(
            "https://secdb.alpinelinux.org",
            &[("main.json", &ALPINE_MAIN), ("community.json", &ALPINE_COMMUNITY)],
        ),
        read: secdb::read,
        covers: Covers::Packages(&[Ecosystem::Alpine]),
        licence: Some("as published by Alpine Linux (no licence stated)"),
    },
    Row {
        folder: "amazon",
        id: "amazon",
        asked: Asked::WhereNeeded,
        published: Published::Repositories(&AMAZON),
        read: updateinfo::read_amazon,
        covers: Covers::Packages(&[Ecosystem::AmazonLinux]),
        licence: Some("as published by Amazon (no licence stated)"),
    },
    Row {
        folder: "chainguard",
        id: "chainguard",
        asked: Asked::Restricted,
        published: Published::File(
            secdb::SECURITY,
            "https://packages.cgr.dev/chainguard/security.json",
        ),
        read: secdb::read_chainguard,
        covers: Covers::Packages(&[Ecosystem::Chainguard]),
        licence: Some("CC-BY-NC-ND-4.0"),
    },
    Row {
        folder: "debian",
        id: debian::ID,
        asked: Asked::WhereNeeded,
        published: Published::File(
            debian::FILE,
            "https://security-tracker.debian.org/tracker/data/json",
        ),
        read: debian::read,
        covers: Covers::Packages(&[Ecosystem::Debian]),
        licence: Some("MIT"),
    },
    Row {
        folder: eol::ID,
        id: eol::ID,
        asked: Asked::Always,
        published: Published::Products("https://endoflife.date/api/{}.json", &DISTRIBUTIONS),
        read: eol::read,
        covers: Covers::Lives,
        licence: Some("MIT"),
    },
    Row {
        folder: "epss",
        id: "epss",
        asked: Asked::ByName,
        published: Published::File(
            epss::FILE,
            "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
        ),
        read: epss::read,
        covers: Covers::Flaws,
        licence: Some("free to use, naming FIRST.org as the source"),
    },
    Row {
        folder: kev::ID,
        id: kev::ID,
        asked: Asked::Always,
        published: Published::File(
            kev::FILE,
            "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
        ),
        read: kev::read,
        covers: Covers::Flaws,
        licence: Some("CC0-1.0"),
    },
    Row {
        folder: nvd::ID,
        id: nvd::ID,
        asked: Asked::ByName,
        // The first holds the flaws of the years before as well.
        published: Published::Years(
            "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{}.json.gz",
            2002,
        ),
        read: nvd::read,
        covers: Covers::Flaws,
        licence: Some("public domain (NIST)"),
    },
    Row {
        folder: "osv",
        id: "osv:",
        asked: Asked::ByEcosystem,
        published: Published::Ecosystems(
            "https://osv-vulnerabilities.storage.googleapis.com/{}/all.zip",
        ),
        read: osv::read,
        covers: Covers::AllBut(&[Ecosystem::AmazonLinux, Ecosystem::OracleLinux]),
        licence: None,
    },
    Row {
        folder: redhat::RED_HAT.id,
        id: redhat::RED_HAT.id,
        // To build from all of it takes gigabytes of memory, which nobody should be surprised by.
        asked: Asked::ByName,
        published: Published::Documents(
            Site {
                of: &redhat::RED_HAT,
                base: "https://security.access.redhat.com/data/csaf/v2/vex-feed",
                archive: Archive::Listed,
            },
            &[(
                redhat::REPOSITORIES,
                "https://security.access.redhat.com/data/metrics/repository-to-cpe.json",
            )],
        ),
        read: redhat::read,
        covers: Covers::Packages(&[Ecosystem::RedHat]),
        licence: Some("CC-BY-4.0"),
    },
    Row {
        folder: rubysec::ID,
        id: rubysec::ID,
        asked: Asked::ByName,
        published: Published::File(
            rubysec::FILE,
            "https://github.com/rubysec/ruby-advisory-db/archive/refs/heads/master.zip",
        ),
        read: rubysec::read,
        covers: Covers::Packages(&[Ecosystem::RubyGems]),
        licence: Some("public domain, in parts from OSVDB (as RubySec says)"),
    },
    Row {
        folder: suse::SUSE.id,
        id: suse::SUSE.id,
        // As with Red Hat's.
        asked: Asked::ByName,
        published: Published::Documents(
            Site {
                of: &suse::SUSE,
                base: "https://ftp.suse.com/pub/projects/security/csaf-vex",
                archive: Archive::InPlace(
                    "https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2",
                ),
            },
            &[],
        ),
        read: suse::read,
        covers: Covers::Packages(&[Ecosystem::Suse, Ecosystem::OpenSuse]),
        licence: Some("CC-BY-4.0"),
    },
    Row {
        folder: "trivy",
        id: "trivy:",
        asked: Asked::ByHand,
        published: Published::BySite,
        read: trivy::read,
        covers: Covers::AllBut(&[]),
        licence: None,
    },
    Row {
        folder: "wolfi",
        id: "wolfi",
        asked: Asked::Restricted,
        published: Published::File(secdb::SECURITY, "https://packages.wolfi.dev/os/security.json"),
        read: secdb::read_wolfi,
        covers: Covers::Packages(&[Ecosystem::Wolfi]),
        licence: Some("CC-BY-NC-ND-4.0"),
    },
];

/// Distributions by the `ID` of os-release, and what endoflife.date calls them.
pub(crate) static DISTRIBUTIONS: [(&str, &str); 14] = [
    ("alpine", "alpine-linux"),
    ("debian", "debian"),
    ("ubuntu", "ubuntu"),
    ("almalinux", "almalinux"),
    ("rocky", "rocky-linux"),
    ("rhel", "rhel"),
    ("amzn", "amazon-linux"),
    ("ol", "oracle-linux"),
    ("fedora", "fedora"),
    ("centos", "centos"),
    ("centos-stream", "centos-stream"),
    ("opensuse-leap", "opensuse"),
    ("sles", "sles"),
    ("photon", "photon"),
];

/// Alpine's branches. Those of releases that come later are in OSV's zip.
const ALPINE_MAIN: [&str; 24] = [
    "edge", "v3.2", "v3.3", "v3.4", "v3.5", "v3.6", "v3.7", "v3.8", "v3.9", "v3.10", "v3.11",
    "v3.12", "v3.13", "v3.14", "v3.15", "v3.16", "v3.17", "v3.18", "v3.19", "v3.20", "v3.21",
    "v3.22", "v3.23", "v3.24",
];
/// Of its second repository, which the first release did not have.
const ALPINE_COMMUNITY: [&str; 23] = [
    "edge", "v3.3", "v3.4", "v3.5", "v3.6", "v3.7", "v3.8", "v3.9", "v3.10", "v3.11", "v3.12",
    "v3.13", "v3.14", "v3.15", "v3.16", "v3.17", "v3.18", "v3.19", "v3.20", "v3.21", "v3.22",
    "v3.23", "v3.24",
];

/// Amazon Linux: its `core` repositories, and the second release's extras.
pub(crate) static AMAZON: Publisher = Publisher {
    id: "amazon",
    ecosystem: Ecosystem::AmazonLinux,
    licence: "as published by Amazon (no licence stated)",
    releases: &[
        Release {
            name: "1",
            repositories: &[Repository { name: "updates", place: Place::ByHand }],
            arches: &["x86_64"],
            extras: None,
        },
        Release {
            name: "2",
            repositories: &[Repository {
                name: "core",
                place: Place::MirrorList(
                    "https://cdn.amazonlinux.com/2/core/latest/{arch}/mirror.list",
                ),
            }],
            arches: &["x86_64", "aarch64"],
            extras: Some(Extras {
                catalogue: "https://cdn.amazonlinux.com/2/extras-catalog-{arch}.json",
                list: "https://cdn.amazonlinux.com/2/extras/{topic}/latest/{arch}/mirror.list",
            }),
        },
        Release {
            name: "2023",
            repositories: &[Repository {
                name: "core",
                place: Place::MirrorList(
                    "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/{arch}/mirror.list",
                ),
            }],
            arches: &["x86_64", "aarch64"],
            extras: None,
        },
    ],
};
