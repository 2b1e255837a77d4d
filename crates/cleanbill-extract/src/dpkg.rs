//! Debian's and Ubuntu's dpkg: its database (`var/lib/dpkg/status`, or a file a package in
//! `status.d` as in distroless images) and its lists of files.

use cleanbill_core::package::{PackageKind, SourcePackage};

use crate::checksums::Algorithm;
use crate::extractors::{Extractor, Wanted};
use crate::facts::{Claim, Facts, Owned, vendor};

/// The database.
pub(crate) const STATUS_PATH: &str = "var/lib/dpkg/status";
/// The folder of distroless images.
pub(crate) const STATUS_D: &str = "var/lib/dpkg/status.d";
/// The folder of the lists of files.
pub(crate) const INFO: &str = "var/lib/dpkg/info";

/// The database.
pub(crate) const STATUS: Extractor = Extractor {
    wanted: Wanted::DpkgStatus,
    wants: |path| path == STATUS_PATH,
    read: |_, bytes| status(bytes, true),
};

/// One package's part of it.
pub(crate) const STATUS_D_FILE: Extractor = Extractor {
    wanted: Wanted::DpkgStatusD,
    wants: |path| in_folder(path, STATUS_D).is_some_and(|name| !name.ends_with(CHECKSUMS)),
    read: |_, bytes| status(bytes, false),
};

/// A package's files with their checksums. Files that are not in that list (configuration, and what
/// a package made while it was installed) are in `NAME.list` alone, which is not read: no file
/// counts as the package's own without a checksum.
pub(crate) const FILES: Extractor = Extractor {
    wanted: Wanted::DpkgFiles,
    wants: |path| {
        let name = in_folder(path, INFO).or_else(|| in_folder(path, STATUS_D));
        name.is_some_and(|name| name.ends_with(CHECKSUMS))
    },
    read: files,
};

/// What the name of such a list ends with.
const CHECKSUMS: &str = ".md5sums";

fn in_folder<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let name = path.strip_prefix(folder)?.strip_prefix('/')?;
    (!name.contains('/')).then_some(name)
}

/// The fields of one stanza that matter.
#[derive(Default)]
struct Stanza {
    line: usize,
    package: String,
    status: String,
    version: String,
    source: String,
    arch: String,
    maintainer: String,
}

/// Reads stanzas of `Key: value` lines, continued by lines that begin with a blank, with empty
/// lines between them (deb-control(5)). What is damaged is told with its line; all else is kept.
fn status(bytes: &[u8], whole: bool) -> Facts {
    let mut facts = Facts::default();
    let mut stanza: Option<Stanza> = None;
    let mut last = 0;
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let number = index + 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            end(stanza.take(), &mut facts);
            continue;
        }
        last = number;
        if line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) && stanza.is_some() {
            continue; // a description, conffiles
        }
        let line = String::from_utf8_lossy(line);
        let field = line
            .split_once(':')
            .filter(|(key, _)| !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic()));
        let stanza_now = stanza.get_or_insert_with(|| Stanza { line: number, ..Stanza::default() });
        let Some((key, value)) = field else {
            facts.unreadable(format!("line {number} is no field of a package"));
            continue;
        };
        let value = value.trim();
        let place = if key.eq_ignore_ascii_case("Package") {
            if !stanza_now.package.is_empty() {
                facts.unreadable(format!("line {number} begins a package inside another"));
                end(stanza.take(), &mut facts);
            }
            &mut stanza.get_or_insert_with(|| Stanza { line: number, ..Stanza::default() }).package
        } else if key.eq_ignore_ascii_case("Status") {
            &mut stanza_now.status
        } else if key.eq_ignore_ascii_case("Version") {
            &mut stanza_now.version
        } else if key.eq_ignore_ascii_case("Source") {
            &mut stanza_now.source
        } else if key.eq_ignore_ascii_case("Architecture") {
            &mut stanza_now.arch
        } else if key.eq_ignore_ascii_case("Maintainer") {
            &mut stanza_now.maintainer
        } else {
            continue;
        };
        value.clone_into(place);
    }
    // A file of `status.d` need not end its last line; a database that does not is cut off.
    if whole && !bytes.is_empty() && bytes.last() != Some(&b'\n') {
        facts.unreadable(format!("ends inside line {last}"));
    }
    end(stanza, &mut facts);
    facts
}

fn end(stanza: Option<Stanza>, facts: &mut Facts) {
    let Some(Stanza { line, package, status, version, source, arch, maintainer }) = stanza else {
        return;
    };
    if package.is_empty() {
        return facts.unreadable(format!("the package at line {line} has no name (Package:)"));
    }
    // dpkg(1), "Package states": the third word. Nothing of a package is there in two states;
    // in all others some or all of its files are.
    match status.split_ascii_whitespace().nth(2) {
        Some("not-installed" | "config-files") => return,
        None if !status.is_empty() => {
            facts.unreadable(format!(
                "the package at line {line}, {package}, has no state (Status:)"
            ));
        }
        Some(_) | None => {}
    }
    if version.is_empty() {
        let detail = format!("the package at line {line}, {package}, has no version (Version:)");
        return facts.unreadable(detail);
    }
    let source = (!source.is_empty()).then(|| match source.split_once('(') {
        Some((name, own)) => SourcePackage {
            name: name.trim().to_owned(),
            version: own.trim_end().trim_end_matches(')').trim().to_owned(),
        },
        None => SourcePackage { name: source.clone(), version: version.clone() },
    });
    facts.claim(Claim {
        kind: PackageKind::Deb,
        source,
        arch: (!arch.is_empty()).then_some(arch),
        vendor: vendor(maintainer),
        module: None,
        name: package,
        version,
    });
}

/// `NAME.md5sums` or `NAME:ARCH.md5sums`: a checksum, two blanks and a path a line, from the root
/// (deb-md5sums(5)). A line that is none is passed over: then the file counts as nobody's.
fn files(named: &str, bytes: &[u8]) -> Facts {
    let name = named.rsplit('/').next().unwrap_or(named);
    let name = name.strip_suffix(CHECKSUMS).unwrap_or(name);
    let mut owned = Owned::of(name.split(':').next().unwrap_or(name).to_owned());
    let text = String::from_utf8_lossy(bytes);
    for (sum, path) in text.lines().filter_map(|line| line.split_once("  ")) {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        if !path.is_empty() {
            owned.files.push(path);
            owned.sums.push_hex(Algorithm::Md5, sum);
        }
    }
    Facts { owned: vec![owned.sealed()], ..Facts::default() }
}

#[cfg(test)]
mod tests {
    use super::{FILES, STATUS_D_FILE, files, status};

    /// Packages as `name version arch source source-version`, problems after them.
    fn check(text: &str, packages: &[&str], problems: &[&str]) {
        let facts = status(text.as_bytes(), true);
        let got: Vec<_> = facts
            .claims
            .iter()
            .map(|c| {
                let (name, version) =
                    c.source.as_ref().map_or(("-", "-"), |s| (&s.name, &s.version));
                let arch = c.arch.as_deref().unwrap_or("-");
                format!("{} {} {arch} {name} {version}", c.name, c.version)
            })
            .collect();
        assert_eq!(got, packages, "{text}");
        let got: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
        assert_eq!(got, problems, "{text}");
    }

    #[test]
    fn stanzas_are_read_and_broken_ones_are_told() {
        let ok = "Status: install ok installed\n";
        let a = format!("Package: a\n{ok}Architecture: amd64\nVersion: 1:2-3\n\n");
        check("", &[], &[]);
        check(&a, &["a 1:2-3 amd64 - -"], &[]);
        check(
            &format!(
                "Package: b\n{ok}Source: src (1.0)\nVersion: 2\nDescription: x\n Package: no\n .\n\n{a}"
            ),
            &["b 2 - src 1.0", "a 1:2-3 amd64 - -"],
            &[],
        );
        check(&format!("package: b\n{ok}Source: src\nversion: 2\n"), &["b 2 - src 2"], &[]);
        for gone in ["deinstall ok config-files", "purge ok not-installed"] {
            check(
                &format!("Package: b\nStatus: {gone}\nVersion: 2\n\n{a}"),
                &["a 1:2-3 amd64 - -"],
                &[],
            );
        }
        for there in
            ["deinstall ok installed", "hold ok half-configured", "install reinstreq unpacked"]
        {
            check(&format!("Package: b\nStatus: {there}\nVersion: 2\n"), &["b 2 - - -"], &[]);
        }
        check(
            &format!("Package: b\n{ok}\n{a}"),
            &["a 1:2-3 amd64 - -"],
            &["the package at line 1, b, has no version (Version:)"],
        );
        check(
            &format!("{a}Version: 2\n\n"),
            &["a 1:2-3 amd64 - -"],
            &["the package at line 6 has no name (Package:)"],
        );
        check(
            "Package: b\nVersion: 2\nPackage: c\nVersion: 3\n",
            &["b 2 - - -", "c 3 - - -"],
            &["line 3 begins a package inside another"],
        );
        check(
            "Package: b\nVersion: 2\nrubbish\n",
            &["b 2 - - -"],
            &["line 3 is no field of a package"],
        );
        check("Package: b\nVersion: 2.", &["b 2. - - -"], &["ends inside line 2"]);
        check(
            "Package: b\nStatus: install\nVersion: 2\n",
            &["b 2 - - -"],
            &["the package at line 1, b, has no state (Status:)"],
        );
    }

    #[test]
    fn lists_of_files_name_their_package() {
        let table: &[(&str, &str, &str, &[&str])] = &[
            ("var/lib/dpkg/info/a.md5sums", "0123  usr/x y\nusr/z\n\n", "a", &["usr/x y"]),
            ("var/lib/dpkg/info/libc6:amd64.md5sums", "0123  lib/y\n", "libc6", &["lib/y"]),
            (
                "var/lib/dpkg/status.d/b.md5sums",
                "0123  usr/b\n0456  ./usr/c\n",
                "b",
                &["usr/b", "usr/c"],
            ),
        ];
        for (path, text, package, expected) in table {
            assert!((FILES.wants)(path) && !(STATUS_D_FILE.wants)(path), "{path}");
            let facts = files(path, text.as_bytes());
            assert_eq!(facts.owned[0].package, *package);
            let (mut cursor, mut got) = (facts.owned[0].files.cursor(), Vec::new());
            while let Some(path) = cursor.next() {
                got.push(path.to_owned());
            }
            assert_eq!(got, *expected, "{path}");
        }
        assert!((STATUS_D_FILE.wants)("var/lib/dpkg/status.d/base"));
        assert!(!(STATUS_D_FILE.wants)("var/lib/dpkg/status.d/sub/base"));
        assert!(!(FILES.wants)("var/lib/dpkg/info/a.list"));
    }
}
