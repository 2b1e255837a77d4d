//! `cargo xtask parity`: Trivy and our release build on the same archives with the very same
//! advisories. It prints only what differs, and fails on a difference that nobody explained.
//!
//! `parity` compares the small inputs, `parity large` the large archive too.

mod explained;
mod facts;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::inputs::{self, Input};
use crate::tools::{inputs_dir, output, release_binary, run, shared_data};
use crate::{Result, say};

use facts::{Fact, Kind};

/// Which scanner alone says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Only {
    /// We do and Trivy does not.
    Us,
    /// Trivy does and we do not.
    Trivy,
}

/// `cargo xtask parity`.
///
/// # Errors
/// When an input cannot be built, a scan fails, or a difference is not explained.
pub fn run_task(args: &[String]) -> Result<()> {
    let mut inputs = vec![inputs::go()?, inputs::python()?, inputs::rust()?, inputs::bitnami()?];
    inputs.push(example_image()?);
    inputs.push(inputs::alpine_secdb()?);
    for version in inputs::alpine_versions() {
        inputs.push(inputs::alpine(version)?);
    }
    if args.iter().any(|a| a == "large") {
        inputs.push(inputs::large()?);
    }
    let scanners = Scanners::prepare()?;
    let mut unexplained = 0;
    for input in &inputs {
        unexplained += scanners.compare(input)?;
    }
    match unexplained {
        0 => Ok(()),
        n => Err(format!("{n} difference(s) that docs/parity.md does not explain").into()),
    }
}

/// The example image with findings that the program carries.
fn example_image() -> Result<Input> {
    let folder = inputs_dir()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .current_dir(crate::root())
        .args(["run", "--quiet", "--release", "--package", "cleanbill", "--example", "images"])
        .arg("--")
        .arg(&folder))?;
    // Trivy reads OCI layouts as folders only.
    let name = "alpine-3.9.0";
    let path = folder.join(format!("{name}.docker.tar"));
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    run(Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--quiet"])
        .arg(format!("oci-archive:{}", folder.join(format!("{name}.tar")).display()))
        .arg(format!("docker-archive:{}:example:latest", path.display())))?;
    Ok(Input { name: name.into(), path })
}

/// Both scanners, ready, with the same advisories.
struct Scanners {
    ours: std::path::PathBuf,
    trivy: std::path::PathBuf,
    snapshot: std::path::PathBuf,
    work: tempfile::TempDir,
}

impl Scanners {
    fn prepare() -> Result<Self> {
        let work = tempfile::tempdir()?;
        let ours = release_binary()?;
        let snapshot = inputs_dir()?.join("parity.snapshot");
        let data = shared_data()?;
        run(Command::new(&ours)
            .args(["db", "build", "--from"])
            .arg(&data)
            .arg("--out")
            .arg(&snapshot))?;
        run(Command::new("cp")
            .args(["-r", "--no-preserve=mode"])
            .arg(data.join("trivy-cache"))
            .arg(work.path().join("trivy-cache")))?;
        Ok(Self { ours, trivy: inputs::trivy_binary()?, snapshot, work })
    }

    /// Prints what differs; returns how much of it is unexplained.
    fn compare(&self, input: &Input) -> Result<usize> {
        let ours_report = self.with_us(&input.path)?;
        let us = facts::read(&ours_report);
        let them = facts::read(&self.with_trivy(&input.path)?);
        let count = |facts: &BTreeSet<Fact>, kind| facts.iter().filter(|f| f.kind == kind).count();
        say(&format!(
            "{}: packages {} (trivy {}), findings {} (trivy {})",
            input.name,
            count(&us, Kind::Package),
            count(&them, Kind::Package),
            count(&us, Kind::Finding),
            count(&them, Kind::Finding),
        ));
        if count(&us, Kind::Package) == 0 {
            return Err(format!("{}: no packages at all: nothing was compared", input.name).into());
        }
        if let Some(gaps) = report_gaps(&ours_report) {
            say(&format!("  gaps that only cleanbill tells: {gaps}"));
        }
        let ours = us.difference(&them).map(|f| (Only::Us, f));
        let theirs = them.difference(&us).map(|f| (Only::Trivy, f));
        let mut unexplained = 0;
        for (only, fact) in ours.chain(theirs) {
            let why = explained::why(only, fact);
            if why.is_none() {
                unexplained += 1;
            }
            let side = match only {
                Only::Us => "only cleanbill",
                Only::Trivy => "only trivy",
            };
            say(&format!("  {side}: {fact} [{}]", why.unwrap_or("UNEXPLAINED")));
        }
        Ok(unexplained)
    }

    fn with_us(&self, archive: &Path) -> Result<Value> {
        let mut command = Command::new(&self.ours);
        command.args(["scan", "--quiet", "--format", "json", "--list-all-pkgs", "--db"]);
        command.arg(&self.snapshot).arg("--input").arg(archive);
        Ok(serde_json::from_str(&output(&mut command)?)?)
    }

    fn with_trivy(&self, archive: &Path) -> Result<Value> {
        let mut command = Command::new(&self.trivy);
        command.args(["image", "--quiet", "--scanners", "vuln", "--format", "json"]);
        command.args(["--list-all-pkgs", "--skip-db-update", "--offline-scan"]);
        command.args(["--skip-version-check", "--cache-dir"]);
        command.arg(self.work.path().join("trivy-cache")).arg("--input").arg(archive);
        Ok(serde_json::from_str(&output(&mut command)?)?)
    }
}

/// Our gaps by kind, with how many of each.
fn report_gaps(report: &Value) -> Option<String> {
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    for gap in report.get("Gaps")?.as_array()? {
        *kinds.entry(gap.get("Kind")?.as_str()?).or_default() += 1;
    }
    let shown: Vec<String> = kinds.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}
