//! Links between documents lead somewhere.

use super::{Problem, Tree};

/// Checks the relative links of every Markdown file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|f| f.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in file.text.split("](").skip(1).filter_map(|t| t.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains(':') || path.contains(char::is_whitespace) {
                continue;
            }
            let full = resolve(folder, path);
            let there = tree.paths.iter().any(|p| *p == full || p.starts_with(&format!("{full}/")));
            if !there {
                problems
                    .push(Problem::new(&file.path, format!("links to {path}, which is not there")));
            }
        }
    }
    problems
}

fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    #[test]
    fn a_link_to_nowhere_is_found() {
        let table = [
            ("[a](b.md)", 0),
            ("[a](./b.md#part)", 0),
            ("[a](../docs)", 0),
            ("[a](https://example.org/x)", 0),
            ("[a](#here)", 0),
            ("[a](c.md)", 1),
        ];
        for (text, expected) in table {
            let tree = Tree::of(&[("docs/a.md", text), ("docs/b.md", "")]);
            assert_eq!(check(&tree).len(), expected, "{text}");
        }
    }
}
