//! The keys by which a policy trusts somebody: break-glass, and checkers that have to agree.

use cleanbill_core::policy::{Agreement, BreakGlass, IssuerKey, Require, Scope};
use cleanbill_trust::PublicKey;
use cleanbill_trust::breakglass::KEYS_MAX;

use super::node::Placed;
use super::read::{Reader, shown};
use super::scope::For;

/// Every key of `break_glass`.
pub(crate) const GLASS_KEYS: [&str; 3] = ["keys", "users", "groups"];

/// Every key of an agreement under `checkers`.
pub(crate) const CHECKER_KEYS: [&str; 3] = ["names", "require", "scope"];

/// Groups and users that nobody's word stands behind, and why. The text before `*` is a prefix.
const NOBODY: [(&str, &str); 8] = [
    ("system:authenticated", "everybody who can log in is in it"),
    ("system:unauthenticated", "whoever does not log in is in it"),
    ("system:anonymous", "whoever does not log in is called so"),
    ("system:serviceaccounts*", "controllers make most pods, so it would hold for all of them"),
    (
        "system:serviceaccount:kube-system:*",
        "controllers make pods for everybody, so it would hold for all of them",
    ),
    ("system:kube-controller-manager", "it makes pods for everybody"),
    ("system:node:*", "a node is no person"),
    ("system:nodes", "a node is no person"),
];

impl Reader<'_> {
    pub(super) fn break_glass(&mut self, node: &Placed) -> BreakGlass {
        let mut glass = BreakGlass::default();
        for (key, value) in self.entries(node, "\"break_glass\"", &GLASS_KEYS) {
            match key {
                "keys" => {
                    let list = self.some(key, value);
                    glass.keys = list.iter().filter_map(|e| self.issuer(key, e)).collect();
                    if list.len() > KEYS_MAX {
                        let message = format!("\"keys\" has more than {KEYS_MAX} keys");
                        let hint = "take out those that nobody issues tokens with any more: each \
                                    token is tried with all of them";
                        self.problem(value.referenced, message, hint);
                    }
                }
                "users" => glass.users = self.persons("user", key, value),
                _ => glass.groups = self.persons("group", key, value),
            }
        }
        glass
    }

    pub(crate) fn issuer(&mut self, key: &str, node: &Placed) -> Option<IssuerKey> {
        let text = self.text(key, node)?;
        match PublicKey::from_pem(text.as_bytes()) {
            Ok(public) => Some(IssuerKey { id: public.id(), pem: public.to_pem() }),
            Err(_) => {
                let (message, hint) = if text.contains("PRIVATE KEY") {
                    let hint = "anybody who reads this file has it now: make another one, and \
                                write the content of its .pub file here";
                    (format!("\"{key}\" has a private key"), hint)
                } else {
                    let hint = "paste the .pub file that `cleanbill keygen` wrote, as a block (|)";
                    (format!("\"{key}\" has what is no Ed25519 public key in PEM"), hint)
                };
                self.problem(node.referenced, message, hint);
                None
            }
        }
    }

    /// Names of users or groups in full.
    fn persons(&mut self, what: &str, key: &str, node: &Placed) -> Vec<String> {
        let mut persons = Vec::new();
        for entry in self.some(key, node) {
            let Some(text) = self.text(key, entry) else { continue };
            let nobody = NOBODY.iter().find(|(name, _)| match name.strip_suffix('*') {
                Some(prefix) => text.starts_with(prefix),
                None => *name == text,
            });
            if let Some((_, why)) = nobody {
                let message = format!("the {what} \"{}\" cannot break the glass", shown(&text));
                self.problem(entry.referenced, message, *why);
            } else if text.contains('*') {
                let message = format!("\"{}\" names no single {what}", shown(&text));
                self.problem(entry.referenced, message, "write the whole name, without *");
            } else {
                persons.push(text);
            }
        }
        persons
    }

    pub(super) fn agreement(&mut self, node: &Placed) -> Option<Agreement> {
        let before = self.problems.len();
        let (mut names, mut require, mut scope) = (Vec::new(), None, Scope::default());
        let entries = self.entries(node, "an agreement", &CHECKER_KEYS);
        let hint = "say whose opinion is needed, by the names in cleanbill.yaml, and whether all \
                    or any of them has to agree";
        self.demand("the agreement", node, &entries, &["names", "require"], hint);
        for (key, value) in entries {
            match key {
                "names" => {
                    for entry in self.some(key, value) {
                        names.extend(self.name("checker", key, entry));
                    }
                }
                "require" => {
                    let words = [("all", Require::All), ("any", Require::Any)];
                    require = self.word(key, value, &words);
                }
                _ => scope = self.scope(value, For::Refusing),
            }
        }
        (self.problems.len() == before).then_some(Agreement { names, require: require?, scope })
    }
}
