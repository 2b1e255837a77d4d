//! The keys of a policy file: what each may hold. One visible list names them all.

use cleanbill_core::Date;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, Exception, NamePattern, Policy, Scope};
use cleanbill_core::severity::Severity;
use serde_saphyr::Location;

use super::Problem;
use super::node::{Node, Placed};

/// Every key of a policy.
pub(crate) const KEYS: [&str; 9] = [
    "name",
    "allowed",
    "digest_required",
    "highest_severity",
    "unrated_as",
    "only_fixable",
    "accept_gaps",
    "exceptions",
    "max_feed_age",
];

/// Every key of an exception.
const EXCEPTION_KEYS: [&str; 5] = ["id", "package", "reason", "owner", "expires"];

/// What a policy may want one day and cannot yet: saying so is better than "unknown".
const NOT_YET: [&str; 14] = [
    "secrets",
    "licences",
    "licenses",
    "signed_by",
    "signatures",
    "attestations",
    "kev",
    "epss",
    "vex",
    "misconfigurations",
    "namespaces",
    "cel",
    "break_glass",
    "platforms",
];

/// The longest age of a feed that can be asked for, in days.
const MAX_AGE_DAYS: u32 = 3650;

/// Reads a tree and collects what is wrong with it.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a str,
    pub(crate) problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(crate) fn problem(&mut self, at: Location, message: String, hint: impl Into<String>) {
        let file = self.file.to_owned();
        let (line, column) = (at.line().max(1), at.column().max(1));
        self.problems.push(Problem { file, line, column, message, hint: hint.into() });
    }

    /// Reads a policy. Only without problems is it one.
    pub(crate) fn policy(&mut self, root: &Placed) -> Policy {
        let mut policy = Policy::default();
        for (key, value) in self.entries(root, "the policy", &KEYS) {
            match key {
                "name" => {
                    if let Some(name) = self.text(key, value) {
                        policy.name = name;
                    }
                }
                "allowed" => policy.allowed = self.allowed(value),
                "digest_required" => policy.digest_required = self.boolean(key, value),
                "only_fixable" => policy.only_fixable = self.boolean(key, value),
                "highest_severity" => policy.highest_severity = self.highest_severity(value),
                "unrated_as" => {
                    if let Some(severity) = self.rated(key, value) {
                        policy.unrated_as = severity;
                    }
                }
                "accept_gaps" => {
                    for entry in self.list(key, value) {
                        let kind = self.gap_kind(entry);
                        policy.accepted_gaps.extend(kind.map(AcceptedGap::everywhere));
                    }
                }
                "exceptions" => {
                    for entry in self.list(key, value) {
                        policy.exceptions.extend(self.exception(entry));
                    }
                }
                "max_feed_age" => {
                    if let Some(days) = self.days(key, value) {
                        policy.max_feed_age_days = days;
                    }
                }
                // `entries` gives none but the known keys.
                _ => {}
            }
        }
        policy
    }

    /// The entries of a mapping under its known keys, each once; the others are problems.
    pub(crate) fn entries<'n>(
        &mut self,
        node: &'n Placed,
        what: &str,
        known: &[&'static str],
    ) -> Vec<(&'static str, &'n Placed)> {
        let keys = known.join(", ");
        let Node::Map(map) = &node.value else {
            let message = format!("{what} is {}, not a mapping", node.value.what());
            self.problem(
                node.referenced,
                message,
                format!("write KEY: VALUE; the keys are {keys}"),
            );
            return Vec::new();
        };
        let mut found: Vec<(&'static str, &Placed)> = Vec::new();
        for (key, value) in map {
            let Node::Text(word) = &key.value else {
                let message = format!("a key is {}", key.value.what());
                self.problem(key.referenced, message, format!("the keys are {keys}"));
                continue;
            };
            let shown: String = word.chars().take(60).flat_map(char::escape_debug).collect();
            match known.iter().find(|k| *k == word) {
                Some(key_name) if found.iter().any(|(k, _)| k == key_name) => {
                    let message = format!("\"{shown}\" is there twice");
                    self.problem(key.referenced, message, "keep one of them");
                }
                Some(key_name) => found.push((key_name, value)),
                None if NOT_YET.contains(&word.as_str()) => {
                    let message = format!("\"{shown}\" is not there yet");
                    let hint = "this version cannot check it, so it does not pretend to: remove it";
                    self.problem(key.referenced, message, hint);
                }
                None => {
                    let hint = match nearest(word, known) {
                        Some(near) => format!("did you mean \"{near}\"?"),
                        None => format!("the keys are {keys}"),
                    };
                    self.problem(key.referenced, format!("unknown key \"{shown}\""), hint);
                }
            }
        }
        found
    }

    fn wrong_type(&mut self, key: &str, node: &Placed, wanted: &str) {
        let message = format!("\"{key}\" is {}, not {wanted}", node.value.what());
        let hint = match &node.value {
            Node::Number(number) => format!("put quotes around it if you mean \"{number}\""),
            Node::Null => "give it a value, or remove the key".to_owned(),
            Node::Bool(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => {
                format!("write {wanted}")
            }
        };
        self.problem(node.referenced, message, hint);
    }

    pub(crate) fn text(&mut self, key: &str, node: &Placed) -> Option<String> {
        let Node::Text(text) = &node.value else {
            self.wrong_type(key, node, "a text");
            return None;
        };
        if text.trim().is_empty() {
            self.problem(node.referenced, format!("\"{key}\" is empty"), "write what it is");
            return None;
        }
        Some(text.clone())
    }

    pub(crate) fn boolean(&mut self, key: &str, node: &Placed) -> bool {
        if let Node::Bool(value) = node.value {
            return value;
        }
        let message = format!("\"{key}\" is {}, not true or false", node.value.what());
        self.problem(node.referenced, message, "write true or false");
        false
    }

    pub(crate) fn list<'n>(&mut self, key: &str, node: &'n Placed) -> &'n [Placed] {
        if let Node::List(list) = &node.value {
            return list;
        }
        self.wrong_type(key, node, "a list");
        &[]
    }

    fn allowed(&mut self, node: &Placed) -> Option<Vec<NamePattern>> {
        let list = self.list("allowed", node);
        if list.is_empty() && matches!(node.value, Node::List(_)) {
            let hint = "name the repositories, or remove the key to allow all";
            self.problem(node.referenced, "\"allowed\" is an empty list".into(), hint);
        }
        let mut patterns = Vec::new();
        for entry in list {
            let Some(text) = self.text("allowed", entry) else { continue };
            match NamePattern::try_from(text) {
                Ok(pattern) => patterns.push(pattern),
                Err(why) => {
                    let (message, hint) =
                        why.split_once(": ").unwrap_or((&why, "see docs/policy.md"));
                    self.problem(entry.referenced, message.to_owned(), hint);
                }
            }
        }
        Some(patterns)
    }

    /// `none`, one of the four words, or `any`.
    fn highest_severity(&mut self, node: &Placed) -> Option<Severity> {
        let word = node.value.as_text().to_ascii_lowercase();
        match word.as_str() {
            "any" => None,
            // Nothing counts as `Unknown` (`unrated_as` cannot be it), so nothing passes.
            "none" => Some(Severity::Unknown),
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            "critical" => Some(Severity::Critical),
            _ => {
                let message = "\"highest_severity\" is no severity".to_owned();
                let hint = "one of none, low, medium, high, critical, any";
                self.problem(node.referenced, message, hint);
                None
            }
        }
    }

    fn rated(&mut self, key: &str, node: &Placed) -> Option<Severity> {
        let severity = node.value.as_text().parse().ok().filter(|s| *s != Severity::Unknown);
        if severity.is_none() {
            let message = format!("\"{key}\" is no severity");
            self.problem(node.referenced, message, "one of low, medium, high, critical");
        }
        severity
    }

    fn gap_kind(&mut self, node: &Placed) -> Option<GapKind> {
        let text = self.text("accept_gaps", node)?;
        if let Ok(kind) = text.parse() {
            return Some(kind);
        }
        let words: Vec<&str> = GapKind::ALL.iter().map(|k| k.as_str()).collect();
        let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
        let hint = match nearest(&text, &words) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the kinds are {}", words.join(", ")),
        };
        self.problem(node.referenced, format!("unknown kind of gap \"{shown}\""), hint);
        None
    }

    fn exception(&mut self, node: &Placed) -> Option<Exception> {
        let (mut id, mut package, mut reason, mut owner, mut expires) =
            (None, None, None, None, None);
        let before = self.problems.len();
        let entries = self.entries(node, "an exception", &EXCEPTION_KEYS);
        let is_map = matches!(node.value, Node::Map(_));
        for key in ["id", "reason", "owner", "expires"] {
            if is_map && !entries.iter().any(|(k, _)| *k == key) {
                let hint =
                    "every exception says which flaw, why, who answers for it and until when";
                self.problem(node.referenced, format!("the exception has no \"{key}\""), hint);
            }
        }
        for (key, value) in entries {
            match key {
                "id" => id = self.text(key, value),
                "package" => package = self.text(key, value),
                "reason" => reason = self.text(key, value),
                "owner" => owner = self.text(key, value),
                _ => expires = self.date(key, value),
            }
        }
        if self.problems.len() > before {
            return None;
        }
        let scope = Scope::default();
        let (id, reason, owner, expires) = (id?, reason?, owner?, expires?);
        Some(Exception { id, package, reason, owner, expires, scope })
    }

    fn date(&mut self, key: &str, node: &Placed) -> Option<Date> {
        let text = self.text(key, node)?;
        let date = text.parse().ok().filter(|_| text.len() == 10);
        if date.is_none() {
            let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
            let message = format!("\"{shown}\" is no date");
            self.problem(
                node.referenced,
                message,
                "write YYYY-MM-DD, the last day on which it holds",
            );
        }
        date
    }

    fn days(&mut self, key: &str, node: &Placed) -> Option<u32> {
        let text = node.value.as_text();
        let number = text.strip_suffix('d').filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let days = number.and_then(|n| n.parse().ok()).filter(|days| *days <= MAX_AGE_DAYS);
        if days.is_none() {
            let message = format!("\"{key}\" is no number of days");
            self.problem(node.referenced, message, "write it as 7d; at most 3650d");
        }
        days
    }
}

/// The known word that is nearest to what was written, if any is near.
fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    if written.len() > 60 {
        return None;
    }
    let written = written.to_ascii_lowercase().replace('-', "_");
    let distance = |word: &str| distance(&written, &word.replace('-', "_"));
    let near = known.iter().map(|word| (distance(word), *word)).min()?;
    (near.0 <= 1 + near.1.len() / 4).then_some(near.1)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let up = *slot;
            left = (left + 1).min(up + 1).min(diagonal + usize::from(x != y));
            diagonal = up;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
