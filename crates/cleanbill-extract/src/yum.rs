//! What yum wrote down of the packages that it installed (`RPMDBAdditionalData` in yum's
//! `rpmsack.py`): below `var/lib/yum/yumdb/<first letter>/<hash>-<name>-<version>-<release>-<arch>/`
//! lies a file a fact, and `from_repo` names the repository. It is no proof of a package: rpm's
//! database is that.

use cleanbill_core::package::PackageKind;

use crate::extractors::{Extractor, Wanted};
use crate::facts::{Claim, Facts};

/// Where it is.
pub(crate) const FOLDER: &str = "var/lib/yum/yumdb";
/// The file that names the repository.
pub(crate) const FROM: &str = "from_repo";
/// The longest name of a repository, in bytes.
const MAX_NAME: usize = 256;

/// One package's repository.
pub(crate) const REPOSITORY: Extractor = Extractor {
    wanted: Wanted::YumRepository,
    wants: |path| {
        let rest = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
        let parts = rest.map(|rest| rest.split('/').collect::<Vec<_>>());
        matches!(parts.as_deref(), Some([_, _, FROM]))
    },
    read,
};

/// The name of a repository, as yum checks it. What is none says nothing, and who has to know finds
/// that nobody tells.
fn read(_: &str, bytes: &[u8]) -> Facts {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:".contains(b);
    let bytes = bytes.trim_ascii();
    let good = !bytes.is_empty() && bytes.len() <= MAX_NAME && bytes.iter().all(plain);
    let repository = good.then(|| String::from_utf8_lossy(bytes).into_owned());
    Facts { repository, ..Facts::default() }
}

/// The package of a folder's name: all behind the hash.
pub(crate) fn package(folder: &str) -> Option<&str> {
    let (hash, package) = folder.split_once('-')?;
    let good = !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit());
    good.then_some(package)
}

/// What yum calls a package there: without its epoch.
pub(crate) fn named(claim: &Claim) -> Option<String> {
    let arch = claim.arch.as_deref().filter(|_| claim.kind == PackageKind::Rpm)?;
    let version = match claim.version.split_once(':') {
        Some((_, version)) => version,
        None => &claim.version,
    };
    Some(format!("{}-{version}-{arch}", claim.name))
}

#[cfg(test)]
mod tests {
    use super::{REPOSITORY, package, read};

    #[test]
    fn places_and_names() {
        let table = [
            ("var/lib/yum/yumdb/d/0a1b-docker-20.10.17-1.amzn2.0.1-x86_64/from_repo", true),
            ("var/lib/yum/yumdb/d/0a1b-docker-20.10.17-1.amzn2.0.1-x86_64/reason", false),
            ("var/lib/yum/yumdb/d/from_repo", false),
            ("var/lib/yum/yumdb/d/e/f/from_repo", false),
            ("var/lib/yum/yumdbx/d/e/from_repo", false),
            ("x/var/lib/yum/yumdb/d/e/from_repo", false),
        ];
        for (path, want) in table {
            assert_eq!((REPOSITORY.wants)(path), want, "{path}");
        }
        let names = [
            ("0a1b-docker-20.10.17-1.amzn2.0.1-x86_64", Some("docker-20.10.17-1.amzn2.0.1-x86_64")),
            ("docker-20.10.17-1.amzn2.0.1-x86_64", None),
            ("-docker", None),
            ("", None),
        ];
        for (folder, want) in names {
            assert_eq!(package(folder), want, "{folder}");
        }
    }

    #[test]
    fn what_is_no_repository_says_nothing() {
        let long = "x".repeat(1 << 20);
        let table: [(&[u8], Option<&str>); 7] = [
            (b"amzn2-core", Some("amzn2-core")),
            (b"amzn2extra-kernel-5.10\n", Some("amzn2extra-kernel-5.10")),
            (b"", None),
            (b"/local.rpm", None),
            (b"two words", None),
            (b"\xff\xfe", None),
            (long.as_bytes(), None),
        ];
        for (bytes, want) in table {
            assert_eq!(read("", bytes).repository.as_deref(), want);
        }
    }
}
