//! The images that the gate knows: of the record each name with its bytes as it was judged last, and
//! for whom it was asked; and those that were examined ahead of any question, as for a pod of no
//! namespace. Dry runs ran nothing, and are passed over.

use std::collections::{BTreeMap, HashMap, HashSet};

use cleanbill_core::Timestamp;
use cleanbill_core::asked::Asked;
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::failure::Result;
use crate::serve::question::Question;
use crate::serve::trace::{Trace, TracedCase, TracedOutcome};
use crate::store::{Decision, Store, Wanted};

/// Read at a time.
const PAGE: u32 = 500;
/// The most images that are held at once.
const MOST: usize = 100_000;
/// The most namespaces of one image that are judged.
const MOST_PLACES: usize = 64;

/// An image as it was judged last, or examined.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its name as questions write it; with its digest where none has been asked.
    pub name: String,
    /// The bytes it stood for: one digest, or all that were registered.
    pub digests: Vec<Digest>,
    /// When it was last asked for; `None`: never.
    pub last: Option<Timestamp>,
    /// For whom it was asked, by namespace: the last of each.
    pub places: BTreeMap<String, Place>,
    /// Namespaces past the bound, which are not judged.
    pub more_places: bool,
    /// What was found, by the digests of evidence, and what others said.
    pub(super) case: TracedCase,
    /// Of an image that nobody has asked for: where what was found in it is kept.
    pub(super) kept: Option<Vec<u8>>,
}

/// For whom an image was asked.
#[derive(Clone, Debug)]
pub struct Place {
    /// The circumstances.
    pub asked: Asked,
    /// Whether the answer pinned it to its digest.
    pub pinned: bool,
}

/// All that the record knows.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The images, by name and digest.
    pub images: Vec<Known>,
    /// Names of which nothing is known but that they were asked for, and why.
    pub unknown: BTreeMap<String, String>,
}

type Key = (String, Vec<Digest>);

#[derive(Default)]
struct Gathered {
    images: BTreeMap<Key, Known>,
    unknown: BTreeMap<String, String>,
    /// Images of questions that came before in the same words.
    met: HashMap<[u8; 32], Vec<Key>>,
}

impl Record {
    /// Reads all of the record, for as long as `go_on` says.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &Store, go_on: &dyn Fn() -> bool) -> Result<Self> {
        let mut gathered = Gathered::default();
        let mut wanted = Wanted { after: Some(0), ..Wanted::default() };
        while go_on() {
            let page = store.decisions(&wanted, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            wanted.after = Some(*last);
            for (_, decision) in page.iter().filter(|(_, d)| d.enforced) {
                gathered.add(decision);
            }
        }
        if go_on() {
            gathered.examined_ahead(store)?;
        }
        let Gathered { images, mut unknown, .. } = gathered;
        for (name, _) in images.keys() {
            unknown.remove(name);
        }
        Ok(Self { images: images.into_values().collect(), unknown })
    }
}

/// What of the key of an examined image matters here.
#[derive(Deserialize)]
struct ExaminedKey {
    name: String,
    digest: Digest,
    engine: u32,
}

impl Gathered {
    /// Adds the images that are examined, and that nobody has asked for.
    fn examined_ahead(&mut self, store: &Store) -> Result<()> {
        let asked: HashSet<(String, Digest)> = self
            .images
            .keys()
            .flat_map(|(name, digests)| digests.iter().map(|digest| (repository(name), *digest)))
            .collect();
        for bytes in store.image_keys(MOST.saturating_sub(self.images.len()))? {
            let Ok(key) = serde_json::from_slice::<ExaminedKey>(&bytes) else { continue };
            // What another version found is found anew before it is used.
            let current = key.engine == cleanbill_extract::ENGINE;
            if !current || asked.contains(&(key.name.clone(), key.digest)) {
                continue;
            }
            let name = format!("{}@{}", key.name, key.digest);
            let outcome = TracedOutcome::Examined(key.digest);
            let case = TracedCase { image: name.clone(), outcome, opinions: Vec::new() };
            let nowhere = Place { asked: Asked::default(), pinned: false };
            let known = Known {
                name: name.clone(),
                digests: vec![key.digest],
                last: None,
                places: BTreeMap::from([(String::new(), nowhere)]),
                more_places: false,
                case,
                kept: Some(bytes),
            };
            self.images.insert((name, vec![key.digest]), known);
        }
        Ok(())
    }

    fn add(&mut self, decision: &Decision) {
        let words = words(decision);
        if let Some(keys) = self.met.get(&words) {
            for key in keys {
                if let Some(known) = self.images.get_mut(key) {
                    known.last = known.last.max(Some(decision.time));
                }
            }
            return;
        }
        let question = decision.question.as_deref().map(serde_json::from_str::<Question>);
        let (Some(Ok(question)), Ok(trace)) =
            (question, serde_json::from_str::<Trace>(&decision.trace))
        else {
            let why = "its decision is written in another way than this version knows";
            let names = decision.images.iter().map(|(name, _)| name.clone());
            self.unknown.extend(names.map(|name| (name, why.to_owned())));
            return;
        };
        let mut keys = Vec::new();
        for case in trace.cases {
            let why = match &case.outcome {
                TracedOutcome::Examined(_) | TracedOutcome::Registered(_) => {
                    keys.extend(self.image(decision, &question, case));
                    continue;
                }
                TracedOutcome::NameRefused(_) => "it was refused by its name and not examined",
                // No image at all.
                TracedOutcome::NoReference(_) => continue,
                TracedOutcome::Failed(why) => why,
            };
            let why = why.to_owned();
            self.unknown.insert(case.image, why);
        }
        self.met.insert(words, keys);
    }

    fn image(&mut self, decision: &Decision, of: &Question, case: TracedCase) -> Option<Key> {
        let mine = decision.images.iter().filter(|(name, _)| *name == case.image);
        let mut digests: Vec<Digest> = mine.filter_map(|(_, digest)| *digest).collect();
        if let TracedOutcome::Registered(all) = &case.outcome {
            digests.extend(all.iter().map(|(digest, ..)| *digest));
        }
        digests.sort();
        digests.dedup();
        let key = (case.image.clone(), digests);
        if self.images.len() >= MOST && !self.images.contains_key(&key) {
            let why = format!("the record has more than {MOST} images: only the oldest are judged");
            self.unknown.insert(case.image, why);
            return None;
        }
        let place =
            Place { asked: of.asked.clone(), pinned: of.pinned.contains(case.image.as_str()) };
        let known = self.images.entry(key.clone()).or_insert_with(|| Known {
            name: key.0.clone(),
            digests: key.1.clone(),
            last: None,
            places: BTreeMap::new(),
            more_places: false,
            case: case.clone(),
            kept: None,
        });
        known.last = known.last.max(Some(decision.time));
        known.case = case;
        let namespace = of.asked.namespace.clone();
        if known.places.len() < MOST_PLACES || known.places.contains_key(&namespace) {
            known.places.insert(namespace, place);
        } else {
            known.more_places = true;
        }
        Some(key)
    }
}

/// The repository of an image's name; the name, where it is none.
fn repository(name: &str) -> String {
    name.parse::<ImageRef>().map_or_else(|_| name.to_owned(), |reference| reference.name())
}

/// Tells questions that came in the same words, and what was found then, from others.
fn words(decision: &Decision) -> [u8; 32] {
    let question = decision.question.as_deref().unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update((question.len() as u64).to_le_bytes());
    hash.update(question);
    hash.update(&decision.trace);
    hash.finalize().into()
}
