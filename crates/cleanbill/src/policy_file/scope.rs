//! The keys of a scope: where a rule, an exception, an accepted gap or an agreement holds.

use std::collections::BTreeMap;

use cleanbill_core::glob::Glob;
use cleanbill_core::platform::Platform;
use cleanbill_core::policy::Scope;
use cleanbill_core::reference::ImageRef;

use super::node::{Node, Placed};
use super::read::Reader;

/// Every key of a scope.
pub(crate) const SCOPE_KEYS: [&str; 10] = [
    "namespaces",
    "not_namespaces",
    "repositories",
    "not_repositories",
    "registries",
    "platforms",
    "labels",
    "users",
    "groups",
    "service_accounts",
];

/// What a scope is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// Something that can only refuse.
    Refusing,
    /// Something that lets in: nothing of it may be the pod's author's to choose.
    Permitting,
}

impl Reader<'_> {
    /// Reads a scope.
    pub(super) fn scope(&mut self, node: &Placed, what_for: For) -> Scope {
        let mut scope = Scope::default();
        let entries = self.entries(node, "\"scope\"", &SCOPE_KEYS);
        if matches!(&node.value, Node::Map(map) if map.is_empty()) {
            let hint = "say where it holds, or remove the key: then it holds everywhere";
            self.problem(node.referenced, "\"scope\" is empty".into(), hint);
        }
        for (key, value) in entries {
            match key {
                "namespaces" => scope.namespaces = self.globs(key, value),
                "not_namespaces" => scope.not_namespaces = self.globs(key, value),
                "repositories" => scope.repositories = self.patterns(key, value, false),
                "not_repositories" => scope.not_repositories = self.patterns(key, value, false),
                "registries" => {
                    let list = self.some(key, value);
                    scope.registries = list.iter().filter_map(|e| self.registry(key, e)).collect();
                }
                "platforms" => {
                    let list = self.some(key, value);
                    scope.platforms =
                        list.iter().filter_map(|e| self.scope_platform(key, e)).collect();
                }
                "labels" => {
                    self.author_may_choose(key, node, value, what_for);
                    scope.labels = self.labels(key, value);
                }
                "users" => scope.users = self.globs(key, value),
                "groups" => scope.groups = self.globs(key, value),
                // `entries` gives none but the known keys.
                _ => {
                    self.author_may_choose(key, node, value, what_for);
                    scope.service_accounts = self.accounts(key, value);
                }
            }
        }
        scope
    }

    /// A pod's author chooses its labels and its service account, so nothing that permits may
    /// depend on them. The place is the key's.
    fn author_may_choose(&mut self, key: &str, scope: &Placed, value: &Placed, what_for: For) {
        if what_for == For::Refusing {
            return;
        }
        let at = match &scope.value {
            Node::Map(map) => map.iter().find(|(k, _)| k.value.as_text() == key),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => None,
        };
        let at = at.map_or(value.referenced, |(k, _)| k.referenced);
        let message = format!("what permits cannot depend on \"{key}\"");
        let hint = "the pod's author chooses it, so anybody could permit himself: scope it by \
                    namespaces, repositories, users or groups";
        self.problem(at, message, hint);
    }

    pub(super) fn globs(&mut self, key: &str, node: &Placed) -> Vec<Glob> {
        self.texts(key, node).into_iter().map(Glob::new).collect()
    }

    /// A registry's host as it stands in image names.
    fn registry(&mut self, key: &str, node: &Placed) -> Option<String> {
        let text = self.text(key, node)?;
        let name = format!("{text}/x").parse::<ImageRef>();
        if name.is_ok_and(|name| name.registry() == text) {
            return Some(text);
        }
        self.problem(
            node.referenced,
            format!("\"{}\" is no registry", super::read::shown(&text)),
            "write it as in image names, such as registry.example:5000 or docker.io",
        );
        None
    }

    fn scope_platform(&mut self, key: &str, node: &Placed) -> Option<Platform> {
        let text = self.text(key, node)?;
        let platform = text.parse().ok();
        if platform.is_none() {
            let message = format!("\"{}\" is no platform", super::read::shown(&text));
            self.problem(node.referenced, message, "write OS/ARCH, such as linux/amd64");
        }
        platform
    }

    /// Labels with their values; `*` stands for any value.
    fn labels(&mut self, key: &str, node: &Placed) -> BTreeMap<String, Option<Glob>> {
        let mut labels = BTreeMap::new();
        let Node::Map(map) = &node.value else {
            self.wrong_type(key, node, "a mapping of labels to values");
            return labels;
        };
        if map.is_empty() {
            let hint = "name at least one, or remove the key";
            self.problem(node.referenced, format!("\"{key}\" is empty"), hint);
        }
        for (label, value) in map {
            let Some(name) = self.text("a label", label) else { continue };
            let Some(value) = self.text(&name, value) else { continue };
            let value = (value != "*").then(|| Glob::new(value));
            if labels.insert(name.clone(), value).is_some() {
                let message = format!("\"{}\" is there twice", super::read::shown(&name));
                self.problem(label.referenced, message, "keep one of them");
            }
        }
        labels
    }

    fn accounts(&mut self, key: &str, node: &Placed) -> Vec<Glob> {
        let mut accounts = Vec::new();
        for entry in self.some(key, node) {
            let Some(text) = self.text(key, entry) else { continue };
            if text.matches('/').count() == 1 {
                accounts.push(Glob::new(text));
                continue;
            }
            let message = format!("\"{}\" is no service account", super::read::shown(&text));
            self.problem(
                entry.referenced,
                message,
                "write NAMESPACE/NAME, such as ci/builder or */default",
            );
        }
        accounts
    }
}
