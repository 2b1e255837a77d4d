//! The keys of what may be there all the same: exceptions and accepted gaps.

use cleanbill_core::glob::Glob;
use cleanbill_core::policy::{AcceptedGap, Exception, Scope};

use super::node::{Node, Placed};
use super::read::Reader;
use super::scope::For;

/// Every key of an exception.
pub(crate) const EXCEPTION_KEYS: [&str; 6] =
    ["id", "package", "reason", "owner", "expires", "scope"];

/// Every key of an accepted gap that is more than a kind.
pub(crate) const GAP_KEYS: [&str; 3] = ["kind", "subject", "scope"];

/// What stands where a person has yet to write something: never an owner or a reason.
pub(crate) const FILL_IN: &str = "FILL-IN";

/// The owner of an exception that was suggested and that nobody answers for yet. It is an owner, so
/// that the suggested policy can be tried as it is, and a warning, so that it is not forgotten.
pub const NO_OWNER: &str = "nobody-yet";

impl Reader<'_> {
    pub(super) fn exception(&mut self, node: &Placed) -> Option<Exception> {
        let (mut id, mut package, mut reason, mut owner, mut expires) =
            (None, None, None, None, None);
        let mut scope = Scope::default();
        let before = self.problems.len();
        let entries = self.entries(node, "an exception", &EXCEPTION_KEYS);
        let hint = "every exception says which flaw, why, who answers for it and until when";
        let needed = ["id", "reason", "owner", "expires"];
        self.demand("the exception", node, &entries, &needed, hint);
        for (key, value) in entries {
            match key {
                "id" => id = self.flaw_id(key, value),
                "package" => package = self.text(key, value),
                "reason" => reason = self.person_wrote(key, value),
                "owner" => owner = self.person_wrote(key, value),
                "scope" => scope = self.scope(value, For::Permitting),
                _ => expires = self.date(key, value),
            }
        }
        if self.problems.len() > before {
            return None;
        }
        let (id, reason, owner, expires) = (id?, reason?, owner?, expires?);
        Some(Exception { id, package, reason, owner, expires, scope })
    }

    /// The id of one flaw. A pattern would be an id that no flaw has.
    pub(super) fn flaw_id(&mut self, key: &str, node: &Placed) -> Option<String> {
        let text = self.text(key, node)?;
        if !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "*?,".contains(c)) {
            return Some(text);
        }
        let message = format!("\"{key}\" is no id of a flaw: {text:?}");
        self.problem(
            node.referenced,
            message,
            "write one id, such as CVE-2026-1234; there are no patterns",
        );
        None
    }

    /// A text that a person has to write himself.
    fn person_wrote(&mut self, key: &str, node: &Placed) -> Option<String> {
        let text = self.text(key, node)?;
        if text.trim() != FILL_IN {
            return Some(text);
        }
        let hint = match key {
            "owner" => "name who answers for it",
            _ => "write why it is acceptable",
        };
        self.problem(node.referenced, format!("\"{key}\" still says {FILL_IN}"), hint);
        None
    }

    /// A kind of gap, or a mapping that says where it is accepted.
    pub(super) fn accepted_gap(&mut self, node: &Placed) -> Option<AcceptedGap> {
        if !matches!(node.value, Node::Map(_)) {
            return self.gap_kind("accept_gaps", node).map(AcceptedGap::everywhere);
        }
        let before = self.problems.len();
        let (mut kind, mut subject, mut scope) = (None, None, Scope::default());
        let entries = self.entries(node, "an accepted gap", &GAP_KEYS);
        self.demand(
            "the accepted gap",
            node,
            &entries,
            &["kind"],
            "say which kind: docs/policy.md",
        );
        for (key, value) in entries {
            match key {
                "kind" => kind = self.gap_kind(key, value),
                "subject" => subject = self.text(key, value).map(Glob::new),
                _ => scope = self.scope(value, For::Permitting),
            }
        }
        (self.problems.len() == before).then_some(AcceptedGap { kind: kind?, subject, scope })
    }
}
