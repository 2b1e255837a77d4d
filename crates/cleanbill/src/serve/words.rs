//! A denial in words: what a person who made a pod reads, in `kubectl`'s one error line.
//!
//! One paragraph: which image, which rule, the worst findings with their fixes, what was not
//! examined, and the decision's id. Everything from outside is escaped and every list is bounded
//! with "and N more", so that nothing looks complete that is not. A rule's message is its owner's:
//! it is said in his letters, and a denial says it whole.

use std::fmt::Write as _;

use cleanbill_core::finding::Finding;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::policy::{Because, Policy};
use cleanbill_core::verdict::{Denial, Leaned, Noted, Reason};

use crate::report::text::{own_words, printable};

/// Items of one list that are spelled out.
const SHOWN: usize = 5;
/// Images past those that are named at most, each with up to [`QUOTED`] characters.
const NAMED: usize = 15;
/// Characters of one quoted name, version or detail.
const QUOTED: usize = 160;
/// Characters of the whole paragraph, decision id excluded.
const WHOLE: usize = 4_000;

/// The paragraph. `token` says why a break-glass token that came along was not accepted.
pub fn denial(denial: &Denial, policy: &Policy, id: &str, token: Option<&str>) -> String {
    let mut sentences = Vec::new();
    for (image, reasons) in denial.refused.iter().take(SHOWN) {
        let mut parts: Vec<String> = reasons.iter().map(|r| reason(r, policy, WHOLE)).collect();
        if parts.is_empty() {
            parts.push("it was refused".into());
        }
        sentences.push(format!("{}: {}.", named(image), parts.join("; ")));
    }
    more(&mut sentences, denial.refused.iter().map(|(image, _)| image), "refused");
    for (image, why) in denial.undecided.iter().take(SHOWN) {
        sentences.push(format!("{}: could not be judged: {}.", named(image), quote(why)));
    }
    more(&mut sentences, denial.undecided.iter().map(|(image, _)| image), "not judged");
    if let Some(why) = token {
        // Our own words, which quote nothing of the token.
        sentences.push(format!("The break-glass token was not accepted: {}.", cut(why, QUOTED)));
    }
    finish(&sentences.join(" "), id)
}

/// The paragraph for a question that was not judged at all.
pub fn unjudged(why: &str, id: &str) -> String {
    finish(&format!("Not judged: {}.", printable(why)), id)
}

/// What a rule that only warns has found, in a line. A long message leaves room for that, since
/// the API server cuts long warnings.
pub fn warning(noted: &Noted, policy: &Policy) -> String {
    format!("{}: {}", named(&noted.image), reason(&noted.reason, policy, QUOTED))
}

/// Why an image that no registry has is not judged by what is registered.
pub const PULLED: &str = "imagePullPolicy Always (meant too by none and the tag latest) makes nodes \
    pull whatever a registry has by this name: set imagePullPolicy: Never";

/// What may go wrong with an image that no registry has, in a line.
pub fn may_be_pulled(image: &str) -> String {
    format!(
        "{}: a node without this image pulls whatever a registry has by this name: set \
         imagePullPolicy: Never",
        named(image)
    )
}

/// Rules that were not met and did not deny, for the audit log: each once, with its action.
pub fn noted(noted: &[Noted]) -> String {
    let mut all: Vec<String> =
        noted.iter().map(|n| format!("{}={}", quote(n.reason.rule()), n.action.as_str())).collect();
    all.sort();
    all.dedup();
    list(&all, all.len())
}

/// What let images in past a rule, for whoever asked: break-glass and earlier admissions.
pub fn leaned(leaned: &[Leaned]) -> Vec<String> {
    let told = |leaned: &Leaned| match leaned {
        Leaned::Exception { .. } | Leaned::Gap { .. } => None,
        Leaned::Grant { image, grant, .. } => Some(format!(
            "{}: let in by break-glass token {} of {}, until {}",
            named(image),
            quote(&grant.id),
            quote(&grant.person),
            grant.expires
        )),
        Leaned::User { image, user, .. } => {
            Some(format!("{}: let in since {} may break the glass", named(image), quote(user)))
        }
        Leaned::Admitted { decision, at, .. } => Some(format!(
            "these images were allowed in this namespace before (decision {}, {at})",
            quote(decision)
        )),
    };
    leaned.iter().filter_map(told).collect()
}

/// Who broke the glass, for the record.
pub fn break_glass(leaned: &[Leaned]) -> Option<String> {
    leaned.iter().find_map(|leaned| match leaned {
        Leaned::Grant { grant, .. } => Some(
            serde_json::json!({ "id": grant.id, "person": grant.person, "reason": grant.reason })
                .to_string(),
        ),
        Leaned::User { user, .. } => Some(serde_json::json!({ "user": user }).to_string()),
        Leaned::Exception { .. } | Leaned::Gap { .. } | Leaned::Admitted { .. } => None,
    })
}

fn finish(text: &str, id: &str) -> String {
    format!("{} Decision {id}.", cut(text, WHOLE))
}

/// The images of which no more is said than their names.
fn more<'i>(sentences: &mut Vec<String>, all: impl Iterator<Item = &'i String>, what: &str) {
    let rest: Vec<String> = all.skip(SHOWN).map(|image| named(image)).collect();
    if !rest.is_empty() {
        let images = if rest.len() == 1 { "image" } else { "images" };
        let names = first(&rest, NAMED, rest.len());
        sentences.push(format!("And {} more {images} {what}: {names}.", rest.len()));
    }
}

fn named(image: &str) -> String {
    if image.is_empty() { "The pod".into() } else { quote(image) }
}

/// Why, with at most so many characters of a rule's message.
fn reason(reason: &Reason, policy: &Policy, most: usize) -> String {
    let rule = reason.rule();
    match reason {
        Reason::NameNotAllowed { allowed } => {
            let patterns: Vec<String> =
                allowed.iter().take(SHOWN).map(|p| quote(&p.to_string())).collect();
            format!("images may only come from {} (rule `{rule}`)", list(&patterns, allowed.len()))
        }
        Reason::NoReference(why) => format!("{} (rule `{rule}`)", quote(why)),
        Reason::DigestRequired => {
            format!("it must be named by digest, as name@sha256:… (rule `{rule}`)")
        }
        Reason::Severity { highest, findings } => {
            let flaws: Vec<String> =
                findings.iter().take(SHOWN).map(|f| finding(f, policy)).collect();
            let count = if findings.len() == 1 {
                "1 flaw".into()
            } else {
                format!("{} flaws", findings.len())
            };
            format!(
                "{count} above {highest}, the highest severity that policy {} allows (rule `{rule}`): {}",
                quote(&policy.name),
                list(&flaws, findings.len())
            )
        }
        Reason::Gaps(gaps) => {
            let kinds = kinds(gaps);
            format!("not examined (rule `{rule}`): {}", list(&kinds, kinds.len()))
        }
        Reason::NotRegistered => format!(
            "no registry is asked for this name, and no image is registered under it (rule `{rule}`)"
        ),
        Reason::Rule { message, because, .. } => {
            let found: Vec<String> = because.iter().map(|b| found(b, policy)).collect();
            let message = message
                .as_ref()
                .map_or(String::new(), |m| format!("{}: ", own_words(&cut(m, most))));
            let rule = quote(rule);
            format!("{message}{} (rule `{rule}`)", list(&found, found.len()))
        }
        Reason::Checker { name, words } => {
            let words = if words.is_empty() { "no reason given".into() } else { quote(words) };
            format!("checker {} says no: {words} (rule `{rule}`)", quote(name))
        }
        Reason::NothingAsked => "it names no image".into(),
        Reason::WrongEvidence => "the evidence is about another image".into(),
    }
}

/// The same without the rule's name, and without the flaws and gaps it names: for whoever shows
/// those himself.
pub fn short(broken: &Reason, policy: &Policy) -> String {
    match broken {
        Reason::Rule { message, because, .. } => {
            let told = because.iter().map(|b| match b {
                Because::Flaws(flaws) => count(flaws.len(), "flaw"),
                Because::Gaps(gaps) => format!("{} not examined", count(gaps.len(), "part")),
                Because::Always
                | Because::Packages(_)
                | Because::RunsAsRoot(_)
                | Because::TooOld(..)
                | Because::EndOfLife(_)
                | Because::Expression(_) => found(b, policy),
            });
            let told: Vec<String> = message.iter().map(|m| own_words(m)).chain(told).collect();
            told.join(": ")
        }
        Reason::Gaps(gaps) => format!("{} not examined", count(gaps.len(), "part")),
        Reason::NameNotAllowed { .. }
        | Reason::NoReference(_)
        | Reason::NotRegistered
        | Reason::DigestRequired
        | Reason::Severity { .. }
        | Reason::Checker { .. }
        | Reason::NothingAsked
        | Reason::WrongEvidence => {
            let told = reason(broken, policy, WHOLE);
            told.split_once(" (rule `").map_or(told.clone(), |(before, _)| before.to_owned())
        }
    }
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What a rule found.
fn found(because: &Because, policy: &Policy) -> String {
    match because {
        Because::Always => "refused whatever is in it".into(),
        Because::Flaws(flaws) => {
            let shown: Vec<String> = flaws.iter().take(SHOWN).map(|f| finding(f, policy)).collect();
            list(&shown, flaws.len())
        }
        Because::Packages(packages) => {
            let of =
                |(name, version): &(String, String)| format!("{} {}", quote(name), quote(version));
            let shown: Vec<String> = packages.iter().take(SHOWN).map(of).collect();
            format!("it has {}", list(&shown, packages.len()))
        }
        Because::RunsAsRoot(_) => "it runs as root".into(),
        Because::TooOld(day, most) => format!("it was built on {day}, more than {most} days ago"),
        Because::Expression(says) => quote(says),
        Because::EndOfLife(what) => format!("{} is past its end of life", quote(what)),
        Because::Gaps(gaps) => {
            let kinds = kinds(gaps);
            list(&kinds, kinds.len())
        }
    }
}

fn finding(found: &Finding, policy: &Policy) -> String {
    let severity = match (found.severity, policy.counts_as(found)) {
        (rated, counted) if rated == counted => rated.to_string(),
        (_, counted) => format!("{} (counts as {counted})", found.severity),
    };
    let mut text = format!(
        "{} {severity} in {} {}",
        quote(&found.id),
        quote(&found.package.name),
        quote(&found.package.version)
    );
    match found.fixed_versions.as_slice() {
        [] => text.push_str(" (no fix known"),
        fixed => {
            let fixed: Vec<String> = fixed.iter().take(3).map(|v| quote(v)).collect();
            // Writing to a String cannot fail.
            _ = write!(text, " (fixed in {}", fixed.join(" or "));
        }
    }
    text.push_str(if found.known_exploited { "; known to be exploited)" } else { ")" });
    text
}

/// Gaps grouped by kind, in the kinds' order: the first of each in full, the others counted.
fn kinds(gaps: &[Gap]) -> Vec<String> {
    let of = |kind: GapKind| gaps.iter().filter(move |g| g.kind == kind);
    let group = |kind: &GapKind| {
        let first = of(*kind).next()?;
        let others = of(*kind).count() - 1;
        let rest =
            if others > 0 { format!(", and {others} more of the kind") } else { String::new() };
        Some(format!("`{kind}` {} ({}{rest})", quote(&first.subject), quote(&first.detail)))
    };
    GapKind::ALL.iter().filter_map(group).collect()
}

/// The first few of `all` items.
fn list(items: &[String], all: usize) -> String {
    first(items, SHOWN, all)
}

fn first(items: &[String], most: usize, all: usize) -> String {
    let shown = items.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.saturating_sub(most) {
        0 if items.is_empty() => "nothing".into(),
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

fn quote(text: &str) -> String {
    cut(&printable(&cut(text, QUOTED)), QUOTED * 2)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most).chain(['…']).collect()
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
