//! What an update could not have, and of which there is no earlier copy: it is gone without, by name,
//! so that one publisher's outage does not keep all others' news away. Whoever needs it sees a gap. But
//! nothing that is in force is lost by it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::publishers::Publisher;
use crate::error::{Error, Result};
use crate::feeds::table::DISTRIBUTIONS;
use crate::feeds::{eol, kev};
use crate::load::Before;
use crate::place::make_parent;
use crate::replace::replace;
use crate::snapshot::Snapshot;

/// Where folders lie that are not built from, in the folder of updates.
const ASIDE: &str = "aside";
/// Which folders nothing whole is in, there too.
const REMEMBERED: &str = "missing.json";
/// Where endoflife.date's own files lie, there too.
pub(super) const ENDS: &str = "end-of-life";

/// Something that could not be had.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    pub part: Part,
    /// The file, and the cause.
    pub why: String,
}

/// What a missing file takes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A feed, or a release in it: all that is in this folder below the feeds. Without one of its
    /// files the rest would look as if it were all.
    Folder { feed: String, folder: String },
    /// The ends of life of a distribution, by its id.
    Lives(&'static str),
    /// Nothing but itself: whoever reads the rest says so.
    Piece,
}

impl Part {
    /// What the file of this name takes with it.
    pub(super) fn of(name: &str) -> Self {
        let (kind, rest) = name.split_once('/').unwrap_or((name, ""));
        let first = rest.split('/').next().unwrap_or_default();
        let lives = |product: &str| DISTRIBUTIONS.iter().find(|(_, of)| *of == product);
        if kind == ENDS
            && let Some((id, _)) = first.strip_suffix(".json").and_then(lives)
        {
            return Self::Lives(id);
        }
        let publisher = Publisher::named(kind);
        let whole = publisher.is_some_and(|p| !p.is_by_release()) || kind == kev::ID;
        let folder = if whole { kind.to_owned() } else { format!("{kind}/{first}") };
        let feed = match publisher {
            Some(publisher) => publisher.feed().to_owned(),
            None if kind == "osv" => format!("osv:{first}"),
            None => kind.to_owned(),
        };
        Self::Folder { feed, folder }
    }

    /// What `db status` is to say of it.
    pub(super) fn told(&self) -> Option<String> {
        match self {
            Self::Folder { folder, .. } => Some(format!("{folder}: it could not be fetched")),
            Self::Lives(id) => Some(format!("{}: {id} could not be fetched", eol::ID)),
            Self::Piece => None,
        }
    }
}

/// Writes down which folders nothing whole is in, for a source that stands in for the feeds.
pub(super) fn remember(folder: &Path, missing: &[Missing]) -> Result<()> {
    let folders: BTreeSet<&str> = missing
        .iter()
        .filter_map(|missing| match &missing.part {
            Part::Folder { folder, .. } => Some(folder.as_str()),
            Part::Lives(_) | Part::Piece => None,
        })
        .collect();
    replace(&folder.join(REMEMBERED), |out| {
        serde_json::to_writer(out, &folders)
            .map_err(|e| Error::unwritten("the list of what is missing", e.into()))
    })
    .map(drop)
}

/// What was written down last; nothing, where nothing ever was.
///
/// # Errors
/// When it cannot be read, or names something else: then nobody knows which copies are whole.
pub(super) fn remembered(folder: &Path) -> Result<Vec<Missing>> {
    let path = folder.join(REMEMBERED);
    let damaged = || Error::malformed(format!("{}: no list of what is missing", path.display()));
    let folders: BTreeSet<String> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| damaged().because(e))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeSet::new(),
        Err(e) => return Err(Error::io(&path, e)),
    };
    let mut missing = Vec::new();
    for folder in folders {
        if !Path::new(&folder).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(damaged());
        }
        let part = Part::Folder { feed: String::new(), folder };
        missing.push(Missing { part, why: String::new() });
    }
    Ok(missing)
}

/// What is in force, and would be lost by what is missing; a sentence each.
pub(super) fn lost(missing: &[Missing], new: &Snapshot, before: &Before) -> Vec<String> {
    // What cannot be read is used by nobody, and nothing is lost by it.
    let Before::Snapshot(before) = before else { return Vec::new() };
    let mut lost = BTreeSet::new();
    for Missing { part, .. } in missing {
        match part {
            Part::Folder { feed, .. } => {
                let of = |snapshot: &Snapshot| {
                    snapshot.feeds().iter().find(|f| f.id == *feed).map(|f| f.streams.clone())
                };
                match (of(before), of(new)) {
                    (Some(_), None) => _ = lost.insert(format!("{feed} is not in it")),
                    (Some(old), Some(new)) => {
                        let gone = old.iter().filter(|stream| !new.contains(stream));
                        lost.extend(gone.map(|stream| format!("{feed}: {stream} is not in it")));
                    }
                    (None, _) => {}
                }
            }
            Part::Lives(id) if before.knows_lives_of(id) && !new.knows_lives_of(id) => {
                lost.insert(format!("{}: {id} is not in it", eol::ID));
            }
            Part::Lives(_) | Part::Piece => {}
        }
    }
    lost.into_iter().collect()
}

/// The folders of what is missing, out of the way of a build until this is dropped: what has arrived
/// lies in them.
pub(super) struct Aside {
    root: PathBuf,
    feeds: PathBuf,
    folders: BTreeSet<String>,
}

impl Aside {
    /// Puts them aside. What a killed update left there is fetched anew.
    pub(super) fn put(folder: &Path, feeds: &Path, missing: &[Missing]) -> Result<Self> {
        let root = folder.join(ASIDE);
        match std::fs::remove_dir_all(&root) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&root, e)),
            Ok(()) | Err(_) => {}
        }
        let mut aside = Self { root, feeds: feeds.to_owned(), folders: BTreeSet::new() };
        for Missing { part, .. } in missing {
            let Part::Folder { folder, .. } = part else { continue };
            let (from, to) = (feeds.join(folder), aside.root.join(folder));
            make_parent(&to)?;
            match std::fs::rename(&from, &to) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io(&from, e));
                }
                Ok(()) => _ = aside.folders.insert(folder.clone()),
                Err(_) => {}
            }
            // A folder of releases of which none is left is no feed.
            if let Some(parent) = from.parent().filter(|parent| *parent != feeds) {
                _ = std::fs::remove_dir(parent);
            }
        }
        Ok(aside)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What cannot be put back is fetched anew.
        for folder in &self.folders {
            let (from, to) = (self.root.join(folder), self.feeds.join(folder));
            // Nothing has arrived of what is in an empty one.
            if std::fs::remove_dir(&from).is_err() {
                _ = make_parent(&to).map(|()| std::fs::rename(&from, &to));
            }
        }
        _ = std::fs::remove_dir_all(&self.root);
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, REMEMBERED, remembered};

    #[test]
    fn of_a_list_that_is_damaged_nobody_knows_what_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert!(remembered(dir.path()).unwrap().is_empty());
        for (text, count) in [
            (r#"["osv/Go","kev"]"#, Some(2)),
            ("[]", Some(0)),
            ("", None),
            ("{}", None),
            (r#"["osv/Go""#, None),
            (r#"["../other"]"#, None),
            (r#"["/etc"]"#, None),
        ] {
            std::fs::write(dir.path().join(REMEMBERED), text).unwrap();
            assert_eq!(remembered(dir.path()).ok().map(|all| all.len()), count, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_missing_takes_its_feed_or_release_with_it() {
        let folder = |feed: &str, folder: &str| Part::Folder {
            feed: feed.to_owned(),
            folder: folder.to_owned(),
        };
        let table = [
            ("osv/Photon OS/all.zip", folder("osv:Photon OS", "osv/Photon OS")),
            ("kev/known_exploited_vulnerabilities.json", folder("kev", "kev")),
            ("debian/tracker.json", folder("debian-tracker", "debian")),
            ("nvd/nvdcve-2.0-2002.json.gz", folder("nvd", "nvd")),
            ("redhat/repository-to-cpe.json", folder("redhat", "redhat")),
            ("almalinux/9/errata.full.json", folder("almalinux", "almalinux/9")),
            ("amazon/2023/core/x86_64/updateinfo.xml.gz", folder("amazon", "amazon/2023")),
            ("end-of-life/photon.json", Part::Lives("photon")),
            ("end-of-life/opensuse.json", Part::Lives("opensuse-leap")),
        ];
        for (name, wanted) in table {
            assert_eq!(Part::of(name), wanted, "{name}");
        }
    }
}
