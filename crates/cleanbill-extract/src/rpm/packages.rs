//! What the headers of one database claim: packages, and who owns which file.

use std::borrow::Cow;

use cleanbill_core::package::{PackageKind, SourcePackage};

use super::header::{Damage, Header, Tag};
use crate::checksums::Algorithm;
use crate::facts::{Claim, Facts, Owned};
use crate::room::Room;

/// A file's state (`RPMFILE_STATE_NORMAL`): installed, and not another package's in the end.
const NORMAL: u8 = 0;
/// A file's flag (`RPMFILE_GHOST`): not from the package, which only reserves the name.
const GHOST: u32 = 1 << 6;

/// Collects the packages of one database.
pub(super) struct Packages {
    facts: Facts,
    /// For the paths of files.
    room: Room,
}

impl Packages {
    pub(super) fn new() -> Self {
        Self { facts: Facts::default(), room: Room::new() }
    }

    pub(super) fn finish(self) -> Facts {
        self.facts
    }

    /// Notes that the database is damaged.
    pub(super) fn unreadable(&mut self, why: impl Into<String>) {
        self.facts.unreadable(why);
    }

    /// Takes one header, with the number under which the database has it.
    pub(super) fn header(&mut self, number: u64, blob: &[u8]) {
        let header = match Header::parse(blob) {
            Ok(header) => header,
            Err(why) => return self.unreadable(format!("header {number} {why}")),
        };
        let mut damage = Vec::new();
        let claim = claim(&header, &mut damage);
        for why in damage {
            self.unreadable(format!("header {number} {why}"));
        }
        // Keys that were imported are kept like packages.
        let Some(claim) = claim.filter(|c| c.name != "gpg-pubkey") else { return };
        match self.files(&header, &claim.name) {
            Ok(owned) if owned.files.is_empty() => {}
            Ok(owned) => self.facts.own(owned),
            Err(why) => {
                let name = &claim.name;
                self.unreadable(format!("the list of files of header {number}, {name}, {why}"));
            }
        }
        self.facts.claim(claim);
    }

    /// The files that are there and came with the package.
    fn files(&mut self, header: &Header<'_>, package: &str) -> Result<Owned, Damage> {
        let mut owned = Owned::of(package.to_owned());
        let by = algorithm(header)?;
        let mut digests = header.strings(Tag::FileDigests)?;
        let states = header.bytes(Tag::FileStates)?;
        let flags: Vec<u32> =
            header.numbers(Tag::FileFlags)?.map(Iterator::collect).unwrap_or_default();
        let there = |at: usize| {
            states.and_then(|s| s.get(at)).is_none_or(|state| *state == NORMAL)
                && flags.get(at).is_none_or(|flags| flags & GHOST == 0)
        };
        if let Some(names) = header.strings(Tag::BaseNames)? {
            let folders = header.strings(Tag::DirNames)?.ok_or("has names without folders")?;
            let folders = folders.collect::<Result<Vec<_>, _>>()?;
            let mut folder_of =
                header.numbers(Tag::DirIndexes)?.ok_or("has names without folders")?;
            for (at, name) in names.enumerate() {
                let folder = folder_of.next().and_then(|f| folders.get(super::numbers::size(f)));
                let folder = folder.ok_or("has a name without a folder")?;
                let (name, digest) = (name?, digests.as_mut().and_then(Iterator::next));
                if there(at) && !self.path(&mut owned, &[folder, &name], by, digest.transpose()?) {
                    break;
                }
            }
        } else if let Some(paths) = header.strings(Tag::OldFileNames)? {
            for (at, path) in paths.enumerate() {
                let (path, digest) = (path?, digests.as_mut().and_then(Iterator::next));
                if there(at) && !self.path(&mut owned, &[&path], by, digest.transpose()?) {
                    break;
                }
            }
        }
        Ok(owned.sealed())
    }

    /// Adds one path, if there is room for it and for more.
    fn path(
        &mut self,
        owned: &mut Owned,
        parts: &[&str],
        by: Option<Algorithm>,
        digest: Option<Cow<'_, str>>,
    ) -> bool {
        let length: usize = parts.iter().map(|p| p.len()).sum();
        if !self.room.take(length, &mut self.facts) {
            return false;
        }
        owned.files.push(parts.concat().trim_start_matches('/'));
        match (by, digest) {
            (Some(by), Some(digest)) => owned.sums.push_hex(by, &digest),
            _ => owned.sums.push(None),
        }
        true
    }
}

/// How the files' digests were computed (rpm's `rpmcrypto.h`; where nothing is said, with MD5);
/// `None`: in a way that is not used here.
fn algorithm(header: &Header<'_>) -> Result<Option<Algorithm>, Damage> {
    let number = header.numbers(Tag::FileDigestAlgo)?.and_then(|mut n| n.next());
    Ok(match number {
        None | Some(1) => Some(Algorithm::Md5),
        Some(2) => Some(Algorithm::Sha1),
        Some(8) => Some(Algorithm::Sha256),
        Some(_) => None,
    })
}

/// The package of a header; what is damaged in it is added to the list.
fn claim(header: &Header<'_>, damage: &mut Vec<Damage>) -> Option<Claim> {
    let mut text = |tag| match header.string(tag) {
        Ok(text) => text.map(|t| t.into_owned()).filter(|t| !t.is_empty()),
        Err(why) => {
            damage.push(why);
            None
        }
    };
    let (name, version, release) = (text(Tag::Name), text(Tag::Version), text(Tag::Release));
    let (arch, vendor, module) = (text(Tag::Arch), text(Tag::Vendor), text(Tag::ModularityLabel));
    let source = text(Tag::SourceRpm);
    let epoch = match header.numbers(Tag::Epoch) {
        Ok(numbers) => numbers.and_then(|mut n| n.next()),
        Err(why) => {
            damage.push(why);
            None
        }
    };
    let Some(name) = name else {
        damage.push("has no name".into());
        return None;
    };
    let Some(version) = version else {
        damage.push(format!("of {name} has no version"));
        return None;
    };
    let mut full = match release {
        Some(release) => format!("{version}-{release}"),
        None => {
            damage.push(format!("of {name} has no release"));
            version
        }
    };
    if let Some(epoch) = epoch.filter(|e| *e > 0) {
        full = format!("{epoch}:{full}");
    }
    Some(Claim {
        kind: PackageKind::Rpm,
        name,
        version: full,
        source: source.as_deref().and_then(source_of),
        arch,
        vendor,
        module,
    })
}

/// `name-version-release.src.rpm`. The epoch of a source package is not written there, so it is
/// not known; a comparison by source must leave epochs out.
pub(super) fn source_of(file: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".rpm")?;
    let stem = stem.strip_suffix(".src").or_else(|| stem.strip_suffix(".nosrc"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let whole = ![name, version, release].contains(&"");
    whole.then(|| SourcePackage { name: name.into(), version: format!("{version}-{release}") })
}
