//! `cargo xtask TASK`: the workspace's chores. This file only names them; each is one module.
#![expect(clippy::print_stderr, reason = "a chore's output is what it prints")]

use std::process::ExitCode;

use xtask::{Result, bench, dist, fuzz, kube_assets, nightly, order, parity, starter, tidy};

/// A chore: its name, what it is for, and its entry point, which gets the other arguments.
type Task = (&'static str, &'static str, fn(&[String]) -> Result<()>);

/// Every chore.
const TASKS: &[Task] = &[
    ("tidy", "check what no compiler checks: the star, the bans, sizes, lists", tidy::run),
    ("parity", "compare with Trivy on the same archives: parity [large]", parity::run_task),
    (
        "bench",
        "measure a release build next to Trivy: bench [inputs|RUNS|gate|db]",
        bench::run_task,
    ),
    ("dist", "build the program as it is given to others, by what it does at work", dist::run_task),
    ("fuzz", "run every fuzz target: fuzz [SECONDS [TARGET…]]", fuzz::run_task),
    ("nightly", "what takes longer than a commit should wait", nightly::run_task),
    ("kube-assets", "make kube-apiserver, kubectl, etcd for the tests, once", kube_assets::run),
    ("order", "check version orders against a table: order ECOSYSTEM FILE", order::run),
    ("starter", "make the snapshot that is part of the program: starter [FOLDER]", starter::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match args.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", &[][..]),
    };
    let Some((_, _, task)) = TASKS.iter().find(|(known, _, _)| *known == name) else {
        eprintln!("usage: cargo xtask TASK\n");
        for (name, what, _) in TASKS {
            eprintln!("  {name:<12} {what}");
        }
        return if name == "help" { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    match task(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}
