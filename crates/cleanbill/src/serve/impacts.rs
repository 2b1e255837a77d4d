//! What new advisories mean for the images that the gate knows: judged again in the background, and
//! told in the log and in metrics; at the start too, where they changed while the gate was stopped.
//!
//! Must not answer, record or keep anything, and never delays a question: it is one thread that
//! rests after each image for as long as it took, reads the store on a connection of its own, and
//! ends soon when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;

use super::live::Rules;
use super::metrics::Metrics;
use crate::failure::Result;
use crate::impact::{Between, Grounds, Impact, Pace, Record, compare};
use crate::store::{InForce, Store};

/// The most images that have a line in the log.
const LINES: usize = 100;
/// The most advisories in one line.
const IDS: usize = 10;

/// One look at all known images, under way or done. Dropped: told to end.
pub struct Looking {
    from: Arc<Snapshot>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

impl Looking {
    /// Begins one, in a thread of its own. What one before did not come to the end of is looked at
    /// again with this one: it begins from the same advisories.
    pub fn begin(
        before: Option<Self>,
        (from, to): (Arc<Snapshot>, Arc<Snapshot>),
        store: Arc<Store>,
        rules: Arc<Rules>,
        metrics: Arc<Metrics>,
    ) -> Option<Self> {
        let unfinished = before.filter(|looking| !looking.done.load(Relaxed));
        let from = unfinished.as_ref().map_or(from, |looking| Arc::clone(&looking.from));
        drop(unfinished);
        let looking = Self { from: Arc::clone(&from), stop: Arc::default(), done: Arc::default() };
        let (stop, done) = (Arc::clone(&looking.stop), Arc::clone(&looking.done));
        let look = move || {
            let began = Instant::now();
            match judge(&store, &from, &to, &rules, &stop) {
                Ok(impact) if impact.stopped => {}
                Ok(impact) => {
                    tell(&impact, &metrics);
                    metrics.looked_again(Timestamp::now(), began.elapsed());
                    done.store(true, Relaxed);
                }
                Err(why) => tracing::error!(%why, "known images cannot be judged again"),
            }
        };
        match std::thread::Builder::new().name("impact".into()).spawn(look) {
            Ok(_) => Some(looking),
            Err(why) => {
                tracing::error!(%why, "known images cannot be judged again: no thread");
                None
            }
        }
    }

    /// Whether it came to the end.
    pub fn is_done(&self) -> bool {
        self.done.load(Relaxed)
    }
}

/// The snapshot that was last in force, where a copy of it is kept.
pub(super) fn last_in_force(store: &Store) -> Option<Snapshot> {
    let opened = || {
        let digest = store.in_force(InForce::Snapshot)?;
        digest.map(|digest| store.open_snapshot(&digest)).transpose()
    };
    match opened() {
        Ok(None) => None,
        Ok(Some(Ok(snapshot))) => Some(snapshot),
        Ok(Some(Err(why))) => {
            tracing::warn!(why, "the advisories from before cannot be compared with");
            None
        }
        Err(why) => {
            tracing::error!(%why, "the advisories from before cannot be compared with");
            None
        }
    }
}

fn judge(
    store: &Store,
    from: &Snapshot,
    to: &Snapshot,
    rules: &Rules,
    stop: &AtomicBool,
) -> Result<Impact> {
    let record = Record::read(store, &|| !stop.load(Relaxed))?;
    let between = Between { from, to, policy: &rules.policy, now: Timestamp::now() };
    let mut impact = compare(store, record, between, Pace { threads: 1, gently: true, stop })?;
    // The record may have been read in part.
    impact.stopped |= stop.load(Relaxed);
    Ok(impact)
}

/// A line for each image that changed, and one for all.
fn tell(impact: &Impact, metrics: &Metrics) {
    let (mut changed, mut open) = (0_usize, impact.unknown.len());
    for one in &impact.images {
        let Ok(judged) = &one.result else {
            open += 1;
            continue;
        };
        // The first namespace speaks for those in which the same came of it.
        let mut outcomes = judged.outcomes.iter().filter(|(_, o)| o.was != o.is);
        let Some((namespace, outcome)) = outcomes.next() else { continue };
        changed += 1;
        metrics.image_changed(outcome.is);
        if changed <= LINES {
            let (image, others) = (&one.image.name, outcomes.count());
            let (from, to) = (outcome.was, outcome.is);
            let (now, before) = (ids(&outcome.added), ids(&outcome.removed));
            tracing::info!(
                image,
                namespace,
                others,
                from,
                to,
                because = now,
                no_longer = before,
                "new advisories change what is said to an image"
            );
        }
    }
    let (images, untold) = (impact.images.len(), changed.saturating_sub(LINES));
    tracing::info!(
        images,
        changed,
        untold,
        not_judged = open,
        "known images were judged again by the new advisories"
    );
}

/// The ids of flaws, and kinds of gaps with what they are about.
fn ids(grounds: &Grounds) -> String {
    let flaws = grounds.flaws.iter().map(|flaw| flaw.id.clone());
    let gaps = grounds.gaps.iter().map(|gap| format!("{} {}", gap.kind, gap.subject));
    let mut all: Vec<String> = flaws.chain(gaps).collect();
    all.sort();
    all.dedup();
    let more = all.len().saturating_sub(IDS);
    all.truncate(IDS);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join(", ")
}
