//! What is taken of RubySec's advisories, and what is counted as not understood.

use std::io::Write as _;

use cleanbill_core::advisory::RangeEnd;

use crate::feeds::rubysec::{archive, parse};
use crate::gather::Gathered;
use crate::limits::Limits;

/// `gem id [aliases] severity ranges`
fn said(yaml: &str) -> String {
    let (gem, a) = match parse(yaml.as_bytes()) {
        Ok(read) => read,
        Err(why) => return why,
    };
    let range = |range: &cleanbill_core::advisory::Range| {
        let from = range.introduced.as_deref().unwrap_or("0");
        match &range.end {
            RangeEnd::Fixed(to) => format!("{from}..{to}"),
            RangeEnd::LastAffected(to) => format!("{from}..={to}"),
            RangeEnd::Before(to) => format!("{from}..<{to}"),
            RangeEnd::Open => format!("{from}.."),
        }
    };
    let ranges: Vec<String> = a.ranges.iter().map(range).collect();
    let unreadable = a.unreadable.map(|why| format!(" ({why})")).unwrap_or_default();
    format!(
        "{gem} {} [{}] {} {}{unreadable}",
        a.id,
        a.aliases.join(","),
        a.severity,
        ranges.join(" ")
    )
}

#[test]
fn each_part_of_an_advisory() {
    let table = [
        (
            "---\ngem: actionpack\ncve: 2023-22795\nghsa: 8xww-x3g3-6jcv\nosvdb: 89026\nurl: https://x\ntitle: t\ndate: 2023-01-18\ndescription: |\n  one\n\n  two\ncvss_v3: 7.5\npatched_versions:\n  - \"~> 5.2.8\"\n  - \"~> 6.1.7, >= 6.1.7.1\"\n  - \">= 7.0.4.1\"\n",
            "actionpack CVE-2023-22795 [GHSA-8xww-x3g3-6jcv,OSVDB-89026] HIGH 0..5.2.8 5.3.a..6.1.7.1 6.2.a..7.0.4.1",
        ),
        (
            "gem: a\ncve: 2020-1234\npatched_versions:\n  - '>= 2.0'\nunaffected_versions:\n  - '< 1.5'\n",
            "a CVE-2020-1234 [] UNKNOWN 1.5..2.0",
        ),
        // Without a fix, every version.
        ("gem: a\nghsa: aaaa-bbbb-cccc\ncvss_v2: 10.0\n", "a GHSA-aaaa-bbbb-cccc [] CRITICAL 0.."),
        ("gem: a\nosvdb: 100\ncvss_v4: 5.0\ncvss_v3: 9.9\n", "a OSVDB-100 [] MEDIUM 0.."),
        (
            "gem: a\ncve: 2020-1234\ncvss_v3: 99\npatched_versions:\n",
            "a CVE-2020-1234 [] UNKNOWN 0..",
        ),
        (
            "gem: a\ncve: 2020-1234\npatched_versions:\n  - '?? 2'\n",
            "a CVE-2020-1234 [] UNKNOWN  (the constraint \"?? 2\": two versions at once)",
        ),
        ("gem: a\n", "it has no id"),
        ("gem: ''\ncve: 2020-1234\n", "it names no gem"),
        ("gem: a\ncve: soon\n", "\"CVE-soon\" is no id of a CVE"),
    ];
    for (yaml, want) in table {
        assert_eq!(said(yaml), want, "{yaml}");
    }
    // What is no advisory, or more than one may be.
    let deep = format!("gem: a\nrelated: {}", "[".repeat(1000));
    let wide = format!("gem: a\npatched_versions:\n{}", "  - '1'\n".repeat(20_000));
    let bomb = "gem: &a x\ncve: *a\n";
    for yaml in [
        "",
        "- a",
        "gem: [",
        "gem: {}",
        "engine: ruby\n",
        &deep,
        &wide,
        bomb,
        "gem: a\n---\ngem: b\n",
    ] {
        let shown: String = yaml.chars().take(60).collect();
        assert!(parse(yaml.as_bytes()).is_err(), "{shown}");
    }
    assert!(parse(b"gem: \xff").is_err());
}

fn zip(files: &[(&str, &str)]) -> std::io::Cursor<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    let time = zip::DateTime::from_date_and_time(2026, 8, 20, 10, 0, 0).unwrap();
    let options = zip::write::SimpleFileOptions::default().last_modified_time(time);
    for (name, text) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    bytes
}

#[test]
fn the_repository_is_read_and_its_limits_are_errors() {
    let good = "gem: a\ncve: 2020-1234\n";
    let files = [
        ("db-master/gems/a/CVE-2020-1234.yml", good),
        ("db-master/rubies/ruby/CVE-2020-1.yml", "engine: ruby"),
        ("db-master/README.md", "x"),
        ("../../gems/b/CVE-2020-1234.yml", "no advisory of ours"),
    ];
    let mut gathered = Gathered::default();
    archive(zip(&files), &Limits::default(), &mut gathered).unwrap();
    let keys: Vec<_> = gathered.advisories.keys().map(|(s, g)| format!("{s} {g}")).collect();
    assert_eq!(keys, ["RubyGems a"]);
    assert_eq!(gathered.ignored, ["rubysec: 1 advisories of Ruby itself, which is no gem"]);
    assert_eq!(gathered.feeds[0].as_of.unwrap().to_string(), "2026-08-20T00:00:00Z");

    let large = "x".repeat(2 << 20);
    let limits = Limits::default();
    let few = Limits { documents: 1, ..Limits::default() };
    let small = Limits { total_bytes: 10, ..Limits::default() };
    type Files<'t> = Vec<(&'t str, &'t str)>;
    let table: Vec<(Files<'_>, &Limits, &str)> = vec![
        (vec![("x/README.md", "x")], &limits, "rubysec: there is nothing in it"),
        (vec![("gems/a/1.yml", "- x")], &limits, "rubysec: 1 of 1 entries could not be understood"),
        (
            vec![("gems/a/1.yml", &large)],
            &limits,
            "entry \"gems/a/1.yml\": larger than 1048576 bytes",
        ),
        (files.to_vec(), &few, "4 documents: more than 1"),
        (files.to_vec(), &small, "its entries together: larger than 10 bytes"),
    ];
    for (files, limits, want) in table {
        let error = archive(zip(&files), limits, &mut Gathered::default()).unwrap_err().to_string();
        assert!(error.starts_with(want), "{error}\n{want}");
    }
    let text = std::io::Cursor::new(b"no zip".to_vec());
    assert!(archive(text, &limits, &mut Gathered::default()).is_err());
}
