//! A file past 400 lines is usually two things, of tests too.

use super::{Problem, Tree};

/// The most lines of a Rust file, tests included.
const MOST: usize = 400;

/// Files that are longer all the same: since when, and why. An entry that is no longer needed
/// is a problem too.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// Checks every Rust file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        let excepted = EXCEPTIONS.iter().any(|(path, _, _)| *path == file.path);
        if lines > MOST && !excepted {
            let what = format!("has {lines} lines, over {MOST}: split it by what it is about");
            problems.push(Problem::new(&file.path, what));
        } else if lines <= MOST && excepted {
            let what = "is no longer too long: take it off the list in xtask/src/tidy/sizes.rs";
            problems.push(Problem::new(&file.path, what));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    #[test]
    fn a_long_file_is_found() {
        for (lines, expected) in [(400, 0), (401, 1)] {
            for path in ["crates/a/src/a.rs", "crates/a/src/tests.rs"] {
                let tree = Tree::of(&[(path, &"x\n".repeat(lines))]);
                assert_eq!(check(&tree).len(), expected, "{path} {lines}");
            }
        }
    }
}
