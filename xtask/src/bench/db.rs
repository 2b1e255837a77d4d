//! `cargo xtask bench db [RUNS]`: what a snapshot of all shared data takes to build, how large it
//! is next to Trivy's database, and how fast it opens and judges (`examples/judge.rs`).

use std::process::Command;

use crate::tools::{inputs_dir, output, release_binary, shared_data};
use crate::{Result, say};

use super::measure::{self, Sample, Summary};

/// Runs it.
///
/// # Errors
/// When something cannot be built or run.
pub fn run_task(args: &[String]) -> Result<()> {
    let runs: usize = args.first().map_or(Ok(3), |n| n.parse())?;
    let (ours, data) = (release_binary()?, shared_data()?);
    let (all, import) = (inputs_dir()?.join("all.cbdb"), inputs_dir()?.join("import.cbdb"));
    let trivy = data.join("trivy-cache/db/trivy.db");
    say("| snapshot of | runs | wall min / median / max (s) | peak memory median / max (MB) |");
    say("| --- | --- | --- | --- |");
    for (name, from, out) in [("all shared data", &data, &all), ("trivy.db", &trivy, &import)] {
        let build = || {
            let mut command = measure::timed(&ours);
            command.args(["db", "build", "--from"]).arg(from).arg("--out").arg(out);
            measure::once(&mut command)
        };
        let samples = (0..runs).map(|_| build()).collect::<Result<Vec<Sample>>>()?;
        say(&format!("| {name} | {} |", Summary::of(&samples)));
    }
    let size = |path: &std::path::Path| -> Result<u64> { Ok(path.metadata()?.len()) };
    let (theirs, imported) = (size(&trivy)?, size(&import)?);
    say(&format!(
        "all shared data: {} bytes; trivy.db: {theirs} bytes, imported {imported}: {:.3} of it",
        size(&all)?,
        imported as f64 / theirs as f64
    ));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut judge = Command::new(cargo);
    judge.args(["run", "--quiet", "--release", "-p", "cleanbill-advisory", "--example", "judge"]);
    say(output(judge.arg("--").arg(&all))?.trim_end());
    Ok(())
}
