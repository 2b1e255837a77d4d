//! `cleanbill decisions`: what the gate decided.

use std::time::Duration;

use cleanbill_core::Timestamp;

use crate::commands::record::{self, Format, FormatArgs, Since, StateArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::report::text::printable;
use crate::store::{Decision, Store, Wanted};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill decisions -c /etc/cleanbill/cleanbill.yaml --since 7d --outcome denied
  cleanbill decisions --state-dir /var/lib/cleanbill --image nginx --limit 5
  cleanbill decisions --follow -f json | jq -r '[.time, .outcome, .id] | @tsv'

The newest stand last. As JSON, a decision is a line: docs/output.md describes it,
docs/decisions-log.md the record.";

/// How often it is looked for new ones.
const POLL: Duration = Duration::from_millis(500);
/// Read at a time while following.
const PAGE: u32 = 500;

/// Arguments of `decisions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    state: StateArgs,
    /// Made within this time (7d, 12h, 30m), or since a date or time
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
    /// With this outcome: allowed, denied, undecided or malformed
    #[arg(long, value_name = "WORD", hide_possible_values = true, value_parser = ["allowed", "denied", "undecided", "malformed"])]
    outcome: Option<String>,
    /// In this namespace
    #[arg(long, short = 'n', value_name = "NS")]
    namespace: Option<String>,
    /// With this text in an image's name or digest
    #[arg(long, value_name = "TEXT")]
    image: Option<String>,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    shown: FormatArgs,
    /// Go on with new ones as they are made
    #[arg(long)]
    follow: bool,
}

/// Runs the command.
///
/// # Errors
/// When the record cannot be read, or the output not be written.
pub fn run(args: Args) -> Result<Exit> {
    let store = args.state.look()?;
    let wanted = Wanted {
        since: args.since.map(|since| since.time(Timestamp::now())),
        outcome: args.outcome,
        namespace: args.namespace,
        image: args.image,
        after: None,
    };
    // Read before the list, so that none falls between the two.
    let newest = store.decisions(&Wanted::default(), 1)?.last().map_or(0, |(n, _)| *n);
    let found = store.decisions(&wanted, args.limit)?;
    let mut text = String::new();
    if args.shown.format == Format::Table && (args.follow || !found.is_empty()) {
        text += &row(["TIME", "ID", "OUTCOME", "NAMESPACE", "IMAGES", "WHY"].map(str::to_owned));
    }
    for (_, decision) in &found {
        text += &shown(decision, args.shown.format)?;
    }
    if !record::put(&text)? {
        return Ok(Exit::DONE);
    }
    let after = found.last().map_or(0, |(n, _)| *n).max(newest);
    match args.follow {
        true => follow(&store, Wanted { after: Some(after), ..wanted }, args.shown.format),
        false => Ok(Exit::DONE),
    }
}

fn follow(store: &Store, mut wanted: Wanted, format: Format) -> Result<Exit> {
    loop {
        let found = store.decisions(&wanted, PAGE)?;
        let Some((last, _)) = found.last() else {
            std::thread::sleep(POLL);
            continue;
        };
        wanted.after = Some(*last);
        for (_, decision) in &found {
            if !record::put(&shown(decision, format)?)? {
                return Ok(Exit::DONE);
            }
        }
    }
}

fn shown(decision: &Decision, format: Format) -> Result<String> {
    if format == Format::Json {
        return record::line(&record::value(decision));
    }
    let mut outcome = decision.outcome.clone();
    if !decision.enforced {
        outcome += " (dry run)";
    } else if decision.break_glass.is_some() {
        outcome += " (break-glass)";
    }
    let images: Vec<&str> = decision.images.iter().map(|(name, _)| name.as_str()).collect();
    Ok(row([
        decision.time.strftime("%FT%TZ").to_string(),
        decision.id.clone(),
        outcome,
        decision.namespace.clone().unwrap_or_else(|| "-".into()),
        cut(&images.join(" "), 60),
        cut(&decision.reason, 80),
    ]))
}

/// One line. The widths fit what is usual: rows are written as they come.
fn row(cells: [String; 6]) -> String {
    let [time, id, outcome, namespace, images, why] = cells.map(|cell| printable(&cell));
    let line = format!("{time:<20}  {id:<20}  {outcome:<9}  {namespace:<15}  {images:<60}  {why}");
    line.trim_end().to_owned() + "\n"
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
}
