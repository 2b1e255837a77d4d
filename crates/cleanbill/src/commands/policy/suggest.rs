//! `cleanbill policy suggest`: the strictest policy that images pass, and expiring exceptions for
//! the rest: the road from observing to enforcing.
//!
//! Must not judge: what passes is the one judge's word, and nothing is printed that an image does
//! not pass. What could not be examined is never left out without being named.

use std::io::Write as _;
use std::path::PathBuf;

use cleanbill_core::policy::{Policy, today};
use cleanbill_core::{Date, Timestamp};

use self::made::{Made, Wishes};
use self::seen::Sight;
use super::looking::LookingArgs;
use crate::commands::record::Since;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::policy_file::NO_OWNER;
use crate::report::text::printable;

mod flaws;
mod images;
mod made;
mod record;
mod rest;
mod seen;
#[cfg(test)]
mod tests;
mod write;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill policy suggest --config cleanbill.yaml --since 14d --owner anna@example.org
  kubectl get pods -A -o jsonpath='{range .items[*].spec.containers[*]}{.image}{\"\\n\"}{end}' |
    cleanbill policy suggest --config cleanbill.yaml -o policy.yaml -
  cleanbill policy suggest -i registry.example/app:1=app.tar -i db.tar

Without images, from what the gate let run. Exit codes: 0 every image passes the policy; 3 so does
every image that could be examined, the others are named; 2 failed: no policy. docs/policy.md";

/// The most entries of a list in a scope.
const MOST_ENTRIES: usize = 256;
/// The longest time for an exception, in days.
const MOST_DAYS: u32 = 366;

/// Arguments of `policy suggest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Images by name, - reads them from standard input (default: what the gate let run)
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Images by name, one a line
    #[arg(long, value_name = "FILE")]
    images_from: Option<PathBuf>,
    /// An archive or layout, with the name pods use (repeatable)
    #[arg(long, short = 'i', value_name = "[NAME=]PATH")]
    input: Vec<String>,
    /// The gate's configuration: its record, or its way to images
    #[arg(long, short = 'c', value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the gate let run within this time, or since a date (default 7d)
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
    /// Repositories that may need exceptions (default: one in ten)
    #[arg(long, value_name = "N")]
    exceptions: Option<usize>,
    /// Who answers for the exceptions
    #[arg(long, value_name = "WHO", default_value = NO_OWNER, hide_default_value = true)]
    owner: String,
    /// How long the exceptions hold, in days
    #[arg(long, value_name = "DAYS", default_value = "30d", value_parser = days)]
    expires: u32,
    /// Write the policy to a new file
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    looking: LookingArgs,
    /// Show no progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

/// What a policy is suggested from.
#[derive(Debug, Default)]
struct Seen {
    sights: Vec<Sight>,
    missing: Vec<NotExamined>,
    /// Images that were denied, and so do not run.
    denied: Vec<String>,
    basis: Basis,
}

/// Where the images were seen, for people.
#[derive(Debug, Default)]
struct Basis {
    source: String,
    /// Keys of the policy in force that do not follow from images.
    kept_elsewhere: Vec<&'static str>,
}

/// An image that nothing can be said about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NotExamined {
    image: String,
    why: String,
}

/// Runs the command: the policy for standard output, empty where it went into a file.
///
/// # Errors
/// When no image could be examined, the record cannot be read, or a policy cannot be made.
pub fn run(args: &Args, now: Timestamp) -> Result<(String, Exit)> {
    let wishes = Wishes {
        spared: args.exceptions,
        owner: owner(&args.owner)?,
        expires: last_day(now, args.expires),
    };
    let named = images::named(&args.images, args.images_from.as_deref())?;
    let by_name = !args.images.is_empty() || args.images_from.is_some() || !args.input.is_empty();
    if by_name && args.since.is_some() {
        return Err(Failure::new("--since has no place here: images were named")
            .next("leave it out, or name no images: then it is about the gate's record"));
    }
    let mut seen = match (&args.config, by_name) {
        (config, true) => images::look(args, &named, config.as_deref(), now)?,
        (Some(config), false) => record::look(config, args, now)?,
        (None, false) => {
            return Err(Failure::new("no images were named, and no record of the gate")
                .next("name images, or the gate's configuration: --config cleanbill.yaml"));
        }
    };
    seen.settle();
    say(&left_out(&seen));
    let (text, made) = suggestion(&seen, &wishes, today(now))?;
    say(&summary(&made));
    let exit = if seen.missing.is_empty() { Exit::DONE } else { Exit::GAPS };
    let Some(path) = &args.output else { return Ok((text, exit)) };
    let mut open = std::fs::OpenOptions::new();
    let written = open.write(true).create_new(true).open(path);
    written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| {
        let failure = Failure::new(format!("cannot write {}: {e}", path.display()));
        failure.next("name a file that is not there yet")
    })?;
    Ok((String::new(), exit))
}

/// The policy, proven.
fn suggestion(seen: &Seen, wishes: &Wishes, today: Date) -> Result<(String, Made)> {
    if seen.sights.is_empty() {
        let why = match seen.missing.is_empty() {
            true => format!("there is nothing to suggest a policy from: {}", seen.basis.nothing()),
            false => "none of the images could be examined".to_owned(),
        };
        return Err(Failure::new(why));
    }
    let made = made::make(&seen.sights, wishes);
    let text = write::yaml(&made, &seen.basis, &seen.missing, today);
    made::prove(&text, &made, &seen.sights)?;
    Ok((text, made))
}

impl Basis {
    fn nothing(&self) -> String {
        format!("no image in {}", self.source)
    }
}

impl Seen {
    /// Moves what no policy could let run to what was not examined, and puts all in order.
    fn settle(&mut self) {
        let (good, bad): (Vec<Sight>, Vec<Sight>) =
            std::mem::take(&mut self.sights).into_iter().partition(Sight::is_examined);
        self.sights = good;
        self.missing.extend(bad.into_iter().map(|sight| {
            let denial = sight.refused(&Policy::default());
            let why = denial.and_then(|d| d.undecided.into_iter().next()).map(|(_, why)| why);
            let why = why.unwrap_or_else(|| match sight.is_local() {
                true => "nothing is registered under this name".to_owned(),
                false => "what is known is not about this image".to_owned(),
            });
            NotExamined { image: sight.image, why }
        }));
        self.sights.sort_by(|a, b| (&a.image, a.at).cmp(&(&b.image, b.at)));
        self.missing.sort_by(|a, b| a.image.cmp(&b.image));
        self.missing.dedup();
        self.denied.sort();
        self.denied.dedup();
    }
}

/// Says lines on standard error. A courtesy where it can be read; exit code and policy say the same.
fn say(lines: &[String]) {
    for line in lines {
        _ = writeln!(std::io::stderr().lock(), "{}", printable(line));
    }
}

/// The images that the policy says nothing about, by name.
fn left_out(seen: &Seen) -> Vec<String> {
    let denied = |image| format!("left out: {image}: its pod was denied, so it does not run");
    let missing =
        |NotExamined { image, why }: &NotExamined| format!("not examined: {image}: {why}");
    seen.denied.iter().map(denied).chain(seen.missing.iter().map(missing)).collect()
}

/// What came of it.
fn summary(made: &Made) -> Vec<String> {
    let mut lines = Vec::new();
    let (images, exceptions) = (made.images, made.policy.exceptions.len());
    lines.push(format!(
        "passing: {} of {}; {} for {}",
        write::count(images, "image"),
        write::of_repositories(made.repositories),
        write::count(exceptions, "exception"),
        write::of_repositories(made.excepted.len()),
    ));
    if exceptions > 0 && made.policy.exceptions.iter().any(|e| e.owner == NO_OWNER) {
        lines.push(format!(
            "nobody answers for the exceptions yet: name a person with --owner, or in the place of {NO_OWNER}"
        ));
    }
    lines
}

/// The keys of a policy in force that say whose word counts, which no image tells.
fn kept_elsewhere(policy: &Policy) -> Vec<&'static str> {
    let glass = &policy.break_glass;
    let nobody = glass.keys.is_empty() && glass.users.is_empty() && glass.groups.is_empty();
    let keys = [
        ("break_glass", !nobody),
        ("checkers", !policy.checkers.is_empty()),
        ("already_admitted", policy.keep_admitted.is_some()),
        ("record", !policy.record_first),
    ];
    keys.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
}

/// Whether a text can be written into the file as it is: names and versions are ASCII in practice,
/// and what is not could look like something else to whoever reads the policy.
fn written(text: &str) -> bool {
    !text.trim().is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

fn owner(text: &str) -> Result<String> {
    match text.trim() {
        "" | "FILL-IN" => Err(Failure::new("--owner names nobody")
            .next("write who answers for the exceptions, such as anna@example.org")),
        owner => Ok(owner.to_owned()),
    }
}

fn days(text: &str) -> std::result::Result<u32, String> {
    let number = text.strip_suffix('d').and_then(|n| n.parse().ok());
    number.filter(|days| (1..=MOST_DAYS).contains(days)).ok_or_else(|| {
        format!("{text:?} is no number of days: write it as 30d; at most {MOST_DAYS}d")
    })
}

fn last_day(now: Timestamp, days: u32) -> Date {
    today(now).saturating_add(jiff::Span::new().days(i64::from(days)))
}
