//! What Go's linker writes into a program (Go's `debug/buildinfo` and `runtime/debug`): the
//! toolchain's version and the list of modules.

use cleanbill_core::gap::GapKind;
use cleanbill_core::package::PackageKind;

use crate::facts::{Claim, Facts};

/// Build information as found: the toolchain's version and the list of modules with its frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BuildInfo {
    pub(super) version: Vec<u8>,
    pub(super) modules: Vec<u8>,
}

/// The 16 bytes before and after the list of modules.
pub(super) const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
pub(super) const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

/// How many modules without a version are named in a gap.
const NAMED: usize = 5;

#[derive(Debug)]
struct Module {
    name: String,
    version: String,
    main: bool,
    replaced: bool,
}

/// Turns build information into packages: each module under the name and version that it was
/// built from (its replacement's, if it has one), and the toolchain as `stdlib`.
pub(super) fn facts(info: &BuildInfo) -> Facts {
    let mut facts = Facts::default();
    let version = String::from_utf8_lossy(&info.version);
    match stdlib(&version) {
        Some(version) => facts.claim(claim("stdlib", &version)),
        None => {
            let detail = format!("was built by Go {version:?}, which is no released version");
            facts.problem(GapKind::UnidentifiedVersion, detail);
        }
    }
    let text = unframe(&info.modules);
    if text.is_empty() {
        let detail = "is a Go program without a list of its modules";
        facts.problem(GapKind::UnidentifiedVersion, detail);
        return facts;
    }
    let text = String::from_utf8_lossy(text);
    let (mut modules, mut ldflags) = (Vec::<Module>::new(), None);
    for (index, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            [kind @ ("mod" | "dep"), name, rest @ ..] if !name.is_empty() => modules.push(Module {
                name: (*name).to_owned(),
                version: rest.first().copied().unwrap_or_default().to_owned(),
                main: *kind == "mod",
                replaced: false,
            }),
            ["=>", name, rest @ ..] if modules.last().is_some_and(|m| !m.replaced) => {
                if let Some(module) = modules.last_mut() {
                    (*name).clone_into(&mut module.name);
                    rest.first().copied().unwrap_or_default().clone_into(&mut module.version);
                    module.replaced = true;
                }
            }
            ["build", setting] => {
                if let Some(flags) = setting.strip_prefix("-ldflags=") {
                    ldflags = Some(flags.to_owned());
                }
            }
            ["path", ..] | ["build", ..] | [""] => {}
            _ => {
                let line = index + 1;
                facts
                    .unreadable(format!("line {line} of its list of modules is none of its kinds"));
            }
        }
    }
    take(modules, ldflags.as_deref(), &mut facts);
    facts
}

fn take(modules: Vec<Module>, ldflags: Option<&str>, facts: &mut Facts) {
    let mut unversioned = Vec::new();
    for Module { name, mut version, main, .. } in modules {
        if main && !released(&version, main) {
            // Builders that do not build from a tagged module say the version in a flag.
            version = ldflags.and_then(|f| flag_version(&name, f)).unwrap_or(version);
        }
        if released(&version, main) {
            facts.claim(claim(&name, &version));
        } else {
            unversioned.push(if version.is_empty() { name } else { format!("{name} {version}") });
        }
    }
    if !unversioned.is_empty() {
        let count = unversioned.len();
        let more =
            if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
        unversioned.truncate(NAMED);
        let names = unversioned.join(", ");
        let detail = format!("has {count} modules without a version to match: {names}{more}");
        let detail = if count == 1 { detail.replace("1 modules", "1 module") } else { detail };
        facts.problem(GapKind::UnidentifiedVersion, detail);
    }
}

fn claim(name: &str, version: &str) -> Claim {
    let (name, version) = (name.to_owned(), version.to_owned());
    Claim {
        kind: PackageKind::Go,
        name,
        version,
        source: None,
        arch: None,
        vendor: None,
        module: None,
    }
}

/// Whether this is a version that advisories can be compared with. A main module's `v0.0.0-…`
/// says which commit it was built from, but not where that stands among the releases.
fn released(version: &str, main: bool) -> bool {
    !version.is_empty()
        && version != "(devel)"
        && version != "v0.0.0"
        && !(main && version.starts_with("v0.0.0-"))
}

/// `-X importpath.version=1.2.3` of the linker's flags, if there is exactly one version in the
/// best kind of place: below the program's own `cmd`, then the usual packages, then any.
fn flag_version(main: &str, flags: &str) -> Option<String> {
    let mut found: [Option<String>; 3] = [None, None, None];
    let mut ambiguous = [false; 3];
    const QUOTES: [char; 3] = ['"', '\'', '\\'];
    for word in flags.split_ascii_whitespace().map(|w| w.trim_matches(QUOTES)) {
        let word = word.strip_prefix("-X=").unwrap_or(word);
        let Some((key, value)) = word.split_once('=') else { continue };
        let value = value.trim_matches(QUOTES);
        let lower = key.trim_matches(QUOTES).to_lowercase();
        if !(lower.ends_with("version") || lower.ends_with("ver")) || !is_semver(value) {
            continue;
        }
        let package = lower.rsplit_once('.').map_or("", |(package, _)| package);
        let package = package.rsplit('/').next().unwrap_or(package);
        let place = if key.starts_with(&format!("{main}/cmd/")) {
            0
        } else if matches!(package, "main" | "common" | "version" | "cmd") {
            1
        } else {
            2
        };
        if let (Some(slot), Some(ambiguous)) = (found.get_mut(place), ambiguous.get_mut(place)) {
            *ambiguous |= slot.as_deref().is_some_and(|v| v != value);
            *slot = Some(value.to_owned());
        }
    }
    let (version, ambiguous) = found.into_iter().zip(ambiguous).find(|(v, _)| v.is_some())?;
    let version = version.filter(|_| !ambiguous)?;
    let version = if version.starts_with('v') { version } else { format!("v{version}") };
    released(&version, true).then_some(version)
}

fn is_semver(text: &str) -> bool {
    let core = text.strip_prefix('v').unwrap_or(text);
    let core = core.split(['-', '+']).next().unwrap_or(core);
    let numbers: Vec<_> = core.split('.').collect();
    let digits = |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    numbers.len() == 3 && numbers.iter().all(digits)
}

/// `go1.22.3` → `v1.22.3`; `go1.21rc2` → `v1.21.0-rc.2`, as Go's vulnerability database writes
/// it; what a vendor put after a hyphen counts as before the release, lest a fix be assumed;
/// experiments after a blank do not count. `None` for a development version.
fn stdlib(version: &str) -> Option<String> {
    let version = version.strip_prefix("go")?.split([' ', '+']).next()?;
    let (version, vendor) = version.split_once('-').map_or((version, None), |(v, s)| (v, Some(s)));
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let (numbers, pre) = version.split_at(end);
    let parts: Vec<_> = numbers.split('.').collect();
    if !(2..=3).contains(&parts.len()) || parts.iter().any(|p| p.is_empty()) {
        return None;
    }
    let padded = if parts.len() == 2 { format!("v{numbers}.0") } else { format!("v{numbers}") };
    match (pre, vendor) {
        ("", None) => Some(format!("v{numbers}")),
        ("", Some(vendor)) => Some(format!("{padded}-{vendor}")),
        (_, _) => {
            let (word, number) = pre.split_at(pre.find(|c: char| c.is_ascii_digit())?);
            let known = matches!(word, "rc" | "beta") && number.bytes().all(|b| b.is_ascii_digit());
            known.then(|| format!("{padded}-{word}.{number}"))
        }
    }
}

/// Takes the frame off; as in Go's reader, what has none is no list.
fn unframe(modules: &[u8]) -> &[u8] {
    let inner = modules.len().checked_sub(16).and_then(|end| modules.get(16..end));
    inner.filter(|text| text.last() == Some(&b'\n')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{BuildInfo, END, START, facts, stdlib};

    fn framed(text: &str) -> Vec<u8> {
        [START, text.as_bytes(), END].concat()
    }

    #[test]
    fn modules_are_listed_as_they_were_built() {
        let table: &[(&str, &str, &[&str], &[&str])] = &[
            (
                "go1.22.3",
                "path\ta/cmd\nmod\ta\tv1.0.0\th1:x=\ndep\tb\tv2.0.0+incompatible\th1:y=\nbuild\t-compiler=gc\n",
                &["stdlib v1.22.3", "a v1.0.0", "b v2.0.0+incompatible"],
                &[],
            ),
            (
                "go1.22.3",
                "mod\ta\tv1.0.0\ndep\tb\tv1.0.0\n=>\tc\tv3.0.0\th1:z=\ndep\td\tv1.0.0\n=>\t./d\n",
                &["stdlib v1.22.3", "a v1.0.0", "c v3.0.0"],
                &["has 1 module without a version to match: ./d"],
            ),
            (
                "go1.22.3",
                "mod\ta\t(devel)\t\ndep\tb\t(devel)\ndep\tc\tv0.0.0-20200101000000-abcdefabcdef\n",
                &["stdlib v1.22.3", "c v0.0.0-20200101000000-abcdefabcdef"],
                &["has 2 modules without a version to match: a (devel), b (devel)"],
            ),
            (
                "go1.22.3",
                "mod\ta\tv0.0.0-20200101000000-abcdefabcdef\n",
                &["stdlib v1.22.3"],
                &["has 1 module without a version to match: a v0.0.0-20200101000000-abcdefabcdef"],
            ),
            (
                "go1.22.3",
                "mod\ta\t(devel)\nbuild\t-ldflags=\"-s -w -X main.version=1.2.3 -X main.commit=abc\"\n",
                &["stdlib v1.22.3", "a v1.2.3"],
                &[],
            ),
            (
                "go1.22.3",
                "mod\ta\t(devel)\nbuild\t-ldflags=-X main.version=1.2.3 -X main.goVersion=1.22.0\n",
                &["stdlib v1.22.3"],
                &["has 1 module without a version to match: a (devel)"],
            ),
            (
                "devel go1.23-abc",
                "mod\ta\tv1.0.0\nrubbish\n",
                &["a v1.0.0"],
                &[
                    "was built by Go \"devel go1.23-abc\", which is no released version",
                    "line 2 of its list of modules is none of its kinds",
                ],
            ),
        ];
        for (version, modules, packages, problems) in table {
            let info = BuildInfo { version: version.as_bytes().to_vec(), modules: framed(modules) };
            let facts = facts(&info);
            let got: Vec<_> =
                facts.claims.iter().map(|c| format!("{} {}", c.name, c.version)).collect();
            assert_eq!(got, *packages, "{modules}");
            let got: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
            assert_eq!(got, *problems, "{modules}");
        }
        let none = facts(&BuildInfo { version: b"go1.11".to_vec(), modules: Vec::new() });
        assert_eq!(none.problems[0].detail, "is a Go program without a list of its modules");
    }

    #[test]
    fn toolchains_become_versions_of_the_standard_library() {
        let table = [
            ("go1.22.3", Some("v1.22.3")),
            ("go1.22", Some("v1.22")),
            ("go1.21rc2", Some("v1.21.0-rc.2")),
            ("go1.24.2 X:boringcrypto", Some("v1.24.2")),
            ("go1.20.3-vendor", Some("v1.20.3-vendor")),
            ("go1.22-20231128-RC02", Some("v1.22.0-20231128-RC02")),
            ("go1", None),
            ("go1.x", None),
            ("devel +abc", None),
            ("", None),
        ];
        for (version, expected) in table {
            assert_eq!(stdlib(version).as_deref(), expected, "{version}");
        }
    }
}
