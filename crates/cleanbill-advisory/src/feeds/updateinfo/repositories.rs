//! What can be said of who publishes `updateinfo.xml`, for reading and for fetching.

use cleanbill_core::ecosystem::Ecosystem;

/// A distribution whose errata are read from the metadata of its repositories of packages.
pub(crate) struct Publisher {
    /// Its feed's id, which is also the folder.
    pub(crate) id: &'static str,
    pub(crate) ecosystem: Ecosystem,
    pub(crate) licence: &'static str,
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
    /// What it has beside them.
    pub(crate) extras: Option<Extras>,
}

/// Repositories that a catalogue names, one a topic. `{arch}` and `{topic}` stand for themselves.
#[derive(Clone, Copy)]
pub(crate) struct Extras {
    pub(crate) catalogue: &'static str,
    /// The list of mirrors of a topic's repository.
    pub(crate) list: &'static str,
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

    /// The catalogue of each architecture of a release that has extras: its file, below the folder.
    pub(crate) fn catalogues(&self) -> Vec<(String, Extras)> {
        let mut files = Vec::new();
        for release in self.releases {
            let Some(extras) = release.extras else { continue };
            for arch in release.arches {
                let (folder, file) = (super::extras::FOLDER, super::extras::CATALOGUE);
                files.push((format!("{}/{folder}/{arch}/{file}", release.name), extras));
            }
        }
        files
    }
}
