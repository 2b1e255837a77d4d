//! What is measured, in order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Plan;
use super::client::{self, Done, Expected, Load, Shot, Target};
use super::images;
use super::process::{Server, own};
use super::rig::Rig;
use crate::{Result, say};

/// Connections that are kept.
pub(super) const CONNECTIONS: usize = 64;
/// Who ask at once for one image that nobody has seen.
const AT_ONCE: usize = 500;

/// All of it.
///
/// # Errors
/// When a server does not start, or an answer is another than it should be.
pub fn all(plan: &Plan, ours: &Path) -> Result<()> {
    let work = tempfile::tempdir_in(crate::tools::inputs_dir()?)?;
    let rig = Rig::new(work.path(), ours, plan.images, plan.memory)?;
    let gate = rig.gate()?;
    let target = rig.target(&gate)?;
    let known = Load { shots: Arc::new(known(plan.images)), connections: CONNECTIONS };

    let before = gate.memory()?;
    let began = Instant::now();
    client::once(&target, &known)?;
    say(&format!(
        "{} images from the store: {:.1} s, memory {:.0} MB before, {:.0} MB after",
        plan.images,
        began.elapsed().as_secs_f64(),
        before / 1e6,
        gate.memory()? / 1e6
    ));
    let answer = asked(&target, &known)?;
    let constant = rig.constant(&answer)?;

    let rate = throughput(plan, &rig, &gate, &constant, &known)?;
    latency(plan, &target, &known, rate / 2.0)?;
    at_once(&rig, &gate)?;
    memory(plan, &rig, &gate, &known, rate)
}

/// What a gate does most, and some of what it does seldom.
pub(super) fn work(rig: &Rig, gate: &Server) -> Result<()> {
    let target = rig.target(gate)?;
    let known = Load { shots: Arc::new(known(1000)), connections: CONNECTIONS };
    client::once(&target, &known)?;
    at_once(rig, gate)?;
    client::closed(&target, &known, Duration::from_secs(10)).map(drop)
}

/// A question about each of the images that the store has.
pub(super) fn known(count: usize) -> Vec<Shot> {
    order(count).map(|n| Shot::about(&images::name(n), Expected::Allowed)).collect()
}

/// The answer to the first question.
pub(super) fn asked(target: &Target, load: &Load) -> Result<Vec<u8>> {
    runtime()?.block_on(async {
        let mut connection = target.connect().await?;
        let shot = load.shots.first().ok_or("no images")?;
        connection.ask(shot).await?;
        connection.exchange(shot.bytes()).await.map(<[u8]>::to_vec)
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Every number below `count` once, neighbours far apart.
fn order(count: usize) -> impl Iterator<Item = usize> {
    let step = [7919, 7927, 1].into_iter().find(|s| !count.is_multiple_of(*s)).unwrap_or(1);
    (0..count).map(move |n| n * step % count)
}

/// Least, middle and most.
pub(super) fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let last = sorted.len().saturating_sub(1);
    (at(0), at(last / 2), at(last))
}

/// The same as text.
pub(super) fn shown(values: &[f64]) -> String {
    let (least, middle, most) = spread(values);
    format!("{least:.2} / {middle:.2} / {most:.2}")
}

/// A load, with microseconds of processor time for each answer: the server's and ours.
pub(super) fn measured(
    server: &Server,
    run: impl FnOnce() -> Result<Done>,
) -> Result<(Done, f64, f64)> {
    let (theirs, ours) = (server.busy()?, own()?);
    let done = run()?;
    let each = |busy: f64| busy * 1e6 / done.micros.len() as f64;
    let (theirs, ours) = (each(server.busy()? - theirs), each(own()? - ours));
    Ok((done, theirs, ours))
}

/// What both servers are asked in turns within one round: the machine's speed changes within
/// seconds, and both are to have their share of each.
const TURNS: u32 = 8;

/// The mean of several turns.
#[derive(Default)]
struct Sum {
    rate: f64,
    server: f64,
    client: f64,
}

impl Sum {
    fn add(&mut self, (done, server, client): (Done, f64, f64)) {
        self.rate += done.rate / f64::from(TURNS);
        self.server += server / f64::from(TURNS);
        self.client += client / f64::from(TURNS);
    }
}

/// Rounds in turn; the gate's middle rate.
fn throughput(
    plan: &Plan,
    rig: &Rig,
    gate: &Server,
    constant: &Server,
    known: &Load,
) -> Result<f64> {
    let (to_gate, to_constant) = (rig.target(gate)?, rig.target(constant)?);
    let mut ratios = Vec::new();
    let mut rates = Vec::new();
    let scans = rig.counter("cleanbill_examinations_total")?;
    say(
        "| round | constant (answers/s) | gate (answers/s) | ratio | processor time of an answer, constant / gate / client (µs) |",
    );
    say("| --- | --- | --- | --- | --- |");
    for round in 0..=plan.rounds {
        let (mut base, mut ours) = (Sum::default(), Sum::default());
        for _ in 0..TURNS {
            let time = plan.round / TURNS;
            base.add(measured(constant, || client::closed(&to_constant, known, time))?);
            ours.add(measured(gate, || client::closed(&to_gate, known, time))?);
        }
        // The first warms up.
        if round == 0 {
            continue;
        }
        let ratio = ours.rate / base.rate;
        say(&format!(
            "| {round} | {:.0} | {:.0} | {ratio:.2} | {:.1} / {:.1} / {:.1} |",
            base.rate, ours.rate, base.server, ours.server, ours.client
        ));
        ratios.push(ratio);
        rates.push(ours.rate);
    }
    say(&format!("throughput, gate to constant: {} (wanted: 0.6)", shown(&ratios)));
    let scans = rig.counter("cleanbill_examinations_total")? - scans;
    say(&format!("examinations meanwhile: {scans}; loads {}", load()?));
    Ok(spread(&rates).1)
}

fn load() -> Result<String> {
    Ok(std::fs::read_to_string("/proc/loadavg")?.trim().to_owned())
}

/// How long answers take at half of what the gate can do.
fn latency(plan: &Plan, target: &Target, known: &Load, rate: f64) -> Result<()> {
    let mut nines = Vec::new();
    for _ in 0..plan.rounds {
        let done = client::open(target, known, plan.round * 2, rate)?;
        say(&format!(
            "at {rate:.0}/s (had {:.0}): p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, most {:.2} ms",
            done.rate,
            done.within(0.5),
            done.within(0.9),
            done.within(0.99),
            done.within(0.999),
            done.within(1.0)
        ));
        nines.push(done.within(0.99));
    }
    say(&format!("p99 at half load: {} ms (wanted: below 5)", shown(&nines)));
    Ok(())
}

/// Many ask at once for one image that nobody has seen.
fn at_once(rig: &Rig, gate: &Server) -> Result<()> {
    let counter = "cleanbill_examinations_total";
    let before = rig.counter(counter)?;
    let image = rig.registry.image(1).ok_or("no examples")?;
    let shots = vec![Shot::about(&image, Expected::Allowed); AT_ONCE];
    let load = Load { shots: Arc::new(shots), connections: AT_ONCE };
    let done = client::once(&rig.target(gate)?, &load)?;
    let scans = rig.counter(counter)? - before;
    say(&format!(
        "{} asked at once for an unseen image: {scans} examination(s), last answer after {:.0} ms",
        done.micros.len(),
        done.within(1.0)
    ));
    match scans as u64 {
        1 => Ok(()),
        _ => Err("one image was examined more than once at a time".into()),
    }
}

/// Memory under a mix of everything.
fn memory(plan: &Plan, rig: &Rig, gate: &Server, known: &Load, rate: f64) -> Result<()> {
    let rate = (rate / 8.0).min(1000.0);
    let count = (rate * plan.mixed.as_secs_f64()) as usize + 1;
    let mut unseen = 1_usize;
    let mut shots = Vec::with_capacity(count);
    for n in 0..count {
        shots.push(match n % 100 {
            // Examined, each for the first time; every second is denied.
            0..2 => {
                unseen += 1;
                let image = rig.registry.image(unseen).ok_or("no examples")?;
                let passes = unseen % 2 == 1;
                Shot::about(&image, if passes { Expected::Allowed } else { Expected::Refused })
            }
            // Nobody is there.
            2..6 => {
                let image = images::name(n).replace("registry.example", &nowhere(rig));
                Shot::about(&image, Expected::Refused)
            }
            6..11 => Shot::about("not an image", Expected::Refused),
            11..14 => Shot::of("{\"kind\": \"ImageReview\"", Expected::Refused),
            14..20 => {
                // Examined before, and denied each time.
                let image = rig.registry.image(0).ok_or("no examples")?;
                Shot::about(&image, Expected::Refused)
            }
            _ => known.shots.get(n % known.shots.len()).cloned().ok_or("no images")?,
        });
    }
    let load = Load { shots: Arc::new(shots), connections: CONNECTIONS };
    let target = rig.target(gate)?;
    let time = plan.mixed;
    let loading = std::thread::spawn(move || {
        client::open(&target, &load, time, rate).map_err(|e| e.to_string())
    });
    let stored = rig.stored();
    let mut samples = Vec::new();
    while !loading.is_finished() {
        samples.push(gate.memory()?);
        std::thread::sleep(Duration::from_secs(1));
    }
    let done = loading.join().map_err(|_| "the load panicked")??;
    let part = samples.len().min(60).min(samples.len() / 3 + 1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64 / 1e6;
    let first = mean(samples.get(..part).unwrap_or_default());
    let last = mean(samples.get(samples.len() - part..).unwrap_or_default());
    say(&format!(
        "mixed load, {} questions in {} s, p99 {:.1} ms: memory {first:.1} MB in the first {part} s, \
         {last:.1} MB in the last, {:+.2} MB a minute, {:+.2} in the second half; the store grew by {:.0} MB",
        done.micros.len(),
        time.as_secs(),
        done.within(0.99),
        slope(&samples) * 60.0 / 1e6,
        slope(samples.get(samples.len() / 2..).unwrap_or_default()) * 60.0 / 1e6,
        (rig.stored() - stored) / 1e6
    ));
    Ok(())
}

fn nowhere(rig: &Rig) -> String {
    format!("127.0.0.1:{}", rig.nowhere)
}

/// What is added with every sample, by least squares.
fn slope(samples: &[f64]) -> f64 {
    let count = samples.len() as f64;
    let (x, y) = ((count - 1.0) / 2.0, samples.iter().sum::<f64>() / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let dx = n as f64 - x;
        above += dx * (sample - y);
        below += dx * dx;
    }
    above / below
}

#[cfg(test)]
mod tests {
    use super::{order, slope, spread};

    #[test]
    fn every_image_has_its_turn() {
        for count in [1, 10, 7919, 10_000] {
            let mut all: Vec<usize> = order(count).collect();
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_slope_is_what_each_sample_adds() {
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]) - 2.0).abs() < 1e-9);
        assert!(slope(&[4.0, 4.0, 4.0]).abs() < 1e-9);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), (1.0, 2.0, 3.0));
    }
}
