//! Who publishes `updateinfo.xml` and where: data, in one place, for reading and for fetching.

use cleanbill_core::ecosystem::Ecosystem;

/// A distribution whose errata are read from the metadata of its repositories of packages.
pub(crate) struct Publisher {
    /// Its feed's id, which is also the folder.
    pub(crate) id: &'static str,
    pub(super) ecosystem: Ecosystem,
    pub(super) licence: &'static str,
    pub(crate) releases: &'static [Release],
}

/// One release. What is known of it is only whole with every repository and architecture: what
/// one of them lacks would look as if it had no flaw.
pub(crate) struct Release {
    /// As its advisories' stream names it.
    pub(crate) name: &'static str,
    pub(crate) repositories: &'static [Repository],
    /// As rpm names them.
    pub(crate) arches: &'static [&'static str],
}

/// A repository of packages.
pub(crate) struct Repository {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
}

/// Where a repository is. `{arch}` stands for the architecture.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The first line of this list is its address.
    MirrorList(&'static str),
    /// Not fetched, since its publisher offers it without encryption alone; read where a site has
    /// put it.
    ByHand,
}

/// Amazon Linux. Its `core` repositories: of the second release's `extras` nothing is read.
pub(crate) const AMAZON: Publisher = Publisher {
    id: "amazon",
    ecosystem: Ecosystem::AmazonLinux,
    licence: "as published by Amazon (no licence stated)",
    releases: &[
        Release {
            name: "1",
            repositories: &[Repository { name: "updates", place: Place::ByHand }],
            arches: &["x86_64"],
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
        },
    ],
};

impl Publisher {
    /// Every file below its folder that can be fetched, with the list of mirrors that leads to it.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for release in self.releases {
            for repository in release.repositories {
                let Place::MirrorList(list) = repository.place else { continue };
                for arch in release.arches {
                    let name =
                        format!("{}/{}/{arch}/{}", release.name, repository.name, super::FILE);
                    files.push((name, list.replace("{arch}", arch)));
                }
            }
        }
        files
    }
}
