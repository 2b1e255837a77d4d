//! `cleanbill why`: whether one flaw is in an image, by the chain from the package to the rule; or
//! what keeps it out, and what could not be examined and so keeps the answer open.

use cleanbill_core::Timestamp;
use cleanbill_core::gap::GapKind;
use cleanbill_core::matching::{Answer, Explanation, Matcher};

use crate::assess::Against;
use crate::commands::facts::FactsArgs;
use crate::commands::record::{self, Format, FormatArgs};
use crate::commands::scan;
use crate::commands::source::{BoundsArgs, Source, SourceArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::{Look, ScanReport};
use crate::snapshot_choice;

mod json;
#[cfg(test)]
mod tests;
mod text;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill why CVE-2019-14697 alpine:3.9
  cleanbill why GHSA-xxxx-xxxx-xxxx --input app.tar -f json

ID is a CVE, an alias or an erratum. Looked into are the streams of the image's own release and
languages, no others. Exit codes: 0 not affected, or nothing named; 1 affected; 2 failed; 3 open:
something was not examined, or nothing knows the id. docs/output.md describes the JSON.";

/// The longest id that is taken, in bytes.
const ID_MAX: usize = 128;
/// Days a feed may be old unless told otherwise; as for `scan`.
const MAX_AGE_DAYS: u32 = 7;

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The flaw's id
    #[arg(value_parser = id)]
    id: String,
    /// Name of the image
    image: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    shown: FormatArgs,
    /// Kinds of gaps that do not keep the answer open
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    accept_gaps: Vec<GapKind>,
    /// Days a feed may be old before its use is a gap
    #[arg(long, value_name = "DAYS", default_value_t = MAX_AGE_DAYS)]
    max_age: u32,
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    bounds: BoundsArgs,
    /// Show no progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

/// Ids are printable ASCII without spaces; anything else is a mistake, or an image's name.
fn id(text: &str) -> std::result::Result<String, String> {
    let sound = !text.is_empty() && text.len() <= ID_MAX;
    match sound && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b)) {
        true => Ok(text.to_owned()),
        false => Err("no id of a flaw: write it as CVE-2021-44228".into()),
    }
}

/// Runs the command.
///
/// # Errors
/// When the image or the advisories cannot be read, or the answer not be written.
pub fn run(args: Args) -> Result<Exit> {
    let source = args.source.resolve(args.image.as_deref(), &args.bounds)?;
    let facts = args.facts.wanted(args.max_age)?;
    let progress = Progress::new(!args.quiet);
    let snapshot = snapshot_choice::choose(facts.snapshot.as_deref())?;
    let (now, max_feed_age_days) = (Timestamp::now(), facts.max_age_days);
    let against = Against { snapshot: &snapshot, now, max_feed_age_days };
    let told = ask(&source, &args.id, &args.accept_gaps, against, &progress)?;
    progress.clear();
    let answer = match args.shown.format {
        Format::Table => text::page(&told, Look::of_stdout().width),
        Format::Json => record::pretty(&json::value(&told))?,
    };
    record::put(&answer)?;
    Ok(exit(told.answer))
}

/// What there is to tell.
struct Told {
    /// The id as it was asked for.
    id: String,
    /// What was examined.
    report: ScanReport,
    /// What became of the id in it.
    explanation: Explanation,
    /// The kinds of gaps that do not keep the answer open.
    accepted: Vec<GapKind>,
    /// The answer.
    answer: Answer,
}

/// Examines the image and asks about the flaw.
fn ask(
    source: &Source,
    id: &str,
    accepted: &[GapKind],
    against: Against<'_>,
    progress: &Progress,
) -> Result<Told> {
    let report = scan::examine_by(source, against, progress)?;
    let gaps = &report.evidence.gaps;
    let explanation =
        Matcher::new(against.snapshot).explain(&report.inventory, gaps, id).map_err(|e| {
            Failure::new(format!("the advisories cannot be read: {e}"))
                .next("build or fetch the snapshot anew: cleanbill db update")
        })?;
    let answer = explanation.answer(accepted);
    Ok(Told { id: id.to_owned(), report, explanation, accepted: accepted.to_vec(), answer })
}

fn exit(answer: Answer) -> Exit {
    match answer {
        Answer::Affected => Exit::AFFECTED,
        Answer::NotAffected | Answer::NotNamed => Exit::DONE,
        Answer::Open | Answer::Unknown => Exit::GAPS,
    }
}

/// The answer in a word.
fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Affected => "affected",
        Answer::NotAffected => "not-affected",
        Answer::NotNamed => "not-named",
        Answer::Open => "open",
        Answer::Unknown => "unknown",
    }
}

/// The layer that brought a package: its place from 1, lowest first, and how many there are.
fn layer(told: &Told, package: &cleanbill_core::package::Package) -> Option<(usize, usize)> {
    let (image, layer) = (told.report.image.as_ref()?, package.layer?);
    let at = image.layers.iter().position(|l| l.diff_id == layer.diff_id)?;
    Some((at + 1, image.layers.len()))
}
