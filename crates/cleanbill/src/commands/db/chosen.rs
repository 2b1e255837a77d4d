//! Which sources are tried, and how: what flags say, else what the configuration says, else the feeds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanbill_core::reference::ImageRef;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::Registry;
use cleanbill_trust::PublicKey;

use super::config::{self, Config};
use super::origin::Origin;
use crate::commands::access::{Access, Secret};
use crate::failure::{Failure, Result};
use crate::{key_file, mirror};

/// The longest password that a file may hold, in bytes.
const PASSWORD_MAX: usize = 64 << 10;

/// What flags say of sources in registries.
pub(super) struct Flags<'a> {
    /// Who must have signed a snapshot; none: whom the configuration names.
    pub keys: &'a [PathBuf],
    pub access: Access,
    pub timeout: Option<Duration>,
}

/// A source that is tried, with all that it needs.
#[derive(Debug)]
pub(super) enum Chosen {
    Feeds,
    Trivy(ImageRef, Way),
    Snapshot(ImageRef, Way, Vec<PublicKey>),
}

/// The way to one registry.
#[derive(Debug)]
pub(super) struct Way {
    access: Access,
    /// Bounds, of which the time is that of all that is fetched.
    pub limits: Limits,
}

impl Chosen {
    /// Which one it is.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Feeds => Origin::Feeds,
            Self::Trivy(name, _) => Origin::Trivy(name.clone()),
            Self::Snapshot(name, ..) => Origin::Snapshot(name.clone()),
        }
    }
}

impl Way {
    /// The registry.
    ///
    /// # Errors
    /// As [`Access::registry`].
    pub(super) fn registry(&self, name: &ImageRef) -> Result<Registry> {
        self.access.registry(name.registry(), &self.limits)
    }
}

impl Flags<'_> {
    /// The way to a source: flags come first, and registries that speak plain HTTP are those of both.
    ///
    /// # Errors
    /// When the file of its password cannot be read.
    pub(super) fn way(&self, origin: &Origin, config: &Config) -> Result<Way> {
        let said = config.way(origin);
        let mut access = self.access.clone();
        if let (None, Some((user, file))) = (&access.login, said.login) {
            access.login = Some((user, password(&file)?));
        }
        if said.plain_http {
            access.plain_http.extend(origin.registry().map(str::to_owned));
        }
        access.cacert = access.cacert.or(said.ca);
        Ok(Way { access, limits: mirror::limits(self.timeout.or(said.timeout)) })
    }

    /// The keys of which one must have signed a snapshot; none: nobody is asked.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn keys(&self, origin: &Origin, config: &Config) -> Result<Vec<PublicKey>> {
        let files = if self.keys.is_empty() { config.keys(origin) } else { self.keys };
        files.iter().map(|path| key_file::public(path)).collect()
    }
}

/// Chooses from the sources that flags name, in their order, else from the configuration's; contacts
/// nobody, and reads every key and password.
///
/// # Errors
/// When flags mean nothing together, or a file of a key or password cannot be read.
pub(super) fn chosen(from: &[Origin], flags: &Flags<'_>, config: &Config) -> Result<Vec<Chosen>> {
    let origins = match (from, config.sources.as_slice()) {
        ([], []) => vec![Origin::Feeds],
        ([], sources) => sources.iter().map(config::Source::origin).collect(),
        (named, _) => named.to_vec(),
    };
    let registries: BTreeSet<&str> = origins.iter().filter_map(Origin::registry).collect();
    if flags.access.login.is_some() && registries.len() > 1 {
        let all = registries.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::new(format!("one login was given, and several registries: {all}"))
            .next("log in to each with docker login, whose config.json is read"));
    }
    if !flags.keys.is_empty() && !origins.iter().any(|o| matches!(o, Origin::Snapshot(_))) {
        return Err(Failure::new("a key was given, and no source that is signed")
            .next("name a snapshot in a registry: --from snapshot:REF"));
    }
    let choose = |origin: &Origin| {
        Ok(match origin {
            Origin::Feeds => Chosen::Feeds,
            Origin::Trivy(name) => Chosen::Trivy(name.clone(), flags.way(origin, config)?),
            Origin::Snapshot(name) => {
                let way = flags.way(origin, config)?;
                Chosen::Snapshot(name.clone(), way, flags.keys(origin, config)?)
            }
        })
    };
    origins.iter().map(choose).collect()
}

fn password(file: &Path) -> Result<Secret> {
    let bytes = key_file::read(file, PASSWORD_MAX)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("{} is not UTF-8", file.display())))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::new(format!("{}: no password is in it", file.display()))),
        text => Ok(Secret::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::{Access, Chosen, Config, Flags, Origin, chosen};
    use crate::commands::access::Secret;
    use crate::commands::db::config_file;

    const FILE: &str = "sources:
- snapshot:
    ref: a.example/db:1
    keys: [a.key.pub]
    plain_http: true
    ca: ca.pem
    username: robot
    password_file: password
    timeout: 2m
- trivy: {repository: b.example/db}
- feeds
";

    /// What is chosen, a line each: the source, its login, plain HTTP, CA, seconds and keys.
    fn check(dir: &Path, from: &[&str], flags: &Flags<'_>, config: &Config) -> String {
        let from: Vec<Origin> = from.iter().map(|text| text.parse().unwrap()).collect();
        let line = |source: &Chosen| {
            let origin = source.origin();
            let (way, keys) = match source {
                Chosen::Feeds => return origin.to_string(),
                Chosen::Trivy(_, way) => (way, 0),
                Chosen::Snapshot(_, way, keys) => (way, keys.len()),
            };
            let login = way.access.login.as_ref().map(|(u, p)| format!("{u}:{}", p.reveal()));
            let ca = way.access.cacert.as_ref().map(|p| p.display().to_string());
            let (login, ca) = (login.unwrap_or_default(), ca.unwrap_or_default());
            let (plain, time) = (way.access.plain_http.join("+"), way.limits.time.as_secs());
            format!("{origin} {login} {plain} {ca} {time} {keys}")
        };
        let said = match chosen(&from, flags, config) {
            Ok(sources) => sources.iter().map(line).collect::<Vec<_>>().join("; "),
            Err(e) => e.to_string().lines().next().unwrap().to_owned(),
        };
        said.replace(&format!("{}/", dir.display()), "")
    }

    #[test]
    fn flags_come_before_the_configuration_and_that_before_the_feeds() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for key in ["a.key", "b.key"] {
            let key_of = cleanbill_trust::SigningKey::generate().unwrap();
            crate::key_file::write(&at(key), &key_of).unwrap();
        }
        std::fs::write(at("password"), "hush\n").unwrap();
        let config = config_file::parse(FILE, &at("db.yaml")).unwrap();
        let keys = [at("a.key.pub"), at("b.key.pub")];
        let nowhere = [at("nowhere")];
        let flags = |keys| Flags { keys, access: Access::default(), timeout: None };
        let none: &[PathBuf] = &[];
        let other = Flags {
            keys: &keys,
            access: Access {
                login: Some(("me".into(), Secret::from("mine"))),
                plain_http: vec!["c.example".into()],
                cacert: Some("other.pem".into()),
            },
            timeout: Some(Duration::from_secs(9)),
        };
        let said = "snapshot:a.example/db:1 robot:hush a.example ca.pem 120 1";
        let rest = "trivy:b.example/db:2    3600 0; feeds";
        let all = format!("{said}; {rest}");
        let two = "snapshot:a.example/db:2 robot:hush a.example ca.pem 120 1";
        let table: &[(&[&str], &Flags<'_>, &str)] = &[
            (&[], &flags(none), &all),
            // Of a source that a flag names, what is said of it holds still, whatever its tag.
            (&["feeds", "snapshot:a.example/db:1"], &flags(none), &format!("feeds; {said}")),
            (&["snapshot:a.example/db:2"], &flags(none), two),
            (&["snapshot:a.example/x"], &flags(none), "snapshot:a.example/x:latest    3600 0"),
            // It is another thing in the same repository.
            (&["trivy:a.example/db:1"], &flags(none), "trivy:a.example/db:1    3600 0"),
            (
                &["snapshot:a.example/db:1"],
                &other,
                "snapshot:a.example/db:1 me:mine c.example+a.example other.pem 9 2",
            ),
            (&[], &other, "one login was given, and several registries: a.example, b.example"),
            (&["feeds"], &flags(&keys), "a key was given, and no source that is signed"),
            (&[], &flags(&nowhere), "cannot read nowhere: No such file or directory (os error 2)"),
        ];
        for (from, flags, wanted) in table {
            assert_eq!(check(dir.path(), from, flags, &config), *wanted, "{from:?}");
        }
        assert_eq!(check(dir.path(), &[], &flags(none), &Config::default()), "feeds");
        // What the configuration names and cannot be read is an error, and never nobody.
        for (file, bytes, wanted) in [
            ("password", "\n", "password: no password is in it"),
            ("a.key.pub", "x", "a.key.pub: "),
        ] {
            let before = std::fs::read(at(file)).unwrap();
            std::fs::write(at(file), bytes).unwrap();
            let said = check(dir.path(), &[], &flags(none), &config);
            assert!(said.starts_with(wanted), "{said}");
            std::fs::write(at(file), before).unwrap();
        }
        std::fs::remove_file(at("a.key.pub")).unwrap();
        let said = check(dir.path(), &[], &flags(none), &config);
        assert!(said.starts_with("cannot read a.key.pub: No such file"), "{said}");
    }
}
