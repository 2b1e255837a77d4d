//! Python distributions as installed: `*.dist-info/METADATA` (PyPA, "Recording installed
//! projects") and the older egg-info forms, also inside a zipped egg. All are mail headers; only
//! the head is read.

use std::io::{Cursor, Read};

use cleanbill_core::package::PackageKind;

use crate::extractors::{Extractor, Wanted};
use crate::facts::{Claim, Facts};

/// Metadata of installed distributions.
pub(crate) const METADATA: Extractor = Extractor { wanted: Wanted::PythonMetadata, wants, read };

/// The most lines of headers: a licence may stand in one, folded.
const MAX_LINES: usize = 20_000;

/// The most bytes of metadata inside an egg.
const MAX_BYTES: u64 = 4 << 20;

fn read(named: &str, bytes: &[u8]) -> Facts {
    if !named.ends_with(".egg") {
        return metadata(bytes);
    }
    let mut facts = Facts::default();
    match unzip(bytes) {
        Ok(bytes) => return metadata(&bytes),
        Err(error) => facts.unreadable(format!("is an egg that cannot be read: {error}")),
    }
    facts
}

fn unzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut egg = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let member = egg.by_name("EGG-INFO/PKG-INFO").map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    member.take(MAX_BYTES).read_to_end(&mut out).map_err(|e| e.to_string())?;
    Ok(out)
}

fn wants(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "METADATA" => folder.ends_with(".dist-info"),
        "PKG-INFO" => {
            folder.ends_with(".egg-info") || folder == "EGG-INFO" || folder.ends_with("/EGG-INFO")
        }
        _ => name.ends_with(".egg-info") || name.ends_with(".egg"),
    }
}

/// The first `Name` and `Version` of the head. Header names do not mind case; a value may be
/// folded over lines, which neither of these is.
fn metadata(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let (mut name, mut version) = (None, None);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for line in bytes.split(|b| *b == b'\n').take(MAX_LINES) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || (name.is_some() && version.is_some()) {
            break;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let (key, value) = line.split_at(colon);
        let slot = if key.eq_ignore_ascii_case(b"Name") {
            &mut name
        } else if key.eq_ignore_ascii_case(b"Version") {
            &mut version
        } else {
            continue;
        };
        let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
        slot.get_or_insert_with(|| value.trim().to_owned());
    }
    match (name.filter(|n| !n.is_empty()), version.filter(|v| !v.is_empty())) {
        (Some(name), Some(version)) => facts.claim(Claim {
            kind: PackageKind::Python,
            name,
            version,
            source: None,
            arch: None,
            vendor: None,
            module: None,
        }),
        (None, _) => facts.unreadable("has no Name in its head"),
        (Some(name), None) => facts.unreadable(format!("{name} has no Version in its head")),
    }
    facts
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::{metadata, read, wants};

    #[test]
    fn eggs_are_looked_into() {
        let mut egg = zip::ZipWriter::new(Cursor::new(Vec::new()));
        egg.start_file("EGG-INFO/PKG-INFO", zip::write::SimpleFileOptions::default()).unwrap();
        egg.write_all(b"Name: a\nVersion: 1\n").unwrap();
        let bytes = egg.finish().unwrap().into_inner();
        assert_eq!(read("x/a.egg", &bytes).claims[0].name, "a");
        for bad in [&b""[..], b"PK", &bytes[..bytes.len() / 2]] {
            let facts = read("x/a.egg", bad);
            assert!(facts.problems[0].detail.starts_with("is an egg that cannot be read: "));
        }
    }

    #[test]
    fn metadata_is_found_where_installers_put_it() {
        let table = [
            ("usr/lib/python3/site-packages/a-1.dist-info/METADATA", true),
            ("a.dist-info/METADATA", true),
            ("x/a.egg-info/PKG-INFO", true),
            ("x/a.egg/EGG-INFO/PKG-INFO", true),
            ("x/a-1.0-py3.11.egg-info", true),
            ("x/a-1.0-py3.11.egg", true),
            ("x/METADATA", false),
            ("x/PKG-INFO", false),
            ("x/a.dist-info/RECORD", false),
            ("x/a.dist-info/METADATA/y", false),
            ("METADATA", false),
        ];
        for (path, expected) in table {
            assert_eq!(wants(path), expected, "{path}");
        }
    }

    #[test]
    fn the_head_names_the_distribution() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "Metadata-Version: 2.1\nName: Flask\nVersion: 3.1.3\n\nName: no\n",
                &["Flask 3.1.3"],
                &[],
            ),
            ("name:a\r\nVERSION: 1\r\n\r\n", &["a 1"], &[]),
            ("Summary: x\n  Name: folded\nName: b\nVersion: 2", &["b 2"], &[]),
            ("Name: a\nName: b\nVersion: 1\n", &["a 1"], &[]),
            ("Metadata-Version: 2.1\n\nName: a\nVersion: 1\n", &[], &["has no Name in its head"]),
            ("Name: a\n", &[], &["a has no Version in its head"]),
            ("Name:\nVersion: 1\n", &[], &["has no Name in its head"]),
            ("", &[], &["has no Name in its head"]),
        ];
        for (text, packages, problems) in table {
            let facts = metadata(text.as_bytes());
            let got: Vec<_> =
                facts.claims.iter().map(|c| format!("{} {}", c.name, c.version)).collect();
            assert_eq!(got, *packages, "{text}");
            let got: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
            assert_eq!(got, *problems, "{text}");
        }
    }
}
