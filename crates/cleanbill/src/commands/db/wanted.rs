//! Which advisories `db update` fetches: what its flags name, else what the images of this machine
//! have needed, else what most images need.

use std::collections::BTreeSet;
use std::path::Path;

use cleanbill_advisory::update::{DEFAULT_ECOSYSTEMS, Publisher, fetched, telling};
use cleanbill_core::ecosystem::Ecosystem;

use super::update::Choice;
use crate::needs;

/// What is fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Zips of OSV.
    pub(super) ecosystems: Vec<Ecosystem>,
    /// Publishers' own feeds.
    pub(super) publishers: Vec<Publisher>,
    /// A line for whoever did not say what he wants.
    pub(super) note: Option<String>,
}

/// Chooses. What was fetched before into `folder` stays unless flags say otherwise: an image of
/// that kind may come again.
pub(super) fn wanted(
    ecosystems: &[Ecosystem],
    feeds: &[Choice],
    folder: &Path,
    noted: &Path,
) -> Wanted {
    let needed = needs::read(noted);
    let by_need = !needed.is_empty();
    let (before, published) = if by_need { fetched(folder) } else { Default::default() };
    let zips: BTreeSet<Ecosystem> = match ecosystems {
        [] if by_need => needed.iter().copied().filter(|e| telling(*e).0).chain(before).collect(),
        [] => DEFAULT_ECOSYSTEMS.into(),
        named => named.iter().copied().collect(),
    };
    let publishers: BTreeSet<Publisher> = match feeds {
        [] if by_need => {
            let own = needed.iter().filter_map(|e| telling(*e).1);
            own.chain(published).chain([Publisher::Epss]).collect()
        }
        [] => Publisher::DEFAULT.into(),
        named => named.iter().filter_map(|choice| choice.publisher()).collect(),
    };
    let names: Vec<&str> = needed.iter().map(|e| e.as_str()).collect();
    let note = (by_need && (ecosystems.is_empty() || feeds.is_empty())).then(|| {
        let silent = |e: &&Ecosystem| telling(**e) == (false, None);
        let mut note = format!("images here needed {}", names.join(", "));
        let untold: Vec<&str> = needed.iter().filter(silent).map(|e| e.as_str()).collect();
        if !untold.is_empty() {
            note += &format!("; nobody is asked about {}", untold.join(", "));
        }
        note + " (--ecosystems and --feeds name others)"
    });
    Wanted {
        ecosystems: zips.into_iter().collect(),
        publishers: publishers.into_iter().collect(),
        note,
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Ecosystem, Publisher, wanted};

    #[test]
    fn flags_come_before_needs_and_needs_before_the_default() {
        use Ecosystem::{Alpine, Go, Npm, PyPI, RedHat};
        use Publisher::{AlmaLinux, Amazon, Debian, Epss, Nvd};
        let none: &[Ecosystem] = &[];
        let nothing: &[Choice] = &[];
        // noted, fetched before, flags → zips, publishers
        type Row<'a> = (
            &'a str,
            &'a [&'a str],
            (&'a [Ecosystem], &'a [Choice]),
            (&'a [Ecosystem], &'a [Publisher]),
        );
        let table: &[Row<'_>] = &[
            ("", &[], (none, nothing), (&[Alpine, PyPI, Npm, Go], &[Debian, Epss])),
            // A machine that was never scanned on keeps to what its owner asks for each time.
            (
                "",
                &["osv/crates.io", "nvd"],
                (none, nothing),
                (&[Alpine, PyPI, Npm, Go], &[Debian, Epss]),
            ),
            ("Go\nDebian", &[], (none, nothing), (&[Go], &[Debian, Epss])),
            ("Go", &["osv/npm", "nvd"], (none, nothing), (&[Npm, Go], &[Epss, Nvd])),
            ("AlmaLinux\nAmazon Linux", &[], (none, nothing), (&[], &[AlmaLinux, Amazon, Epss])),
            ("Red Hat", &[], (none, nothing), (&[RedHat], &[Epss])),
            ("Red Hat", &["redhat"], (none, nothing), (&[RedHat], &[Epss, Publisher::RedHat])),
            ("Oracle Linux\nGo", &[], (none, nothing), (&[Go], &[Epss])),
            ("Chainguard\nWolfi\nGo", &[], (none, nothing), (&[Go], &[Epss])),
            ("Go\nDebian", &["osv/npm"], (&[Alpine], nothing), (&[Alpine], &[Debian, Epss])),
            ("Go\nDebian", &["osv/npm"], (none, &[Choice::None]), (&[Npm, Go], &[])),
            ("Go", &[], (&[Npm], &[Choice::Of(Nvd)]), (&[Npm], &[Nvd])),
        ];
        for (noted, before, (ecosystems, feeds), (zips, publishers)) in table {
            let dir = tempfile::tempdir().unwrap();
            let file = crate::needs::file_in(dir.path());
            std::fs::write(&file, noted).unwrap();
            for folder in *before {
                let folder = dir.path().join("feeds").join(folder);
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join("file"), "").unwrap();
            }
            // Of what failed before nothing is there.
            std::fs::create_dir_all(dir.path().join("feeds/osv/Hex")).unwrap();
            let got = wanted(ecosystems, feeds, dir.path(), &file);
            let sorted = |mut all: Vec<Ecosystem>| {
                all.sort();
                all
            };
            assert_eq!(got.ecosystems, sorted(zips.to_vec()), "{noted:?} {before:?}");
            assert_eq!(got.publishers, *publishers, "{noted:?} {before:?}");
            let named = !ecosystems.is_empty() && !feeds.is_empty();
            assert_eq!(got.note.is_some(), !noted.is_empty() && !named, "{noted:?}");
        }
    }

    #[test]
    fn who_did_not_choose_is_told_what_is_fetched_and_what_nobody_has() {
        let dir = tempfile::tempdir().unwrap();
        let file = crate::needs::file_in(dir.path());
        std::fs::write(&file, "Oracle Linux\nGo\n").unwrap();
        let note = wanted(&[], &[], dir.path(), &file).note.unwrap();
        assert_eq!(
            note,
            "images here needed Oracle Linux, Go; nobody is asked about Oracle Linux \
             (--ecosystems and --feeds name others)"
        );
    }
}
