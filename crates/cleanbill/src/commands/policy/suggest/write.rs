//! The suggested policy as YAML: every part with what it is there for.

use std::collections::BTreeMap;

use cleanbill_core::policy::{AcceptedGap, Exception, NamePattern, Rule};
use cleanbill_core::severity::Severity;
use cleanbill_core::{Date, gap::GapKind};

use super::flaws::Bar;
use super::made::{FIX_AVAILABLE, KNOWN_EXPLOITED, Made, NOT_ROOT, has_not_root};
use super::rest::AGES;
use super::{Basis, NotExamined};
use crate::policy_file::NO_OWNER;
use crate::report::text::{printable_lines, wrap_words};

/// Columns of a comment.
const COLUMNS: usize = 96;

/// The whole file.
pub(super) fn yaml(made: &Made, basis: &Basis, missing: &[NotExamined], today: Date) -> String {
    let mut out = Out::default();
    head(&mut out, made, basis, missing, today);
    out.line("name: suggested");
    names(&mut out, made);
    flaws(&mut out, made);
    rules(&mut out, made);
    advisories_and_gaps(&mut out, made);
    exceptions(&mut out, made);
    if !basis.kept_elsewhere.is_empty() {
        out.part(&format!(
            "The policy in force also says: {}. Whose word counts is not to be seen from images: copy what is still meant.",
            basis.kept_elsewhere.join(", ")
        ));
    }
    out.0
}

/// Lines.
#[derive(Default)]
struct Out(String);

impl Out {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn comment(&mut self, words: &str) {
        let words = printable_lines(&words.replace('\n', "\\n"));
        // An entry of a list stays one line, as names are there to be copied.
        let columns = if words.starts_with("- ") { usize::MAX } else { COLUMNS };
        for line in wrap_words(&words, columns) {
            self.line(&format!("# {line}"));
        }
    }

    /// An empty line, and why what follows is there.
    fn part(&mut self, why: &str) {
        self.line("");
        self.comment(why);
    }

    fn list(&mut self, indent: &str, key: &str, entries: &[impl ToString]) {
        self.line(&format!("{indent}{key}:"));
        for entry in entries {
            self.line(&format!("{indent}- {}", scalar(&entry.to_string())));
        }
    }
}

fn head(out: &mut Out, made: &Made, basis: &Basis, missing: &[NotExamined], today: Date) {
    let (images, repositories) = (count(made.images, "image"), of_repositories(made.repositories));
    out.comment(&format!(
        "Suggested on {today} by cleanbill {} from {} ({images} of {repositories}): the strictest policy that they pass. Each of them was held against it before it was written.",
        env!("CARGO_PKG_VERSION"),
        basis.source
    ));
    if !missing.is_empty() {
        out.line("#");
        out.comment("NOT COVERED, since they could not be examined:");
        for NotExamined { image, why } in missing {
            out.comment(&format!("- {image}: {why}"));
        }
    }
}

fn names(out: &mut Out, made: &Made) {
    let policy = &made.policy;
    out.part(
        "Where the images come from; everything else is refused by its name. REPOSITORY/* allows all below.",
    );
    out.list("", "allowed", policy.allowed.as_deref().unwrap_or_default());
    if !policy.local_images.is_empty() {
        out.part("No registry is asked for these: they run as they were registered.");
        out.list("", "local_images", &policy.local_images);
    }
    let local = made.policy.allowed.as_ref() == Some(&made.policy.local_images);
    out.part(match (policy.digest_required, local) {
        (true, false) => "Every image is named by digest.",
        (true, true) => "No image is a registry's; one would have to be named by digest.",
        (false, _) => {
            "Some images are named by a tag, which may come to stand for other bytes: see mutable-reference below."
        }
    });
    out.line(&format!("digest_required: {}", policy.digest_required));
}

fn flaws(out: &mut Out, made: &Made) {
    let Made { bar, repositories, excepted, .. } = made;
    let passing = repositories.saturating_sub(excepted.len());
    let who = match excepted.is_empty() {
        true => "All repositories pass this without exceptions.".to_owned(),
        false => {
            format!("Without exceptions {passing} of {} pass.", of_repositories(*repositories))
        }
    };
    let none = if bar.highest == Severity::Unknown { " (none: no flaw may)" } else { "" };
    out.part(&format!("The worst flaw that may run{none}. {who}"));
    if bar.highest == Severity::Critical {
        out.comment(
            "So no flaw refuses an image by its severity alone. More repositories may need exceptions with --exceptions N, and this gets stricter.",
        );
    }
    out.line(&format!("highest_severity: {}", word(bar.highest)));
    let unrated = bar.unrated_as;
    out.comment(match unrated > bar.highest || unrated == Severity::Critical {
        true => "A flaw that nobody rated counts as the worst: nobody knows that it is harmless.",
        false => {
            "Were flaws that nobody rated to count as the worst, too many repositories would need exceptions."
        }
    });
    out.line(&format!("unrated_as: {}", word(unrated)));
}

fn rules(out: &mut Out, made: &Made) {
    out.line("");
    if !has_not_root(&made.root, made.repositories) {
        out.comment(&format!(
            "There is no rule against running as root: images of {} of {} do.",
            made.root.len(),
            of_repositories(made.repositories)
        ));
    }
    out.line("rules:");
    for rule in &made.policy.rules {
        out.comment(why(rule, made));
        out.line(&format!("- name: {}", rule.name));
        if !rule.scope.not_repositories.is_empty() {
            out.line("  scope:");
            out.list("    ", "not_repositories", &rule.scope.not_repositories);
        }
        out.line(&format!("  refuse: {}", refuse(rule, made.bar)));
    }
}

fn why(rule: &Rule, made: &Made) -> &'static str {
    match rule.name.as_str() {
        FIX_AVAILABLE => "Where a fix is known, less may run: it only has to be installed.",
        KNOWN_EXPLOITED => "Flaws that are known to be exploited, whatever their severity.",
        _ if made.root.is_empty() => "No image runs as root unless its pod says so.",
        _ => "Images run as root unless their pods say otherwise only where they do today.",
    }
}

fn refuse(rule: &Rule, bar: Bar) -> String {
    match rule.name.as_str() {
        NOT_ROOT => "{runs_as_root: true}".to_owned(),
        KNOWN_EXPLOITED => "{flaws: {kev: true}}".to_owned(),
        _ => match bar.rule().and_then(|r| r.flaws).and_then(|f| f.at_least) {
            Some(least) => format!("{{flaws: {{severity: {}, fixable: true}}}}", word(least)),
            None => "{flaws: {fixable: true}}".to_owned(),
        },
    }
}

fn advisories_and_gaps(out: &mut Out, made: &Made) {
    let policy = &made.policy;
    let [wanted, ..] = AGES;
    out.part("Advisories older than this count as not examined.");
    if policy.max_feed_age_days > wanted {
        out.comment(&format!(
            "Older ones than {wanted} days were used: update them, and write {wanted}d."
        ));
    }
    out.line(&format!("max_feed_age: {}d", policy.max_feed_age_days));
    if policy.accepted_gaps.is_empty() {
        out.part("Everything could be examined, so nothing else is accepted.");
        out.line("accept_gaps: []");
        return;
    }
    out.part(
        "What could not be examined, and runs all the same: only where it is so today. Each of these is something to mend.",
    );
    out.line("accept_gaps:");
    let mut told: Option<GapKind> = None;
    for AcceptedGap { kind, subject, scope } in &policy.accepted_gaps {
        if told != Some(*kind) {
            out.comment(&format!("To mend it: {}.", kind.next_step()));
            told = Some(*kind);
        }
        out.line(&format!("- kind: {kind}"));
        if let Some(subject) = subject {
            out.line(&format!("  subject: {}", scalar(subject.as_str())));
        }
        repositories(out, &scope.repositories);
    }
}

fn repositories(out: &mut Out, list: &[NamePattern]) {
    if !list.is_empty() {
        out.line("  scope:");
        out.list("    ", "repositories", list);
    }
}

fn exceptions(out: &mut Out, made: &Made) {
    let all = &made.policy.exceptions;
    if all.is_empty() {
        out.part("No exception is needed.");
        out.line("exceptions: []");
        return;
    }
    let mut each: BTreeMap<String, usize> = BTreeMap::new();
    for repository in all.iter().flat_map(|e| &e.scope.repositories) {
        let flaws = each.entry(repository.to_string()).or_default();
        *flaws = flaws.saturating_add(1);
    }
    out.part("Flaws that somebody answers for until a day. After it the images are refused, so each is something to mend before:");
    for (repository, flaws) in each {
        out.comment(&format!("- {repository}: {}", count(flaws, "flaw")));
    }
    if all.iter().any(|e| e.owner == NO_OWNER) {
        out.comment(&format!(
            "Nobody answers for them yet: put a person in the place of {NO_OWNER}."
        ));
    }
    out.line("exceptions:");
    for Exception { id, package, reason, owner, expires, scope } in all {
        out.line(&format!("- id: {}", scalar(id)));
        if let Some(package) = package {
            out.line(&format!("  package: {}", scalar(package)));
        }
        out.line(&format!("  reason: {}", scalar(reason)));
        out.line(&format!("  owner: {}", scalar(owner)));
        out.line(&format!("  expires: {expires}"));
        repositories(out, &scope.repositories);
    }
}

fn word(severity: Severity) -> String {
    match severity {
        Severity::Unknown => "none".to_owned(),
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => {
            severity.as_str().to_ascii_lowercase()
        }
    }
}

/// `1 image`, `2 images`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `1 repository`, `2 repositories`.
pub(super) fn of_repositories(number: usize) -> String {
    format!("{number} {}", if number == 1 { "repository" } else { "repositories" })
}

/// A text as YAML: plain where it can be mistaken for nothing else, else in JSON's quotes, which
/// are YAML's too.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | ':');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let word = words.iter().any(|w| text.eq_ignore_ascii_case(w));
    // Nothing but names and ids is left plain; `*` in a pattern is never at its beginning.
    let body = text.strip_suffix("/*").unwrap_or(text);
    if begins && !word && body.chars().all(plain) && !body.ends_with(':') {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::scalar;
    use crate::policy_file::node::{Node, parse};

    #[test]
    fn every_text_comes_back_as_it_was_and_is_a_text() {
        let table = [
            "registry.example:5000/team/*",
            "CVE-2023-1",
            "1.10",
            "true",
            "No",
            "",
            "a: b",
            "a:",
            "- a",
            "*",
            "&x",
            "!tag",
            "0x10",
            "1e3",
            "alpine 3.9",
            "a #b",
            "\"quoted\" 'too'",
            "é",
            "a\\b",
            "null",
            "~",
            "a\nb",
            "@a",
            "`",
            "2026-01-01",
            "a,b",
            "[a]",
            "{a}",
            "%",
            "y",
            ".inf",
            "-",
        ];
        for text in table {
            let Ok(tree) = parse(&format!("k: {}", scalar(text))) else { panic!("{text:?}") };
            let Node::Map(map) = &tree.value else { panic!("{text:?}") };
            let Node::Text(read) = &map[0].1.value else { panic!("{text:?}") };
            assert_eq!(read, text);
        }
    }
}
