//! `cleanbill db build`: a folder of feeds to a snapshot file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use cleanbill_advisory::build::{Options, date};
use cleanbill_advisory::{Error, ErrorKind};
use jiff::Timestamp;

use super::{status, unwritten};
use crate::failure::{Failure, Result};
use crate::snapshot_choice::{failed, make_room};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db build --from feeds/ --out advisories.cbdb
  cleanbill db build --from feeds/ --out advisories.cbdb --as-of alpine-secdb=2026-08-01
  cleanbill db build --from ~/.cache/trivy/db --out advisories.cbdb
The folder holds osv/<Ecosystem>/all.zip, alpine-secdb/<release>/{main,community}.json, kev/, eol/
and trivy/, each of which may be missing. A file as-of.json in it gives dates to feeds without one.
trivy/ holds Trivy's own database: trivy.db and metadata.json, or db.tar.gz, the layer of its OCI
artifact. Such a folder or file may also be given itself.";

/// Arguments of `db build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of feeds, or a database of Trivy
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// Snapshot file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Date of a feed that carries none
    #[arg(long, value_name = "FEED=DATE", value_parser = as_of)]
    pub as_of: Vec<(String, Timestamp)>,
}

fn as_of(text: &str) -> std::result::Result<(String, Timestamp), String> {
    let (feed, day) = text.split_once('=').ok_or("write FEED=DATE, as in osv:Go=2026-08-01")?;
    Ok((feed.to_owned(), date(day).map_err(|e| e.to_string())?))
}

/// Builds it and says what is in it.
///
/// # Errors
/// When a feed cannot be read, or something cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let dates: BTreeMap<_, _> = args.as_of.iter().cloned().collect();
    let options = Options { as_of: dates, ..Options::default() };
    let report =
        cleanbill_advisory::build(&args.from, &args.out, &options).map_err(|e| next_step(&e))?;
    let rows = status::rows(&report.feeds, None);
    let mut text = status::table(&rows);
    text += &status::left_out(&report.ignored);
    text += &status::left_out(&report.others);
    let path = args.out.display();
    text += &format!("{path}: {} bytes, {}\n", report.bytes, report.digest);
    out.write_all(crate::report::text::printable_lines(&text).as_bytes()).map_err(|e| unwritten(&e))
}

fn next_step(error: &Error) -> Failure {
    let step = match error.kind() {
        ErrorKind::Malformed | ErrorKind::Damaged | ErrorKind::OverLimit => {
            "fetch that file again, or take its feed out of the folder; if its publisher has changed its form, a newer cleanbill may read it"
        }
        ErrorKind::NotFound => {
            "name a folder that holds it (--from); docs/advisories.md says which files are expected where"
        }
        ErrorKind::Full => &make_room(error),
        ErrorKind::Older | ErrorKind::Network | ErrorKind::Io => "mend that and build it again",
    };
    failed(error).next(format!("{step}; nothing was replaced"))
}

#[cfg(test)]
mod tests {
    use super::super::status;
    use super::{Args, Timestamp, as_of, run};

    #[test]
    fn dates_of_feeds_are_read_or_refused() {
        let table = [
            ("osv:Go=2026-08-01", "2026-08-01T00:00:00Z"),
            ("osv:Go=2026-08-01T05:00:00Z", "2026-08-01T05:00:00Z"),
            ("osv:Go", "write FEED=DATE, as in osv:Go=2026-08-01"),
            ("osv:Go=May", "\"May\" is no date: write 2026-08-01 or 2026-08-01T00:00:00Z"),
        ];
        for (text, wanted) in table {
            let said = as_of(text).map_or_else(|e| e, |(_, time)| time.to_string());
            assert_eq!(said, wanted, "{text}");
        }
    }

    #[test]
    fn a_small_folder_is_built_and_an_empty_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let secdb = dir.path().join("alpine-secdb/v3.19");
        let args = Args {
            from: dir.path().to_owned(),
            out: dir.path().join("out.cbdb"),
            as_of: vec![as_of("alpine-secdb=2026-08-01").unwrap()],
        };
        let mut out = Vec::new();
        assert_eq!(
            run(&args, &mut out).unwrap_err().message(),
            format!(
                "{}: no feed in it; expected one of the folders almalinux, alpine-secdb, amazon, chainguard, debian, eol, epss, kev, nvd, osv, redhat, rubysec, suse, trivy, wolfi",
                dir.path().display()
            )
        );
        std::fs::create_dir_all(&secdb).unwrap();
        let main = r#"{"distroversion":"v3.19","packages":[
            {"pkg":{"name":"zlib","secfixes":{"1.3.1-r0":["CVE-2023-45853"],"0":["CVE-2022-0001"]}}}]}"#;
        std::fs::write(secdb.join("main.json"), main).unwrap();
        run(&args, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("alpine-secdb  2026-08-01"), "{text}");
        assert!(text.contains("out.cbdb: "), "{text}");
    }

    #[test]
    fn folders_that_no_feed_has_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let kev = dir.path().join("kev");
        std::fs::create_dir(&kev).unwrap();
        let list = r#"{"dateReleased":"2026-08-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-44228"}]}"#;
        std::fs::write(kev.join("known_exploited_vulnerabilities.json"), list).unwrap();
        let args =
            Args { from: dir.path().to_owned(), out: dir.path().join("out.cbdb"), as_of: vec![] };
        // (folders beside it, what is told)
        let many: Vec<String> = (10..32).map(|n| format!("f{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let table: [(&[&str], &[&str]); 3] = [
            (&[".git"], &[]),
            (&["alpine_secdb", "OSV"], &["OSV/: no feed has a", "alpine_secdb/: no feed has a"]),
            (&many, &["f10/: no feed", "f27/: no feed", "4 more folders: no feed has one"]),
        ];
        for (folders, told) in table {
            for folder in folders {
                std::fs::create_dir(dir.path().join(folder)).unwrap();
            }
            let mut out = Vec::new();
            run(&args, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            for line in told {
                assert!(text.contains(&format!("not read: {line}")), "{line}\n{text}");
            }
            assert_eq!(text.contains("not read: "), !told.is_empty(), "{text}");
            assert!(text.matches("not read: ").count() <= 21, "{text}");
        }
    }

    #[test]
    fn what_fails_names_the_next_step() {
        let fetch = "next: fetch that file again, or take its feed out of the folder; ";
        let name = "next: name a folder that holds it (--from); docs/advisories.md ";
        // (a file, what is in it, a date that is given, what is said, the next step)
        let table = [
            ("kev/known_exploited_vulnerabilities.json", "<html>", "", "no KEV catalogue", fetch),
            (
                "kev/known_exploited_vulnerabilities.json",
                r#"{"dateReleased":"2026-08-01T00:00:00Z","vulnerabilities":[{"cveID":"x"}]}"#,
                "",
                "kev: 1 of 1 entries could not be understood, more than 5 %",
                fetch,
            ),
            ("osv/Go/all.zip", "x", "", "no readable zip", fetch),
            ("osv/Go/other", "x", "", "osv/Go/all.zip: No such file", name),
            (
                "eol/distributions.json",
                "{\"as_of\":\"2026-08-01\",\"distributions\":{\"alpine\":[{\"release\":\"3.9\",\"end_of_life\":\"2020-11-01\"}]}}",
                "kev=2026-08-01",
                "a date is given for the feed \"kev\"",
                name,
            ),
            ("nothing", "", "", "no feed in it; expected one of", name),
        ];
        for (file, text, as_of_feed, said, step) in table {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            let args = Args {
                from: dir.path().to_owned(),
                out: dir.path().join("out.cbdb"),
                as_of: as_of(as_of_feed).into_iter().collect(),
            };
            let error = run(&args, &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains(step), "{error}");
            assert!(error.ends_with("; nothing was replaced"), "{error}");
        }
    }

    #[test]
    fn a_database_of_trivy_is_built_from_and_what_it_leaves_out_is_shown() {
        let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/bbolt/trivy.db");
        let left_out =
            "not read: trivy: \"archlinux\": 1 entries: packages of it are not matched here";
        for (folder, from) in [("trivy", ""), ("", ""), ("", "trivy.db")] {
            let dir = tempfile::tempdir().unwrap();
            let place = dir.path().join(folder);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::copy(seed, place.join("trivy.db")).unwrap();
            let metadata = r#"{"Version":2,"UpdatedAt":"2026-08-22T01:02:03Z"}"#;
            std::fs::write(place.join("metadata.json"), metadata).unwrap();
            let file = dir.path().join("out.cbdb");
            let args = Args { from: dir.path().join(from), out: file.clone(), as_of: vec![] };
            let mut built = Vec::new();
            run(&args, &mut built).unwrap();
            let args = status::Args { db: Some(file), format: status::Format::Table };
            let mut shown = Vec::new();
            status::run(&args, Timestamp::UNIX_EPOCH, &mut shown).unwrap();
            for text in [built, shown] {
                let text = String::from_utf8(text).unwrap();
                assert!(text.contains("trivy:alpine  2026-08-22"), "{text}");
                assert!(text.lines().any(|line| line == left_out), "{text}");
            }
        }
    }
}
