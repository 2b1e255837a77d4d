//! An advisory as `db search` and `db diff` show it: ranges and states in a few words. Nothing that
//! bears on who is affected may be left out.

use cleanbill_core::advisory::{Advisory, Feed, Range, RangeEnd, State};
use serde_json::{Value, json};

/// Versions listed one by one that stand in a line; where there are more, their number does.
const LISTED: usize = 5;

/// Which versions are affected: `>=1.0 <1.2; <=3`, `all`, or `-` where none is named.
pub fn ranges(advisory: &Advisory) -> String {
    let mut parts: Vec<String> = advisory.ranges.iter().map(range).collect();
    match advisory.versions.len() {
        many if many > LISTED => parts.push(format!("{many} versions listed")),
        _ => parts.extend(advisory.versions.iter().map(|version| format!("={version}"))),
    }
    parts.extend(advisory.unreadable.iter().map(|what| format!("not understood: {what}")));
    if parts.is_empty() { "-".to_owned() } else { parts.join("; ") }
}

fn range(range: &Range) -> String {
    let from = range.introduced.as_ref().map(|v| format!(">={v}"));
    let to = match &range.end {
        RangeEnd::Fixed(v) | RangeEnd::Before(v) => Some(format!("<{v}")),
        RangeEnd::LastAffected(v) => Some(format!("<={v}")),
        RangeEnd::Open => None,
    };
    match (from, to) {
        (None, None) => "all".to_owned(),
        (from, to) => from.into_iter().chain(to).collect::<Vec<_>>().join(" "),
    }
}

/// The word for a state, as it also stands in recorded advisories.
pub fn state(state: State) -> &'static str {
    match state {
        State::Affected => "affected",
        State::NotAffected => "not_affected",
        State::WillNotFix => "will_not_fix",
        State::FixDeferred => "fix_deferred",
        State::EndOfLife => "end_of_life",
        State::UnderInvestigation => "under_investigation",
    }
}

/// To which packages of the name alone it applies: a module stream, architectures, or `-`.
pub fn only(advisory: &Advisory) -> String {
    let module = advisory.module.iter().map(|m| format!("module {m}"));
    let arches = Some(advisory.arches.join(",")).filter(|a| !a.is_empty());
    let parts: Vec<String> = module.chain(arches).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join("; ") }
}

/// All of an advisory.
pub fn value(stream: &str, package: &str, advisory: &Advisory, feed: Option<&Feed>) -> Value {
    let range = |range: &Range| {
        let (fixed, last, before) = match &range.end {
            RangeEnd::Fixed(v) => (Some(v), None, None),
            RangeEnd::LastAffected(v) => (None, Some(v), None),
            RangeEnd::Before(v) => (None, None, Some(v)),
            RangeEnd::Open => (None, None, None),
        };
        json!({
            "Introduced": range.introduced,
            "Fixed": fixed,
            "LastAffected": last,
            "Before": before,
        })
    };
    json!({
        "Kind": "advisory",
        "Stream": stream,
        "Package": package,
        "ID": advisory.id,
        "Aliases": advisory.aliases,
        "Errata": advisory.errata,
        "Severity": advisory.severity,
        "CVSS": advisory.cvss,
        "State": state(advisory.state),
        "Ranges": advisory.ranges.iter().map(range).collect::<Vec<_>>(),
        "Versions": advisory.versions,
        "NotUnderstood": advisory.unreadable,
        "Module": advisory.module,
        "Architectures": advisory.arches,
        "Published": advisory.published,
        "Modified": advisory.modified,
        "Feed": feed.map(|feed| &feed.id),
    })
}

/// The day of a feed.
pub fn day(feed: &Feed) -> String {
    feed.as_of.map_or_else(|| "date unknown".to_owned(), |t| t.strftime("%F").to_string())
}

/// Fields with tabs between them.
pub fn line(fields: &[&str]) -> String {
    let shown: Vec<String> =
        fields.iter().map(|field| crate::report::text::printable(field)).collect();
    shown.join("\t") + "\n"
}
