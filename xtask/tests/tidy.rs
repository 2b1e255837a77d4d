//! The tree is tidy: `cargo xtask tidy` as a test, so that nobody has to remember it.

use xtask::tidy::{Tree, problems};

#[test]
fn the_tree_is_tidy() {
    let found = problems(&Tree::read(&xtask::root()).unwrap());
    assert!(found.is_empty(), "{} problem(s):\n{}", found.len(), found.join("\n"));
}
