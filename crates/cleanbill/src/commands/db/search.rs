//! `cleanbill db search`: what a snapshot says of a flaw or of a package. It reads all of it, a
//! block at a time, and shows matches as they come.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use cleanbill_advisory::Snapshot;
use cleanbill_core::advisory::{Advisories, Advisory, Feed, FlawFacts};
use cleanbill_core::ecosystem::Stream;
use serde_json::json;

use super::{shown, unwritten};
use crate::commands::record;
use crate::exit::Exit;
use crate::failure::Result;
use crate::report::Format;
use crate::report::text::{printable, printable_lines};
use crate::snapshot_choice::{choose, failed};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db search CVE-2021-44228
  cleanbill db search openssl --stream Debian:12
  cleanbill db search GHSA-jfh8-c2jp-5v3q -f json | jq -r .Package
Exit codes: 0 found, 1 nothing found in this snapshot, 2 failed. docs/output.md has the forms.";

/// Arguments of `db search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An id (CVE-…, GHSA-…, any alias or erratum), or a package's whole name
    #[arg(value_name = "TERM")]
    pub term: String,
    /// Only in this stream, such as Debian:12, or Debian for all of its releases
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,
    /// Snapshot file (default: the one that commands use)
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// table, lines or json (default: table on a terminal, else lines)
    #[arg(long, short = 'f', value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// Searches, and says on `notes` where nothing was found.
///
/// # Errors
/// When the snapshot cannot be read, or the output not be written.
pub fn run(args: &Args, out: &mut dyn Write, notes: &mut dyn Write) -> Result<Exit> {
    let snapshot = choose(args.db.as_deref())?;
    let mut search = Search { args, snapshot: &snapshot, out, found: 0, flaws: BTreeSet::new() };
    search.advisories()?;
    let flaws = search.facts()?;
    let found = search.found;
    // A courtesy: the exit code says it too.
    if found == 0 {
        let text = nothing(args, &snapshot, flaws);
        _ = notes.write_all(printable_lines(&text).as_bytes());
    }
    Ok(if found + flaws == 0 { Exit::NOTHING } else { Exit::DONE })
}

struct Search<'a> {
    args: &'a Args,
    snapshot: &'a Snapshot,
    out: &'a mut dyn Write,
    found: u64,
    /// Ids under which facts may be known of the flaw that was asked for.
    flaws: BTreeSet<String>,
}

/// What holds for all packages of one stream.
struct Here<'a> {
    stream: String,
    wanted: bool,
    /// The term as packages are named there.
    package: String,
    feed: Option<&'a Feed>,
}

impl<'a> Search<'a> {
    fn advisories(&mut self) -> Result<()> {
        let snapshot = self.snapshot;
        let mut at: Option<Here<'_>> = None;
        for record in snapshot.records() {
            let ((stream, package), advisories) = record.map_err(|e| failed(&e))?;
            // Keys are in order, so that each stream is looked at once.
            if at.as_ref().is_none_or(|here| here.stream != stream) {
                at = Some(self.here(stream));
            }
            let Some(here) = at.as_ref().filter(|here| here.wanted) else { continue };
            let named = package == self.args.term || package == here.package;
            for advisory in &advisories {
                if self.identified(advisory) || named {
                    self.show(here, &package, advisory)?;
                }
            }
        }
        Ok(())
    }

    fn here(&self, stream: String) -> Here<'a> {
        let term = &self.args.term;
        let parsed: Option<Stream> = stream.parse().ok();
        Here {
            wanted: self.args.stream.as_ref().is_none_or(|wanted| within(&stream, wanted)),
            package: match &parsed {
                Some(parsed) => parsed.package_name(term).into_owned(),
                None => term.clone(),
            },
            feed: parsed.and_then(|parsed| self.snapshot.covering(&parsed)),
            stream,
        }
    }

    /// Whether the term is an id of this flaw, or of an erratum that is about it.
    fn identified(&mut self, advisory: &Advisory) -> bool {
        let is = |id: &String| id.eq_ignore_ascii_case(&self.args.term);
        if is(&advisory.id) || advisory.aliases.iter().any(is) {
            self.flaws.insert(advisory.id.clone());
            return true;
        }
        advisory.errata.iter().any(is)
    }

    fn show(&mut self, here: &Here<'_>, package: &str, advisory: &Advisory) -> Result<()> {
        let (stream, feed) = (here.stream.as_str(), here.feed.map_or("-", |feed| &feed.id));
        let (severity, state) = (advisory.severity.as_str(), shown::state(advisory.state));
        let (ranges, only) = (shown::ranges(advisory), shown::only(advisory));
        let id = &advisory.id;
        let first = self.found == 0;
        self.found += 1;
        let text = match self.form() {
            Format::Lines => {
                shown::line(&[stream, package, id, severity, state, &ranges, feed, &only])
            }
            Format::Json => record::line(&shown::value(stream, package, advisory, here.feed))?,
            Format::Table => {
                let ranges = if only == "-" { ranges } else { format!("{ranges} ({only})") };
                let heads = ["Stream", "Package", "Id", "Severity", "State", "Feed", "Affected"];
                let mut text = if first { row(heads) } else { String::new() };
                text += &row([stream, package, id, severity, state, feed, &ranges]);
                text
            }
        };
        self.out.write_all(text.as_bytes()).map_err(|e| unwritten(&e))
    }

    /// Shows what is known of the flaw itself, and says of how many ids something is.
    fn facts(&mut self) -> Result<u64> {
        let exploited_known = self.snapshot.known_exploited_feed().is_some();
        let mut ids = std::mem::take(&mut self.flaws);
        ids.extend([self.args.term.clone(), self.args.term.to_ascii_uppercase()]);
        let mut known = 0;
        for id in ids {
            let facts = self.snapshot.flaw(&id).map_err(|e| failed(&e))?;
            if facts == FlawFacts::default() {
                continue;
            }
            known += 1;
            let text = match self.form() {
                Format::Lines => flaw_line(&id, &facts, exploited_known),
                Format::Json => record::line(&flaw_value(&id, &facts, exploited_known))?,
                Format::Table => flaw_sentence(&id, &facts),
            };
            self.out.write_all(text.as_bytes()).map_err(|e| unwritten(&e))?;
        }
        Ok(known)
    }

    fn form(&self) -> Format {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        self.args.format.unwrap_or(if terminal { Format::Table } else { Format::Lines })
    }
}

/// Whether a stream is the wanted one, or one of its releases.
fn within(stream: &str, wanted: &str) -> bool {
    stream.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// One line. The widths fit what is usual: rows are written as they come.
fn row(cells: [&str; 7]) -> String {
    let [stream, package, id, severity, state, feed, ranges] = cells.map(printable);
    let line = format!(
        "{stream:<14}  {package:<24}  {id:<19}  {severity:<8}  {state:<12}  {feed:<14}  {ranges}"
    );
    line.trim_end().to_owned() + "\n"
}

/// `0.12345`: hundred-thousandths as EPSS is published.
fn share(of: u32) -> String {
    format!("{}.{:05}", of / 100_000, of % 100_000)
}

fn flaw_line(id: &str, facts: &FlawFacts, exploited_known: bool) -> String {
    let exploited = match (facts.exploited, exploited_known) {
        (true, _) => "exploited",
        (false, true) => "-",
        (false, false) => "?",
    };
    let epss = |part: fn(&cleanbill_core::advisory::Epss) -> u32| {
        facts.epss.as_ref().map_or_else(|| "-".to_owned(), |epss| share(part(epss)))
    };
    let ratings: Vec<String> =
        facts.ratings.iter().map(|r| format!("{}={}", r.source, r.severity)).collect();
    let ratings = if ratings.is_empty() { "-".to_owned() } else { ratings.join(",") };
    let (probability, percentile) = (epss(|e| e.probability), epss(|e| e.percentile));
    shown::line(&["FLAW", id, exploited, &probability, &percentile, &ratings])
}

fn flaw_value(id: &str, facts: &FlawFacts, exploited_known: bool) -> serde_json::Value {
    let rating = |r: &cleanbill_core::advisory::Rating| json!({"Source": r.source, "Severity": r.severity, "CVSS": r.cvss});
    json!({
        "Kind": "flaw",
        "ID": id,
        "KnownExploited": (facts.exploited || exploited_known).then_some(facts.exploited),
        "EPSS": facts.epss.map(|e| json!({
            "Probability": f64::from(e.probability) / 100_000.0,
            "Percentile": f64::from(e.percentile) / 100_000.0,
        })),
        "Ratings": facts.ratings.iter().map(rating).collect::<Vec<_>>(),
    })
}

fn flaw_sentence(id: &str, facts: &FlawFacts) -> String {
    let mut parts = Vec::new();
    if facts.exploited {
        parts.push("known to be exploited (CISA)".to_owned());
    }
    if let Some(epss) = facts.epss {
        let percentile = share(epss.percentile);
        parts.push(format!("EPSS {} (percentile {percentile})", share(epss.probability)));
    }
    parts.extend(facts.ratings.iter().map(|r| {
        let vector = r.cvss.as_ref().map(|v| format!(" ({v})")).unwrap_or_default();
        format!("{} by {}{vector}", r.severity, r.source)
    }));
    printable(&format!("{id}: {}", parts.join("; "))) + "\n"
}

/// What it means that no package was found.
fn nothing(args: &Args, snapshot: &Snapshot, flaws: u64) -> String {
    let place = args.stream.as_ref().map(|s| format!(" in {s}")).unwrap_or_default();
    let also = if flaws > 0 { "no advisory about a package" } else { "nothing" };
    let mut text = format!("{}: {also} under {:?}{place}\n", snapshot.name(), args.term);
    let covers = |feed: &&Feed| match &args.stream {
        Some(wanted) => feed.streams.iter().any(|s| within(&s.to_string(), wanted)),
        None => true,
    };
    let searched: Vec<String> = snapshot
        .feeds()
        .iter()
        .filter(covers)
        .map(|feed| format!("{} ({})", feed.id, shown::day(feed)))
        .collect();
    match searched.as_slice() {
        [] => text += "  no feed in it covers that stream\n",
        some => text += &format!("  searched: {}\n", some.join(", ")),
    }
    text + "  This proves nothing about feeds that are not in the snapshot, nor about later days.\n"
}
