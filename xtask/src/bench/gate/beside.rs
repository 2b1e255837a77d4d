//! `cargo xtask bench gate --beside PROGRAM,PROGRAM`: builds of the gate against each other, in
//! short turns, so that a machine whose speed changes by the minute slows all of them alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Plan;
use super::client::{self, Load};
use super::process::Server;
use super::rig::Rig;
use super::steps::{CONNECTIONS, asked, known, measured, shown, spread};
use crate::{Result, say};

/// One build with its figures, one of each turn.
struct Build {
    name: String,
    rig: Rig,
    gate: Server,
    ratios: Vec<f64>,
    times: Vec<f64>,
    idle: Vec<f64>,
    nines: Vec<f64>,
}

/// Throughput of each build, then its times at a fixed rate.
///
/// # Errors
/// When a server does not start, or an answer is another than it should be.
pub fn all(plan: &Plan, programs: &[PathBuf]) -> Result<()> {
    let work = tempfile::tempdir_in(crate::tools::inputs_dir()?)?;
    let load = Load { shots: Arc::new(known(plan.images)), connections: CONNECTIONS };
    let mut builds = Vec::new();
    for (n, program) in programs.iter().enumerate() {
        builds.push(build(plan, &work.path().join(n.to_string()), program, &load)?);
    }
    let first = builds.first().ok_or("no programs")?;
    let answer = asked(&first.rig.target(&first.gate)?, &load)?;
    let constant = first.rig.constant(&answer)?;
    let to_constant = first.rig.target(&constant)?;
    let mut rates = Vec::new();
    for round in 0..=plan.rounds {
        for build in &mut builds {
            // Just before each: the machine's speed changes within seconds.
            let done = client::closed(&to_constant, &load, plan.round)?;
            let target = build.rig.target(&build.gate)?;
            let before = idle()?;
            let (got, theirs, _) =
                measured(&build.gate, || client::closed(&target, &load, plan.round))?;
            // The first warms up.
            if round > 0 {
                rates.push(got.rate);
                build.ratios.push(got.rate / done.rate);
                build.times.push(theirs);
                build.idle.push(idle()? - before);
            }
        }
    }
    let rate = spread(&rates).1 / 2.0;
    let mut nines = Vec::new();
    for _ in 0..plan.rounds {
        nines.push(client::open(&to_constant, &load, plan.round, rate)?.within(0.99));
        for build in &mut builds {
            let target = build.rig.target(&build.gate)?;
            let done = client::open(&target, &load, plan.round, rate)?;
            build.nines.push(done.within(0.99));
        }
    }
    let seconds = plan.round.as_secs_f64();
    say(&format!(
        "| build | ratio | processor time of an answer (µs) | idle (s of {:.0}) | p99 at {rate:.0}/s (ms) |",
        seconds * 2.0
    ));
    say("| --- | --- | --- | --- | --- |");
    say(&format!("| the constant | | | | {} |", shown(&nines)));
    for build in &builds {
        say(&format!(
            "| {} | {} | {} | {} | {} |",
            build.name,
            shown(&build.ratios),
            shown(&build.times),
            shown(&build.idle),
            shown(&build.nines)
        ));
    }
    Ok(())
}

fn build(plan: &Plan, folder: &Path, program: &Path, load: &Load) -> Result<Build> {
    std::fs::create_dir(folder)?;
    let rig = Rig::new(folder, program, plan.images, plan.memory)?;
    let gate = rig.gate()?;
    client::once(&rig.target(&gate)?, load)?;
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (ratios, times) = (Vec::new(), Vec::new());
    Ok(Build { name, rig, gate, ratios, times, idle: Vec::new(), nines: Vec::new() })
}

/// Seconds that the processors have been idle, or waited for a disk.
fn idle() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let first = text.lines().next().ok_or("an empty /proc/stat")?;
    let ticks = first.split_whitespace().skip(4).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? / 100.0)
}
