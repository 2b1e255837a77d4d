//! No path of one person's machine in the tree: it would be wrong on every other one.

use super::{Problem, Tree};

/// The beginnings of such paths, in pieces so that this file is not found itself.
const PREFIXES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "bash_jobs"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// Checks every text file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            for prefix in PREFIXES.iter().filter(|p| begins_a_path(line, p)) {
                let what = format!("line {}: `{prefix}…` is a path of one machine", number + 1);
                problems.push(Problem::new(&file.path, what));
            }
        }
    }
    problems
}

fn begins_a_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        !line[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::{PREFIXES, Tree, check};

    #[test]
    fn a_machines_path_is_found() {
        for prefix in PREFIXES {
            for (text, expected) in [(format!("x \"{prefix}a\""), 1), (format!("docs{prefix}a"), 0)]
            {
                assert_eq!(check(&Tree::of(&[("a.md", &text)])).len(), expected, "{text}");
            }
        }
    }
}
