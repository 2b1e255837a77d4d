//! `cargo xtask bench`: our release build next to Trivy, in one run, alternating, with a warm
//! page cache and empty own caches. It prints figures and writes none into any document.
//!
//! `bench inputs` only builds the inputs; `bench RUNS` measures that many times (default 5);
//! `bench gate` is another measurement, of the gate under load, and `bench db` one of snapshots.

mod db;
pub mod gate;
mod measure;

use std::path::Path;
use std::process::Command;

use crate::inputs::{self, Input};
use crate::tools::{inputs_dir, output, release_binary, run, shared_data};
use crate::{Result, say};

use measure::{Sample, Summary};

/// `cargo xtask bench`.
///
/// # Errors
/// When an input cannot be built or a run fails: a scan that failed is no measurement.
pub fn run_task(args: &[String]) -> Result<()> {
    if let Some(("gate", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return gate::run_task(rest);
    }
    if let Some(("db", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return db::run_task(rest);
    }
    let alpine = inputs::alpine("3.9")?;
    let large = inputs::large()?;
    let oci = inputs::as_oci(&large)?;
    if args.first().is_some_and(|a| a == "inputs") {
        for input in [&alpine, &large, &oci] {
            say(&format!("{}: {}", input.name, input.path.display()));
        }
        return Ok(());
    }
    let runs: usize = args.first().map_or(Ok(5), |n| n.parse())?;
    let ours = release_binary()?;
    let trivy = inputs::trivy_binary()?;
    let work = tempfile::tempdir()?;
    let cache = work.path().join("trivy-cache");
    let data = shared_data()?;
    run(Command::new("cp")
        .args(["-r", "--no-preserve=mode"])
        .arg(data.join("trivy-cache"))
        .arg(&cache))?;
    let snapshot = inputs_dir()?.join("bench.snapshot");
    run(Command::new(&ours)
        .args(["db", "build", "--from"])
        .arg(&data)
        .arg("--out")
        .arg(&snapshot))?;
    say(&format!("{}\n{}", machine()?, versions(&ours, &trivy)?));
    say("| input | scanner | runs | wall min / median / max (s) | peak memory median / max (MB) |");
    say("| --- | --- | --- | --- | --- |");
    for input in [&alpine, &large, &oci] {
        compare(input, runs, &ours, &trivy, &cache, &snapshot)?;
    }
    Ok(())
}

/// Measures both scanners alternately on one input, after one unmeasured run each that warms
/// the page cache.
fn compare(
    input: &Input,
    runs: usize,
    ours: &Path,
    trivy: &Path,
    cache: &Path,
    snapshot: &Path,
) -> Result<()> {
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for turn in 0..=runs {
        let a = measure::once(&mut scan_with_us(ours, input, snapshot))?;
        let scanned = cache.join("fanal");
        if scanned.exists() {
            std::fs::remove_dir_all(&scanned)?;
        }
        let b = measure::once(&mut scan_with_trivy(trivy, input, cache))?;
        if turn > 0 {
            us.push(a);
            them.push(b);
        }
    }
    report(&input.name, &us, &them);
    Ok(())
}

fn report(name: &str, us: &[Sample], them: &[Sample]) {
    let (us, them) = (Summary::of(us), Summary::of(them));
    say(&format!("| {name} | cleanbill | {us}"));
    say(&format!("| {name} | trivy | {them}"));
    say(&format!(
        "| {name} | ratio | | {:.2}× faster (medians) | {:.2}× the memory (medians) |",
        them.wall / us.wall,
        us.memory / them.memory
    ));
}

fn scan_with_us(ours: &Path, input: &Input, snapshot: &Path) -> Command {
    let mut command = measure::timed(ours);
    command
        .args(["scan", "--quiet", "--format", "json", "--output", "/dev/null", "--db"])
        .arg(snapshot)
        .arg("--input")
        .arg(&input.path);
    command
}

fn scan_with_trivy(trivy: &Path, input: &Input, cache: &Path) -> Command {
    let mut command = measure::timed(trivy);
    command
        .args(["image", "--quiet", "--scanners", "vuln", "--format", "json", "--output"])
        .args(["/dev/null", "--skip-db-update", "--offline-scan", "--skip-version-check"])
        .arg("--cache-dir")
        .arg(cache)
        .arg("--input")
        .arg(&input.path);
    command
}

fn machine() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or(": unknown");
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{cores} cores{model}, load at the start {}", load.trim()))
}

fn versions(ours: &Path, trivy: &Path) -> Result<String> {
    let us = output(Command::new(ours).arg("--version"))?;
    let them = output(Command::new(trivy).arg("--version"))?;
    let them = them.lines().next().unwrap_or_default();
    Ok(format!("{}; trivy {}", us.trim(), them.trim_start_matches("Version: ")))
}
