//! Every dependency says in docs/dependencies.md what it is for, and nothing else does.

use super::manifest::workspace_dependencies;
use super::{Problem, Tree};

const DOC: &str = "docs/dependencies.md";

/// Compares the root's `[workspace.dependencies]` with the table's first column.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let Some(manifest) = tree.text("Cargo.toml") else { return Vec::new() };
    let explained: Vec<&str> = tree
        .text(DOC)
        .unwrap_or_default()
        .lines()
        .filter_map(|l| l.strip_prefix("| `")?.split_once("` |").map(|(name, _)| name))
        .collect();
    let used: Vec<String> = workspace_dependencies(manifest)
        .into_iter()
        .filter(|name| !name.starts_with("cleanbill"))
        .collect();
    let missing = used.iter().filter(|name| !explained.contains(&name.as_str())).map(|name| {
        Problem::new(DOC, format!("has no line for {name}: what for, licence, why not another"))
    });
    let stale = explained
        .iter()
        .filter(|name| !used.iter().any(|u| u == *name))
        .map(|name| Problem::new(DOC, format!("explains {name}, which nothing depends on")));
    missing.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::{DOC, Tree, check};

    #[test]
    fn unexplained_and_stale_lines_are_found() {
        let manifest = "[workspace.dependencies]\ncleanbill-core = { path = \"c\" }\na = \"1\"\n";
        let table = [("| `a` | x |\n", 0), ("", 1), ("| `a` | x |\n| `b` | x |\n", 1)];
        for (doc, expected) in table {
            let tree = Tree::of(&[("Cargo.toml", manifest), (DOC, doc)]);
            assert_eq!(check(&tree).len(), expected, "{doc}");
        }
    }
}
