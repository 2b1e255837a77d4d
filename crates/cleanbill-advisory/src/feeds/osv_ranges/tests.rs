//! Ranges as publishers write them, one row each.

use cleanbill_core::advisory::RangeEnd;
use cleanbill_core::ecosystem::Ecosystem;

use super::{Affected, flatten};

/// `affected` without its package, and what comes of it: `[from, fixed)`, `[from, last]`,
/// `[from, …`, then `=version`, then `!` and what was not understood.
fn check(ecosystem: Ecosystem, json: &str, wanted: &str) {
    let affected: Affected = serde_json::from_str(json).unwrap();
    let stretch = flatten(affected, ecosystem.scheme());
    let ranges = stretch.ranges.iter().map(|r| {
        let from = r.introduced.as_deref().unwrap_or("-");
        match &r.end {
            RangeEnd::Fixed(v) => format!("[{from}, {v})"),
            RangeEnd::LastAffected(v) => format!("[{from}, {v}]"),
            RangeEnd::Before(v) => format!("[{from}, <{v})"),
            RangeEnd::Open => format!("[{from}, …"),
        }
    });
    let versions = stretch.versions.iter().map(|v| format!("={v}"));
    let not = stretch.unreadable.iter().map(|u| format!("!{u}"));
    let shown: Vec<_> = ranges.chain(versions).chain(not).collect();
    assert_eq!(shown.join(" "), wanted, "{json}");
}

#[test]
fn ranges_become_stretches() {
    let semver =
        |events: &str| format!(r#"{{"ranges":[{{"type":"SEMVER","events":[{events}]}}]}}"#);
    let i = |v: &str| format!(r#"{{"introduced":"{v}"}}"#);
    let f = |v: &str| format!(r#"{{"fixed":"{v}"}}"#);
    let l = |v: &str| format!(r#"{{"last_affected":"{v}"}}"#);
    let limit = |v: &str| format!(r#"{{"limit":"{v}"}}"#);
    let table: Vec<(Vec<String>, &str)> = vec![
        (vec![i("0")], "[-, …"),
        (vec![i("0"), f("1.2.3")], "[-, 1.2.3)"),
        (vec![i("0"), f("1.2.3"), i("2.0.0"), f("2.1.0")], "[-, 1.2.3) [2.0.0, 2.1.0)"),
        (vec![i("0"), f("1.2.3"), i("2.0.0")], "[-, 1.2.3) [2.0.0, …"),
        (vec![i("1.0.0"), l("1.9.0")], "[1.0.0, 1.9.0]"),
        (vec![i("1.0.0"), limit("2.0.0")], "[1.0.0, <2.0.0)"),
        // In pairs, but not by version: sorted all the same.
        (vec![i("2.0.0"), f("2.1.0"), i("0"), f("1.2.3")], "[-, 1.2.3) [2.0.0, 2.1.0)"),
        (vec![i("0"), f("1.0.0"), i("2.0.0"), f("1.5.0")], "[-, 1.0.0) [2.0.0, …"),
        (vec![i("2.0.0"), f("1.5.0")], "[2.0.0, …"),
        (
            vec![i("1.10.0"), f("1.9.0"), i("1.2.0"), f("1.11.0")],
            "[1.2.0, 1.9.0) [1.10.0, 1.11.0) [1.2.0, 1.11.0)",
        ),
        // Two that overlap: by the schema the first fix ends both, by the pairs each has its own.
        (
            vec![i("14.0.0"), f("14.14.1"), i("14.14.0"), f("14.20.0")],
            "[14.0.0, 14.14.1) [14.14.0, 14.20.0)",
        ),
        // One that holds nothing.
        (vec![i("1.0.0"), f("1.0.0"), i("1.2.0"), f("1.3.0")], "[1.0.0, 1.0.0) [1.2.0, 1.3.0)"),
        // One ends where the next begins.
        (vec![i("1.0.0"), i("1.1.0"), f("1.1.0"), f("1.2.0")], "[1.0.0, 1.1.0) [1.1.0, 1.2.0)"),
        (vec![i("1.0.0"), f("1.1.0"), i("1.1.0"), f("1.2.0")], "[1.0.0, 1.1.0) [1.1.0, 1.2.0)"),
        (vec![i("1.0.0"), l("1.1.0"), i("1.1.0"), f("1.2.0")], "[1.0.0, 1.1.0] [1.1.0, 1.2.0)"),
        (vec![i("1.0.0"), i("1.1.0"), l("1.1.0"), f("1.2.0")], "[1.0.0, 1.1.0] [1.1.0, 1.2.0)"),
        (vec![i("1.0.0"), i("1.0.5"), l("1.1.0"), f("1.2.0")], "[1.0.0, 1.1.0]"),
        // Not in pairs: sorted.
        (vec![f("1.2.3"), i("0")], "[-, 1.2.3)"),
        (vec![i("2.0.0"), i("0"), f("2.1.0"), f("1.10.0")], "[-, 1.10.0) [2.0.0, 2.1.0)"),
        (vec![i("0"), f("1.10.0"), f("1.9.0")], "[-, 1.9.0)"),
        (vec![i("0"), i("1.0.0"), f("1.9.0")], "[-, 1.9.0)"),
        (vec![i("0"), f("1.9.0"), limit("2.0.0")], "[-, 1.9.0)"),
        (vec![f("1.0.0"), i("1.0.0")], "[1.0.0, …"),
        (vec![l("1.0.0"), i("1.0.0")], "[1.0.0, 1.0.0]"),
        // Below the highest limit alone; at it a fix is one, and behind it nothing is said.
        (vec![i("0"), limit("1.0.0"), limit("2.0.0")], "[-, <2.0.0)"),
        (vec![i("0"), limit("*"), limit("2.0.0")], "[-, …"),
        (vec![i("0"), f("2.0.0"), limit("2.0.0")], "[-, 2.0.0)"),
        (vec![i("0"), f("2.0.1"), limit("2.0.0")], "[-, <2.0.0)"),
        (vec![i("0"), l("2.0.0"), limit("2.0.0")], "[-, <2.0.0)"),
        (vec![i("0"), l("1.9.0"), limit("2.0.0")], "[-, 1.9.0]"),
        (vec![i("0"), f("1.0.0"), i("2.0.0"), f("3.0.0"), limit("2.0.0")], "[-, 1.0.0)"),
        (vec![i("2.0.0"), limit("1.0.0")], "!a range that begins nowhere"),
        (vec![i("0"), limit("x")], "[-, … !a range whose limit cannot be ordered"),
        // Not to be sorted: in pairs they stay, and what lies outside of them is a gap.
        (vec![f("x"), i("1.0.0")], r#"!a range whose event at "x" cannot be ordered"#),
        (vec![i("0"), f("x")], "[-, x)"),
        (vec![i("1.0.0"), f("x")], "[1.0.0, x)"),
        (vec![i("x"), f("1.0.0")], r#"[x, 1.0.0) !a range whose event at "x" cannot be ordered"#),
        (
            vec![i("0"), f("x"), i("2.0.0"), f("2.1.0")],
            r#"[-, x) [2.0.0, 2.1.0) !a range whose event at "x" cannot be ordered"#,
        ),
        (vec![f("1.0.0")], "!a range that begins nowhere"),
        (vec![], "!a range that begins nowhere"),
        (vec!["{}".to_owned()], "!a range that begins nowhere"),
    ];
    for (events, wanted) in table {
        check(Ecosystem::Npm, &semver(&events.join(",")), wanted);
    }
}

#[test]
fn versions_commits_and_the_rest_are_kept_or_said() {
    let table = [
        (r#"{"versions":["1.0","0.9","1.0"]}"#, "=0.9 =1.0"),
        (r#"{}"#, "!neither ranges nor versions"),
        (r#"{"ranges":null,"versions":null}"#, "!neither ranges nor versions"),
        (r#"{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}"#, "!only ranges of commits"),
        (r#"{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}],"versions":["1"]}"#, "=1"),
        (
            r#"{"ranges":[{"type":"MOON","events":[]}],"versions":["1"]}"#,
            r#"=1 !a range of the unknown type "MOON""#,
        ),
        // Listed versions inside a range add nothing; those outside or unreadable do.
        (
            r#"{"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"fixed":"1.5"}]}],
                "versions":["0.9","1.0","1.4.9","1.5","1.5rc1","nonsense"]}"#,
            "[1.0, 1.5) =0.9 =1.5 =nonsense",
        ),
        (
            r#"{"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],
                "database_specific":{"last_known_affected_version_range":"<= 1.5"}}"#,
            "[-, 1.5]",
        ),
        (
            r#"{"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],
                "database_specific":{"last_known_affected_version_range":"< 1.5"}}"#,
            "[-, <1.5)",
        ),
        (
            r#"{"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}],
                "database_specific":{"last_known_affected_version_range":"< 1.5"}}"#,
            "[-, 2)",
        ),
    ];
    for (json, wanted) in table {
        check(Ecosystem::PyPI, json, wanted);
    }
}

/// With every event held against every other this would take hours.
#[test]
fn long_lists_are_read_in_time() {
    const MANY: usize = super::EVENTS;
    let events = |of: &dyn Fn(usize) -> String| {
        let all: Vec<String> = (0..MANY).map(of).collect();
        format!(r#"{{"type":"SEMVER","events":[{}]}}"#, all.join(","))
    };
    let unpaired = events(&|n| format!(r#"{{"fixed":"{n}.0.0"}}"#));
    let paired = events(&|n| {
        let word = if n % 2 == 0 { "introduced" } else { "fixed" };
        format!(r#"{{"{word}":"{n}.0.0"}}"#)
    });
    let versions: Vec<String> = (0..MANY).map(|n| format!(r#""{n}.5.0""#)).collect();
    let json = format!(r#"{{"ranges":[{unpaired},{paired}],"versions":[{}]}}"#, versions.join(","));
    let stretch = flatten(serde_json::from_str(&json).unwrap(), Ecosystem::Npm.scheme());
    assert_eq!(stretch.unreadable.as_deref(), Some("a range that begins nowhere"));
    assert_eq!((stretch.ranges.len(), stretch.versions.len()), (MANY / 2, MANY));
}
