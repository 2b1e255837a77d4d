//! The keys of a rule.

use cleanbill_core::policy::{Action, Condition, Rule, Scope};

use super::node::{Node, Placed};
use super::read::Reader;
use super::scope::For;

/// Every key of a rule.
pub(crate) const RULE_KEYS: [&str; 5] = ["name", "scope", "refuse", "action", "message"];

/// Names under which answers speak of the keys of a policy and of requests.
const TAKEN: [&str; 9] = [
    "allowed",
    "local_images",
    "digest_required",
    "highest_severity",
    "checkers",
    "accept_gaps",
    "image-name",
    "request",
    "exceptions",
];

/// The longest message, in bytes: it stands in answers of the API server.
const MAX_MESSAGE: usize = 500;

impl Reader<'_> {
    /// Reads a rule, which has the given action where it names none.
    pub(super) fn rule(&mut self, node: &Placed, default: Action) -> Option<Rule> {
        let (mut name, mut refuse, mut message) = (None, Condition::default(), None);
        let (mut scope, mut action) = (Scope::default(), default);
        let before = self.problems.len();
        let entries = self.entries(node, "a rule", &RULE_KEYS);
        let hint = "every rule has a name, and says under \"refuse\" what it refuses";
        self.demand("the rule", node, &entries, &["name", "refuse"], hint);
        for (key, value) in entries {
            match key {
                "name" => name = self.rule_name(key, value),
                "scope" => scope = self.scope(value, For::Refusing),
                "refuse" => refuse = self.condition(value),
                "action" => action = self.action(key, value).unwrap_or_default(),
                _ => message = self.message(key, value),
            }
        }
        if self.problems.len() > before {
            return None;
        }
        Some(Rule { name: name?, scope, refuse, action, message })
    }

    fn rule_name(&mut self, key: &str, node: &Placed) -> Option<String> {
        if let Node::Text(text) = &node.value
            && TAKEN.contains(&text.as_str())
        {
            let message = format!("\"{text}\" cannot be the name of a rule");
            let hint = "answers call something else by it: give the rule another name";
            self.problem(node.referenced, message, hint);
            return None;
        }
        self.name("rule", key, node)
    }

    fn message(&mut self, key: &str, node: &Placed) -> Option<String> {
        let text = self.text(key, node)?;
        if text.len() > MAX_MESSAGE {
            let message = format!("\"{key}\" is {} bytes long", text.len());
            self.problem(node.referenced, message, format!("at most {MAX_MESSAGE}"));
            return None;
        }
        Some(text)
    }
}
