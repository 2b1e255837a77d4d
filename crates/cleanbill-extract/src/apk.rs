//! Alpine's apk: the database of installed packages (apk-tools, `lib/apk/db/installed`) and the
//! list of repositories, which tells the branch that packages are really taken from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::package::{PackageKind, SourcePackage};

use crate::checksums::Algorithm;
use crate::extractors::{Extractor, Wanted};
use crate::facts::{Claim, Facts, Owned, vendor};
use crate::os_release::Release;
use crate::room::Room;

/// Where the database is; newer branches keep it below `usr`.
pub(crate) const INSTALLED_PATHS: &[&str] = &["lib/apk/db/installed", "usr/lib/apk/db/installed"];
/// Where the repositories are listed.
pub(crate) const REPOSITORIES_PATHS: &[&str] = &["etc/apk/repositories"];

/// The database.
pub(crate) const INSTALLED: Extractor = Extractor {
    wanted: Wanted::ApkInstalled,
    wants: |path| INSTALLED_PATHS.contains(&path),
    read: |_, bytes| installed(bytes),
};

/// The repositories.
pub(crate) const REPOSITORIES: Extractor = Extractor {
    wanted: Wanted::ApkRepositories,
    wants: |path| REPOSITORIES_PATHS.contains(&path),
    read: |_, bytes| repositories(bytes),
};

/// One package's stanza, as far as it was read.
#[derive(Default)]
struct Stanza {
    line: usize,
    name: String,
    version: String,
    arch: String,
    origin: String,
    maintainer: String,
    folder: String,
    /// The file whose lines are being read.
    file: Option<String>,
    /// Its checksum (`Z:`), once that was seen.
    sum: Option<(Algorithm, Vec<u8>)>,
    files: Option<Owned>,
}

impl Stanza {
    /// Takes up the next file, with the one before it being whole.
    fn file(&mut self, path: Option<String>) {
        let (before, sum) = (std::mem::replace(&mut self.file, path), self.sum.take());
        if let Some(path) = before {
            let files = self.files.get_or_insert_with(|| Owned::of(String::new()));
            files.files.push(&path);
            files.sums.push(sum.as_ref().map(|(by, sum)| (*by, sum.as_slice())));
        }
    }
}

/// `Q1` and a SHA-1, or `Q2` and the first 20 bytes of a SHA-256, in Base64 (apk-tools,
/// `apk_blob_push_hash`).
fn checksum(text: &str) -> Option<(Algorithm, Vec<u8>)> {
    let (by, text) = match text.split_at_checked(2)? {
        ("Q1", rest) => (Algorithm::Sha1, rest),
        ("Q2", rest) => (Algorithm::Sha256, rest),
        _ => return None,
    };
    (text.len() < 64).then(|| BASE64.decode(text).ok()).flatten().map(|sum| (by, sum))
}

/// Reads stanzas of `X:value` lines with empty lines between them. What is damaged is told with
/// its line; a stanza that still has name and version is kept, and so are all others.
fn installed(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut stanza: Option<Stanza> = None;
    let mut room = Room::new();
    let mut last = 0;
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let number = index + 1;
        let line = String::from_utf8_lossy(line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if line.is_empty() {
            end(stanza.take(), &mut facts);
            continue;
        }
        last = number;
        let mut field = line.splitn(2, ':');
        let (key, value) = (field.next().unwrap_or_default(), field.next());
        let Some(value) = value.filter(|_| key.len() == 1) else {
            facts.unreadable(format!("line {number} is no field of a package"));
            stanza.get_or_insert_with(|| Stanza { line: number, ..Stanza::default() });
            continue;
        };
        if key == "P" && stanza.as_ref().is_some_and(|s| !s.name.is_empty()) {
            facts.unreadable(format!("line {number} begins a package inside another"));
            end(stanza.take(), &mut facts);
        }
        let stanza = stanza.get_or_insert_with(|| Stanza { line: number, ..Stanza::default() });
        match key {
            "P" => stanza.name = value.to_owned(),
            "V" => stanza.version = value.to_owned(),
            "A" => stanza.arch = value.to_owned(),
            "o" => stanza.origin = value.to_owned(),
            "m" => stanza.maintainer = value.to_owned(),
            "F" => stanza.folder = value.to_owned(),
            "R" => stanza.file(path(&stanza.folder, value, &mut room, &mut facts)),
            "Z" => stanza.sum = checksum(value),
            _ => {} // the package's checksum, sizes, dependencies, licences
        }
    }
    if !bytes.is_empty() && bytes.last() != Some(&b'\n') {
        facts.unreadable(format!("ends inside line {last}"));
    }
    end(stanza, &mut facts);
    facts
}

/// The path of a file in a folder, if there is room for it: then it belongs to the package.
fn path(folder: &str, name: &str, room: &mut Room, facts: &mut Facts) -> Option<String> {
    let separator = if folder.is_empty() { "" } else { "/" };
    let length = folder.len() + separator.len() + name.len();
    room.take(length, facts).then(|| format!("{folder}{separator}{name}"))
}

fn end(stanza: Option<Stanza>, facts: &mut Facts) {
    let Some(mut stanza) = stanza else { return };
    stanza.file(None);
    let Stanza { line, name, version, arch, origin, maintainer, files, .. } = stanza;
    if name.is_empty() || version.is_empty() {
        let missing = if name.is_empty() { "name (P:)" } else { "version (V:)" };
        let of = if name.is_empty() { String::new() } else { format!(", {name},") };
        return facts.unreadable(format!("the package at line {line}{of} has no {missing}"));
    }
    if let Some(files) = files {
        facts.own(Owned { package: name.clone(), ..files }.sealed());
    }
    facts.claim(Claim {
        kind: PackageKind::Apk,
        source: (!origin.is_empty())
            .then(|| SourcePackage { name: origin, version: version.clone() }),
        arch: (!arch.is_empty()).then_some(arch),
        vendor: vendor(maintainer),
        module: None,
        name,
        version,
    });
}

/// The highest branch of Alpine's own repositories, `edge` above all. Comments do not count, nor
/// do tagged repositories (`@testing …`), from which apk takes only packages asked for by tag; nor do
/// those of others, which are named alike (`https://nginx.org/packages/alpine/v3.21/main`): Alpine's,
/// and its mirrors, are those of which the image has most components (`main`, `community`).
fn repositories(bytes: &[u8]) -> Facts {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '@']));
    let mut hosts: BTreeMap<&str, Vec<Repository<'_>>> = BTreeMap::new();
    for repository in lines.filter_map(repository) {
        hosts.entry(repository.host).or_default().push(repository);
    }
    let components = |of: &Vec<Repository<'_>>| {
        of.iter().map(|repository| repository.component).collect::<BTreeSet<_>>().len()
    };
    let most = hosts.values().map(components).max();
    let own = hosts.values().filter(|of| Some(components(of)) == most).flatten();
    let branch = own.map(|repository| repository.branch).max_by_key(|branch| {
        let mut numbers = branch.split('.').map(|n| n.parse().unwrap_or(u64::MAX));
        (numbers.next(), numbers.next())
    });
    let release = branch.map(|branch| Release {
        id: "alpine".into(),
        version: branch.to_owned(),
        pretty_name: String::new(),
    });
    Facts { release, ..Facts::default() }
}

/// A repository of a branch.
struct Repository<'l> {
    /// All before the branch; any host of Alpine's counts as one.
    host: &'l str,
    branch: &'l str,
    component: &'l str,
}

/// `https://host/any/alpine/v3.9/main` is of the branch `3.9`.
fn repository(line: &str) -> Option<Repository<'_>> {
    const ALPINE: &str = "alpinelinux.org";
    let (rest, component) = line.trim_end_matches('/').rsplit_once('/')?;
    let (host, branch) = rest.rsplit_once('/')?;
    let name = host.split("://").last()?.split('/').next()?;
    let host = if name.ends_with(ALPINE) { ALPINE } else { host };
    if branch == "edge" {
        return Some(Repository { host, branch, component });
    }
    let number = if branch == "latest-stable" { return None } else { branch.strip_prefix('v')? };
    let digits = |n: &str| !n.is_empty() && n.len() < 9 && n.bytes().all(|b| b.is_ascii_digit());
    let (major, minor) = number.split_once('.')?;
    let good = digits(major) && digits(minor);
    good.then_some(Repository { host, branch: number, component })
}

#[cfg(test)]
mod tests {
    use super::{installed, repositories};

    /// Packages as `name version arch origin`, problems after them.
    fn check(text: &str, packages: &[&str], problems: &[&str]) {
        let facts = installed(text.as_bytes());
        let show = |s: Option<&str>| s.unwrap_or("-").to_owned();
        let got: Vec<_> = facts
            .claims
            .iter()
            .map(|c| {
                let origin = show(c.source.as_ref().map(|s| s.name.as_str()));
                format!("{} {} {} {origin}", c.name, c.version, show(c.arch.as_deref()))
            })
            .collect();
        assert_eq!(got, packages, "{text}");
        let got: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
        assert_eq!(got, problems, "{text}");
    }

    #[test]
    fn packages_past_a_bound_are_told_once() {
        let facts = installed("P:a\nV:1\nR:a\n\n".repeat(200_002).as_bytes());
        assert_eq!((facts.claims.len(), facts.owned.len()), (200_000, 200_000));
        let told: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
        assert_eq!(told, ["more than 200000 packages; those after them were left out"]);
    }

    #[test]
    fn stanzas_are_read_and_broken_ones_are_told() {
        let musl = "P:musl\nV:1.2.5-r0\nA:x86_64\no:musl\n\n";
        check("", &[], &[]);
        check(musl, &["musl 1.2.5-r0 x86_64 musl"], &[]);
        check("C:Q1x=\nP:a\nV:1\nfoo\n\n", &["a 1 - -"], &["line 4 is no field of a package"]);
        check(
            &format!("P:a\n\nV:1\n\n{musl}"),
            &["musl 1.2.5-r0 x86_64 musl"],
            &[
                "the package at line 1, a, has no version (V:)",
                "the package at line 3 has no name (P:)",
            ],
        );
        check(
            "P:a\nV:1\nP:b\nV:2\n\n",
            &["a 1 - -", "b 2 - -"],
            &["line 3 begins a package inside another"],
        );
        check("P:a\nV:1.2", &["a 1.2 - -"], &["ends inside line 2"]);
        check("P:\nV:1\n\n", &[], &["the package at line 1 has no name (P:)"]);
        check(
            "\u{0}\u{1}\n",
            &[],
            &["line 1 is no field of a package", "the package at line 1 has no name (P:)"],
        );
        let many = "x\n\n".repeat(1000);
        assert_eq!(installed(many.as_bytes()).problems.len(), 21, "bounded");
    }

    #[test]
    fn files_belong_to_their_package() {
        let text = "P:a\nV:1\nF:etc\nR:motd\nF:\nR:top\nF:usr/bin\nR:x\nR:y\n\n";
        let facts = installed(text.as_bytes());
        let mut cursor = facts.owned[0].files.cursor();
        let mut files = Vec::new();
        while let Some(path) = cursor.next() {
            files.push(path.to_owned());
        }
        assert_eq!(files, ["etc/motd", "top", "usr/bin/x", "usr/bin/y"]);
    }

    #[test]
    fn paths_past_a_bound_belong_to_nobody_and_are_told_once() {
        let within = "f".repeat(4094);
        // folder, how often a file of one letter is in it → how many belong to the package
        let table = [
            (within.clone(), 2, 2),
            (format!("{within}f"), 2, 0),
            ("f".repeat(1 << 20), 1 << 18, 0),
            (within, 1 << 16, (64 << 20) / 4096),
        ];
        for (folder, times, want) in table {
            let of = |name: &str, folder: &str, files: &str| {
                format!("P:{name}\nV:1\nF:{folder}\n{files}\n")
            };
            let text = of("a", &folder, &"R:x\n".repeat(times)) + &of("b", "", "");
            let facts = installed(text.as_bytes());
            let files: usize = facts.owned.iter().map(|owned| owned.files.len()).sum();
            assert_eq!((facts.claims.len(), files), (2, want), "{}", folder.len());
            let told: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
            let over = "its lists of files have a path of more than 4096 bytes, or take more than 67108864";
            let some = [over];
            assert_eq!(told, if want == times { &[][..] } else { &some }, "{}", folder.len());
        }
    }

    #[test]
    fn the_branch_is_the_highest_of_the_repositories() {
        let table: &[(&str, Option<&str>)] = &[
            ("https://dl-cdn.alpinelinux.org/alpine/v3.20/main\n", Some("3.20")),
            ("http://a/alpine/v3.9/main\nhttp://a/alpine/v3.10/community/\n", Some("3.10")),
            ("http://a/alpine/v3.9/main\nhttp://a/alpine/edge/main\n", Some("edge")),
            ("http://a/alpine/v3.9/main\n@edge http://a/alpine/edge/main\n", Some("3.9")),
            (
                "https://dl-cdn.alpinelinux.org/alpine/v3.20/main\nhttp://dl-4.alpinelinux.org/alpine/edge/testing\n",
                Some("edge"),
            ),
            // Somebody else's, which are named alike.
            (
                "http://a/alpine/v3.20/main\nhttp://a/alpine/v3.20/community\nhttps://nginx.org/packages/mainline/alpine/v3.21/main\n",
                Some("3.20"),
            ),
            ("http://a/alpine/v3.20/main\nhttp://b/alpine/v3.21/main\n", Some("3.21")),
            ("#http://a/alpine/edge/main\n", None),
            ("http://a/alpine/latest-stable/main\n", None),
            ("/media/cdrom/apks\n", None),
            ("", None),
        ];
        for (text, branch) in table {
            let got = repositories(text.as_bytes()).release.map(|r| r.version);
            assert_eq!(got.as_deref(), *branch, "{text}");
        }
    }
}
