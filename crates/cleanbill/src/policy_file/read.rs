//! What all keys have in common: mappings without unknown keys, texts, lists, days, names, each
//! with every mistake in its place. The keys themselves are in the files beside this one.

use cleanbill_core::Date;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::NamePattern;
use cleanbill_core::severity::Severity;
use serde_saphyr::Location;

use super::Problem;
use super::node::{Node, Placed};

/// What a policy may want one day and cannot yet: saying so is better than "unknown".
pub(super) const NOT_YET: [&str; 8] = [
    "secrets",
    "licences",
    "licenses",
    "signed_by",
    "signatures",
    "attestations",
    "vex",
    "misconfigurations",
];

/// Keys that people write at the wrong place, and what to write.
const ELSEWHERE: [(&str, &str); 23] = [
    ("namespaces", "it belongs in a scope: scope: {namespaces: [prod-*]}"),
    ("not_namespaces", "it belongs in a scope: scope: {not_namespaces: [kube-system]}"),
    ("repositories", "it belongs in a scope: scope: {repositories: [registry.example/*]}"),
    ("not_repositories", "it belongs in a scope: scope: {not_repositories: [registry.example/*]}"),
    ("registries", "it belongs in a scope: scope: {registries: [registry.example]}"),
    ("platforms", "it belongs in a scope: scope: {platforms: [linux/amd64]}"),
    ("labels", "it belongs in the scope of a rule: scope: {labels: {team: payments}}"),
    ("users", "it belongs in a scope or in break_glass"),
    ("groups", "it belongs in a scope or in break_glass"),
    ("service_accounts", "it belongs in the scope of a rule: scope: {service_accounts: [ci/*]}"),
    ("kev", "it belongs in a rule: refuse: {flaws: {kev: true}}"),
    ("epss", "it belongs in a rule: refuse: {flaws: {epss: 0.1}}"),
    ("epss_percentile", "it belongs in a rule: refuse: {flaws: {epss_percentile: 0.95}}"),
    ("cvss", "it belongs in a rule: refuse: {flaws: {cvss: {AV: N}}}"),
    ("severity", "it belongs in a rule: refuse: {flaws: {severity: high}}"),
    ("fixable", "it belongs in a rule: refuse: {flaws: {fixable: true}}"),
    ("fix_older_than", "it belongs in a rule: refuse: {flaws: {fix_older_than: 30d}}"),
    ("count", "it belongs in a rule: refuse: {flaws: {count: 10}}"),
    ("always", "it belongs in a rule: refuse: {always: true}"),
    ("runs_as_root", "it belongs in a rule: refuse: {runs_as_root: true}"),
    ("older_than", "it belongs in a rule: refuse: {older_than: 90d}"),
    ("end_of_life", "it belongs in a rule: refuse: {end_of_life: true}"),
    ("cel", "it belongs in a rule: refuse: {cel: EXPRESSION}"),
];

/// What there is deliberately not, and why.
const NEVER: [(&str, &str); 4] = [
    (
        "password",
        "no secret stands here: put it into a file of its own, and name that: password_file",
    ),
    ("not_labels", "a pod's author chooses its labels: they may only make a decision stricter"),
    ("annotations", "a pod's author chooses its annotations: no scope depends on them"),
    (
        "not_service_accounts",
        "a pod's author chooses its service account: it may only make a decision stricter",
    ),
];

/// The longest time in days that can be asked for.
pub(super) const MAX_AGE_DAYS: u32 = 3650;

/// The most entries of a list within a policy's lists.
pub(super) const MAX_ENTRIES: usize = 256;

/// Reads a tree and collects what is wrong with it.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a str,
    /// The whole text, for places within texts.
    pub(crate) text: &'a str,
    pub(crate) problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(crate) fn problem(&mut self, at: Location, message: String, hint: impl Into<String>) {
        let file = self.file.to_owned();
        let (line, column) = (at.line().max(1), at.column().max(1));
        self.problems.push(Problem { file, line, column, message, hint: hint.into() });
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
            let shown = shown(word);
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
                    if let Some(why) = said(&NEVER, word) {
                        let message = format!("there is no \"{shown}\"");
                        self.problem(key.referenced, message, why);
                        continue;
                    }
                    let hint = match (said(&ELSEWHERE, word), nearest(word, known)) {
                        (Some(where_it_belongs), _) => where_it_belongs.to_owned(),
                        (None, Some(near)) => format!("did you mean \"{near}\"?"),
                        (None, None) => format!("the keys are {keys}"),
                    };
                    self.problem(key.referenced, format!("unknown key \"{shown}\""), hint);
                }
            }
        }
        found
    }

    pub(crate) fn wrong_type(&mut self, key: &str, node: &Placed, wanted: &str) {
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

    /// A list with something in it, and not too much.
    pub(crate) fn some<'n>(&mut self, key: &str, node: &'n Placed) -> &'n [Placed] {
        let list = self.list(key, node);
        if list.is_empty() && matches!(node.value, Node::List(_)) {
            let hint = "name at least one, or remove the key";
            self.problem(node.referenced, format!("\"{key}\" is an empty list"), hint);
        }
        if list.len() > MAX_ENTRIES {
            let message = format!("\"{key}\" has {} entries", list.len());
            self.problem(node.referenced, message, format!("at most {MAX_ENTRIES}"));
            return &[];
        }
        list
    }

    /// A list of texts with something in it.
    pub(crate) fn texts(&mut self, key: &str, node: &Placed) -> Vec<String> {
        let list = self.some(key, node);
        list.iter().filter_map(|entry| self.text(key, entry)).collect()
    }

    /// Says which keys must be there and are not.
    pub(crate) fn demand(
        &mut self,
        what: &str,
        node: &Placed,
        entries: &[(&'static str, &Placed)],
        keys: &[&str],
        hint: &str,
    ) {
        for key in keys {
            if matches!(node.value, Node::Map(_)) && !entries.iter().any(|(k, _)| k == key) {
                self.problem(node.referenced, format!("{what} has no \"{key}\""), hint);
            }
        }
    }

    /// `true`; what is not wanted is left out rather than written as `false`.
    pub(super) fn only_true(&mut self, key: &str, node: &Placed) -> bool {
        if matches!(node.value, Node::Bool(true)) {
            return true;
        }
        let message = format!("\"{key}\" can only be true");
        self.problem(node.referenced, message, "write true, or remove the key");
        false
    }

    /// One of a few words.
    pub(crate) fn word<T>(
        &mut self,
        key: &str,
        node: &Placed,
        words: &[(&'static str, T)],
    ) -> Option<T>
    where
        T: Copy,
    {
        let text = self.text(key, node)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(&text, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("one of {}", known.join(", ")),
        };
        self.problem(node.referenced, format!("\"{key}\" cannot be \"{}\"", shown(&text)), hint);
        None
    }

    /// A name pattern: in full, or (local images) as short as runtimes allow.
    pub(super) fn pattern(&mut self, key: &str, node: &Placed, short: bool) -> Option<NamePattern> {
        let text = self.text(key, node)?;
        let read = if short { NamePattern::completed(&text) } else { NamePattern::try_from(text) };
        match read {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                let (message, hint) = why.split_once(": ").unwrap_or((&why, "see docs/policy.md"));
                self.problem(node.referenced, message.to_owned(), hint);
                None
            }
        }
    }

    /// A name as policies give it to rules and as configurations give it to checkers.
    pub(super) fn name(&mut self, what: &str, key: &str, node: &Placed) -> Option<String> {
        let text = self.text(key, node)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.len() <= 63 && text.bytes().all(plain) {
            return Some(text);
        }
        let message = format!("\"{}\" is no name of a {what}", shown(&text));
        self.problem(node.referenced, message, "lower-case letters, digits and -, at most 63");
        None
    }

    pub(crate) fn rated(&mut self, key: &str, node: &Placed) -> Option<Severity> {
        let severity = node.value.as_text().parse().ok().filter(|s| *s != Severity::Unknown);
        if severity.is_none() {
            let message = format!("\"{key}\" is no severity");
            self.problem(node.referenced, message, "one of low, medium, high, critical");
        }
        severity
    }

    pub(crate) fn gap_kind(&mut self, key: &str, node: &Placed) -> Option<GapKind> {
        let text = self.text(key, node)?;
        if let Ok(kind) = text.parse() {
            return Some(kind);
        }
        let words: Vec<&str> = GapKind::ALL.iter().map(|k| k.as_str()).collect();
        let shown = shown(&text);
        let hint = match nearest(&text, &words) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the kinds are {}", words.join(", ")),
        };
        self.problem(node.referenced, format!("unknown kind of gap \"{shown}\""), hint);
        None
    }

    pub(super) fn date(&mut self, key: &str, node: &Placed) -> Option<Date> {
        let text = self.text(key, node)?;
        let date = text.parse().ok().filter(|_| text.len() == 10);
        if date.is_none() {
            let shown = shown(&text);
            let message = format!("\"{shown}\" is no date");
            self.problem(
                node.referenced,
                message,
                "write YYYY-MM-DD, the last day on which it holds",
            );
        }
        date
    }

    pub(super) fn days(&mut self, key: &str, node: &Placed) -> Option<u32> {
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

/// What a table says of a word.
fn said(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(key, _)| *key == word).map(|(_, said)| *said)
}

/// The beginning of what was written, fit to be shown.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
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
