//! `cleanbill db diff`: what came, what went and what changed between two snapshots.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::diff::{Change, How, diff};
use cleanbill_core::advisory::Feed;
use serde_json::json;

use super::{shown, unwritten};
use crate::commands::record;
use crate::failure::{Failure, Result};
use crate::report::Format;
use crate::report::text::printable_lines;
use crate::snapshot_choice::{choose, failed};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db diff ~/.cache/cleanbill/db/cleanbill.cbdb.previous
  cleanbill db diff monday.cbdb friday.cbdb -f lines | grep -w openssl
The table counts changes by stream; lines and json name each: new, gone, or what of it is another
(ranges, severity, state, details: other ids, vectors and dates). docs/output.md has the forms.";

/// Arguments of `db diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The snapshot before
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// The snapshot after (default: the one that commands use)
    #[arg(value_name = "B")]
    pub b: Option<PathBuf>,
    /// table, lines or json (default: table on a terminal, else lines)
    #[arg(long, short = 'f', value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// Changes by stream, and of flaws under no stream.
type Counts = BTreeMap<String, BTreeMap<How, u64>>;

/// Why a walk ended: its own error type, since both snapshots and the output can fail.
struct Stopped(Failure);

impl From<cleanbill_advisory::Error> for Stopped {
    fn from(error: cleanbill_advisory::Error) -> Self {
        Self(failed(&error).next("see which blocks are damaged: cleanbill db verify FILE"))
    }
}

/// Compares them.
///
/// # Errors
/// When one cannot be read, or the output not be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (a, b) = (choose(Some(&args.a))?, choose(args.b.as_deref())?);
    let terminal = std::io::stdout().is_terminal();
    let form = args.format.unwrap_or(if terminal { Format::Table } else { Format::Lines });
    let mut counts = Counts::new();
    let feeds = feeds(&a, &b);
    match form {
        Format::Table => put(out, &heading(&a, &b, &feeds))?,
        Format::Lines | Format::Json => {
            for (id, [old, new]) in &feeds {
                put(out, &feed(form, id, *old, *new)?)?;
            }
        }
    }
    // Under one digest is one content.
    if a.digest() != b.digest() {
        let seen = diff(&a, &b, |change| {
            match form {
                Format::Table => count(&mut counts, change),
                Format::Lines | Format::Json => {
                    let line = one(form, change).map_err(Stopped)?;
                    put(out, &line).map_err(Stopped)?;
                }
            }
            Ok(())
        });
        seen.map_err(|Stopped(failure)| failure)?;
    }
    match form {
        Format::Table => put(out, &table(&counts)),
        Format::Lines | Format::Json => Ok(()),
    }
}

fn put(out: &mut dyn Write, text: &str) -> Result<()> {
    out.write_all(text.as_bytes()).map_err(|e| unwritten(&e))
}

/// Feeds that are not in both with the same date.
fn feeds<'s>(a: &'s Snapshot, b: &'s Snapshot) -> BTreeMap<&'s str, [Option<&'s Feed>; 2]> {
    let mut all: BTreeMap<&str, [Option<&Feed>; 2]> = BTreeMap::new();
    for feed in a.feeds() {
        all.entry(&feed.id).or_default()[0] = Some(feed);
    }
    for feed in b.feeds() {
        all.entry(&feed.id).or_default()[1] = Some(feed);
    }
    all.retain(|_, [a, b]| a.map(|f| f.as_of) != b.map(|f| f.as_of));
    all
}

fn heading(a: &Snapshot, b: &Snapshot, feeds: &BTreeMap<&str, [Option<&Feed>; 2]>) -> String {
    let mut text = String::new();
    for (mark, snapshot) in [("from", a), ("to", b)] {
        text += &format!("{mark:<4} {}: {}\n", snapshot.name(), snapshot.digest());
    }
    for (id, [old, new]) in feeds {
        let day = |feed: &Option<&Feed>| feed.map_or_else(|| "not in it".to_owned(), shown::day);
        text += &format!("feed {id}: {} → {}\n", day(old), day(new));
    }
    printable_lines(&text)
}

fn feed(form: Format, id: &str, old: Option<&Feed>, new: Option<&Feed>) -> Result<String> {
    if form == Format::Json {
        let side = |feed: Option<&Feed>| feed.map(|feed| json!({"AsOf": feed.as_of}));
        return record::line(
            &json!({"Kind": "feed", "Feed": id, "Before": side(old), "After": side(new)}),
        );
    }
    let date = |feed: Option<&Feed>| match feed {
        Some(feed) => feed.as_of.map_or_else(|| "?".to_owned(), |t| t.to_string()),
        None => "-".to_owned(),
    };
    Ok(shown::line(&["FEED", id, &date(old), &date(new)]))
}

/// One change. An EPSS is another every day for every flaw: those are for the table alone.
fn one(form: Format, change: Change<'_>) -> Result<String> {
    let words = |how: &[How]| how.iter().map(|h| h.as_str()).collect::<Vec<_>>();
    match (change, form) {
        (Change::Flaw { how: [How::Epss], .. }, _) => Ok(String::new()),
        (Change::Advisory { stream, package, id, how }, Format::Json) => record::line(&json!({
            "Kind": "advisory", "Stream": stream, "Package": package, "ID": id, "How": words(how),
        })),
        (Change::Flaw { id, how }, Format::Json) => {
            record::line(&json!({"Kind": "flaw", "ID": id, "How": words(how)}))
        }
        (Change::Advisory { stream, package, id, how }, Format::Table | Format::Lines) => {
            Ok(shown::line(&[stream, package, id, &words(how).join(",")]))
        }
        (Change::Flaw { id, how }, Format::Table | Format::Lines) => {
            Ok(shown::line(&["FLAW", id, &words(how).join(",")]))
        }
    }
}

fn count(counts: &mut Counts, change: Change<'_>) {
    let (stream, how) = match change {
        Change::Advisory { stream, how, .. } => (stream, how),
        Change::Flaw { how, .. } => ("", how),
    };
    // A stream has its name copied once, not with every change.
    if !counts.contains_key(stream) {
        counts.insert(stream.to_owned(), BTreeMap::new());
    }
    if let Some(of) = counts.get_mut(stream) {
        how.iter().for_each(|how| *of.entry(*how).or_default() += 1);
    }
}

/// Counts by stream, then those of flaws.
fn table(counts: &Counts) -> String {
    const SHOWN: [How; 6] =
        [How::New, How::Gone, How::Ranges, How::Severity, How::State, How::Details];
    if counts.is_empty() {
        return "nothing else differs\n".to_owned();
    }
    let mut text = String::new();
    let streams = || counts.iter().filter(|(stream, _)| !stream.is_empty());
    let width = streams().map(|(stream, _)| stream.chars().count()).max().unwrap_or(0).max(6);
    if streams().next().is_some() {
        text += &format!("\n{:<width$}", "Stream");
        SHOWN.iter().for_each(|how| text += &format!("  {:>8}", how.as_str()));
        text.push('\n');
    }
    for (stream, of) in streams() {
        text += &format!("{stream:<width$}");
        let number = |how: &How| of.get(how).copied().unwrap_or(0);
        SHOWN.iter().for_each(|how| text += &format!("  {:>8}", number(how)));
        text.push('\n');
    }
    if let Some(of) = counts.get("") {
        let parts: Vec<String> =
            of.iter().map(|(how, number)| format!("{} {number}", how.as_str())).collect();
        text += &format!("\nfacts of flaws: {}\n", parts.join(", "));
    }
    printable_lines(&text)
}
