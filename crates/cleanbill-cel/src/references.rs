//! Which variables and fields an expression looks at.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::node::{Kind, Node};

/// All paths, each as long as names go: `request.labels` of `request.labels['a'].size()`.
pub(crate) fn of(root: &Node, variables: &[Arc<str>]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    walk(root, variables, &mut paths);
    paths
}

fn walk(node: &Node, variables: &[Arc<str>], paths: &mut BTreeSet<String>) {
    if let Some(path) = path(node, variables) {
        paths.insert(path.join("."));
        return;
    }
    for child in node.children() {
        walk(child, variables, paths);
    }
}

/// The names of a variable and the fields behind it; `None` for anything else.
pub(crate) fn path<'a>(node: &'a Node, variables: &'a [Arc<str>]) -> Option<Vec<&'a str>> {
    match &node.kind {
        Kind::Variable(place) => Some(vec![variables.get(*place)?]),
        Kind::Select { of, field, .. } | Kind::Has { of, field } => {
            let mut names = path(of, variables)?;
            names.push(field);
            Some(names)
        }
        _ => None,
    }
}
