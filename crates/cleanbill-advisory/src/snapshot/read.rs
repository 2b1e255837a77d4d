//! Opening a snapshot and looking things up in it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cleanbill_core::advisory::{Advisories, Advisory, ContentSet, Feed, FlawFacts, ReleaseLife};
use cleanbill_core::digest::Digest;
use cleanbill_core::ecosystem::Stream;
use sha2::{Digest as _, Sha256};
use zstd::bulk::Decompressor;

use super::block::Block;
use super::cache::Cache;
use super::codec::{Decoded, Reader};
use super::flaws::Flaws;
use super::index::{Entry, Index};
use super::{FOOTER, FORMAT, HEADER, INDEX_MAX, MAGIC};
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::trivy;
use crate::positioned::Positioned;

/// Bytes that [`Snapshot::pieces`] reads at a time.
const PIECE: u64 = 1 << 20;

/// One immutable set of advisories; look-ups may run on any number of threads.
pub struct Snapshot {
    source: Positioned,
    /// What errors call it.
    name: String,
    digest: Digest,
    bytes: u64,
    index: Index,
    covering: HashMap<Stream, usize>,
    /// Streams with advisories under names in lower case.
    lower_case: HashSet<Stream>,
    blocks: Mutex<Cache<Block>>,
    flaws: Mutex<Cache<Flaws>>,
    decompressor: Mutex<Option<Decompressor<'static>>>,
}

impl Snapshot {
    /// Opens a snapshot file, which must not be changed while it is open (builds and updates
    /// replace files, they never write into them).
    ///
    /// # Errors
    /// When it is no snapshot, of another format, damaged, or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_as(path, &path.display().to_string())
    }

    /// The same of a copy; errors call it by the name of what it was copied from.
    pub(crate) fn open_as(path: &Path, name: &str) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let bytes = file.metadata().map_err(|e| Error::io(path, e))?.len();
        Self::read(Positioned::File(file), bytes, name.to_owned())
    }

    /// A snapshot that is part of the program.
    ///
    /// # Errors
    /// As [`Snapshot::open`].
    pub fn from_static(bytes: &'static [u8], name: &str) -> Result<Self> {
        Self::read(Positioned::Static(bytes), bytes.len() as u64, name.to_owned())
    }

    /// A snapshot from bytes, whatever they are: never panics, and takes no more memory than a
    /// small multiple of their length.
    ///
    /// # Errors
    /// As [`Snapshot::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::read(Positioned::Owned(bytes), length, "these bytes".to_owned())
    }

    fn read(source: Positioned, bytes: u64, name: String) -> Result<Self> {
        let no_snapshot = |why: &str| Error::malformed(format!("{name} is no snapshot: {why}"));
        let damaged = |why: &str| {
            let message = format!("{name} is damaged: {why}; get it again");
            Error::new(ErrorKind::Damaged, message)
        };
        if bytes < (HEADER + FOOTER) as u64 {
            return Err(no_snapshot("it is too short"));
        }
        let head = source.read_at(0, HEADER, &name)?;
        let mut r = Reader(&head);
        if r.array::<8>() != Ok(MAGIC) {
            return Err(no_snapshot("it begins with other bytes"));
        }
        let format = r.array().map(u32::from_le_bytes).map_err(no_snapshot)?;
        if format != FORMAT {
            let message = format!(
                "{name} has snapshot format {format}; this program reads {FORMAT}: build or update it again with this program"
            );
            return Err(Error::malformed(message));
        }
        let foot = source.read_at(bytes - FOOTER as u64, FOOTER, &name)?;
        let mut r = Reader(&foot);
        let mut number = || r.array().map(u64::from_le_bytes).map_err(&damaged);
        let (at, length) = (number()?, number()?);
        let digest = r.array::<32>().map_err(damaged)?;
        if r.array::<8>() != Ok(MAGIC) {
            return Err(damaged("its end is missing"));
        }
        if length > INDEX_MAX || at.checked_add(length) != Some(bytes - FOOTER as u64) {
            return Err(damaged("its index is not where its end says"));
        }
        let encoded = source.read_at(at, length as usize, &name)?;
        let hash = Sha256::new().chain_update(&head).chain_update(&encoded).finalize();
        if digest != *hash {
            return Err(damaged("its index does not have the hash it was written with"));
        }
        let index = Index::decode(&encoded, at)
            .map_err(|why| Error::malformed(format!("{name}: the index cannot be read: {why}")))?;
        let mut covering: HashMap<Stream, usize> = HashMap::new();
        for (i, feed) in index.feeds.iter().enumerate() {
            for stream in &feed.streams {
                let best = covering.entry(stream.clone()).or_insert(i);
                if index.feeds.get(*best).is_some_and(|b| b.as_of < feed.as_of) {
                    *best = i;
                }
            }
        }
        let lower_case = index.feeds.iter().flat_map(trivy::in_lower_case).cloned().collect();
        let digest = Digest::Sha256(digest);
        Ok(Self {
            source,
            name,
            digest,
            bytes,
            index,
            covering,
            lower_case,
            blocks: Mutex::default(),
            flaws: Mutex::default(),
            decompressor: Mutex::default(),
        })
    }

    /// The digest of everything in it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where it came from: the file's path, or the name of the built-in one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.bytes
    }

    /// Every feed in it, sorted by id.
    pub fn feeds(&self) -> &[Feed] {
        &self.index.feeds
    }

    /// The feed that says which flaws are known to be exploited, if there is one in it: without
    /// one, [`FlawFacts::exploited`] is `false` of everything.
    pub fn known_exploited_feed(&self) -> Option<&Feed> {
        self.index.feeds.iter().find(|feed| feed.id == crate::feeds::kev::ID)
    }

    /// The feed that says how likely flaws are to be exploited, if there is one in it: without one,
    /// [`FlawFacts::epss`] is `None` of everything.
    pub fn epss_feed(&self) -> Option<&Feed> {
        self.index.feeds.iter().find(|feed| feed.id == crate::feeds::epss::ID)
    }

    /// What lay in the feeds and is not in here, and why.
    pub fn ignored(&self) -> &[String] {
        &self.index.ignored
    }

    /// How many flaws it knows to be exploited.
    pub fn known_exploited_count(&self) -> usize {
        usize::try_from(self.index.exploited).unwrap_or(usize::MAX)
    }

    /// How many releases of distributions it knows the end of life of.
    pub fn release_count(&self) -> usize {
        self.index.lives.len()
    }

    /// Whether it knows when any release of a distribution ends.
    pub(crate) fn knows_lives_of(&self, distribution: &str) -> bool {
        self.index.lives.keys().any(|(of, _)| of == distribution)
    }

    /// Reads every block and checks its hash and form.
    ///
    /// # Errors
    /// When one is damaged.
    pub fn verify(&self) -> Result<()> {
        let advisories = |entry| {
            let read = |plain| Block::parse(plain).and_then(|block| block.check());
            self.decoded(entry, read)
        };
        self.index.blocks.iter().try_for_each(advisories)?;
        self.for_each_flaw(|_, _| {})
    }

    /// The bytes of the whole file, from what was opened and not from what stands under its name
    /// by now. Whoever keeps them verifies what he kept.
    pub fn pieces(&self) -> impl Iterator<Item = Result<Vec<u8>>> {
        (0..self.bytes.div_ceil(PIECE)).map(|number| {
            let at = number * PIECE;
            self.source.read_at(at, PIECE.min(self.bytes - at) as usize, &self.name)
        })
    }

    /// Calls `see` with every stream, package name and its advisories, in the order of keys.
    ///
    /// # Errors
    /// When a block is damaged.
    pub fn for_each(&self, mut see: impl FnMut(&str, &str, Vec<Advisory>)) -> Result<()> {
        for record in self.records() {
            let ((stream, name), advisories) = record?;
            see(&stream, &name, advisories);
        }
        Ok(())
    }

    /// Calls `see` with every flaw of which something is known, in the order of ids.
    ///
    /// # Errors
    /// When a block is damaged.
    pub fn for_each_flaw(&self, mut see: impl FnMut(&str, &FlawFacts)) -> Result<()> {
        for entry in &self.index.flaws {
            self.flaws_of(entry)?.all().iter().for_each(|(id, facts)| see(id, facts));
        }
        Ok(())
    }

    pub(super) fn block_entries(&self) -> &[Entry] {
        &self.index.blocks
    }

    pub(super) fn flaw_entries(&self) -> &[Entry] {
        &self.index.flaws
    }

    /// A block, decoded and not kept.
    pub(super) fn block_of(&self, entry: &Entry) -> Result<Block> {
        self.decoded(entry, Block::parse)
    }

    /// A block of flaws, decoded and not kept.
    pub(super) fn flaws_of(&self, entry: &Entry) -> Result<Flaws> {
        self.decoded(entry, |plain| Flaws::parse(&plain))
    }

    /// The advisories under one name, letter by letter.
    fn named(&self, stream: &Stream, name: &str) -> Result<Vec<Advisory>> {
        let stream = stream.to_string();
        let Some(place) = place(&self.index.blocks, (&stream, name)) else {
            return Ok(Vec::new());
        };
        let block = self.block(&self.blocks, place, Block::parse, Block::weight)?;
        block.get(&stream, name).map_err(|why| {
            Error::malformed(format!("{}: the record of {stream} {name}: {why}", self.name))
        })
    }

    /// The block of a number, decoded; `weight` tells what it takes in memory.
    fn block<T>(
        &self,
        cache: &Mutex<Cache<T>>,
        (number, entry): (usize, &Entry),
        parse: impl FnOnce(Vec<u8>) -> Decoded<T>,
        weight: impl FnOnce(&T) -> usize,
    ) -> Result<Arc<T>> {
        if let Some(block) = cache.lock().unwrap_or_else(PoisonError::into_inner).get(number) {
            return Ok(block);
        }
        // Two threads may decode the same block at once; that is cheaper than waiting.
        let block = Arc::new(self.decoded(entry, parse)?);
        let weight = weight(&block);
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(number, Arc::clone(&block), weight);
        Ok(block)
    }

    /// With the one decompressor that is kept, or, while another thread has it, a new one.
    fn decompressed(&self, stored: &[u8], most: usize) -> std::io::Result<Vec<u8>> {
        let kept = self.decompressor.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut decompressor = kept.map_or_else(Decompressor::new, Ok)?;
        let plain = decompressor.decompress(stored, most);
        *self.decompressor.lock().unwrap_or_else(PoisonError::into_inner) = Some(decompressor);
        plain
    }

    fn decoded<T>(&self, entry: &Entry, parse: impl FnOnce(Vec<u8>) -> Decoded<T>) -> Result<T> {
        let of = format!("{} {}", entry.first.0, entry.first.1);
        let place = || format!("{}: the block of {}", self.name, of.trim());
        let stored = self.source.read_at(entry.offset, entry.stored as usize, &self.name)?;
        if *Sha256::digest(&stored) != entry.hash {
            let message = format!(
                "{} does not have the hash it was written with; get the snapshot again",
                place()
            );
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        let plain = self
            .decompressed(&stored, entry.plain as usize)
            .map_err(|e| Error::malformed(format!("{} does not decompress", place())).because(e))?;
        if plain.len() as u64 != entry.plain {
            return Err(Error::malformed(format!("{} has another length than its index", place())));
        }
        parse(plain).map_err(|why| Error::malformed(format!("{} {why}", place())))
    }
}

/// The block in which a key would be: the last one that does not begin after it.
fn place<'e>(blocks: &'e [Entry], key: (&str, &str)) -> Option<(usize, &'e Entry)> {
    let after = blocks.partition_point(|b| (b.first.0.as_str(), b.first.1.as_str()) <= key);
    after.checked_sub(1).and_then(|number| Some((number, blocks.get(number)?)))
}

impl Advisories for Snapshot {
    type Error = Error;

    fn feeds(&self) -> &[Feed] {
        Self::feeds(self)
    }

    /// Where Trivy's database speaks of the stream, the name in lower case is looked up too: in
    /// most languages it has no other, so that two packages whose names differ in case alone
    /// are one there.
    fn lookup(&self, stream: &Stream, name: &str) -> Result<Vec<Advisory>> {
        let mut found = self.named(stream, name)?;
        let may_differ = |b: u8| b.is_ascii_uppercase() || !b.is_ascii();
        if name.bytes().any(may_differ) && self.lower_case.contains(stream) {
            let lower = name.to_lowercase();
            if lower != name {
                found.extend(self.named(stream, &lower)?);
            }
        }
        Ok(found)
    }

    /// Where several feeds cover a stream: the one with the newest date.
    fn covering(&self, stream: &Stream) -> Option<&Feed> {
        self.index.feeds.get(*self.covering.get(stream)?)
    }

    fn release_life(&self, distribution: &str, release: &str) -> Result<Option<ReleaseLife>> {
        let key = (distribution.to_owned(), release.to_owned());
        Ok(self.index.lives.get(&key).map(|end| ReleaseLife { end_of_life: *end }))
    }

    fn content_set(&self, name: &str) -> Result<ContentSet> {
        Ok(self.index.content_sets.get(name))
    }

    fn flaw(&self, id: &str) -> Result<FlawFacts> {
        let Some(place) = place(&self.index.flaws, ("", id)) else {
            return Ok(FlawFacts::default());
        };
        let parse = |plain: Vec<u8>| Flaws::parse(&plain);
        let block = self.block(&self.flaws, place, parse, Flaws::weight)?;
        Ok(block.get(id).cloned().unwrap_or_default())
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({}, {})", self.name, self.digest)
    }
}
