//! The inventory of the merged image, and everything about it that is not known.

use std::collections::{BTreeMap, HashMap, HashSet};

use cleanbill_core::distribution::{Distribution, packages_of};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::image::ImageFacts;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::{LayerId, Package, PackageKind};
use cleanbill_core::rootfs::{Resolution, Trouble};

use super::Merged;
use crate::facts::Claim;
use crate::purl::purl;
use crate::yum;
use crate::{apk, content_manifest, dpkg};

/// The kind of a distribution's packages, and where their database is; `None`: it is not known.
fn database(id: &str) -> Option<(PackageKind, &'static str)> {
    let kind = packages_of(id)?;
    let place = if kind == PackageKind::Apk {
        apk::INSTALLED_PATHS.first()?
    } else if kind == PackageKind::Deb {
        dpkg::STATUS_PATH
    } else if id.starts_with("opensuse") {
        "usr/lib/sysimage/rpm"
    } else {
        "var/lib/rpm"
    };
    Some((kind, place))
}

/// Package databases of operating systems that are not read yet: never pass them over.
const NOT_READ: &[(&str, &str)] = &[
    ("var/lib/pacman/local", "pacman"),
    ("var/db/pkg", "Portage"),
    ("nix/var/nix/db/db.sqlite", "Nix"),
    ("usr/lib/opkg/status", "opkg"),
    ("var/lib/opkg/status", "opkg"),
];

impl Merged<'_> {
    /// What the image holds, and what of it was not examined.
    pub fn inventory(&self) -> Inventory {
        let mut gaps = self.gaps.clone();
        let layers = self.layers.iter().map(|(_, facts)| facts);
        let content_sets = content_manifest::of_layers(layers, &mut gaps);
        let distribution = self.distribution(content_sets);
        let mut packages = self.packages(distribution.as_ref());
        packages.sort();
        packages.dedup();
        self.file_gaps(&mut gaps);
        self.database_gaps(distribution.as_ref(), &packages, &mut gaps);
        self.unread_gaps(&mut gaps);
        if packages.is_empty() && distribution.is_none() && self.root.files() > 0 {
            let files = self.root.files();
            let detail = format!("{files} files, no package and no distribution recognised");
            gaps.push(Gap::new(GapKind::NothingRecognised, "image", detail));
        }
        gaps.sort();
        gaps.dedup();
        Inventory { distribution, config: ImageFacts::default(), packages, gaps }
    }

    fn packages(&self, distribution: Option<&Distribution>) -> Vec<Package> {
        let first = self.first_layers();
        let repositories = self.repositories();
        let claims = self.live.iter().flat_map(|l| l.facts.claims.iter().map(move |c| (l, c)));
        // Of rpm there may be several databases, which mostly say the same.
        let mut told = HashSet::new();
        claims
            .filter(|(_, claim)| claim.kind != PackageKind::Rpm || told.insert(*claim))
            .map(|(live, claim)| {
                let layer = if claim.kind.is_os() { first.get(claim).copied() } else { None };
                let by = |owners: &BTreeMap<String, String>| {
                    if claim.kind.is_os() { None } else { owners.get(&live.path).cloned() }
                };
                Package {
                    kind: claim.kind,
                    name: claim.name.clone(),
                    version: claim.version.clone(),
                    source: claim.source.clone(),
                    arch: claim.arch.clone(),
                    vendor: claim.vendor.clone(),
                    module: claim.module.clone(),
                    repository: yum::named(claim).and_then(|n| repositories.get(&n).cloned()),
                    purl: purl(claim, distribution),
                    layer: self.layer(layer.unwrap_or(live.origin.layer)),
                    evidence: live.path.clone(),
                    owner: by(&self.owners.own),
                    changed_from: by(&self.owners.changed),
                }
            })
            .collect()
    }

    fn layer(&self, number: u32) -> Option<LayerId> {
        self.layers.get(number as usize).and_then(|(id, _)| *id)
    }

    /// The lowest layer whose database claims a package: the last layer's database repeats all
    /// of them, but did not bring them. Nor did one that only writes them down in another format.
    fn first_layers(&self) -> HashMap<&Claim, u32> {
        let mut first = HashMap::new();
        for (layer, (_, facts)) in (0..).zip(self.layers) {
            for file in &facts.files {
                for claim in file.facts.claims.iter().filter(|c| c.kind.is_os()) {
                    first.entry(claim).or_insert(layer);
                }
            }
        }
        first
    }

    /// Damaged files, entries that could not be merged, files that were not read.
    fn file_gaps(&self, gaps: &mut Vec<Gap>) {
        for live in &self.live {
            for problem in &live.facts.problems {
                gaps.push(Gap::new(problem.kind, &live.path, &problem.detail));
            }
            if live.facts.part.is_some() {
                let detail = "its list of crates was not read";
                gaps.push(Gap::new(GapKind::UnreadableDatabase, &live.path, detail));
            }
        }
        for problem in self.root.problems() {
            let (kind, detail) = match problem.trouble {
                Trouble::HardlinkToNowhere => {
                    (GapKind::UnresolvedLink, "is a hard link to nothing")
                }
                Trouble::ParentCycle => {
                    (GapKind::UnresolvedLink, "lies below a circle of links, or more than 40")
                }
                Trouble::ParentIsNoDirectory => {
                    (GapKind::UnresolvedLink, "lies below something that is no directory")
                }
                Trouble::TooMuchWork => (
                    GapKind::OverLimit,
                    "this entry and all after it were not merged: that takes too many steps, or too much \
                     memory",
                ),
            };
            gaps.push(Gap::new(kind, &problem.path, detail));
        }
        for (layer, extra) in &self.missing {
            let (named, path) = (&extra.named, &extra.path);
            let detail = format!("leads to {path} of layer {}, which was not read", layer + 1);
            gaps.push(Gap::new(GapKind::UnresolvedLink, named, detail));
        }
    }

    /// What is wrong between the distribution, the databases and the packages.
    fn database_gaps(
        &self,
        distribution: Option<&Distribution>,
        packages: &[Package],
        gaps: &mut Vec<Gap>,
    ) {
        for (path, tool) in NOT_READ {
            let there = match self.root.resolve(path) {
                Resolution::File { .. } | Resolution::Cycle | Resolution::Dangling => true,
                Resolution::Directory(path) => !self.root.children(&path).is_empty(),
                Resolution::Special | Resolution::NotThere => false,
            };
            if there {
                let detail = format!("a package database of {tool}, which is not read yet");
                gaps.push(Gap::new(GapKind::UnreadableDatabase, *path, detail));
            }
        }
        let Some(distribution) = distribution else {
            if let Some(package) = packages.iter().find(|p| p.kind.is_os()) {
                let detail = "has packages, but no file names the distribution that they are of";
                gaps.push(Gap::new(GapKind::UnknownDistribution, &package.evidence, detail));
            }
            return;
        };
        let name = &distribution.pretty_name;
        let Some((kind, place)) = database(&distribution.id) else {
            let detail = format!("named by {}, and not one we know", distribution.evidence);
            gaps.push(Gap::new(GapKind::UnknownDistribution, name, detail));
            return;
        };
        if !packages.iter().any(|p| p.kind == kind) {
            let detail =
                format!("has no package in it, although {} says {name}", distribution.evidence);
            gaps.push(Gap::new(GapKind::UnreadableDatabase, place, detail));
        }
    }
}
