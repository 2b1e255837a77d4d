//! Siblings are all named in one visible list: a file that is not on it is code that never runs.

use super::{Problem, Tree, source};

/// A folder of siblings of one shape.
struct Family {
    folder: &'static str,
    /// The file that holds their list.
    list: &'static str,
    /// What the list begins and ends with.
    opens: &'static str,
    closes: &'static str,
    /// The files there that are no siblings.
    helpers: &'static [&'static str],
}

const FAMILIES: &[Family] = &[
    Family {
        folder: "xtask/src/tidy/",
        list: "xtask/src/tidy/mod.rs",
        opens: "pub const RULES",
        closes: "];",
        helpers: &["manifest", "source", "tree"],
    },
    Family {
        folder: "crates/cleanbill-extract/src/",
        list: "crates/cleanbill-extract/src/extractors.rs",
        opens: "const EXTRACTORS",
        closes: "];",
        // Programs are read as they stream by, so they have no entry among the whole files.
        helpers: &[
            "checksums",
            "elf",
            "examiner",
            "extractors",
            "facts",
            "go_binary",
            "merged",
            "options",
            "owners",
            "program",
            "purl",
            "room",
            "rust_binary",
        ],
    },
    Family {
        folder: "crates/cleanbill-advisory/src/feeds/",
        list: "crates/cleanbill-advisory/src/feeds/table.rs",
        opens: "pub static FEEDS",
        closes: "];",
        helpers: &[
            "bounded",
            "csaf",
            "dates",
            "errata",
            "few",
            "listed",
            "osv_ids",
            "osv_licences",
            "osv_ranges",
            "published",
            "table",
            "tar",
            "unpacked",
            "zipped",
        ],
    },
    Family {
        folder: "crates/cleanbill-oci/src/source/",
        list: "crates/cleanbill-oci/src/source/mod.rs",
        opens: "match self",
        closes: "impl fmt::Display",
        helpers: &["archive", "directory", "real_tests", "spool"],
    },
    Family {
        folder: "crates/cleanbill-cel/src/functions/",
        list: "crates/cleanbill-cel/src/functions/mod.rs",
        opens: "const LIBRARIES",
        closes: "];",
        helpers: &["call", "signature"],
    },
    Family {
        folder: "crates/cleanbill-core/src/version/",
        list: "crates/cleanbill-core/src/version/mod.rs",
        opens: "match scheme",
        closes: "};",
        helpers: &["number"],
    },
    Family {
        folder: "crates/cleanbill/src/report/",
        list: "crates/cleanbill/src/report/mod.rs",
        opens: "pub fn write(self, view",
        closes: "\n    }\n",
        helpers: &["suppressed", "targets", "text", "verdict"],
    },
    Family {
        folder: "crates/cleanbill/src/checkers/",
        list: "crates/cleanbill/src/checkers/mod.rs",
        opens: "enum Kind {",
        closes: "\n}",
        helpers: &[
            "answer",
            "asked",
            "config",
            "config_file",
            "config_file_tests",
            "memory",
            "post",
            "run",
            "slots",
        ],
    },
    Family {
        folder: "crates/cleanbill/src/commands/",
        list: "crates/cleanbill/src/cli.rs",
        opens: "match self",
        closes: "\n}",
        helpers: &["access", "facts", "output", "record", "source", "suppress", "trivy"],
    },
    Family {
        folder: "crates/cleanbill/src/vex/",
        list: "crates/cleanbill/src/vex/mod.rs",
        opens: "pub const FORMATS",
        closes: "];",
        helpers: &["given", "notes", "value"],
    },
    Family {
        folder: "crates/cleanbill/src/doctor/",
        list: "crates/cleanbill/src/doctor/mod.rs",
        opens: "pub const CHECKS",
        closes: "];",
        helpers: &["found", "report", "view"],
    },
];

/// Checks that every module is declared, and that every family's list is complete.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = undeclared(tree);
    for family in FAMILIES {
        problems.extend(incomplete(tree, family));
    }
    problems
}

/// Rust files of a crate's `src` that no parent declares: the compiler never sees them.
fn undeclared(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust().filter(|f| f.path.contains("/src/") && !f.path.contains("/src/bin/")) {
        let Some((folder, name)) = module(&file.path) else { continue };
        let own =
            folder.rsplit_once('/').map_or(folder.clone(), |(up, last)| format!("{up}/{last}.rs"));
        let parents = [
            format!("{folder}/mod.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
            own,
        ];
        // A file's tests may stand beside it: `x.rs` names `x_tests.rs` by path.
        let beside = name.strip_suffix("_tests").map(|of| format!("{folder}/{of}.rs"));
        let declared = parents.iter().chain(&beside).filter_map(|p| tree.text(p)).any(|text| {
            text.lines().any(|l| {
                let l = l.trim();
                let by_path = format!("#[path = \"{name}.rs\"]");
                l == by_path || l.ends_with(&format!("mod {name};")) && !l.starts_with("//")
            })
        });
        if !declared {
            problems.push(Problem::new(&file.path, "is declared by no `mod`: it never compiles"));
        }
    }
    problems
}

/// The folder that declares a file's module, and the module's name; `None` for crate roots.
fn module(path: &str) -> Option<(String, String)> {
    let (folder, file) = path.rsplit_once('/')?;
    match file.strip_suffix(".rs")? {
        "lib" | "main" | "build" => None,
        "mod" => {
            let (up, name) = folder.rsplit_once('/')?;
            Some((up.to_owned(), name.to_owned()))
        }
        name => Some((folder.to_owned(), name.to_owned())),
    }
}

fn incomplete(tree: &Tree, family: &Family) -> Vec<Problem> {
    let Some(text) = tree.text(family.list) else {
        // Small example trees hold only what they are about; the real one is tested for this.
        return Vec::new();
    };
    let code = source::code(text);
    let Some(list) = list_of(&code, family) else {
        let what = format!("the list `{}` of {} is gone", family.opens, family.folder);
        return vec![Problem::new(family.list, what)];
    };
    tree.rust_in(family.folder)
        .filter_map(|f| {
            let name = f.path.strip_prefix(family.folder)?;
            let name = name.strip_suffix("/mod.rs").or_else(|| name.strip_suffix(".rs"))?;
            let sibling = !name.contains('/')
                && !matches!(name, "mod" | "lib" | "tests")
                && !family.helpers.contains(&name);
            (sibling && !list.contains(&format!("{name}::"))).then(|| {
                let what = format!("is missing from `{}` in {}", family.opens, family.list);
                Problem::new(&f.path, what)
            })
        })
        .collect()
}

/// The text of a family's list; its opening words are part of it.
fn list_of<'a>(code: &'a str, family: &Family) -> Option<&'a str> {
    let from = code.find(family.opens)?;
    code.get(from..)?.split(family.closes).next()
}

/// The list files that the table names, for the test that they are all there.
#[cfg(test)]
fn lists() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|f| f.list)
}

#[cfg(test)]
mod tests {
    use super::{Tree, check, lists};

    #[test]
    fn a_sibling_off_the_list_is_found() {
        let listed = "mod a;\nmod b;\npub const RULES: &[X] = &[a::check, b::check];";
        let table: &[(&str, usize)] =
            &[(listed, 0), ("mod a;\nmod b;\npub const RULES: &[X] = &[a::check];", 1)];
        for (list, expected) in table {
            let tree = Tree::of(&[
                ("xtask/src/tidy/mod.rs", list),
                ("xtask/src/tidy/a.rs", ""),
                ("xtask/src/tidy/b.rs", ""),
                ("xtask/src/lib.rs", "pub mod tidy;"),
            ]);
            assert_eq!(check(&tree).len(), *expected, "{list}");
        }
    }

    #[test]
    fn a_file_that_nobody_declares_is_found() {
        let table: &[(&str, &str, usize)] = &[
            ("crates/x/src/lib.rs", "pub mod a;", 0),
            ("crates/x/src/lib.rs", "// mod a;", 1),
            ("crates/x/src/main.rs", "mod a;", 0),
            ("crates/x/src/lib.rs", "#[path = \"a.rs\"]\nmod b;", 0),
        ];
        for (root, text, expected) in table {
            let tree = Tree::of(&[(root, text), ("crates/x/src/a.rs", "")]);
            assert_eq!(check(&tree).len(), *expected, "{root}: {text}");
        }
        let nested = Tree::of(&[
            ("crates/x/src/lib.rs", "mod a;"),
            ("crates/x/src/a.rs", "mod b;"),
            ("crates/x/src/a/b.rs", ""),
        ]);
        assert_eq!(check(&nested), []);
    }

    #[test]
    fn every_list_is_there() {
        let tree = Tree::read(&crate::root()).unwrap();
        for list in lists() {
            assert!(tree.text(list).is_some(), "{list} is gone: mend the table of families");
        }
    }
}
