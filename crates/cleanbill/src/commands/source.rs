//! Where the image comes from, and within which bounds it is read: flags that `scan` and `check`
//! share, turned into one value that cannot be wrong.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::limits::Limits;

use crate::failure::{Failure, Result};

/// Flags about the source.
#[derive(Debug, clap::Args)]
pub struct SourceArgs {
    /// Read a docker archive, OCI layout (FILE|DIR[:TAG|@DIGEST]) or -
    #[arg(long, short = 'i', value_name = "PATH")]
    pub input: Option<String>,
    /// Platform of a multi-platform image (default: this machine's)
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<Platform>,
    /// Registry user (or CLEANBILL_USERNAME)
    #[arg(long, value_name = "USER")]
    pub username: Option<String>,
    /// Registry password (or CLEANBILL_PASSWORD)
    #[arg(long, value_name = "SECRET", conflicts_with = "password_stdin")]
    pub password: Option<Secret>,
    /// Read the registry password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Speak plain HTTP with this registry (repeatable)
    #[arg(long, value_name = "HOST[:PORT]")]
    pub plain_http: Vec<String>,
    /// Trust the certificate authorities in this PEM file as well
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
}

/// Flags about bounds.
#[derive(Debug, clap::Args)]
pub struct BoundsArgs {
    /// Time for the whole image (default 5m)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Raise or lower limits, such as layer-bytes=8G (docs/limits.md)
    #[arg(long, value_name = "NAME=N,…", value_delimiter = ',', value_parser = limit)]
    pub limit: Vec<String>,
}

/// A word that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The word itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Which image is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An image of a registry.
    Registry(ImageRef),
    /// An archive or layout: `PATH`, `PATH:tag`, `PATH@digest`, or `-`.
    Input(String),
    /// A root filesystem folder.
    Rootfs(PathBuf),
}

/// How a registry is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// User and password for the registry that is named; `None`: Docker's `config.json`.
    pub login: Option<(String, Secret)>,
    /// Registries (`host` or `host:port`) that speak plain HTTP.
    pub plain_http: Vec<String>,
    /// More certificate authorities, a PEM file.
    pub cacert: Option<PathBuf>,
}

/// A source, fully understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Which image.
    pub wanted: Wanted,
    /// Which platform of it; `None`: this machine's, and the only one where there is one only.
    pub platform: Option<Platform>,
    /// How a registry is spoken to.
    pub access: Access,
    /// The bounds it is read within.
    pub limits: Limits,
}

/// The longest password that is read from standard input, in bytes.
const PASSWORD_MAX: u64 = 64 << 10;

impl SourceArgs {
    /// The source that the flags and the name mean.
    ///
    /// # Errors
    /// When they name none, or two, or something that does not parse.
    pub fn resolve(self, image: Option<&str>, bounds: &BoundsArgs) -> Result<Source> {
        let wanted = match (image, self.input) {
            (None, Some(path)) => Wanted::Input(path),
            (Some(name), None) => Wanted::Registry(name.parse().map_err(|e| {
                let failure = Failure::new(format!("{e}"));
                if std::path::Path::new(name).exists() {
                    failure.next(format!("there is a file of that name: use --input {name}"))
                } else {
                    failure.next("write it as [REGISTRY/]REPOSITORY[:TAG][@DIGEST]")
                }
            })?),
            (Some(_), Some(_)) => {
                return Err(Failure::new("an image name and --input were both given")
                    .next("name one of them"));
            }
            (None, None) => {
                return Err(Failure::new("no image was named")
                    .next("name one, or an archive with --input PATH"));
            }
        };
        let password = match (self.password, self.password_stdin) {
            (Some(password), _) => Some(password),
            (None, true) if wanted == Wanted::Input("-".into()) => {
                return Err(Failure::new("standard input cannot be both image and password")
                    .next("set CLEANBILL_PASSWORD instead"));
            }
            (None, true) => Some(password_from_stdin()?),
            (None, false) => variable("CLEANBILL_PASSWORD")?.map(Secret),
        };
        let user = self.username.map_or_else(|| variable("CLEANBILL_USERNAME"), |u| Ok(Some(u)))?;
        let login = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Failure::new("a registry user without a password was given")
                    .next("add --password-stdin, or set CLEANBILL_PASSWORD"));
            }
            (None, Some(_)) => {
                return Err(Failure::new("a registry password without a user was given")
                    .next("add --username, or set CLEANBILL_USERNAME"));
            }
        };
        Ok(Source {
            wanted,
            platform: self.platform,
            access: Access { login, plain_http: self.plain_http, cacert: self.cacert },
            limits: bounds.limits()?,
        })
    }
}

/// An environment variable; unset and empty are the same.
pub fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::new(format!("the variable {name} is not UTF-8")))
        }
    }
}

fn password_from_stdin() -> Result<Secret> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(PASSWORD_MAX).read_to_string(&mut text);
    read.map_err(|e| Failure::new(format!("cannot read the password from standard input: {e}")))?;
    Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
}

impl BoundsArgs {
    /// The default limits with what the flags change.
    ///
    /// # Errors
    /// Names the limit or number that is none.
    pub fn limits(&self) -> Result<Limits> {
        let mut limits = Limits::default();
        for pair in &self.limit {
            set(&mut limits, pair).map_err(Failure::new)?;
        }
        if let Some(time) = self.timeout {
            limits.time = time;
        }
        Ok(limits)
    }
}

fn limit(pair: &str) -> std::result::Result<String, String> {
    set(&mut Limits::default(), pair).map(|()| pair.to_owned())
}

/// Sets one limit from `name=number`, the number with `K`, `M` or `G` (of 1024) if need be.
fn set(limits: &mut Limits, pair: &str) -> std::result::Result<(), String> {
    let (name, number) =
        pair.split_once('=').ok_or_else(|| format!("{pair:?} sets no limit: write NAME=NUMBER"))?;
    let n = size(number).ok_or_else(|| {
        format!("{number:?} is no number: write digits, with K, M or G behind them if need be")
    })?;
    let count = usize::try_from(n).map_err(|_| format!("{n} is too large for {name}"))?;
    match name {
        "manifest-bytes" => limits.manifest_bytes = n,
        "index-children" => limits.index_children = count,
        "layers" => limits.layers = count,
        "layer-bytes" => limits.layer_bytes = n,
        "ratio" => limits.ratio = n,
        "entries" => limits.entries = n,
        "path-depth" => limits.path_depth = count,
        "path-bytes" => limits.path_bytes = count,
        "pax-bytes" => limits.pax_bytes = n,
        "file-bytes" => limits.file_bytes = n,
        "spool-bytes" => limits.spool_bytes = n,
        _ => {
            return Err(format!(
                "{name} is no limit: one of manifest-bytes, index-children, layers, layer-bytes, \
                 ratio, entries, path-depth, path-bytes, pax-bytes, file-bytes, spool-bytes"
            ));
        }
    }
    Ok(())
}

/// Digits with an optional `K`, `M` or `G`.
fn size(text: &str) -> Option<u64> {
    let text = text.trim_end_matches("iB").trim_end_matches(['b', 'B']);
    let (digits, shift) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 10),
        (at, 'm' | 'M') => (&text[..at], 20),
        (at, 'g' | 'G') => (&text[..at], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// Reads a time as Go programs write it: `90s`, `5m0s`, `1h30m`.
pub fn duration(text: &str) -> std::result::Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write it as 90s, 5m or 1h30m");
    let mut seconds = 0u64;
    let mut digits = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(wrong()),
        };
        let n: u64 = digits.parse().map_err(|_| wrong())?;
        digits.clear();
        seconds = n.checked_mul(unit).and_then(|n| n.checked_add(seconds)).ok_or_else(wrong)?;
    }
    if !digits.is_empty() || seconds == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::{BoundsArgs, SourceArgs, Wanted, duration};
    use cleanbill_oci::limits::Limits;

    fn bounds(limit: &[&str]) -> BoundsArgs {
        BoundsArgs { timeout: None, limit: limit.iter().map(ToString::to_string).collect() }
    }

    fn args(input: Option<&str>, login: (Option<&str>, Option<&str>)) -> SourceArgs {
        SourceArgs {
            input: input.map(Into::into),
            platform: None,
            username: login.0.map(Into::into),
            password: login.1.map(Into::into),
            password_stdin: false,
            plain_http: vec![],
            cacert: None,
        }
    }

    #[test]
    fn limits_take_counts_and_sizes() {
        let d = Limits::default();
        let table: &[(&[&str], Limits)] = &[
            (&[], d.clone()),
            (&["layers=9", "entries=7"], Limits { layers: 9, entries: 7, ..d.clone() }),
            (&["layer-bytes=8G"], Limits { layer_bytes: 8 << 30, ..d.clone() }),
            (&["file-bytes=2MiB"], Limits { file_bytes: 2 << 20, ..d.clone() }),
            (&["manifest-bytes=1kb"], Limits { manifest_bytes: 1024, ..d.clone() }),
        ];
        for (flags, limits) in table {
            assert_eq!(bounds(flags).limits().unwrap(), *limits);
        }
        for wrong in ["layers", "layers=", "layers=-1", "layers=x", "ratio=99999999999G", "=1"] {
            assert!(bounds(&[wrong]).limits().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        let table = [
            ("90s", Some(90)),
            ("5m0s", Some(300)),
            ("1h30m", Some(5400)),
            ("5", None),
            ("", None),
            ("0s", None),
            ("-5m", None),
            ("m", None),
            ("99999999999999999999h", None),
        ];
        for (text, seconds) in table {
            assert_eq!(duration(text).ok().map(|d| d.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn exactly_one_image_is_meant() {
        let none = (None, None);
        let table = [
            (Some("nginx"), None, none, Ok(Wanted::Registry("nginx".parse().unwrap()))),
            (None, Some("a.tar:x"), none, Ok(Wanted::Input("a.tar:x".into()))),
            (None, None, none, Err("no image was named")),
            (Some("a"), Some("b"), none, Err("both given")),
            (Some("A b"), None, none, Err("is no image name")),
            (Some("Cargo.toml"), None, none, Err("use --input Cargo.toml")),
            (Some("a"), None, (Some("u"), None), Err("without a password")),
            (Some("a"), None, (None, Some("p")), Err("without a user")),
        ];
        for (image, input, login, expected) in table {
            let found = args(input, login).resolve(image, &bounds(&[])).map(|s| s.wanted);
            match expected {
                Ok(wanted) => assert_eq!(found.unwrap(), wanted),
                Err(part) => {
                    let said = found.unwrap_err().to_string();
                    assert!(said.contains(part), "{said}");
                }
            }
        }
    }
}
