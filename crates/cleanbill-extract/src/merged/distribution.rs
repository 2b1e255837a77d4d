//! Which distribution the merged image is, from all files that say something about it.

use cleanbill_core::distribution::Distribution;

use super::{Live, Merged};
use crate::extractors::Wanted;
use crate::os_release::{self, Release};

impl Merged<'_> {
    /// The first release file in the order of [`os_release::PATHS`] that names a distribution
    /// says which it is. Alpine's and Debian's own files know the version better, and Alpine's
    /// repositories the branch that its packages come from.
    pub(super) fn distribution(&self, content_sets: Vec<String>) -> Option<Distribution> {
        let at = |path: &str| {
            let said = |l: &&Live<'_>| l.wanted == Wanted::Release && l.named == path;
            self.live.iter().find(said).and_then(|l| Some((l, l.facts.release.as_ref()?)))
        };
        let (live, named) = os_release::PATHS.iter().find_map(|path| at(path))?;
        let own_file = match named.id.as_str() {
            "alpine" => at("etc/alpine-release"),
            "debian" => at("etc/debian_version"),
            _ => None,
        };
        // `trixie/sid` is no version.
        let own_version = own_file
            .map(|(_, release)| release.version.as_str())
            .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
        let version = own_version.unwrap_or(&named.version).to_owned();
        let version = if version.contains("/sid") { String::new() } else { version };
        let mut release = os_release::release_of(&named.id, &version);
        if named.id == "alpine"
            && let Some(branch) = self.branch()
        {
            branch.version.clone_into(&mut release);
        }
        let pretty = if named.pretty_name.is_empty() { &named.id } else { &named.pretty_name };
        Some(Distribution {
            id: named.id.clone(),
            version,
            release,
            pretty_name: pretty.clone(),
            evidence: live.path.clone(),
            content_sets,
        })
    }

    fn branch(&self) -> Option<&Release> {
        let repositories = self.live.iter().find(|l| l.wanted == Wanted::ApkRepositories)?;
        repositories.facts.release.as_ref()
    }
}
