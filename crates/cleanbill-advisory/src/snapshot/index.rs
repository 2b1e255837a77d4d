//! The index: what the snapshot says about itself, and where its blocks are.

use std::collections::BTreeMap;

use cleanbill_core::Date;
use cleanbill_core::advisory::Feed;

use super::codec::{Decoded, Reader, Writer};
use super::content_sets::ContentSets;
use super::{BLOCK_MAX, HEADER};

/// Where one block is and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The first key in it: stream and package name; of flaws nothing and the id.
    pub first: (String, String),
    pub offset: u64,
    /// Bytes as stored.
    pub stored: u64,
    /// Bytes after decompression.
    pub plain: u64,
    pub hash: [u8; 32],
}

/// Everything but the advisories.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub feeds: Vec<Feed>,
    pub lives: BTreeMap<(String, String), Option<Date>>,
    /// How many flaws are known to be exploited.
    pub exploited: u64,
    /// Blocks of advisories.
    pub blocks: Vec<Entry>,
    /// Blocks of flaws, which follow them.
    pub flaws: Vec<Entry>,
    /// What lay beside what was read, and why it was not.
    pub ignored: Vec<String>,
    /// Which products the repositories of Red Hat have.
    pub content_sets: ContentSets,
}

impl Index {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.num(self.feeds.len() as u64);
        for feed in &self.feeds {
            w.text(&feed.id);
            w.time(feed.as_of);
            w.text(&feed.licence);
            w.num(feed.advisories);
            w.num(feed.not_understood);
            w.num(feed.streams.len() as u64);
            for stream in &feed.streams {
                w.text(&stream.to_string());
            }
        }
        w.num(self.lives.len() as u64);
        for ((distribution, release), end) in &self.lives {
            w.text(distribution);
            w.text(release);
            w.date(*end);
        }
        w.num(self.exploited);
        for blocks in [&self.blocks, &self.flaws] {
            w.num(blocks.len() as u64);
            for block in blocks {
                w.text(&block.first.0);
                w.text(&block.first.1);
                w.num(block.stored);
                w.num(block.plain);
                w.0.extend_from_slice(&block.hash);
            }
        }
        // Most snapshots leave nothing out and know no repositories, and say nothing here.
        let sets = self.content_sets.len() > 0;
        if !self.ignored.is_empty() || sets {
            w.num(self.ignored.len() as u64);
            for text in &self.ignored {
                w.text(text);
            }
        }
        if sets {
            self.content_sets.encode(&mut w);
        }
        w.0
    }

    /// Reads an index whose blocks fill the file from the header to `end` without a hole.
    pub(super) fn decode(bytes: &[u8], end: u64) -> Decoded<Self> {
        let mut r = Reader(bytes);
        let mut index = Self::default();
        for _ in 0..r.count()? {
            let (id, as_of) = (r.text()?.to_owned(), r.time()?);
            let licence = r.text()?.to_owned();
            let (advisories, not_understood) = (r.num()?, r.num()?);
            let stream = |r: &mut Reader<'_>| {
                r.text()?.parse().map_err(|_| "names a stream of an unknown ecosystem")
            };
            let streams = (0..r.count()?).map(|_| stream(&mut r)).collect::<Decoded<_>>()?;
            index.feeds.push(Feed { id, as_of, licence, advisories, not_understood, streams });
        }
        for _ in 0..r.count()? {
            let key = (r.text()?.to_owned(), r.text()?.to_owned());
            index.lives.insert(key, r.date()?);
        }
        index.exploited = r.num()?;
        let mut offset = HEADER as u64;
        for blocks in [&mut index.blocks, &mut index.flaws] {
            for _ in 0..r.count()? {
                let first = (r.text()?.to_owned(), r.text()?.to_owned());
                if blocks.last().is_some_and(|b: &Entry| b.first >= first) {
                    return Err("its blocks are not in order");
                }
                let (stored, plain, hash) = (r.num()?, r.num()?, r.array()?);
                if plain > BLOCK_MAX as u64 || stored > BLOCK_MAX as u64 {
                    return Err("a block is too large");
                }
                blocks.push(Entry { first, offset, stored, plain, hash });
                offset += stored;
            }
        }
        if offset != end {
            return Err("its blocks do not fill the file");
        }
        if !r.0.is_empty() {
            let ignored = r.count()?;
            for _ in 0..ignored {
                index.ignored.push(r.text()?.to_owned());
            }
            if ignored == 0 || !r.0.is_empty() {
                index.content_sets = ContentSets::decode(&mut r)?;
            }
        }
        if r.0.is_empty() { Ok(index) } else { Err("it has bytes after its end") }
    }
}
