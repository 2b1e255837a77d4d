//! The configuration of `db update` and `db pull`: which file it is, and what it says. What flags say
//! comes before it ([`chosen`](super::chosen)), and what stands in neither is as it is without one.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanbill_advisory::update::Sources;
use cleanbill_advisory::{Say, Told};
use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::reference::ImageRef;

use super::config_file;
use super::origin::Origin;
use super::update::Choice;
use crate::failure::{Failure, Result};
use crate::{key_file, policy_file};

/// Where it lies for all users of a machine.
const MACHINE: &str = "/etc/cleanbill/db.yaml";

/// What a configuration says; all of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Sources in their order.
    pub sources: Vec<Source>,
    /// The snapshot file to write.
    pub out: Option<PathBuf>,
    /// The folder for what was fetched.
    pub cache: Option<PathBuf>,
}

/// A source with settings of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The publishers' feeds.
    Feeds(Feeds),
    /// Trivy's database in a registry.
    Trivy(ImageRef, Way),
    /// A snapshot in a registry, and the public keys of which one must have signed it.
    Snapshot(ImageRef, Way, Vec<PathBuf>),
}

/// What is asked of publishers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feeds {
    /// Zips of OSV; none: as without a configuration.
    pub ecosystems: Vec<Ecosystem>,
    /// Publishers' own feeds; none: as without a configuration.
    pub publishers: Vec<Choice>,
    /// A mirror to be asked instead of them.
    pub mirror: Option<Sources>,
    /// Certificate authorities that are trusted besides, a PEM file.
    pub ca: Option<PathBuf>,
}

/// How one registry is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Over plain HTTP.
    pub plain_http: bool,
    /// Certificate authorities that are trusted besides, a PEM file.
    pub ca: Option<PathBuf>,
    /// A user, and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// Time for all that is fetched of it.
    pub timeout: Option<Duration>,
}

impl Source {
    /// Which one it is.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Feeds(_) => Origin::Feeds,
            Self::Trivy(name, _) => Origin::Trivy(name.clone()),
            Self::Snapshot(name, ..) => Origin::Snapshot(name.clone()),
        }
    }
}

impl Config {
    /// What is said of publishers.
    pub fn feeds(&self) -> Feeds {
        let feeds = self.sources.iter().find_map(|source| match source {
            Source::Feeds(feeds) => Some(feeds.clone()),
            Source::Trivy(..) | Source::Snapshot(..) => None,
        });
        feeds.unwrap_or_default()
    }

    /// How a source in a registry is spoken to.
    pub fn way(&self, origin: &Origin) -> Way {
        match self.of(origin) {
            Some(Source::Trivy(_, way) | Source::Snapshot(_, way, _)) => way.clone(),
            Some(Source::Feeds(_)) | None => Way::default(),
        }
    }

    /// Whose signature a source needs.
    pub fn keys(&self, origin: &Origin) -> &[PathBuf] {
        match self.of(origin) {
            Some(Source::Snapshot(_, _, keys)) => keys,
            Some(Source::Feeds(_) | Source::Trivy(..)) | None => &[],
        }
    }

    /// What is said of a source: of the very one, else of its kind in the same repository, whatever
    /// the tag, so that who names another tag of it has the same keys asked.
    fn of(&self, origin: &Origin) -> Option<&Source> {
        let alike = |source: &&Source| match (source, origin) {
            (Source::Feeds(_), Origin::Feeds) => true,
            (Source::Trivy(one, _), Origin::Trivy(other))
            | (Source::Snapshot(one, ..), Origin::Snapshot(other)) => one.same_repository(other),
            (Source::Feeds(_) | Source::Trivy(..) | Source::Snapshot(..), _) => false,
        };
        let very = self.sources.iter().find(|source| source.origin() == *origin);
        very.or_else(|| self.sources.iter().find(alike))
    }

    /// The first snapshot in a registry.
    pub fn snapshot(&self) -> Option<&ImageRef> {
        self.sources.iter().find_map(|source| match source {
            Source::Snapshot(name, ..) => Some(name),
            Source::Feeds(_) | Source::Trivy(..) => None,
        })
    }
}

/// Reads the configuration that `--config` names, else the user's, else the machine's, and says which
/// one that was; without any it says nothing.
///
/// # Errors
/// When the named one is not there, one that is there cannot be read, or with all that is wrong with it.
pub fn read(named: Option<&Path>, say: &mut Say<'_>) -> Result<Config> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let (xdg, home) = (set("XDG_CONFIG_HOME"), set("HOME"));
    let Some(path) = find(named, xdg, home, Path::new(MACHINE))? else {
        return Ok(Config::default());
    };
    let config = load(&path)?;
    say(Told::Line(&format!("configuration: {}", path.display())));
    Ok(config)
}

/// The file that is there. One that cannot be looked at is never passed over: it may name the keys.
fn find(
    named: Option<&Path>,
    xdg: Option<OsString>,
    home: Option<OsString>,
    machine: &Path,
) -> Result<Option<PathBuf>> {
    if let Some(path) = named {
        return Ok(Some(path.to_owned()));
    }
    let own = xdg.map(PathBuf::from).or_else(|| Some(PathBuf::from(home?).join(".config")));
    let own = own.map(|folder| folder.join("cleanbill/db.yaml"));
    for path in own.into_iter().chain([machine.to_owned()]) {
        match path.symlink_metadata() {
            Ok(_) => return Ok(Some(path)),
            Err(e)
                if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&e.kind()) => {}
            Err(e) => {
                let message = format!("the configuration {} cannot be read: {e}", path.display());
                return Err(Failure::new(message).next("mend that, or name one with --config"));
            }
        }
    }
    Ok(None)
}

fn load(path: &Path) -> Result<Config> {
    let step = "name one that is there, or leave --config out; docs/advisories.md describes it";
    let bytes = key_file::read(path, policy_file::MAX_BYTES)
        .map_err(|e| e.within("the configuration").next(step))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let message = format!("the configuration {} is not UTF-8", path.display());
        Failure::new(message).next(step)
    })?;
    config_file::parse(&text, path).map_err(|problems| {
        crate::serve::load::wrong("the configuration", &problems)
            .next("docs/advisories.md describes every key; nothing was fetched")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{find, load};

    #[test]
    fn the_named_one_comes_before_the_users_and_that_before_the_machines() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["xdg/cleanbill", "home/.config/cleanbill", "etc"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("file"), "").unwrap();
        let (xdg, home, machine) =
            ("xdg/cleanbill/db.yaml", "home/.config/cleanbill/db.yaml", "etc/db.yaml");
        // (named, files that are there, the variables, the one that is read)
        type Row<'a> =
            (Option<&'a str>, &'a [&'a str], (Option<&'a str>, &'a str), Option<&'a str>);
        let table: &[Row<'_>] = &[
            (None, &[], (Some("xdg"), "home"), None),
            (None, &[machine], (Some("xdg"), "home"), Some(machine)),
            (None, &[machine, home], (None, "home"), Some(home)),
            (None, &[machine, home], (Some("xdg"), "home"), Some(machine)),
            (None, &[machine, home, xdg], (Some("xdg"), "home"), Some(xdg)),
            (Some("mine"), &[machine, home, xdg], (Some("xdg"), "home"), Some("mine")),
            // A folder that is none has no file in it.
            (None, &[machine], (Some("file"), "home"), Some(machine)),
        ];
        for (named, there, (xdg_set, home_set), wanted) in table {
            for name in [xdg, home, machine] {
                _ = std::fs::remove_file(at(name));
            }
            there.iter().for_each(|name| std::fs::write(at(name), "").unwrap());
            let named = named.map(at);
            let set = |name: &str| at(name).into_os_string();
            let found = find(named.as_deref(), xdg_set.map(set), Some(set(home_set)), &at(machine));
            assert_eq!(found.unwrap(), wanted.map(at), "{there:?}");
        }
        // One whose link leads nowhere is there, and cannot be read.
        std::os::unix::fs::symlink(at("nowhere"), at(xdg)).unwrap();
        let xdg = Some(at("xdg").into_os_string());
        let found = find(None, xdg, None, &at(machine)).unwrap().unwrap();
        assert!(load(&found).unwrap_err().message().contains("db.yaml: No such file"));
    }

    #[test]
    fn what_is_no_configuration_is_told_with_the_next_step() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("latin"), b"out: \xe9").unwrap();
        std::fs::write(at("large"), vec![b'#'; (1 << 20) + 1]).unwrap();
        std::fs::write(at("wrong"), "sources: 1\nin: x\n").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let table = [
            ("nowhere", "the configuration: cannot read DIR/nowhere: No such file"),
            ("folder", "the configuration: cannot read DIR/folder: Is a directory"),
            ("latin", "the configuration DIR/latin is not UTF-8"),
            ("large", "the configuration: DIR/large has more than 1048576 bytes"),
            ("wrong", "the configuration has 2 mistakes:\n  DIR/wrong:1:10: \"sources\" is"),
        ];
        for (name, wanted) in table {
            let said = load(&at(name)).unwrap_err().to_string();
            let said = said.replace(&dir.path().display().to_string(), "DIR");
            assert!(said.starts_with(wanted), "{name}: {said}");
            assert!(said.contains("\n  next: ") && said.contains("docs/advisories.md"), "{said}");
        }
        assert!(load(Path::new("/dev/null")).is_ok());
        assert!(load(Path::new("/dev/zero")).is_err());
    }
}
