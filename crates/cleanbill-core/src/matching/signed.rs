//! Sources of Debian and Ubuntu that hold nothing but the signed form of what another source builds:
//! `linux-signed-amd64` of `linux`. Advisories speak of that other one, so its name is looked up, and the
//! version of it that the package bears.
//!
//! Debian names both in the package's `Built-Using`; the names and versions of these packages follow
//! rules that say the same, and are all that an SBOM has:
//!
//! | package, its source and version | of |
//! | --- | --- |
//! | `linux-image-6.1.0-18-amd64` 6.1.76-1, `linux-signed-amd64` 6.1.76+1 | `linux` 6.1.76-1 |
//! | `linux-image-5.10.0-…`, `linux-signed-5.10-amd64` | `linux-5.10` |
//! | Ubuntu's `linux-image-6.5.0-14-generic`, `linux-signed-hwe-6.5` | `linux-hwe-6.5` |
//! | `grub-efi-amd64-signed` 1+2.06+13+deb12u1 | `grub2` 2.06-13+deb12u1 |
//! | `shim-signed` 1.51~1+deb12u1+16.1-2~deb12u1 | `shim` 16.1-2~deb12u1 |
//!
//! Ubuntu's `grub2-signed` and `shim-signed` have advisories under their own names.

use std::borrow::Cow;

use crate::package::{Package, PackageKind};

/// What the names of Debian's sources are followed by.
const ARCHITECTURES: [&str; 3] = ["-amd64", "-arm64", "-i386"];

/// What is signed, by the source without architecture, and the source that builds it.
const BUILT_BY: [(&str, &str); 4] = [
    ("grub-efi", "grub2"),
    ("shim-helpers", "shim"),
    ("systemd-boot-efi", "systemd"),
    ("fwupd", "fwupd-efi"),
];

/// The source that a package was built by before it was signed, and its version there.
pub(super) fn original(package: &Package) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let source = package.source_name();
    if package.kind != PackageKind::Deb || !source.contains("-signed") {
        return None;
    }
    if let Some(rest) = source.strip_prefix("linux-signed") {
        let rest = without_architecture(rest);
        return Some((format!("linux{rest}").into(), (&*package.version).into()));
    }
    if source == "shim-signed" {
        return shim(&package.version).map(|version| ("shim".into(), version.into()));
    }
    let signed = without_architecture(source.strip_suffix("-signed")?);
    let (_, by) = BUILT_BY.iter().find(|(name, _)| *name == signed)?;
    Some(((*by).into(), unsigned(package.source_version())?.into()))
}

fn without_architecture(name: &str) -> &str {
    ARCHITECTURES.iter().find_map(|arch| name.strip_suffix(arch)).unwrap_or(name)
}

/// The version of shim, which stands behind that of the signed package.
fn shim(version: &str) -> Option<&str> {
    let (before, _) = version.rsplit_once('-')?;
    let (own, _) = before.rsplit_once('+')?;
    let of_shim = version.get(own.len() + 1..)?;
    (!version.contains("ubuntu")).then_some(of_shim)
}

/// A version whose hyphen was made a plus, since native packages may have none: the last one before a
/// digit, for revisions begin with one.
fn unsigned(version: &str) -> Option<String> {
    let version = version.strip_prefix("1+").unwrap_or(version);
    let before_digit = |(at, _): &(usize, &str)| {
        version.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let (at, _) = version.rmatch_indices('+').find(before_digit)?;
    Some(format!("{}-{}", version.get(..at)?, version.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::{shim, unsigned};

    #[test]
    fn the_version_before_it_was_signed() {
        let table = [
            ("1+2.06+13+deb12u1", Some("2.06-13+deb12u1")),
            ("1+2.06+3~deb11u6", Some("2.06-3~deb11u6")),
            ("1+2.02+dfsg1+20", Some("2.02+dfsg1-20")),
            ("1+16.1+2~deb12u1", Some("16.1-2~deb12u1")),
            ("1+15+153.3beb9+7", Some("15+153.3beb9-7")),
            ("1:1.4+1", Some("1:1.4-1")),
            ("257.13+1~deb13u1", Some("257.13-1~deb13u1")),
            ("2.06", None),
            ("2.06+deb12u1", None),
            ("+", None),
            ("", None),
        ];
        for (version, want) in table {
            assert_eq!(unsigned(version).as_deref(), want, "{version}");
        }
        let table = [
            ("1.51~1+deb12u1+16.1-2~deb12u1", Some("16.1-2~deb12u1")),
            ("1.44~1+deb11u1+15.8-1+deb11u1", Some("15.8-1+deb11u1")),
            ("1.40.10+15.8-0ubuntu1", None),
            ("1.51", None),
            ("1.51-1", None),
            ("", None),
        ];
        for (version, want) in table {
            assert_eq!(shim(version), want, "{version}");
        }
    }
}
