//! Where the image comes from, and within which bounds it is read: flags that `scan` and `check`
//! share, turned into one value that cannot be wrong.

use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::limits::Limits;

use crate::commands::access::{Access, AccessArgs};
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
    /// How registries are spoken to.
    #[command(flatten)]
    pub access: AccessArgs,
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
        let access = self.access.resolve(wanted == Wanted::Input("-".into()))?;
        Ok(Source { wanted, platform: self.platform, access, limits: bounds.limits()? })
    }
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
    use super::{AccessArgs, BoundsArgs, SourceArgs, Wanted, duration};
    use cleanbill_oci::limits::Limits;

    fn bounds(limit: &[&str]) -> BoundsArgs {
        BoundsArgs { timeout: None, limit: limit.iter().map(ToString::to_string).collect() }
    }

    fn args(input: Option<&str>, login: (Option<&str>, Option<&str>)) -> SourceArgs {
        let (username, password) = (login.0.map(Into::into), login.1.map(Into::into));
        let access = AccessArgs { username, password, ..AccessArgs::default() };
        SourceArgs { input: input.map(Into::into), platform: None, access }
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
