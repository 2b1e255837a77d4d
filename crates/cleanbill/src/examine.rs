//! A pinned image → its inventory: opens its layers, several at once, and shows every file to
//! the extractors. The only place where the streams of `cleanbill-oci` meet the extractors of
//! `cleanbill-extract`, which must not know each other.
//!
//! Facts are kept only of layers whose bytes had the promised digest to the last one.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cleanbill_core::digest::Digest;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::image::{ImageFacts, RunsAs, User};
use cleanbill_core::inventory::{Inventory, InventoryKey, LayerKey};
use cleanbill_core::layer::Entry;
use cleanbill_core::package::LayerId;
use cleanbill_extract::{ENGINE, Extra, Interest, LayerExaminer, LayerFacts, Options, merge};
use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::image::{Layer, PinnedImage};
use cleanbill_oci::layer::{LayerDigests, LayerReader};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{DirectoryReader, open_directory};

use crate::failure::Failure;
use crate::store::Store;
use crate::trouble::Trouble;

type Result<T> = std::result::Result<T, Trouble>;

/// Turns images into inventories.
#[derive(Clone)]
pub struct Examiner {
    /// What the extractors may read.
    pub options: Options,
    /// Layers that are read at the same time.
    pub threads: NonZeroUsize,
    /// Where facts are kept, if they are.
    pub store: Option<Arc<Store>>,
}

/// The memory that facts of one image's layers may take together, in bytes as they reckon it: part
/// of what the gate reckons for an examination. Real images stay below 64 MiB.
const FACTS_MOST: u64 = 256 << 20;

/// What is held of one image.
#[derive(Default)]
struct Held(AtomicU64);

impl Held {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// When the image has more than [`FACTS_MOST`] now.
    fn take(&self, bytes: u64) -> cleanbill_oci::Result<()> {
        if self.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= FACTS_MOST {
            return Ok(());
        }
        let why = format!("more than {FACTS_MOST} bytes of paths and packages in the image");
        Err(cleanbill_oci::Error::new(ErrorKind::OverLimit, why))
    }
}

/// What is being done, for whoever waits.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Layers that have been read.
    pub done: usize,
    /// Layers of the image.
    pub of: usize,
}

/// What came of one layer.
enum Outcome {
    Facts(LayerFacts),
    /// It was not (wholly) examined.
    Gap(Gap),
}

impl Examiner {
    /// One that reads as many layers at a time as there are processors.
    pub fn new(options: Options, store: Option<Arc<Store>>) -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { options, threads, store }
    }

    /// What extractors may read within these limits.
    pub fn options(limits: &Limits) -> Options {
        Options { file_bytes: limits.file_bytes, ..Options::default() }
    }

    /// The inventory of one image, from the store if everything it depends on is there.
    ///
    /// # Errors
    /// When a layer cannot be read, is malformed or is not what its digests promise.
    pub fn examine(&self, image: &PinnedImage, watch: &(dyn Fn(Step) + Sync)) -> Result<Inventory> {
        let key = self.inventory_key(image);
        if let Some(store) = &self.store
            && let Some(known) = store.inventory(&key)?
        {
            return Ok(known);
        }
        let wanted: Vec<usize> = readable(image).collect();
        let held = Held::default();
        let outcomes = self.read_layers(image, &wanted, &BTreeMap::new(), &held, watch)?;
        let mut gaps = Vec::new();
        let mut layers: Vec<(Option<LayerId>, LayerFacts)> = Vec::with_capacity(wanted.len());
        let mut places = Vec::with_capacity(wanted.len());
        for (index, outcome) in wanted.iter().copied().zip(outcomes) {
            match outcome {
                Outcome::Gap(gap) => gaps.push(gap),
                Outcome::Facts(facts) => {
                    layers.push((image.layers.get(index).map(layer_id), facts));
                    places.push(index);
                }
            }
        }
        let mut merged = merge(&layers);
        let missing = merged.missing();
        if !missing.is_empty() {
            // A link led to files whose names alone made nobody want them: one more look at
            // the layers that hold them, and no third.
            let mut extra: BTreeMap<usize, Vec<Extra>> = BTreeMap::new();
            for (at, wish) in missing {
                if let Some(index) = places.get(at) {
                    extra.entry(*index).or_default().push(wish);
                }
            }
            let again: Vec<usize> = extra.keys().copied().collect();
            let outcomes = self.read_layers(image, &again, &extra, &held, watch)?;
            for (index, outcome) in again.into_iter().zip(outcomes) {
                match outcome {
                    Outcome::Gap(gap) => gaps.push(gap),
                    Outcome::Facts(facts) => {
                        let place = places.iter().position(|p| *p == index);
                        if let Some(layer) = place.and_then(|at| layers.get_mut(at)) {
                            layer.1 = facts;
                        }
                    }
                }
            }
            merged = merge(&layers);
        }
        let mut inventory = merged.inventory();
        let complete = gaps.is_empty();
        let user = image.user.as_deref();
        let runs_as_root = match User::parse(user) {
            User::Named(name) if layers.len() != image.layers.len() => RunsAs::Unknown(format!(
                "it runs as {name:?}, and a layer was not examined that may have another /etc/passwd"
            )),
            User::Named(_) | User::Decided(_) => merged.runs_as(user),
        };
        inventory.config =
            ImageFacts { user: image.user.clone(), runs_as_root, created: image.created };
        inventory.gaps.extend(gaps);
        if let (Some(store), true) = (&self.store, complete) {
            store.put_inventory(&key, &inventory)?;
        }
        Ok(inventory)
    }

    /// Everything that the inventory of this image depends on.
    pub fn inventory_key(&self, image: &PinnedImage) -> InventoryKey {
        let layers = image.layers.iter().map(|l| self.layer_key(l, &[])).collect();
        InventoryKey { layers, config: image.config_digest }
    }

    fn layer_key(&self, layer: &Layer, extra: &[Extra]) -> LayerKey {
        LayerKey {
            diff_id: layer.diff_id,
            blob: layer.blob.digest,
            media_type: layer.blob.media_type.clone(),
            engine: ENGINE,
            options: self.options.with_extra(extra.to_vec()).digest(),
        }
    }

    /// Reads these layers, the largest first, several at once; outcomes in the order asked for.
    fn read_layers(
        &self,
        image: &PinnedImage,
        wanted: &[usize],
        extra: &BTreeMap<usize, Vec<Extra>>,
        held: &Held,
        watch: &(dyn Fn(Step) + Sync),
    ) -> Result<Vec<Outcome>> {
        let size = |at: usize| image.layers.get(at).map_or(0, |l| l.blob.size);
        let mut order: Vec<(usize, usize)> = wanted.iter().copied().enumerate().collect();
        order.sort_by_key(|(_, index)| std::cmp::Reverse(size(*index)));
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results: Vec<Mutex<Option<Result<Outcome>>>> =
            wanted.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            while let Some((slot, index)) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let wishes = extra.get(index).map_or(&[][..], Vec::as_slice);
                let outcome = self.layer(image, *index, wishes, held);
                if outcome.is_err() {
                    // Nobody needs the rest any more.
                    next.store(order.len(), Ordering::Relaxed);
                }
                if let Some(result) = results.get(*slot) {
                    *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                watch(Step { done, of: wanted.len() });
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.get().min(wanted.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut outcomes = Vec::with_capacity(wanted.len());
        let mut stopped = false;
        for result in results {
            match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Some(outcome) => outcomes.push(outcome?),
                // Left out because another layer failed; that one's error stands further on.
                None => stopped = true,
            }
        }
        if stopped {
            return Err(Failure::new("a layer was left out while the image was read").into());
        }
        Ok(outcomes)
    }

    /// One layer: from the store, or read to its end.
    fn layer(
        &self,
        image: &PinnedImage,
        index: usize,
        extra: &[Extra],
        held: &Held,
    ) -> Result<Outcome> {
        let Some(layer) = image.layers.get(index) else {
            let why = format!("image {} has no layer {index}", image.digest);
            return Err(Failure::new(why).into());
        };
        let key = self.layer_key(layer, extra);
        if let Some(store) = &self.store
            && let Some(known) = store.layer(&key)?
        {
            return match held.take(LayerFacts::bytes(&known)) {
                Ok(()) => Ok(Outcome::Facts(known)),
                Err(error) => Ok(over_limit(layer, &error)),
            };
        }
        // A limit says something of a layer's bytes; whatever keeps us from them is an error.
        let reader = image.open_layer(index)?;
        match facts(reader, &self.options.with_extra(extra.to_vec()), held) {
            Ok((facts, _)) => {
                if let Some(store) = &self.store {
                    store.put_layer(&key, &facts)?;
                }
                Ok(Outcome::Facts(facts))
            }
            Err(error) if error.kind() == ErrorKind::OverLimit => Ok(over_limit(layer, &error)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The gap of a layer that is over a limit.
fn over_limit(layer: &Layer, error: &cleanbill_oci::Error) -> Outcome {
    let (subject, told) = (format!("layer {}", layer.blob.digest), error.to_string());
    let prefix = format!("{subject}: ");
    let detail = told.strip_prefix(&prefix).unwrap_or(&told);
    Outcome::Gap(Gap::new(GapKind::OverLimit, subject, detail))
}

/// The layers that somebody can read; of the others the image itself says that they are gaps.
fn readable(image: &PinnedImage) -> impl Iterator<Item = usize> {
    image.layers.iter().enumerate().filter(|(_, l)| l.gap().is_none()).map(|(index, _)| index)
}

fn layer_id(layer: &Layer) -> LayerId {
    LayerId { diff_id: layer.diff_id, blob: layer.blob.digest }
}

/// A stream of entries with their content: a layer's tar or a folder.
trait Entries {
    /// What is known once everything was read and checked.
    type End;
    fn next_entry(&mut self) -> cleanbill_oci::Result<Option<Entry>>;
    fn read_chunk(&mut self) -> cleanbill_oci::Result<Option<&[u8]>>;
    fn finish(self) -> cleanbill_oci::Result<Self::End>;
}

impl Entries for LayerReader {
    type End = LayerDigests;

    fn next_entry(&mut self) -> cleanbill_oci::Result<Option<Entry>> {
        self.next_entry()
    }

    fn read_chunk(&mut self) -> cleanbill_oci::Result<Option<&[u8]>> {
        self.read_chunk()
    }

    fn finish(self) -> cleanbill_oci::Result<LayerDigests> {
        self.finish()
    }
}

impl Entries for DirectoryReader {
    type End = Digest;

    fn next_entry(&mut self) -> cleanbill_oci::Result<Option<Entry>> {
        self.next_entry()
    }

    fn read_chunk(&mut self) -> cleanbill_oci::Result<Option<&[u8]>> {
        self.read_chunk()
    }

    fn finish(self) -> cleanbill_oci::Result<Digest> {
        self.finish()
    }
}

/// Shows every entry of one layer to the extractors, and reads it to the end, so that its
/// digests are checked before its facts are given to anybody.
///
/// # Errors
/// When it cannot be read, is malformed, passes a limit or is not what its digests promise.
fn facts<E: Entries>(
    mut entries: E,
    options: &Options,
    held: &Held,
) -> cleanbill_oci::Result<(LayerFacts, E::End)> {
    let mut examiner = LayerExaminer::new(options);
    let mut counted = 0;
    while let Some(entry) = entries.next_entry()? {
        let mut interest = examiner.open(&entry);
        while interest == Interest::Read {
            match entries.read_chunk()? {
                Some(chunk) => interest = examiner.data(chunk),
                None => break,
            }
        }
        examiner.close();
        let bytes = examiner.bytes();
        let taken = held.take(bytes.saturating_sub(counted));
        counted = bytes;
        if let Err(over) = taken {
            drop(examiner);
            // Of bytes that are not the promised ones nothing is said, not even that.
            entries.finish()?;
            return Err(over);
        }
    }
    let end = entries.finish()?;
    Ok((examiner.finish(), end))
}

/// The inventory of a root filesystem folder, and the digest of its listing.
///
/// # Errors
/// When something in it cannot be read, or a limit is passed.
pub fn examine_folder(
    root: &Path,
    limits: &Arc<Limits>,
    options: &Options,
) -> cleanbill_oci::Result<(Inventory, Digest)> {
    let held = Held::default();
    let (mut read, mut digest) = facts(open_directory(root, limits)?, options, &held)?;
    let mut layers = [(None, read)];
    let missing = merge(&layers).missing();
    if !missing.is_empty() {
        let extra = missing.into_iter().map(|(_, extra)| extra).collect();
        (read, digest) = facts(open_directory(root, limits)?, &options.with_extra(extra), &held)?;
        layers = [(None, read)];
    }
    Ok((merge(&layers).inventory(), digest))
}

#[cfg(test)]
#[path = "examine_tests.rs"]
mod tests;
