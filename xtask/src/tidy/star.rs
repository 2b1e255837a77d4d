//! The workspace is a star: libraries depend on core only, core on nothing that does I/O. One
//! leaf is below core: the expression language, which knows none of our nouns.

use super::manifest::{self, Dependencies};
use super::{Problem, Tree};

/// What each library may depend on besides `cleanbill-core`, or `None` where only
/// [`FORBIDDEN`] holds. A short list is the strongest form of "must not".
const ALLOWED: &[(&str, &[&str])] = &[
    ("cleanbill-cel", &["jiff", "regex"]),
    ("cleanbill-core", &["serde", "jiff", "foldhash"]),
    ("cleanbill-trust", &["serde", "serde_json", "base64", "ring", "rustls-pki-types"]),
];

/// The one library that depends on another than core, and which: policies hold expressions.
const BELOW_CORE: (&str, &str) = ("cleanbill-core", "cleanbill-cel");

/// What a library may never depend on, because of what it must not do.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("cleanbill-extract", &["ureq", "rustls", "hyper", "tokio", "rusqlite", "tempfile"]),
    ("cleanbill-oci", &["tokio", "hyper", "rusqlite", "clap", "zip"]),
    ("cleanbill-advisory", &["tokio", "hyper", "clap"]),
];

/// Checks every member's manifest.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|f| f.path.ends_with("/Cargo.toml")) {
        let Some(name) = file.path.split('/').rev().nth(1) else { continue };
        if !file.path.starts_with("crates/") {
            continue;
        }
        let found = manifest::dependencies(&file.text);
        problems.extend(of_crate(name, &found).into_iter().map(|w| Problem::new(&file.path, w)));
    }
    problems
}

fn of_crate(name: &str, found: &Dependencies) -> Vec<String> {
    let mut wrong: Vec<String> = found
        .odd
        .iter()
        .map(|line| format!("write dependencies as `name.workspace = true`, not `{line}`"))
        .collect();
    if name == "cleanbill" {
        return wrong;
    }
    for other in found.normal.iter().chain(&found.dev).filter(|d| d.starts_with("cleanbill")) {
        if (name, other.as_str()) == BELOW_CORE {
            continue;
        }
        if name == BELOW_CORE.1 {
            wrong.push(format!("depends on {other}; it is below core and depends on none of ours"));
        } else if other != "cleanbill-core" {
            wrong.push(format!("depends on {other}; a library depends on cleanbill-core only"));
        } else if name == "cleanbill-core" {
            wrong.push("depends on itself".into());
        }
    }
    let allowed = ALLOWED.iter().find(|(c, _)| *c == name).map(|(_, a)| *a);
    let forbidden = FORBIDDEN.iter().find(|(c, _)| *c == name).map_or(&[][..], |(_, f)| *f);
    for other in found.normal.iter().filter(|d| !d.starts_with("cleanbill")) {
        let other = other.as_str();
        if allowed.is_some_and(|a| !a.contains(&other)) || forbidden.contains(&other) {
            wrong.push(format!("must not depend on {other} (see xtask/src/tidy/star.rs)"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    #[test]
    fn what_leaves_the_star_is_found() {
        let table: &[(&str, &str, usize)] = &[
            ("cleanbill-oci", "cleanbill-core.workspace = true\nureq.workspace = true", 0),
            ("cleanbill-oci", "cleanbill-extract.workspace = true", 1),
            ("cleanbill-extract", "ureq.workspace = true", 1),
            ("cleanbill-core", "serde.workspace = true", 0),
            ("cleanbill-core", "tokio.workspace = true\nserde_json.workspace = true", 2),
            ("cleanbill-core", "serde = \"1\"", 1),
            ("cleanbill-core", "cleanbill-cel.workspace = true", 0),
            ("cleanbill-core", "cleanbill-oci.workspace = true", 1),
            ("cleanbill-cel", "cleanbill-core.workspace = true", 1),
            ("cleanbill-cel", "regex.workspace = true\nserde.workspace = true", 1),
            ("cleanbill-oci", "cleanbill-cel.workspace = true", 1),
            ("cleanbill", "cleanbill-oci.workspace = true\ntokio.workspace = true", 0),
        ];
        for (name, lines, expected) in table {
            let path = format!("crates/{name}/Cargo.toml");
            let tree = Tree::of(&[(&path, &format!("[dependencies]\n{lines}\n"))]);
            assert_eq!(check(&tree).len(), *expected, "{name}: {lines}");
        }
    }
}
