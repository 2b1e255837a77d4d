//! Dates of feeds that bear one, and those that servers gave.

use std::collections::BTreeMap;

use crate::build::{Options, gather};
use crate::limits::Limits;

#[test]
fn no_date_of_the_future_makes_a_feed_fresh() {
    let date = |text: &str| text.parse().ok();
    let told = "kev: its date, which is of the future (2098-01-01T00:00:00Z)";
    const NOW: &str = "2026-01-02T00:00:00Z";
    const OLD: &str = "2024-01-01T00:00:00Z";
    const LATER: &str = "2098-01-01T00:00:00Z";
    // What the catalogue says, what is known besides where it says nothing, what the server says.
    let table: [(&str, &str, &str, &str, &[&str]); 7] = [
        (OLD, "", "", OLD, &[]),
        (NOW, "", "", NOW, &[]),
        (LATER, "", "", "-", &[told]),
        (LATER, OLD, "", OLD, &[told]),
        (LATER, LATER, LATER, "-", &[told]),
        (OLD, "", NOW, NOW, &[]),
        (OLD, NOW, LATER, OLD, &[]),
    ];
    for (released, fallback, published, want, ignored) in table {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("kev")).unwrap();
        let json = format!(
            r#"{{"dateReleased":"{released}","vulnerabilities":[{{"cveID":"CVE-2024-1000"}}]}}"#
        );
        std::fs::write(dir.path().join("kev/known_exploited_vulnerabilities.json"), json).unwrap();
        let dates = |text: &str| -> BTreeMap<_, _> {
            date(text).into_iter().map(|date| ("kev".to_owned(), date)).collect()
        };
        let options = Options {
            limits: Limits { latest: date(NOW).unwrap(), ..Limits::default() },
            fallback_as_of: dates(fallback),
            published: dates(published),
            ..Options::default()
        };
        let gathered = gather(dir.path(), &options).unwrap();
        let said = gathered.feeds[0].as_of.map_or("-".to_owned(), |date| date.to_string());
        assert_eq!(said, want, "{released} {fallback} {published}");
        assert_eq!(gathered.ignored, ignored, "{released} {fallback} {published}");
        // The same input gives the same, whatever dates are in it.
        assert_eq!(gather(dir.path(), &options).unwrap(), gathered);
    }
}
