//! What the gate let run, by its record: every image as it was judged last, at that time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Case, Outcome};

use super::seen::Sight;
use super::{Args, Basis, NotExamined, Seen};
use crate::commands::record::Since;
use crate::failure::Result;
use crate::rejudge::Rejudge;
use crate::serve::load;
use crate::snapshot_choice;
use crate::store::{Decision, Owner, Store, Wanted};

/// How far back it is looked unless told otherwise.
const WEEK: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);
/// Read at a time.
const PAGE: u32 = 500;

/// What was gathered: sights by image and bytes, and why others are none.
#[derive(Default)]
struct Gathered {
    sights: BTreeMap<(String, Vec<Digest>), Sight>,
    missing: BTreeMap<String, String>,
    denied: BTreeSet<String>,
}

/// Reads the record. Dry runs ran nothing, and are passed over.
pub(super) fn look(config: &Path, args: &Args, now: Timestamp) -> Result<Seen> {
    args.looking.only_facts("what the record has is not fetched again")?;
    let (config, policy) = load::load(config)?;
    let store = Store::look(&config.state_dir, Owner::Gate)?;
    let named = args.looking.named_snapshot()?;
    let snapshot = named.as_deref().map(|path| snapshot_choice::choose(Some(path))).transpose()?;
    let mut rejudge = Rejudge::new(&store).against(snapshot.as_ref());
    let since = args.since.unwrap_or(Since::Ago(WEEK)).time(now);
    let mut wanted = Wanted { since: Some(since), after: Some(0), ..Wanted::default() };
    let mut gathered = Gathered::default();
    loop {
        let page = store.decisions(&wanted, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        wanted.after = Some(*last);
        for (_, decision) in page.iter().filter(|(_, d)| d.enforced) {
            gathered.add(decision, &mut rejudge)?;
        }
    }
    let source = format!("what the gate let run since {}", since.strftime("%FT%TZ"));
    let basis = Basis { source, kept_elsewhere: super::kept_elsewhere(&policy) };
    Ok(gathered.seen(basis))
}

impl Gathered {
    fn add(&mut self, decision: &Decision, rejudge: &mut Rejudge<'_>) -> Result<()> {
        let images = decision.images.iter().map(|(image, _)| image.clone());
        if decision.outcome == "denied" {
            self.denied.extend(images);
            return Ok(());
        }
        let cases = match rejudge.cases(decision)? {
            Ok((_, cases)) => cases,
            Err(why) => {
                self.missing.extend(images.map(|image| (image, why.clone())));
                return Ok(());
            }
        };
        let ran = decision.outcome == "allowed";
        for Case { image, outcome, .. } in cases {
            let why = match &outcome {
                Outcome::Failed(why) | Outcome::NoReference(why) => Some(why.clone()),
                Outcome::NameRefused(_) => Some("it was refused by its name".to_owned()),
                Outcome::Examined(_) | Outcome::Registered(_) => None,
            };
            match (why, image.parse::<ImageRef>()) {
                (Some(why), _) => _ = self.missing.insert(image, why),
                (None, Err(e)) => _ = self.missing.insert(image, e.to_string()),
                // Its pod waited for another image.
                (None, Ok(_)) if !ran => _ = self.denied.insert(image),
                (None, Ok(name)) => {
                    let sight = Sight::new(image.clone(), name, outcome, decision.judged_at);
                    self.sights.insert((image, digests(&sight)), sight);
                }
            }
        }
        Ok(())
    }

    fn seen(self, basis: Basis) -> Seen {
        let mut seen = Seen { basis, ..Seen::default() };
        // A name that was a registry's and is a node's now, or the other way round, is what it was
        // last: no policy holds for both.
        let mut local: BTreeMap<String, (Timestamp, bool)> = BTreeMap::new();
        for sight in self.sights.values() {
            let last = local.entry(sight.repository()).or_insert((sight.at, sight.is_local()));
            if sight.at >= last.0 {
                *last = (sight.at, sight.is_local());
            }
        }
        let (kept, other): (Vec<Sight>, Vec<Sight>) = self.sights.into_values().partition(|s| {
            local.get(&s.repository()).is_none_or(|(_, local)| *local == s.is_local())
        });
        let known: BTreeSet<&str> = kept.iter().map(|s| s.image.as_str()).collect();
        let unknown = |image: &str| !known.contains(image);
        let gone = |s: Sight| {
            let why = "its repository was a registry's once and a node's once".to_owned();
            (s.image, why)
        };
        let missing = self.missing.into_iter().chain(other.into_iter().map(gone));
        for (image, why) in missing.filter(|(image, _)| unknown(image)) {
            seen.missing.push(NotExamined { image, why });
        }
        seen.denied = self.denied.into_iter().filter(|image| unknown(image)).collect();
        seen.sights = kept;
        seen
    }
}

/// The bytes that a name stood for.
fn digests(sight: &Sight) -> Vec<Digest> {
    match &sight.outcome {
        Outcome::Examined(evidence) => vec![evidence.resolved],
        Outcome::Registered(all) => all.iter().map(|r| r.digest).collect(),
        Outcome::NameRefused(_) | Outcome::NoReference(_) | Outcome::Failed(_) => Vec::new(),
    }
}
