//! `cleanbill policy explain`: a policy in sentences, whole.

use std::path::PathBuf;

use cleanbill_core::Timestamp;
use cleanbill_core::policy::{
    AcceptedGap, Action, Agreement, Condition, Exception, FlawFilter, PackageFilter, Policy,
    Require, Scope, VersionRange, today,
};
use cleanbill_core::severity::Severity;

use crate::failure::Result;
use crate::policy_file::{self, NO_OWNER};
use crate::report::text::printable;
use crate::serve::load;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill policy explain policy.yaml
  cleanbill policy explain policy.yaml | less

Everything that the policy holds is told, profiles written out.";

/// Arguments of `policy explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Policy file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// The sentences.
///
/// # Errors
/// When the file cannot be read or is no policy.
pub fn run(args: &Args, now: Timestamp) -> Result<String> {
    let loaded = load::policy_and_warn(&args.file, now)?;
    policy_file::say(&loaded.warnings);
    Ok(explain(&loaded.policy, now))
}

/// The whole text.
pub fn explain(policy: &Policy, now: Timestamp) -> String {
    let mut lines = vec![format!("The policy \"{}\".", policy.name), String::new()];
    lines.push(refusing(policy));
    lines.extend(built_in(policy).into_iter().map(|line| format!("- {line}")));
    let rules = policy.rules.iter().map(|rule| {
        let (parts, on) = (condition(&rule.refuse), scope(&rule.scope, Side::Refuses));
        let message = rule.message.as_ref().map(|m| format!(" It adds: {m}"));
        let what = outcome(rule.action);
        format!("{}{on}: {parts}, {what}{}", rule.name, message.unwrap_or_default())
    });
    section(&mut lines, "Rules (each can only refuse):", rules);
    section(&mut lines, "Needed opinions:", policy.checkers.iter().map(agreement));
    section(
        &mut lines,
        "Accepted although it was not examined:",
        policy.accepted_gaps.iter().map(gap),
    );
    let exceptions = policy.exceptions.iter().map(|e| exception(e, now));
    section(&mut lines, "Exceptions:", exceptions);
    section(&mut lines, "Breaking the glass:", glass(policy).into_iter());
    lines.extend([String::new(), kept(policy), always(policy)]);
    let mut text: String = lines.iter().map(|line| printable(line) + "\n").collect();
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn section(lines: &mut Vec<String>, title: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    lines.push(String::new());
    if entries.peek().is_none() {
        lines.push(format!("{} none.", title.trim_end_matches(':').to_owned() + ":"));
        return;
    }
    lines.push(title.to_owned());
    lines.extend(entries.map(|line| format!("- {line}")));
}

fn refusing(policy: &Policy) -> String {
    match policy.action {
        Action::Enforce => "An image does not run if one of these holds:".into(),
        Action::Warn => {
            "If one of these holds, the image runs all the same, and whoever asks is warned:".into()
        }
        Action::Audit => {
            "If one of these holds, the image runs all the same, and only the record says so:"
                .into()
        }
    }
}

fn outcome(action: Action) -> &'static str {
    match action {
        Action::Enforce => "the image does not run.",
        Action::Warn => "whoever asks is only warned.",
        Action::Audit => "only the record says so.",
    }
}

/// What the keys refuse.
fn built_in(policy: &Policy) -> Vec<String> {
    let mut list = Vec::new();
    if let Some(allowed) = &policy.allowed {
        list.push(format!("it comes from elsewhere than {};", join(allowed, "or")));
    }
    if policy.digest_required {
        list.push("it is not named by digest;".into());
    }
    // Nothing is above the highest of all.
    let highest = policy.highest_severity.filter(|highest| *highest < Severity::Critical);
    if let Some(highest) = highest {
        let above = if highest == Severity::Unknown {
            "it has any flaw".to_owned()
        } else {
            format!("it has a flaw above {}", word(highest))
        };
        let fixable = if policy.only_fixable { " with a known fix" } else { "" };
        let unrated = word(policy.unrated_as);
        list.push(format!("{above}{fixable} (what nobody rated counts as {unrated});"));
    }
    list.push(format!(
        "something in it was not examined, and that is not accepted below (advisories older than {} days count as not examined).",
        policy.max_feed_age_days
    ));
    list
}

fn always(policy: &Policy) -> String {
    let glass = &policy.break_glass;
    let nobody = glass.keys.is_empty() && glass.users.is_empty() && glass.groups.is_empty();
    let unless = if nobody { "" } else { " but by breaking the glass for its digest" };
    let mut text = format!(
        "What is no image name is never allowed; nor is what could not be looked at at all{unless}."
    );
    if !policy.local_images.is_empty() {
        let names = join(&policy.local_images, "and");
        text.push_str(&format!(
            " No registry is asked for {names}: they run only as they were registered."
        ));
    }
    text
}

fn kept(policy: &Policy) -> String {
    match policy.keep_admitted {
        None => "Images that were allowed before are judged again every time.".into(),
        Some(seconds) => format!(
            "The same images with the same digests pass again in their namespace for {} after they were allowed, whatever the rules say by then.",
            time(seconds)
        ),
    }
}

fn time(seconds: u64) -> String {
    match (seconds / 86_400, seconds % 86_400) {
        (days, 0) => format!("{days} days"),
        _ => format!("{} hours", seconds / 3600),
    }
}

fn glass(policy: &Policy) -> Vec<String> {
    let glass = &policy.break_glass;
    let mut list: Vec<String> = glass
        .keys
        .iter()
        .map(|key| format!("a token signed by the key {} lets its images in.", key.id))
        .collect();
    let told = "lets images in, where the API server tells who asks (AdmissionReview)";
    list.extend(glass.users.iter().map(|user| format!("the user {user} {told}.")));
    list.extend(
        glass.groups.iter().map(|group| format!("whoever is in the group {group} {told}.")),
    );
    list
}

fn exception(exception: &Exception, now: Timestamp) -> String {
    let Exception { id, package, reason, owner, expires, scope: on } = exception;
    let package = package.as_ref().map(|p| format!(" in {p}")).unwrap_or_default();
    let on = scope(on, Side::Permits);
    let end = if *expires < today(now) { "expired on" } else { "until" };
    let who = match owner.as_str() {
        NO_OWNER => "nobody answers for it yet".to_owned(),
        owner => format!("{owner} answers for it"),
    };
    format!("{id}{package}{on}, {end} {expires}; {who}: {reason}")
}

fn gap(gap: &AcceptedGap) -> String {
    let subject = gap.subject.as_ref().map(|s| format!(" of {s}")).unwrap_or_default();
    format!("{}{subject}{}.", gap.kind, scope(&gap.scope, Side::Permits))
}

fn agreement(agreement: &Agreement) -> String {
    let names = match agreement.require {
        Require::All => format!("{} must agree", join(&agreement.names, "and")),
        Require::Any => format!("at least one of {} must agree", join(&agreement.names, "and")),
    };
    format!("{names}{}.", scope(&agreement.scope, Side::Refuses))
}

/// What a scope is for, which says how it is where nobody tells of the pod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Refuses,
    Permits,
}

/// Where it holds, with a blank before it; empty for everywhere.
fn scope(scope: &Scope, side: Side) -> String {
    let mut parts = Vec::new();
    let mut part = |words: &str, list: String| {
        if !list.is_empty() {
            parts.push(format!("{words} {list}"));
        }
    };
    part("in the namespaces", join(&scope.namespaces, "or"));
    part("outside of the namespaces", join(&scope.not_namespaces, "and"));
    part("for images of", join(&scope.repositories, "or"));
    part("for images not of", join(&scope.not_repositories, "and"));
    part("for images from", join(&scope.registries, "or"));
    part("on the platforms", join(&scope.platforms, "or"));
    let label = |(key, value): (&String, &Option<cleanbill_core::glob::Glob>)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.clone(),
    };
    let labels: Vec<String> = scope.labels.iter().map(label).collect();
    part("for pods with the labels", join(&labels, "and"));
    part("for requests of", join(&scope.users, "or"));
    part("for requests of members of", join(&scope.groups, "or"));
    part("for pods of the service account", join(&scope.service_accounts, "or"));
    if parts.is_empty() {
        return String::new();
    }
    let untold = match (scope.asks_about_pod(), side) {
        (false, _) => "",
        (true, Side::Refuses) => " (ImageReview does not tell: there, for every pod)",
        (true, Side::Permits) => " (ImageReview does not tell: there, never)",
    };
    format!(" {}{untold}", parts.join(", "))
}

fn condition(condition: &Condition) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(condition.flaws.as_ref().map(flaws));
    if !condition.packages.is_empty() {
        let packages: Vec<String> = condition.packages.iter().map(package).collect();
        parts.push(format!("the package {} is there", join(&packages, "or")));
    }
    if condition.runs_as_root {
        parts.push("it runs as root".into());
    }
    parts.extend(condition.older_than_days.map(|d| format!("it was built more than {d} days ago")));
    if condition.end_of_life {
        parts.push("its distribution's release is past its end of life".into());
    }
    if !condition.gaps.is_empty() {
        parts.push(format!("it has a gap of the kind {}", join(&condition.gaps, "or")));
    }
    if let Some(expression) = &condition.expression {
        let source: Vec<&str> = expression.source().split_whitespace().collect();
        parts.push(format!("this expression is true or has no value ({})", source.join(" ")));
    }
    match parts.is_empty() {
        // Nothing but `always` is left.
        true => "whatever is in it".to_owned(),
        false => format!("if {}", parts.join(", and ")),
    }
}

fn flaws(filter: &FlawFilter) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(
        filter.at_least.map(|s| {
            if s == Severity::Critical { word(s) } else { format!("{} or higher", word(s)) }
        }),
    );
    parts.extend(
        filter.fixable.map(|f| if f { "with a known fix" } else { "without a fix" }.into()),
    );
    let old = filter.fix_older_than_days;
    parts.extend(old.map(|days| format!("fixed and published more than {days} days ago")));
    if filter.known_exploited {
        parts.push("known to be exploited".into());
    }
    let likely = filter.epss.map(|s| format!("a probability of {}", share(s)));
    let ranked = filter.epss_percentile.map(|s| format!("a percentile of {}", share(s)));
    let scores: Vec<String> = likely.into_iter().chain(ranked).collect();
    if !scores.is_empty() {
        let scores = join(&scores, "and");
        parts.push(format!(
            "with {scores} or more in EPSS (no score, or none that is new enough, is a gap)"
        ));
    }
    for (metric, values) in &filter.cvss {
        parts.push(format!("with {metric}:{} in its CVSS vector", join(values, "or")));
    }
    if !filter.packages.is_empty() {
        parts.push(format!("in the package {}", join(&filter.packages, "or")));
    }
    if !filter.ids.is_empty() {
        parts.push(format!("called {}", join(&filter.ids, "or")));
    }
    let many = match filter.count.max(1) {
        1 => "it has a flaw".to_owned(),
        count => format!("it has {count} flaws or more"),
    };
    if parts.is_empty() { many } else { format!("{many} that is {}", parts.join(", ")) }
}

fn package(filter: &PackageFilter) -> String {
    let kind = filter.kind.map(|kind| format!(" ({})", format!("{kind:?}").to_ascii_lowercase()));
    let bounds: Vec<String> = filter
        .versions
        .iter()
        .map(|range| {
            let sign = match range {
                VersionRange::Below(_) => "<",
                VersionRange::UpTo(_) => "<=",
                VersionRange::Exactly(_) => "=",
                VersionRange::From(_) => ">=",
                VersionRange::Above(_) => ">",
            };
            format!(" {sign}{}", range.bound())
        })
        .collect();
    format!("{}{}{}", filter.name, kind.unwrap_or_default(), bounds.join(","))
}

/// `0.1`, of hundred-thousandths.
fn share(hundred_thousandths: u32) -> String {
    (f64::from(hundred_thousandths) / 1e5).to_string()
}

fn word(severity: Severity) -> String {
    severity.as_str().to_ascii_lowercase()
}

/// `a, b or c`.
fn join(list: &[impl ToString], word: &str) -> String {
    let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
    match texts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::policy_file::{Profile, parse};

    fn now() -> cleanbill_core::Timestamp {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_example_in_sentences() {
        let text = include_str!("../../../../../docs/policy-example.yaml");
        insta::assert_snapshot!(explain(&parse(text, "p").unwrap(), now()));
    }

    #[test]
    fn the_profiles_in_sentences() {
        let texts: Vec<String> = Profile::ALL.iter().map(|p| explain(&p.policy(), now())).collect();
        insta::assert_snapshot!(texts.join("\n---\n"));
    }

    #[test]
    fn no_flaw_is_above_the_highest_severity_of_all() {
        for (highest, told) in [("high", true), ("critical", false), ("any", false)] {
            let policy = parse(&format!("highest_severity: {highest}"), "p").unwrap();
            let text = explain(&policy, now());
            assert_eq!(text.contains("it has a flaw above"), told, "{text}");
        }
    }
}
