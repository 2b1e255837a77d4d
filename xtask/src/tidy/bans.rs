//! What each crate must not do, as far as words in its code can tell.

use super::{Problem, Tree, source};

/// Words that may not stand in the code (tests, comments and strings aside) below a folder.
struct Ban {
    folder: &'static str,
    words: &'static [&'static str],
    why: &'static str,
}

/// What only the binary and the chores may do.
const PRINTING: &[&str] =
    &["println!", "print!", "eprintln!", "eprint!", "dbg!", "process::exit", "process::abort"];

const BANS: &[Ban] = &[
    Ban {
        folder: "crates/cleanbill-cel/src/",
        words: &[
            "std::fs",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "ToSocketAddrs",
            "std::process",
            "std::env",
            "std::thread",
            "std::io",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "Zoned::now",
            "in_tz",
            "TimeZone::get",
            "async ",
            ".await",
        ],
        why: "an expression is what its inputs make it: no I/O, no clock, no time zones of the system",
    },
    Ban {
        folder: "crates/cleanbill-core/src/",
        words: &[
            "std::fs",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "ToSocketAddrs",
            "process::Command",
            "env::var",
            "env::vars",
            "env::args",
            "env::current_dir",
            "std::thread",
            "std::io",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "Zoned::now",
            "async ",
            ".await",
            "serde_json",
        ],
        why: "core does no I/O, reads no clock, is not async and knows no wire format",
    },
    Ban {
        folder: "crates/cleanbill-extract/src/",
        words: &[
            "std::net",
            "std::fs",
            "process::Command",
            "std::env",
            "SystemTime",
            "Timestamp::now",
            "ureq",
            "async ",
            "cleanbill_core::advisory",
            "cleanbill_core::matching",
            "cleanbill_core::policy",
            "cleanbill_core::verdict",
        ],
        why: "extractors see bytes of an image and nothing else",
    },
    Ban {
        folder: "crates/cleanbill-oci/src/",
        words: &[
            "process::Command",
            "async ",
            "cleanbill_core::package",
            "cleanbill_core::inventory",
            "cleanbill_core::advisory",
            "cleanbill_core::matching",
            "cleanbill_core::policy",
            "cleanbill_core::verdict",
            "cleanbill_core::evidence",
        ],
        why: "images are read here without knowing packages, advisories or policy",
    },
    Ban {
        folder: "crates/cleanbill-advisory/src/",
        words: &[
            "process::Command",
            "async ",
            "cleanbill_core::rootfs",
            "cleanbill_core::layer",
            "cleanbill_core::inventory",
            "cleanbill_core::policy",
            "cleanbill_core::evidence",
            "cleanbill_core::verdict",
            "cleanbill_core::reference",
        ],
        why: "advisories are read here without knowing images or policy",
    },
    Ban {
        folder: "crates/cleanbill-trust/src/",
        words: &[
            "std::fs",
            "std::net",
            "process::Command",
            "std::env",
            "SystemTime",
            "Timestamp::now",
            "async ",
            "cleanbill_core::policy",
            "cleanbill_core::verdict",
        ],
        why: "claims are facts; whether they suffice is the policy's question",
    },
    Ban { folder: "crates/cleanbill-core/src/verdict/", words: SUPPRESSION, why: GATE },
    Ban { folder: "crates/cleanbill-core/src/policy/", words: SUPPRESSION, why: GATE },
    Ban { folder: "crates/cleanbill/src/serve/", words: SUPPRESSION, why: GATE },
    Ban { folder: "crates/cleanbill/src/assess.rs", words: SUPPRESSION, why: GATE },
    Ban { folder: "crates/cleanbill/src/commands/check.rs", words: SUPPRESSION, why: GATE },
    Ban { folder: "crates/cleanbill-cel/src/", words: PRINTING, why: LIBRARY },
    Ban { folder: "crates/cleanbill-core/src/", words: PRINTING, why: LIBRARY },
    Ban { folder: "crates/cleanbill-oci/src/", words: PRINTING, why: LIBRARY },
    Ban { folder: "crates/cleanbill-extract/src/", words: PRINTING, why: LIBRARY },
    Ban { folder: "crates/cleanbill-advisory/src/", words: PRINTING, why: LIBRARY },
    Ban { folder: "crates/cleanbill-trust/src/", words: PRINTING, why: LIBRARY },
];

/// What leaves findings out of a report.
const SUPPRESSION: &[&str] = &["suppression", "crate::vex", "SuppressArgs"];
const GATE: &str =
    "VEX and ignore files are for reports: only a policy's exceptions let an image in";

const LIBRARY: &str = "a library neither prints nor ends the process";

/// Files that may hold `unsafe`; each says at its top why nothing else will do.
const UNSAFE: &[&str] = &[];

/// Checks every Rust file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust().filter(|f| !f.path.starts_with("xtask/")) {
        let code = source::code(&file.text);
        let groups = source::grouped_imports(&code);
        for ban in BANS.iter().filter(|b| file.path.starts_with(b.folder)) {
            if is_test(&file.path) {
                continue;
            }
            for word in ban.words.iter().filter(|w| has_word(&code, w) || has_word(&groups, w)) {
                problems.push(Problem::new(&file.path, format!("`{word}`: {}", ban.why)));
            }
        }
        if code.contains("unsafe_code") && !UNSAFE.contains(&file.path.as_str()) {
            let what = "allows unsafe code and is not listed in xtask/src/tidy/bans.rs";
            problems.push(Problem::new(&file.path, what));
        }
    }
    problems
}

/// Whether a path is a file of tests only.
pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

/// Whether the word stands there and is not the end of a longer one (`eprintln!`, `println!`).
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
            && !code[at + word.len()..].chars().next().is_some_and(|c| {
                word.ends_with(char::is_alphanumeric) && (c.is_alphanumeric() || c == '_')
            })
    })
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    #[test]
    fn what_a_crate_must_not_do_is_found() {
        let table: &[(&str, &str, usize)] = &[
            ("crates/cleanbill-cel/src/a.rs", "let z = jiff::tz::TimeZone::get(name);", 1),
            ("crates/cleanbill-cel/src/a.rs", "use std::net::IpAddr;", 0),
            ("crates/cleanbill-core/src/a.rs", "use std::fs;", 1),
            ("crates/cleanbill-core/src/verdict/a.rs", "use crate::suppression::Rules;", 1),
            ("crates/cleanbill/src/serve/a.rs", "use crate::{failure, vex::Given};", 1),
            ("crates/cleanbill-core/src/a.rs", "let t = jiff::Timestamp::now();", 1),
            ("crates/cleanbill-core/src/a.rs", "pub async fn a() {}", 1),
            ("crates/cleanbill-core/src/a.rs", "fn a() { println!(\"x\") }", 1),
            ("crates/cleanbill-core/src/a.rs", "fn instant() {} // std::fs", 0),
            ("crates/cleanbill-core/src/tests.rs", "use serde_json::json;", 0),
            ("crates/cleanbill-core/src/a.rs", "#![allow(unsafe_code)]", 1),
            ("crates/cleanbill-extract/src/a.rs", "use std::net::IpAddr;", 1),
            ("crates/cleanbill-oci/src/a.rs", "use cleanbill_core::package::Package;", 1),
            ("crates/cleanbill-oci/src/a.rs", "use std::{fs, net};", 0),
            ("crates/cleanbill-extract/src/a.rs", "use std::{fmt, net::IpAddr};", 1),
            (
                "crates/cleanbill-oci/src/a.rs",
                "use cleanbill_core::{\n  gap::Gap,\n  policy,\n};",
                1,
            ),
            ("crates/cleanbill-advisory/src/a.rs", "use cleanbill_core::rootfs::Rootfs;", 1),
            ("crates/cleanbill-trust/src/a.rs", "use cleanbill_core::policy::Policy;", 1),
            ("crates/cleanbill/src/a.rs", "use std::fs; fn a() { println!(\"x\") }", 0),
        ];
        for (path, text, expected) in table {
            assert_eq!(check(&Tree::of(&[(path, text)])).len(), *expected, "{path}: {text}");
        }
    }
}
