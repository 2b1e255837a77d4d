//! The keys of a policy, and what each may hold.

use std::str::FromStr as _;

use cleanbill_core::policy::{Action, NamePattern, Policy};
use cleanbill_core::severity::Severity;
use serde_saphyr::Location;

use super::node::{Node, Placed};
use super::profile::Profile;
use super::read::Reader;

/// Every key of a policy.
pub(crate) const KEYS: [&str; 17] = [
    "name",
    "profile",
    "action",
    "allowed",
    "local_images",
    "digest_required",
    "highest_severity",
    "unrated_as",
    "only_fixable",
    "accept_gaps",
    "exceptions",
    "max_feed_age",
    "rules",
    "record",
    "already_admitted",
    "break_glass",
    "checkers",
];

/// The most rules of a policy.
const MAX_RULES: usize = 256;

/// The longest time for which an admitted set of images may be kept, in days.
const MAX_KEEP_DAYS: u64 = 90;

/// Where the parts of a policy stand, for warnings about them.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) policy: Option<Location>,
    pub(crate) action: Option<Location>,
    /// In the order of `Policy::exceptions`.
    pub(crate) exceptions: Vec<Location>,
    /// In the order of `Policy::rules`; `None`: it came with the profile.
    pub(crate) rules: Vec<Option<Location>>,
    pub(crate) break_glass: Option<Location>,
}

impl Reader<'_> {
    /// Reads a policy. Only without problems is it one.
    pub(crate) fn policy(&mut self, root: &Placed) -> Policy {
        self.policy_with_places(root).0
    }

    /// The same, and where its parts stand.
    pub(crate) fn policy_with_places(&mut self, root: &Placed) -> (Policy, Places) {
        let entries = self.entries(root, "the policy", &KEYS);
        let written = |wanted: &str| entries.iter().find(|(key, _)| *key == wanted);
        let profile = written("profile").and_then(|(key, value)| {
            let words = Profile::ALL.map(|p| (p.as_str(), p));
            self.word(key, value, &words)
        });
        let mut policy = profile.map_or_else(Policy::default, Profile::policy);
        let mut places = Places { policy: Some(root.referenced), ..Places::default() };
        places.rules = vec![None; policy.rules.len()];
        if profile == Some(Profile::Airgap) && written("allowed").is_none() {
            let hint = "name the registries inside: allowed: [registry.example/*]";
            let message = "the profile airgap has no \"allowed\"".to_owned();
            self.problem(root.referenced, message, hint);
        }
        // Rules take the policy's action where they have none of their own.
        if let Some((key, value)) = written("action") {
            places.action = Some(value.referenced);
            policy.action = self.action(key, value).unwrap_or_default();
        }
        for (key, value) in entries {
            match key {
                "name" => policy.name = self.text(key, value).unwrap_or_default(),
                "allowed" => policy.allowed = self.allowed(value),
                "local_images" => policy.local_images = self.patterns(key, value, true),
                "digest_required" => policy.digest_required = self.boolean(key, value),
                "only_fixable" => policy.only_fixable = self.boolean(key, value),
                "highest_severity" => policy.highest_severity = self.highest_severity(value),
                "unrated_as" => policy.unrated_as = self.rated(key, value).unwrap_or_default(),
                "accept_gaps" => {
                    let list = self.list(key, value);
                    policy.accepted_gaps =
                        list.iter().filter_map(|entry| self.accepted_gap(entry)).collect();
                }
                "exceptions" => {
                    for entry in self.list(key, value) {
                        if let Some(exception) = self.exception(entry) {
                            policy.exceptions.push(exception);
                            places.exceptions.push(entry.referenced);
                        }
                    }
                }
                "max_feed_age" => {
                    policy.max_feed_age_days = self.days(key, value).unwrap_or_default();
                }
                "rules" => self.rules(value, &mut policy, &mut places),
                "record" => policy.record_first = self.record_first(value),
                "already_admitted" => policy.keep_admitted = self.keep(key, value),
                "break_glass" => {
                    places.break_glass = Some(value.referenced);
                    policy.break_glass = self.break_glass(value);
                }
                "checkers" => {
                    let list = self.some(key, value);
                    policy.checkers = list.iter().filter_map(|e| self.agreement(e)).collect();
                }
                // Read above; `entries` gives none but the known keys.
                _ => {}
            }
        }
        (policy, places)
    }

    /// The written rules, after those of the profile; one of the same name takes its place.
    fn rules(&mut self, node: &Placed, policy: &mut Policy, places: &mut Places) {
        let list = self.list("rules", node);
        if list.len() > MAX_RULES {
            let message = format!("\"rules\" has {} entries", list.len());
            self.problem(node.referenced, message, format!("at most {MAX_RULES}"));
            return;
        }
        for entry in list {
            let Some(rule) = self.rule(entry, policy.action) else { continue };
            match policy.rules.iter().position(|r| r.name == rule.name) {
                Some(at) if places.rules.get(at).is_some_and(Option::is_some) => {
                    let message = format!("two rules are called \"{}\"", rule.name);
                    self.problem(entry.referenced, message, "give each a name of its own");
                }
                Some(at) => {
                    if let (Some(old), Some(place)) =
                        (policy.rules.get_mut(at), places.rules.get_mut(at))
                    {
                        *old = rule;
                        *place = Some(entry.referenced);
                    }
                }
                None => {
                    policy.rules.push(rule);
                    places.rules.push(Some(entry.referenced));
                }
            }
        }
    }

    pub(super) fn action(&mut self, key: &str, node: &Placed) -> Option<Action> {
        self.word(key, node, &Action::ALL.map(|a| (a.as_str(), a)))
    }

    fn allowed(&mut self, node: &Placed) -> Option<Vec<NamePattern>> {
        let list = self.list("allowed", node);
        if list.is_empty() && matches!(node.value, Node::List(_)) {
            let hint = "name the repositories, or remove the key to allow all";
            self.problem(node.referenced, "\"allowed\" is an empty list".into(), hint);
        }
        Some(list.iter().filter_map(|entry| self.pattern("allowed", entry, false)).collect())
    }

    pub(super) fn patterns(&mut self, key: &str, node: &Placed, short: bool) -> Vec<NamePattern> {
        let list = self.some(key, node);
        list.iter().filter_map(|entry| self.pattern(key, entry, short)).collect()
    }

    /// `none`, one of the four words, or `any`.
    fn highest_severity(&mut self, node: &Placed) -> Option<Severity> {
        let word = node.value.as_text().to_ascii_lowercase();
        match word.as_str() {
            "any" => return None,
            // Nothing counts as `Unknown` (`unrated_as` cannot be it), so nothing passes.
            "none" => return Some(Severity::Unknown),
            _ => {}
        }
        let severity = Severity::from_str(&word).ok().filter(|s| *s != Severity::Unknown);
        if severity.is_none() {
            let message = "\"highest_severity\" is no severity".to_owned();
            let hint = "one of none, low, medium, high, critical, any";
            self.problem(node.referenced, message, hint);
        }
        severity
    }

    /// `judge`, or `keep 7d` (or `12h`): seconds.
    /// `before_answer` or `after_answer`.
    fn record_first(&mut self, node: &Placed) -> bool {
        match node.value.as_text() {
            "before_answer" => true,
            "after_answer" => false,
            _ => {
                let message = "\"record\" says neither before_answer nor after_answer".to_owned();
                let hint = "before_answer: nothing is allowed that is not on the disk";
                self.problem(node.referenced, message, hint);
                true
            }
        }
    }

    fn keep(&mut self, key: &str, node: &Placed) -> Option<u64> {
        let text = node.value.as_text();
        if text == "judge" {
            return None;
        }
        let time = text.strip_prefix("keep ").unwrap_or_default().trim();
        let seconds = [("h", 3600), ("d", 86_400)]
            .into_iter()
            .find_map(|(unit, scale)| {
                let number = time.strip_suffix(unit)?;
                let digits = number.bytes().all(|b| b.is_ascii_digit());
                number.parse::<u64>().ok().filter(|_| digits)?.checked_mul(scale)
            })
            .filter(|seconds| (1..=MAX_KEEP_DAYS * 86_400).contains(seconds));
        if seconds.is_none() {
            let message = format!("\"{key}\" says neither to judge nor how long to keep");
            self.problem(node.referenced, message, "write judge, keep 12h or keep 7d; at most 90d");
        }
        seconds
    }
}
