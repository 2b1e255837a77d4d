//! `cleanbill db status`: what a snapshot holds, and how old it is.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use cleanbill_advisory::Snapshot;
use cleanbill_core::advisory::Feed;
use jiff::Timestamp;
use serde::Serialize;

use super::unwritten;
use crate::failure::Result;
use crate::report::text::printable_lines;
use crate::snapshot_choice::choose;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db status
  cleanbill db status --db advisories.cbdb -f json
Without --db: the file that CLEANBILL_DB names, else the one `cleanbill db update` made, else the
starter that is part of the program.";

/// Arguments of `db status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Snapshot file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// table or json
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            other => Err(format!("{other} is no format: table or json")),
        }
    }
}

/// One feed as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    /// Its id.
    pub feed: String,
    /// How old its facts are, as a date; absent where nobody says.
    pub as_of: Option<Timestamp>,
    /// The same in days before now.
    pub age_days: Option<i64>,
    /// Under which licence it is offered.
    pub licence: String,
    /// What was taken from it.
    pub advisories: u64,
    /// Entries that could not be understood.
    pub not_understood: u64,
    /// Streams that it covers.
    pub streams: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status<'a> {
    snapshot: &'a str,
    starter: bool,
    digest: String,
    bytes: u64,
    feeds: Vec<Row>,
    /// What lay in the feeds and is not in the snapshot, and why.
    left_out: &'a [String],
}

/// Shows the snapshot that a command would use now.
///
/// # Errors
/// When there is none to read, or the output cannot be written.
pub fn run(args: &Args, now: Timestamp, out: &mut dyn Write) -> Result<()> {
    let snapshot = choose(args.db.as_deref())?;
    let text = show(&snapshot, args.format, now);
    out.write_all(text.as_bytes()).map_err(|e| unwritten(&e))
}

fn show(snapshot: &Snapshot, format: Format, now: Timestamp) -> String {
    let rows = rows(snapshot.feeds(), Some(now));
    let (name, digest, bytes) = (snapshot.name(), snapshot.digest(), snapshot.size());
    match format {
        Format::Json => {
            let status = Status {
                snapshot: name,
                starter: snapshot.is_starter(),
                digest: digest.to_string(),
                bytes,
                feeds: rows,
                left_out: snapshot.ignored(),
            };
            // Texts and numbers alone: this cannot fail.
            serde_json::to_string_pretty(&status).unwrap_or_default() + "\n"
        }
        Format::Table => {
            let mut text = format!("{name}: {bytes} bytes, {digest}\n\n");
            text += &table(&rows);
            text += &left_out(snapshot.ignored());
            if snapshot.is_starter() {
                text += "\nThis is the starter that is part of the program: it ages, and covers little.\n  next: cleanbill db update\n";
            }
            printable_lines(&text)
        }
    }
}

/// What was left out for people, a line each.
pub fn left_out(ignored: &[String]) -> String {
    ignored.iter().map(|what| format!("not read: {what}\n")).collect()
}

/// The feeds with their age, where `now` is given.
pub fn rows(feeds: &[Feed], now: Option<Timestamp>) -> Vec<Row> {
    let age = |date: Timestamp| Some((now?.as_second() - date.as_second()).div_euclid(86_400));
    feeds
        .iter()
        .map(|feed| Row {
            feed: feed.id.clone(),
            as_of: feed.as_of,
            age_days: feed.as_of.and_then(age),
            licence: feed.licence.clone(),
            advisories: feed.advisories,
            not_understood: feed.not_understood,
            streams: feed.streams.iter().map(ToString::to_string).collect(),
        })
        .collect()
}

/// The feeds for people, a line each under a line of headings.
pub fn table(rows: &[Row]) -> String {
    let heads = ["Feed", "As of", "Days old", "Facts", "Not understood", "Streams", "Licence"];
    let cells = rows.iter().map(|row| {
        [
            row.feed.clone(),
            row.as_of.map_or_else(|| "unknown".to_owned(), |t| t.strftime("%F").to_string()),
            row.age_days.map_or_else(|| "-".to_owned(), |d| d.to_string()),
            row.advisories.to_string(),
            row.not_understood.to_string(),
            row.streams.len().to_string(),
            row.licence.clone(),
        ]
    });
    let lines: Vec<[String; 7]> = std::iter::once(heads.map(str::to_owned)).chain(cells).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|l| l.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = width(column);
            // Numbers stand to the right. Writing to a String cannot fail.
            _ = match column {
                2..=5 => write!(shown, "{cell:>width$}  "),
                _ => write!(shown, "{cell:<width$}  "),
            };
        }
        text += shown.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Format, show};
    use cleanbill_advisory::Snapshot;

    #[test]
    fn the_starter_says_what_it_is() {
        let starter = Snapshot::starter().unwrap();
        let now = "2026-08-23T00:00:00Z".parse().unwrap();
        let table = show(&starter, Format::Table, now);
        for line in [
            "Feed           As of       Days old  Facts  Not understood  Streams  Licence",
            "osv:Go         2026-08-01        22   4274               0        1  CC-BY-4.0",
            "kev            2025-08-25       362   1404               0        0  CC0-1.0",
            "This is the starter that is part of the program: it ages, and covers little.",
        ] {
            assert!(table.lines().any(|l| l == line), "{line}\n{table}");
        }
        let json: serde_json::Value =
            serde_json::from_str(&show(&starter, Format::Json, now)).unwrap();
        assert_eq!(json["Starter"], true);
        assert_eq!(json["Feeds"].as_array().unwrap().len(), starter.feeds().len());
        let go = json["Feeds"].as_array().unwrap().iter().find(|f| f["Feed"] == "osv:Go").unwrap();
        assert_eq!((&go["AgeDays"], &go["Streams"][0]), (&22.into(), &"Go".into()));
    }
}
