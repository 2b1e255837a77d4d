//! Which distribution an image says it is: os-release (freedesktop.org, os-release(5)) and the
//! files that were there before it.

use serde::{Deserialize, Serialize};

use crate::extractors::{Extractor, Wanted};
use crate::facts::Facts;

/// Where to look, the most telling first. Debian's and Alpine's own files come last: derivatives
/// keep them. Alpine's and Debian's tell more of the version than os-release does.
pub(crate) const PATHS: &[&str] = &[
    "etc/os-release",
    "usr/lib/os-release",
    "etc/lsb-release",
    "etc/alpine-release",
    "etc/debian_version",
];

/// The release files.
pub(crate) const RELEASE: Extractor =
    Extractor { wanted: Wanted::Release, wants: |path| PATHS.contains(&path), read };

/// What one release file says, as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// In lower case; never empty.
    pub(crate) id: String,
    /// May be empty: a rolling release.
    pub(crate) version: String,
    /// The name for people; may be empty.
    pub(crate) pretty_name: String,
}

fn read(named: &str, bytes: &[u8]) -> Facts {
    let text = String::from_utf8_lossy(bytes);
    let file = named.rsplit('/').next().unwrap_or(named);
    let first_line = || text.lines().next().unwrap_or_default().trim().to_owned();
    let release = match file {
        "alpine-release" => {
            Release { id: "alpine".into(), version: first_line(), pretty_name: String::new() }
        }
        "debian_version" => {
            Release { id: "debian".into(), version: first_line(), pretty_name: String::new() }
        }
        "lsb-release" => {
            assignments(&text, ["DISTRIB_ID", "DISTRIB_RELEASE", "DISTRIB_DESCRIPTION"])
        }
        _ => assignments(&text, ["ID", "VERSION_ID", "PRETTY_NAME"]),
    };
    let mut facts = Facts::default();
    if release.id.is_empty() || (file == "alpine-release" && release.version.is_empty()) {
        if !text.trim().is_empty() {
            facts.unreadable("names no distribution");
        }
    } else {
        facts.release = Some(release);
    }
    facts
}

/// Shell assignments: the last one counts, quotes are taken off.
fn assignments(text: &str, [id, version, pretty]: [&str; 3]) -> Release {
    let mut release = Release::default();
    for line in text.lines().map(str::trim) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = unquote(value.trim());
        match key.trim() {
            k if k == id => release.id = value.to_lowercase(),
            k if k == version => release.version = value,
            k if k == pretty => release.pretty_name = value,
            _ => {}
        }
    }
    release
}

/// os-release(5): values may stand in single or double quotes; in double quotes a backslash
/// takes the next character literally.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// The release that advisories are filed under, from the version: Alpine's first two numbers
/// (`edge` for what is not released), Debian's first (`sid` where there is none), the first
/// of Red Hat's relatives and of Azure Linux, otherwise the version as it stands.
pub(crate) fn release_of(id: &str, version: &str) -> String {
    let numbers = |n: usize| {
        let parts: Vec<_> = version.split('.').take(n).collect();
        let good = parts.len() == n
            && parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        good.then(|| parts.join("."))
    };
    match id {
        // Development versions are written 3.21.0_alpha20240807.
        "alpine" if version.contains("_alpha") || version.contains("edge") => "edge".to_owned(),
        "alpine" => numbers(2).unwrap_or_else(|| version.to_owned()),
        "debian" => numbers(1).unwrap_or_else(|| "sid".to_owned()),
        // Errata are published for a major number. Amazon Linux 1 was named by months, 2018.03.
        "amzn" if version.starts_with("201") => "1".to_owned(),
        "almalinux" | "rocky" | "rhel" | "centos" | "ol" | "amzn" | "azurelinux" | "mariner" => {
            numbers(1).unwrap_or_else(|| version.to_owned())
        }
        _ => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Release, read, release_of};

    #[test]
    fn release_files_name_the_distribution() {
        let table: &[(&str, &str, Option<[&str; 3]>)] = &[
            (
                "etc/os-release",
                "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n",
                Some(["alpine", "3.20.3", "Alpine Linux v3.20"]),
            ),
            ("etc/os-release", "ID='Debian'\nVERSION_ID=\"12\"", Some(["debian", "12", ""])),
            ("etc/os-release", "ID=\"a\\\"b\"", Some(["a\"b", "", ""])),
            ("usr/lib/os-release", "ID=x\nID=y\n", Some(["y", "", ""])),
            ("etc/os-release", "NAME=x\n", None),
            ("etc/os-release", "", None),
            ("etc/alpine-release", "3.9.4\n", Some(["alpine", "3.9.4", ""])),
            ("etc/alpine-release", "\n", None),
            ("etc/debian_version", "trixie/sid\n", Some(["debian", "trixie/sid", ""])),
            (
                "etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04 LTS\"\n",
                Some(["ubuntu", "22.04", "Ubuntu 22.04 LTS"]),
            ),
        ];
        for (path, text, expected) in table {
            let got = read(path, text.as_bytes()).release;
            let expected = expected.map(|[id, version, pretty]| Release {
                id: id.into(),
                version: version.into(),
                pretty_name: pretty.into(),
            });
            assert_eq!(got, expected, "{path}: {text}");
        }
    }

    #[test]
    fn releases_are_what_advisories_are_filed_under() {
        let table = [
            ("alpine", "3.9.4", "3.9"),
            ("alpine", "3.21.0_alpha20240807", "edge"),
            ("alpine", "strange", "strange"),
            ("debian", "12.5", "12"),
            ("debian", "12", "12"),
            ("debian", "trixie/sid", "sid"),
            ("debian", "", "sid"),
            ("ubuntu", "22.04", "22.04"),
            ("almalinux", "9.4", "9"),
            ("azurelinux", "3.0.20240727", "3"),
            ("mariner", "2.0.20230811", "2"),
            ("photon", "5.0", "5.0"),
            ("rocky", "8", "8"),
            ("rhel", "9.4", "9"),
            ("centos", "7", "7"),
            ("ol", "8.10", "8"),
            ("amzn", "2023", "2023"),
            ("amzn", "2018.03", "1"),
            ("amzn", "2", "2"),
            ("fedora", "40", "40"),
            ("sles", "15.5", "15.5"),
            ("almalinux", "", ""),
            ("arch", "", ""),
        ];
        for (id, version, release) in table {
            assert_eq!(release_of(id, version), release, "{id} {version}");
        }
    }
}
