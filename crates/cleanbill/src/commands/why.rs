//! `cleanbill why`: whether one flaw is in an image, by the chain from the package to the rule; or
//! what keeps it out, and what could not be examined and so keeps the answer open.

use cleanbill_core::Timestamp;
use cleanbill_core::gap::GapKind;
use cleanbill_core::matching::{Answer, Explained, Explanation, Matcher, Outcome};
use cleanbill_core::suppression::{Judge, NotMeant, Ruling};

use crate::assess::Against;
use crate::commands::facts::FactsArgs;
use crate::commands::record::{self, Format, FormatArgs};
use crate::commands::scan;
use crate::commands::source::{BoundsArgs, Source, SourceArgs};
use crate::commands::suppress::FilesArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::suppressed::Said;
use crate::report::{Look, ScanReport};
use crate::snapshot_choice;
use crate::vex::{Given, Notes};

mod json;
#[cfg(test)]
mod tests;
mod text;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill why CVE-2019-14697 alpine:3.9
  cleanbill why GHSA-xxxx-xxxx-xxxx --input app.tar -f json
  cleanbill why CVE-2021-33203 app:1 --vex vendor.vex.json

ID is a CVE, an alias or an erratum. Looked into are the streams of the image's own release and
languages; where none of them names a package, it is told which other releases do. VEX documents and ignore files are held against the flaw as scan does it.
Exit codes: 0 not affected, left out, or nothing named; 1 affected; 2 failed; 3 open:
something was not examined, or nothing knows the id. docs/output.md describes the JSON.";

/// The longest id that is taken, in bytes.
const ID_MAX: usize = 128;
/// Days a feed may be old unless told otherwise; as for `scan`.
const MAX_AGE_DAYS: u32 = 7;

/// The most that is told of each package of what does not count.
const ASIDES_MAX: usize = 20;

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
    given: FilesArgs,
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
    let given = args.given.read()?;
    let progress = Progress::new(!args.quiet);
    let snapshot = snapshot_choice::choose(facts.snapshot.as_deref())?;
    let (now, max_feed_age_days) = (Timestamp::now(), facts.max_age_days);
    let against = Against { snapshot: &snapshot, now, max_feed_age_days };
    let told = ask(&source, &args.id, &args.accept_gaps, &given, against, &progress)?;
    progress.clear();
    let answer = match args.shown.format {
        Format::Table => text::page(&told, Look::of_stdout().width),
        Format::Json => record::pretty(&json::value(&told))?,
    };
    record::put(&answer)?;
    Ok(exit(&told))
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
    /// What the caller's files say of each of its packages.
    said: Vec<OfPackage>,
    /// What of these files was not understood.
    notes: Notes,
    /// The answer, without what they leave out.
    answer: Answer,
    /// Whether packages are affected, and all of those are left out.
    left_out: bool,
}

/// What a caller's files say of one package that is affected.
#[derive(Default)]
struct OfPackage {
    /// What leaves it out.
    out: Option<Said>,
    /// What is said of it and leaves it in.
    though: Option<Said>,
    /// What names the flaw and does not count here, and why.
    asides: Vec<(Said, NotMeant)>,
    /// Whether there are others.
    more: bool,
}

/// Examines the image and asks about the flaw.
fn ask(
    source: &Source,
    id: &str,
    accepted: &[GapKind],
    given: &Given,
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
    let said = said(&report, &explanation, given, against.now);
    let (answer, left_out) = answer(&explanation, &said, accepted);
    let (id, accepted, notes) = (id.to_owned(), accepted.to_vec(), given.notes.clone());
    Ok(Told { id, report, explanation, accepted, said, notes, answer, left_out })
}

/// What the caller's files say of each package, by the same judge as for a report.
fn said(
    report: &ScanReport,
    explanation: &Explanation,
    given: &Given,
    now: Timestamp,
) -> Vec<OfPackage> {
    let subject = report.subject();
    let judge = Judge::new(&given.rules, &subject, &report.inventory.packages, now);
    let of = |one: &Explained| {
        let Outcome::Affected(finding) = &one.outcome else { return OfPackage::default() };
        let (out, though) = match judge.rule(finding) {
            Ruling::Suppressed(by) => (Some(Said::by(&by)), None),
            Ruling::CountsThough(remark) => (None, Some(Said::remark(&remark))),
            Ruling::Counts => (None, None),
        };
        let asides = judge.asides(finding, &subject, ASIDES_MAX + 1);
        let more = asides.len() > ASIDES_MAX;
        let asides = asides.iter().take(ASIDES_MAX);
        let asides = asides.map(|aside| (Said::aside(aside), aside.why)).collect();
        OfPackage { out, though, asides, more }
    };
    explanation.packages.iter().map(of).collect()
}

/// The answer without the packages that are left out, and whether it hangs on those.
fn answer(explanation: &Explanation, said: &[OfPackage], accepted: &[GapKind]) -> (Answer, bool) {
    let kept = explanation.packages.iter().zip(said).filter(|(_, said)| said.out.is_none());
    let kept: Vec<Explained> = kept.map(|(package, _)| package.clone()).collect();
    if kept.len() == explanation.packages.len() {
        return (explanation.answer(accepted), false);
    }
    // An id that an advisory here goes by is known, whatever is left of the packages.
    match (Explanation { packages: kept, ..explanation.clone() }).answer(accepted) {
        Answer::Affected => (Answer::Affected, false),
        Answer::NotAffected => (Answer::NotAffected, true),
        Answer::Open => (Answer::Open, false),
        Answer::NotNamed | Answer::Unknown => {
            let open = explanation.gaps.iter().any(|gap| !accepted.contains(&gap.kind));
            if open { (Answer::Open, false) } else { (Answer::NotAffected, true) }
        }
    }
}

fn exit(told: &Told) -> Exit {
    match told.answer {
        Answer::Affected => Exit::AFFECTED,
        Answer::NotAffected | Answer::NotNamed => Exit::DONE,
        Answer::Open | Answer::Unknown => Exit::GAPS,
    }
}

/// The answer in a word.
fn word(told: &Told) -> &'static str {
    match told.answer {
        Answer::Affected => "affected",
        Answer::NotAffected if told.left_out => "left-out",
        Answer::NotAffected => "not-affected",
        Answer::NotNamed => "not-named",
        Answer::Open => "open",
        Answer::Unknown => "unknown",
    }
}

/// Why something that is said does not count for a package.
fn not_meant(why: NotMeant) -> &'static str {
    match why {
        NotMeant::Image => "other-image",
        NotMeant::Package => "other-package",
        NotMeant::File => "other-file",
        NotMeant::Expired => "expired",
        NotMeant::Outweighed => "outweighed",
    }
}

/// The layer that brought a package: its place from 1, lowest first, and how many there are.
fn layer(told: &Told, package: &cleanbill_core::package::Package) -> Option<(usize, usize)> {
    let (image, layer) = (told.report.image.as_ref()?, package.layer?);
    let at = image.layers.iter().position(|l| l.diff_id == layer.diff_id)?;
    Some((at + 1, image.layers.len()))
}
