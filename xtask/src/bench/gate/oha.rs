//! `cargo xtask bench gate --oha PROGRAM`: the same load from a generator that others made, `oha`
//! (`cargo install oha`), so that what is measured does not hang on ours.
//!
//! It sends one of all questions at a time, picked by chance, and looks at no verdict: that each
//! answer was "allowed" is read from the gate's own counters.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::Plan;
use super::client::{self, Load, Shot};
use super::process::Server;
use super::rig::Rig;
use super::steps::{CONNECTIONS, asked, known, shown, spread};
use crate::tools::output;
use crate::{Result, say};

/// The counter of what was allowed.
const ALLOWED: &str = "cleanbill_decisions_total{api=\"imagereview\",outcome=\"allowed\"}";

/// What one run of it came to.
struct Run {
    rate: f64,
    answers: f64,
    p99: f64,
}

/// Throughput beside the constant, then times at half of that load.
///
/// # Errors
/// When a server or the generator does not start, or an answer is another than it should be.
pub fn all(plan: &Plan, ours: &Path, oha: &Path) -> Result<()> {
    let work = tempfile::tempdir_in(crate::tools::inputs_dir()?)?;
    let rig = Rig::new(work.path(), ours, plan.images, plan.memory)?;
    let gate = rig.gate()?;
    let load = Load { shots: Arc::new(known(plan.images)), connections: CONNECTIONS };
    client::once(&rig.target(&gate)?, &load)?;
    let constant = rig.constant(&asked(&rig.target(&gate)?, &load)?)?;
    let bodies = work.path().join("questions");
    let lines: Vec<&[u8]> = load.shots.iter().map(Shot::body).collect();
    std::fs::write(&bodies, lines.concat())?;
    let ask = |server: &Server, time: Duration, rate: Option<f64>| {
        once(oha, &rig, server, &bodies, time, rate)
    };
    say(&output(Command::new(oha).arg("--version"))?);
    say("| round | constant (answers/s) | gate (answers/s) | ratio |");
    say("| --- | --- | --- | --- |");
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for round in 0..=plan.rounds {
        // Long turns: each begins with as many handshakes as connections.
        let base = ask(&constant, plan.round * 2, None)?.rate;
        let gates = allowed(&rig, || ask(&gate, plan.round * 2, None))?.rate;
        // The first warms up.
        if round > 0 {
            say(&format!("| {round} | {base:.0} | {gates:.0} | {:.2} |", gates / base));
            ratios.push(gates / base);
            rates.push(gates);
        }
    }
    say(&format!("throughput, gate to constant: {} (wanted: 0.6)", shown(&ratios)));
    let half = spread(&rates).1 / 2.0;
    let (mut bases, mut nines) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds.div_ceil(2) {
        // Longer still: what is due while the handshakes take the processors comes too late.
        bases.push(ask(&constant, plan.round * 10, Some(half))?.p99);
        nines.push(allowed(&rig, || ask(&gate, plan.round * 10, Some(half)))?.p99);
    }
    say(&format!("p99 at {half:.0}/s, the constant: {} ms", shown(&bases)));
    say(&format!("p99 at {half:.0}/s, the gate: {} ms (wanted: below 5)", shown(&nines)));
    Ok(())
}

/// One run, at a fixed rate or as fast as the server answers.
fn once(
    oha: &Path,
    rig: &Rig,
    server: &Server,
    questions: &Path,
    time: Duration,
    rate: Option<f64>,
) -> Result<Run> {
    let file = |name: &str| rig.folder().join(name);
    let mut command = Command::new(oha);
    command
        .args(["--no-tui", "--output-format", "json", "--http-version", "1.1", "-m", "POST"])
        .args(["-T", "application/json", "-c", &CONNECTIONS.to_string(), "-w", "-z"])
        .arg(format!("{}ms", time.as_millis()))
        .arg("-Z")
        .arg(questions)
        .arg("--cacert")
        .arg(file("ca.crt"))
        .arg("--cert")
        .arg(file("client.crt"))
        .arg("--key")
        .arg(file("client.key"));
    if let Some(rate) = rate {
        // Those that had to wait count from when they were due.
        command.args(["--latency-correction", "-q", &format!("{rate:.0}")]);
    }
    command.arg(format!("https://127.0.0.1:{}/review?timeout=30s", server.port));
    let told: serde_json::Value = serde_json::from_str(&output(&mut command)?)?;
    let number = |at: &str| {
        told.pointer(at).and_then(serde_json::Value::as_f64).ok_or(format!("oha told no {at}"))
    };
    let codes = told.pointer("/statusCodeDistribution").and_then(serde_json::Value::as_object);
    let codes = codes.ok_or("oha told no status codes")?;
    if codes.keys().any(|code| code != "200") || number("/summary/successRate")? < 1.0 {
        let errors = told.get("errorDistribution");
        return Err(format!("not all answers were 200: {codes:?}, {errors:?}").into());
    }
    let answers = number("/statusCodeDistribution/200")?;
    Ok(Run {
        // Its own rate counts what failed, too.
        rate: answers / number("/summary/total")?,
        answers,
        p99: number("/latencyPercentiles/p99")? * 1e3,
    })
}

/// A run of which every answer has to be "allowed".
fn allowed(rig: &Rig, run: impl FnOnce() -> Result<Run>) -> Result<Run> {
    let before = rig.counter(ALLOWED)?;
    let run = run()?;
    let allowed = rig.counter(ALLOWED)? - before;
    match allowed >= run.answers {
        true => Ok(run),
        false => Err(format!("{} answers, {allowed} of them \"allowed\"", run.answers).into()),
    }
}
