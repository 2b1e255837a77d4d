//! What documents are called, in an archive, a folder and a list.

use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;

use super::super::entries;
use crate::error::Result;

/// How a publisher names its documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// By the flaw in a folder a year: `2024/cve-2024-1234.json`.
    ByYear,
    /// By the flaw alone, in one folder: `cve-2024-1234.json`.
    InOneFolder,
}

impl Names {
    /// Whether a name is one of a document: what a list from elsewhere names is asked for by it.
    pub(crate) fn is_document(self, name: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let year = |text: &str| text.len() == 4 && digits(text);
        let parts = || {
            let rest = match self {
                Self::ByYear => {
                    let (folder, rest) = name.split_once('/')?;
                    year(folder).then_some(rest)?
                }
                Self::InOneFolder => name,
            };
            let (of, number) = rest.strip_prefix("cve-")?.strip_suffix(".json")?.split_once('-')?;
            Some(year(of) && digits(number))
        };
        name.len() <= 64 && parts() == Some(true)
    }

    /// A row of a list of documents: `"2024/cve-2024-1234.json","2025-12-10T10:00:00+00:00"`. Other
    /// documents than those of flaws are named in it too.
    pub(crate) fn row(self, line: &str) -> Option<(&str, Option<Timestamp>)> {
        let (name, time) = line.split_once(',')?;
        let name = Some(name.trim().trim_matches('"')).filter(|name| self.is_document(name))?;
        Some((name, time.trim().trim_matches('"').parse().ok()))
    }

    /// The name of an entry of an archive, without the folders that all of them lie in.
    pub(super) fn in_archive(self, name: &str) -> &str {
        let folders = match self {
            Self::ByYear => 1,
            Self::InOneFolder => 0,
        };
        let before = name.rmatch_indices('/').nth(folders);
        before.and_then(|(at, _)| name.get(at + 1..)).unwrap_or(name)
    }

    /// How many entries an archive may have for each document: SUSE's has a signature and a hash
    /// beside each.
    pub(super) fn entries(self) -> u64 {
        match self {
            Self::ByYear => 1,
            Self::InOneFolder => 3,
        }
    }

    /// What lies below a folder where documents do, sorted; nothing where there is no folder.
    pub(crate) fn below(self, folder: &Path) -> Result<Vec<(String, PathBuf)>> {
        let mut below = Vec::new();
        if !folder.is_dir() {
            return Ok(below);
        }
        for (name, path) in entries(folder)? {
            match self {
                Self::InOneFolder => below.push((name, path)),
                Self::ByYear => {
                    let of = |(inner, path)| (format!("{name}/{inner}"), path);
                    below.extend(entries(&path)?.into_iter().map(of));
                }
            }
        }
        Ok(below)
    }
}

#[cfg(test)]
mod tests {
    use super::Names::{ByYear, InOneFolder};

    #[test]
    fn names_of_documents() {
        let table = [
            ("2024/cve-2024-1234.json", true, false),
            ("2024/cve-2024-1234567.json", true, false),
            ("cve-2024-1234.json", false, true),
            ("cve-2024-1234.json.asc", false, false),
            ("/2024/cve-2024-1234.json", false, false),
            ("../2024/cve-2024-1234.json", false, false),
            ("2024/../cve-2024-1234.json", false, false),
            ("../cve-2024-1234.json", false, false),
            ("2024/cve-2024-.json", false, false),
            ("cve-2024-.json", false, false),
            ("cve-24-1234.json", false, false),
            ("2024/cve-2024-1234.json?x", false, false),
            ("https://x/cve-2024-1234.json", false, false),
            ("", false, false),
        ];
        for (name, by_year, in_one) in table {
            assert_eq!(ByYear.is_document(name), by_year, "{name}");
            assert_eq!(InOneFolder.is_document(name), in_one, "{name}");
        }
        let long = format!("cve-2024-{}.json", "1".repeat(1 << 20));
        assert!(!InOneFolder.is_document(&long));
    }

    #[test]
    fn rows_of_lists() {
        let time = "2025-12-10T10:00:00Z".parse().ok();
        let by_year = [
            (
                r#""2024/cve-2024-1.json","2025-12-10T10:00:00+00:00""#,
                Some(("2024/cve-2024-1.json", time)),
            ),
            ("2024/cve-2024-1.json,2025-12-10T10:00:00Z", Some(("2024/cve-2024-1.json", time))),
            ("2024/cve-2024-1.json,soon", Some(("2024/cve-2024-1.json", None))),
            ("cve-2024-1.json,2025-12-10T10:00:00Z", None),
            ("index.txt,2025-12-10T10:00:00Z", None),
            ("", None),
        ];
        for (line, want) in by_year {
            assert_eq!(ByYear.row(line), want, "{line}");
        }
        let line = r#""cve-2024-1.json","2025-12-10T10:00:00Z""#;
        assert_eq!(InOneFolder.row(line), Some(("cve-2024-1.json", time)));
    }

    #[test]
    fn entries_of_archives() {
        for name in ["./2024/cve-2024-1.json", "vex/2024/cve-2024-1.json", "2024/cve-2024-1.json"] {
            assert_eq!(ByYear.in_archive(name), "2024/cve-2024-1.json");
        }
        assert_eq!(ByYear.in_archive("cve-2024-1.json"), "cve-2024-1.json");
        assert_eq!(InOneFolder.in_archive("csaf-vex/cve-2024-1.json"), "cve-2024-1.json");
        assert_eq!(InOneFolder.in_archive("cve-2024-1.json"), "cve-2024-1.json");
    }
}
