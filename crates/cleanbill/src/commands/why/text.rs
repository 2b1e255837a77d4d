//! The answer as a person reads it: the chain for each package, then what keeps it from being sure.
//! What comes from outside is escaped here, part by part.

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Epss, FlawFacts};
use cleanbill_core::finding::{Finding, Status, Why};
use cleanbill_core::gap::Gap;
use cleanbill_core::matching::{
    Answer, Because, Elsewhere, Explained, LookedInto, NotAffected, Outcome,
};
use cleanbill_core::package::Package;
use cleanbill_core::severity::Severity;
use cleanbill_core::suppression::NotMeant;

use super::{OfPackage, Told, layer};
use crate::report::suppressed::{Said, not_understood};
use crate::report::text::{printable, wrap_words};

/// Columns of the labels on the left, the indent included.
const LABEL: usize = 12;
/// Of other releases that many streams of a name are told, and that many names.
const ELSEWHERE_MAX: usize = 8;
/// The least that lines are broken at, however narrow the terminal is.
const NARROWEST: usize = 60;

/// All of it, in lines of at most `width` columns where words allow; `None`: lines are not broken.
pub(super) fn page(told: &Told, width: Option<usize>) -> String {
    let mut page = Page { out: head(told), width: width.map(|width| width.max(NARROWEST)) };
    for (one, said) in told.explanation.packages.iter().zip(&told.said) {
        page.out.push('\n');
        package(&mut page, told, one);
        of_package(&mut page, said);
    }
    if told.explanation.packages.is_empty() {
        not_named(&mut page, told);
    }
    if !told.explanation.gaps.is_empty() {
        page.out.push_str("\nCould not be examined:\n");
    }
    for gap in &told.explanation.gaps {
        gap_lines(&mut page, told, gap);
    }
    let notes = not_understood(&told.notes);
    if !notes.is_empty() {
        page.out.push('\n');
    }
    notes.iter().for_each(|line| page.broken("", line));
    page.out
}

/// What the caller's files say of it.
fn of_package(page: &mut Page, of: &OfPackage) {
    if let Some(out) = &of.out {
        page.line("left out", &statement(out));
    }
    if let Some(though) = &of.though {
        page.line("said too", &statement(though));
    }
    for (said, why) in &of.asides {
        let why = match why {
            NotMeant::Image => "it is about another image",
            NotMeant::Package => "it is about another package or version",
            NotMeant::File => "it is about other files",
            NotMeant::Expired => "it no longer holds",
            NotMeant::Outweighed => "something else that is said counts before it",
        };
        page.line("not meant", &format!("{}: {why}", statement(said)));
    }
    if of.more {
        page.line("", "and others that name the flaw and do not count here");
    }
}

fn statement(said: &Said) -> String {
    let why = Some(said.why()).filter(|why| !why.is_empty());
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{} by {}{why}", said.status, said.origin())
}

/// The answer in a line, and in a sentence where a word is not enough.
fn head(told: &Told) -> String {
    let name = printable(&told.report.artifact_name);
    let platform = told.report.evidence.platform.as_ref();
    let platform = platform.map(|p| format!(" ({})", printable(&p.to_string())));
    let named = !told.explanation.packages.is_empty();
    let answer = match told.answer {
        Answer::Affected => "affected",
        Answer::NotAffected if told.left_out => {
            "left out: affected by the advisories, and not by what the caller's files say"
        }
        Answer::NotAffected => "not affected",
        Answer::NotNamed => "not affected: no advisory that was looked into names its packages",
        Answer::Open if told.said.iter().any(|of| of.out.is_some()) => {
            "open: what is affected is left out, but not all was examined"
        }
        Answer::Open if named => "open: no affected package was found, but not all was examined",
        Answer::Open => "open: no advisory names its packages, but not all was examined",
        Answer::Unknown if told.explanation.elsewhere.is_empty() => {
            "not known: nothing that was looked into knows this id"
        }
        Answer::Unknown => "not known: other releases have it, and nothing is said of this one",
    };
    format!("{} in {name}{}: {answer}\n", printable(&told.id), platform.unwrap_or_default())
}

fn package(page: &mut Page, told: &Told, one: &Explained) {
    let Package { name, version, arch, evidence, .. } = &one.package;
    let arch = arch.as_ref().map(|arch| format!(" ({arch})")).unwrap_or_default();
    page.line("package", &format!("{name} {version}{arch}"));
    page.line("file", evidence);
    if let Some(owner) = &one.package.changed_from {
        let listed = "lists this file, but not with the checksum that it has";
        page.line("owner", &format!("none: the distribution's package {owner} {listed}"));
    }
    if let Some(id) = &one.package.layer {
        let place = layer(told, &one.package);
        let place = place.map(|(at, of)| format!(" (layer {at} of {of})")).unwrap_or_default();
        page.line("layer", &format!("{}{place}", id.diff_id));
    }
    if let Some(source) = &one.package.source {
        page.line("source", &format!("{} {}", source.name, source.version));
    }
    if !one.id.eq_ignore_ascii_case(&told.id) {
        page.line("flaw", &one.id);
    }
    outcome(page, told, &one.outcome);
}

fn outcome(page: &mut Page, told: &Told, outcome: &Outcome) {
    match outcome {
        Outcome::Affected(finding) => affected(page, told, finding),
        Outcome::NotAffected(reasons) => {
            let mut last: Option<&Why> = None;
            for reason in reasons {
                if last.is_none_or(|why| {
                    (&why.feed, &why.stream) != (&reason.why.feed, &reason.why.stream)
                }) {
                    looked_up(page, told, &reason.why);
                }
                last = Some(&reason.why);
                page.line("not", &sentence(reason));
            }
        }
        Outcome::Unreadable(gap) => {
            page.line("open", &format!("the advisory {} {}", gap.subject, gap.detail));
        }
        Outcome::NotCompared(gap) => page.line("open", &gap.detail),
        Outcome::LeftToDistribution { owner, otherwise } => {
            let says = match &**otherwise {
                Outcome::Affected(f) => format!("affected ({}, by {})", f.why.range, f.why.feed),
                Outcome::NotAffected(_) => "not affected".into(),
                Outcome::Unreadable(gap) | Outcome::NotCompared(gap) => {
                    format!("nothing sure ({})", gap.kind)
                }
                Outcome::LeftToDistribution { .. } => "the same".into(),
            };
            page.line(
                "left",
                &format!(
                    "to the distribution, which installed it with its package {owner}, knows that \
                     package, and mends it under versions of its own; its language's advisories \
                     alone would say: {says}"
                ),
            );
        }
    }
}

fn affected(page: &mut Page, told: &Told, f: &Finding) {
    looked_up(page, told, &f.why);
    let fix = match (f.status, f.fixed_versions.as_slice()) {
        (Status::Fixed, versions) => format!("fixed in {}", versions.join(" or ")),
        (Status::Affected, _) => "no version with a fix is known".into(),
        (Status::WillNotFix, _) => "the publisher will not fix it".into(),
        (Status::FixDeferred, _) => "the publisher puts a fix off".into(),
        (Status::EndOfLife, _) => "no fixes are made for this release any more".into(),
        (Status::UnderInvestigation, _) => "the publisher has not found out yet".into(),
    };
    page.line("rule", &format!("{}, {fix}", f.why.range));
    let by = if f.rated_by.is_empty() { String::new() } else { format!(" by {}", f.rated_by) };
    let vector = f.cvss.as_ref().map(|vector| format!(", {vector}")).unwrap_or_default();
    let rest = likely(f.epss, f.known_exploited);
    page.line("severity", &format!("{}{by}{vector}{rest}", f.severity));
    let others: Vec<&str> = f.aliases.iter().chain(&f.errata).map(String::as_str).collect();
    if !others.is_empty() {
        page.line("also", &others.join(", "));
    }
}

fn looked_up(page: &mut Page, told: &Told, why: &Why) {
    let feed = told.report.evidence.feeds.iter().find(|feed| feed.feed == why.feed);
    let of = day(feed.and_then(|feed| feed.as_of));
    page.line("looked up", &format!("{} {}, in {} {of}", why.stream, why.looked_up, why.feed));
}

fn day(as_of: Option<Timestamp>) -> String {
    as_of.map_or("without a date".into(), |day| format!("of {}", day.strftime("%F")))
}

/// Why an advisory does not apply.
pub(super) fn sentence(reason: &NotAffected) -> String {
    let NotAffected { id, why, because } = reason;
    let installed = &why.compared;
    let says = match because {
        Because::SaidSo => "its publisher says that no version is affected".into(),
        Because::Fixed(fixed) => format!("fixed in {fixed}, and {installed} is not lower"),
        Because::NotBelow(end) => format!("below {end} is affected, {installed} is not lower"),
        Because::AfterLast(last) => format!("{last} was the last affected, {installed} is higher"),
        Because::BeforeFirst(first) => {
            format!("{first} was the first affected ({}), {installed} is lower", why.range)
        }
        Because::NotListed(1) => format!("one affected version is listed, and not {installed}"),
        Because::NotListed(count) => {
            format!("{count} affected versions are listed, and not {installed}")
        }
        Because::NothingNamed => "it names no affected version".into(),
        Because::NoKernel => {
            "it is about the kernel, of which this package holds headers, documentation, source or \
             nothing but its name"
                .into()
        }
        Because::OtherFlavour(fixed) => {
            format!("{fixed} is a fix of another flavour (for FIPS, for Ksplice, or plain)")
        }
        Because::OtherPackages { arches, module } => {
            let on = match arches.as_slice() {
                [] => String::new(),
                arches => format!(" on {}", arches.join(", ")),
            };
            match module {
                Some(module) => format!("it is about packages of the module {module}{on}"),
                None if arches.is_empty() => {
                    "it is about the other line of packages, of a module or outside of all".into()
                }
                None => format!("it is about other packages, those{on}"),
            }
        }
    };
    format!("{says} ({id})")
}

fn not_named(page: &mut Page, told: &Told) {
    page.out.push('\n');
    for LookedInto { stream, feed, names } in &told.explanation.streams {
        let names = match names {
            1 => "1 name".to_owned(),
            names => format!("{names} names"),
        };
        let feed = match feed {
            Some(feed) => format!("in {} {}", feed.feed, day(feed.as_of)),
            None => "in no feed: none covers it".into(),
        };
        page.line("looked up", &format!("{stream}, {names} of packages, {feed}"));
    }
    if told.explanation.streams.is_empty() {
        page.line("looked up", "nothing: no package of this image has a stream of advisories");
    }
    elsewhere(page, &told.explanation.elsewhere);
    let FlawFacts { ratings, epss, exploited } = &told.explanation.known;
    if told.answer == Answer::Unknown && !told.explanation.elsewhere.is_empty() {
        page.line("next", "look at what the distribution says of this id and release; newer facts");
        page.line("", "are fetched by cleanbill db update");
        return;
    }
    if told.answer == Answer::Unknown {
        page.line(
            "next",
            "look at the id; cleanbill db status lists the feeds that are there, and",
        );
        page.line("", "cleanbill db update fetches newer ones");
        return;
    }
    let highest = ratings.iter().map(|r| r.severity).max().unwrap_or(Severity::Unknown);
    let by: Vec<&str> = ratings.iter().map(|r| r.source.as_str()).collect();
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
    page.line("severity", &format!("{highest}{by}{}", likely(*epss, *exploited)));
    page.line("not", "none of these packages has a name that advisories of this id name there;");
    page.line("", "other ecosystems were not searched");
}

/// Where other releases have the id.
fn elsewhere(page: &mut Page, all: &[Elsewhere]) {
    for Elsewhere { name, streams } in all.iter().take(ELSEWHERE_MAX) {
        let mut shown: Vec<String> =
            streams.iter().take(ELSEWHERE_MAX).map(ToString::to_string).collect();
        if streams.len() > shown.len() {
            shown.push(format!("and {} more", streams.len() - shown.len()));
        }
        page.line("elsewhere", &format!("{name} in {}", shown.join(", ")));
    }
    if all.len() > ELSEWHERE_MAX {
        page.line("", &format!("and {} other names", all.len() - ELSEWHERE_MAX));
    }
}

fn likely(epss: Option<Epss>, exploited: bool) -> String {
    let epss = epss.map(|e| {
        let digits = format!("{}.{:05}", e.probability / 100_000, e.probability % 100_000);
        format!("; EPSS {}", digits.trim_end_matches('0').trim_end_matches('.'))
    });
    let exploited = if exploited { "; known to be exploited" } else { "" };
    format!("{}{exploited}", epss.unwrap_or_default())
}

fn gap_lines(page: &mut Page, told: &Told, gap: &Gap) {
    let concerns = told.explanation.packages.iter().any(|p| p.outcome.gap() == Some(gap));
    let accepted = told.accepted.contains(&gap.kind) && !concerns;
    let accepted = if accepted { " (accepted)" } else { "" };
    page.broken("  ", &format!("{}{accepted}: {}: {}", gap.kind, gap.subject, gap.detail));
    page.broken("    ", &format!("next: {}", gap.kind.next_step()));
}

/// Lines with a label on the left, broken between words.
struct Page {
    out: String,
    width: Option<usize>,
}

impl Page {
    fn line(&mut self, label: &str, text: &str) {
        self.broken(&format!("  {label:<10}"), text);
    }

    fn broken(&mut self, first: &str, text: &str) {
        let indent = first.len().min(LABEL);
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(indent));
        for (n, line) in wrap_words(&printable(text), room).into_iter().enumerate() {
            let start = if n == 0 { first.to_owned() } else { " ".repeat(indent) };
            self.out.push_str(&start);
            self.out.push_str(&line);
            self.out.push('\n');
        }
    }
}
